"""Several groups against as many independent paths, on run folders with known answers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from analysis.exhibits import fair_share
from analysis.exhibits.fair_share import Share, corrected
from analysis.exhibits.matched import Groups
from analysis.measures.budget import Budget
from analysis.measures.compare import Run
from leap_lab.errors import UserError
from tests.known_runs import ALONE, write_run

QUESTIONS = [f"q{index}" for index in range(12)]
FLOPS = {"computed": 1, "sampled": 0, "attended": 0}


def groups(*right: int, of: int = 4, questions: Sequence[str] = QUESTIONS) -> dict[str, list[list[str]]]:
    """A group of `of` paths for each number, so many of them right and the others wrong alike."""
    return {q: [["1"] * count + ["2"] * (of - count) for count in right] for q in questions}


def write(runs: Path, router: str | None, *right: int, of: int = 4, **more: Any) -> Path:
    """Paths with peers sample 110 tokens and hear 40, others 100."""
    k = {} if router != "none" else {"k": None}
    return write_run(runs, groups(*right, of=of), router, peers=of, groups=len(right), **k, **more)


def alone(runs: Path, right: int = 3, of: int = 16, **more: Any) -> Path:
    return write(runs, None, right, of=of, **more)


def named(found: list[Share]) -> dict[str, Share]:
    return {each.name: each for each in found}


def test_all_groups_of_a_question_are_one_vote(tmp_path: Path) -> None:
    """3 of 4 and 0 of 4 right are 3 of 8: the mean of the votes of groups would be a half."""
    own = Groups.together(Run.read(write(tmp_path, "dispersed", 3, 0)))
    assert (own.size, own.questions) == (8, sorted(QUESTIONS))
    assert [list(each) for each in own.values("cons", ["q0"])] == [[0.0]]
    assert [list(each) for each in own.values("covered", ["q0"])] == [[1.0]]
    assert [list(each) for each in own.values("pass@1", ["q0"])] == [[3 / 8]]


def test_costs_add_up_over_groups_and_the_longest_critical_path_counts(tmp_path: Path) -> None:
    own = Groups.together(Run.read(write(tmp_path, "dispersed", 3, 0, 4, flops_per=FLOPS)))
    assert own.cost(Budget.TOKENS, QUESTIONS) == 12 * 110
    assert own.cost(Budget.FLOPS, QUESTIONS) == 12 * (90 + 110)
    assert own.cost(Budget.CRITICAL_PATH, QUESTIONS) == 110
    unknown = Groups.together(Run.read(write(tmp_path, "random", 3, 0)))
    assert unknown.cost(Budget.FLOPS, QUESTIONS) != unknown.cost(Budget.FLOPS, QUESTIONS), "not known"


def test_questions_that_lack_a_group_are_left_out(tmp_path: Path) -> None:
    answers = groups(3, 0) | groups(4, questions=["q0"])
    own = Groups.together(Run.read(write_run(tmp_path, answers, "dispersed", peers=4)))
    assert "q0" not in own.questions and len(own.questions) == len(QUESTIONS) - 1


def test_a_run_meets_as_many_independent_paths_and_those_that_its_cost_buys(tmp_path: Path) -> None:
    """8 paths at 110 tokens are 8 independent ones, or 8.8 by tokens. Of these 3 in 16 are right and never win."""
    folders = [write(tmp_path, "dispersed", 4, 2), alone(tmp_path)]
    one, spent = fair_share.fair_share(folders)
    assert (one.name, one.split, one.costs[Budget.TOKENS]) == ("independent", "8", 800)
    assert (spent.split, spent.measures["cons"].value, spent.measures["pass@1"].value) == ("2×4", 1, 6 / 8)
    as_many, tokens, flops, path = spent.matched
    assert (as_many.words, as_many.paths, as_many.cost) == ("paths", 8, 8)
    assert tokens.paths == pytest.approx(8.8) and flops.why == "the FLOPs of these runs are not known"
    assert as_many.cons is not None and as_many.cons.value == one.measures["cons"].value < 0.2
    assert as_many.vote is not None and as_many.vote.difference.value == pytest.approx(1 - as_many.cons.value)
    assert as_many.coverage is not None and as_many.coverage.value == pytest.approx(1 - (8 * 7 * 6) / (16 * 15 * 14))
    assert path.paths is None and path.why.startswith("not measured: its critical path")


def test_numbers_that_were_not_measured_have_a_reason(tmp_path: Path) -> None:
    spent = fair_share.fair_share([write(tmp_path, "dispersed", 4, 2), alone(tmp_path, of=6)])[-1]
    assert spent.matched[0].vote is None and spent.matched[0].beyond == "> 6"
    assert spent.matched[0].why == "not measured: there are 6 independent paths of a question"
    other = fair_share.fair_share([write(tmp_path, "dispersed", 4, 2), alone(tmp_path, sampling={"temperature": 0.1})])
    assert [each.why for each in other] == ["no independent run with its model, questions, sampling and budget"]


def test_the_control_tells_what_peers_words_do(tmp_path: Path) -> None:
    folders = [
        write(tmp_path, "dispersed", 4, 2),
        write(tmp_path, "none", 1, 2),
        write(tmp_path, "clustered", 4, 2),
        write(tmp_path, "random", 8, of=8),
        alone(tmp_path),
    ]
    found = named(corrected(fair_share.fair_share(folders)))
    control = found["router none peers=4"]
    assert control.control and not control.routed and control.over_control == {} and control.matched
    over = found["dispersed k=4 peers=4"].over_control
    assert {key: each.difference.value for key, each in over.items()} == {"pass@1": 3 / 8, "cons": 1, "covered": 0}
    assert str(over["cons"].family) == "corrected for the 2 comparisons with the control in this table"
    assert found["random k=4 peers=8"].over_control == {}, "groups of another size"
    longer = write(tmp_path, "none", 1, 2, 2)
    assert not fair_share.fair_share([folders[0], longer])[0].over_control, "as many paths in more groups"


def test_each_budget_is_a_family_of_all_runs_and_claims_are_of_runs_with_peers(tmp_path: Path) -> None:
    folders = [write(tmp_path, router, 4, 2) for router in ("dispersed", "clustered", "none")] + [alone(tmp_path)]
    shown = fair_share.exhibit(folders)
    assert [claim.text for claim in shown.claims] == [
        f"At a matched token budget LeaP's vote beats independent sampling's (2×4 paths, {name})."
        for name in ("dispersed k=4", "clustered k=4")
    ]
    assert all("corrected for the 3 runs at this budget" in claim.because for claim in shown.claims)
    against, over = shown.further
    assert [line[1] for line in against.table[1:5]] == ["paths", "sampled tokens", "FLOPs", "critical path"]
    assert over.title == "Against the control" and len(over.table) == 1 + 2 * 3
    assert {line[1] for line in over.table[1:]} == {"Pass@1", "Cons", "pass"}
    head, *lines = shown.table
    assert {len(line) for line in lines} == {len(head)} and [line[1] for line in lines] == ["8", *["2×4"] * 3]
    assert {*shown.runs} == {folder.name for folder in folders}


def test_a_budget_of_ones_own_is_what_is_claimed(tmp_path: Path) -> None:
    folders = [write(tmp_path, "dispersed", 4, 2, flops_per=FLOPS), alone(tmp_path, of=32, flops_per=FLOPS)]
    shown = fair_share.exhibit(folders, "flops")
    assert [line[1] for line in shown.further[0].table[1:]] == ["paths", "FLOPs"]
    assert shown.claims[0].text.startswith("At a matched FLOPs budget") and shown.claims[0].verdict == "holds"
    without = fair_share.exhibit(folders[:1])
    assert "no independent run" in without.claims[0].because and len(without.further) == 1


def test_the_figure_says_what_is_held_equal(tmp_path: Path) -> None:
    folders = [write(tmp_path, "dispersed", 4, 2), write(tmp_path, "none", 2, 2), alone(tmp_path)]
    figure = fair_share.exhibit(folders).figures["fair_share"]
    figure.draw_without_rendering()
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert labels[:2] == ["Cons of all (%)", "pass of all (%)"]
    assert labels[2:] == ["Cons at equal\npaths (points)", "Cons at equal\nsampled tokens (points)"]
    assert [t.get_text() for t in figure.axes[-1].get_xticklabels()] == [
        *("independent 8", "dispersed k=4", "router none")
    ]


def test_independent_runs_alone_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = alone(tmp_path, method=ALONE)
    with pytest.raises(UserError, match="fair_share: independent runs only"):
        fair_share.fair_share([folder])
    assert main(["fair_share", str(folder), "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.startswith("error: experiment=fair_share: independent runs only")
