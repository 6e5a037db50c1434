"""Votes over answers whose equality is known."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.measures.compare import Run
from analysis.measures.independent_pool import pools
from analysis.measures.probes import probes_of
from analysis.measures.votes import majority, named
from leap_lab.grading.grade import Grade
from leap_lab.path import Probe
from leap_lab.runs.folder import RunFolder
from leap_lab.runs.rows import rows
from leap_lab.tasks.problem import Problem
from tests.known_runs import ALONE, LEAP, config_of, reasoning_path

SPELLINGS = {"1/2": ("1/2", "0.5", r"\frac12"), "3": ("3", "3.0", r"\frac{6}{2}"), "x": ("x+1", "1+x")}
VALUE = {text: value for value, texts in SPELLINGS.items() for text in texts}


def table(answers: list[str | None], gold: str, known: bool = True) -> pd.DataFrame:
    """A group of paths; `known`: with the clusters that grading records."""
    values = [VALUE.get(answer or "") for answer in answers]
    numbers = [None if value is None else sorted(SPELLINGS).index(value) for value in values]
    right = [value == gold for value in values]
    found = pd.DataFrame({"answer": answers, "correct": right}).assign(question_id="q", group=0)
    return found.assign(cluster=numbers) if known else found


@given(st.lists(st.sampled_from([*SPELLINGS["1/2"], *SPELLINGS["3"], None]), min_size=1, max_size=9))
def test_which_of_two_answers_is_right_gives_neither_an_advantage(answers: list[str | None]) -> None:
    """However each is written, the chances that either wins add up to one."""
    for known in (True, False):
        chances = [
            majority(list(named(rows)), list(rows["correct"]))
            for rows in (table(answers, gold, known) for gold in ("1/2", "3"))
        ]
        assert sum(chances) == pytest.approx(0 if not any(answers) else 1)


def test_wrong_answers_vote_together_as_right_ones_do() -> None:
    answers = ["1/2", "0.5", "3", "3.0", r"\frac{6}{2}"]
    for gold, vote in (("1/2", 0.0), ("3", 1.0), ("x", 0.0)):
        rows = table(answers, gold)
        assert majority(list(named(rows)), list(rows["correct"])) == vote


def test_runs_without_clusters_go_by_what_answers_read_right_or_wrong() -> None:
    rows = table(["1/2", "0.5", "3", "3"], "1/2", known=False)
    assert list(named(rows)) == ["1/2", "0.5", "3", "3"]
    assert majority(list(named(rows)), list(rows["correct"])) == 0.0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("7", " 007", True),
        ("1,000", "$1000$", True),
        ("x + 1", "x+1", True),
        ("7", "-7", False),
        ("3 4", "34", False),
        ("New York", "NewYork", False),
    ],
)
def test_texts_are_compared_without_what_separates_nothing(one: str, other: str, same: bool) -> None:
    found = named(pd.DataFrame({"question_id": "q", "group": 0, "answer": [one, other]}))
    assert (found[0] == found[1]) is same


def test_groups_are_linked_by_what_they_share_and_questions_are_not() -> None:
    rows = pd.DataFrame(
        [("q", 0, "1/2", 0), ("q", 0, "0.5", 0), ("q", 1, "0.5", 3), ("q", 1, r"\frac12", 3), ("p", 0, "0.50", 0)],
        columns=["question_id", "group", "answer", "cluster"],
    )
    names = list(named(rows))
    assert len(set(names[:4])) == 1 and names[4] == "0.50"


def write(runs: Path, groups: list[list[tuple[str, int | None]]], router: str | None = None) -> Path:
    """A run with these answers and their clusters in every group of one question; 1/2 is right."""
    node = None if router is None else {"name": router, "top_k": 2}
    config = config_of(ALONE if router is None else LEAP, node)
    folder = RunFolder.open(runs, {"of": str(groups), "router": router}, config)
    for group, given_ in enumerate(groups):
        paths = [reasoning_path(index, router is not None) for index in range(len(given_))]
        for path, (answer, _) in zip(paths, given_, strict=True):
            path.probes = [Probe(0, phase, answer, VALUE[answer] == "1/2") for phase in ("before", "after")]
        grades = [Grade(answer, VALUE[answer] == "1/2") for answer, _ in given_]
        made = rows(folder.run_id, Problem("q", "?", "1/2"), group, paths, grades, [0] * len(paths))
        numbered = [
            {**row, "cluster": number, "probe_clusters": None if number is None else [number] * 2}
            for row, (_, number) in zip(made, given_, strict=True)
        ]
        folder.write_group(numbered)
    return folder.path


def test_the_metrics_and_the_pool_vote_by_the_recorded_clusters(tmp_path: Path) -> None:
    known: list[list[tuple[str, int | None]]] = [[("1/2", 0), ("1/2", 0), ("3", 1), ("3.0", 1), (r"\frac{6}{2}", 1)]]
    unknown: list[list[tuple[str, int | None]]] = [[(answer, None) for answer, _ in known[0]]]
    for groups, vote in ((known, 0.0), (unknown, 1.0)):
        run = Run.read(write(tmp_path, groups))
        [pool] = pools([run])
        assert run.table["cons@5"][0] == vote == pool.cons(5, ["q"])[0][0]


def test_probes_say_the_same_where_their_answers_are_equal(tmp_path: Path) -> None:
    folder = write(tmp_path, [[("1/2", 0), ("0.5", 0), ("3", 1), ("3.0", 1)]], "dispersed")
    assert list(probes_of(folder)["said"]) == ["0.5"] * 4 + ["3"] * 4
