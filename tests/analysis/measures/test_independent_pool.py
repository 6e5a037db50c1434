"""The pool of independent paths against votes counted over every subset."""

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.measures.budget import Budget
from analysis.measures.compare import Run, baseline_of
from analysis.measures.independent_pool import Pool, pool_of, pools, votes
from analysis.measures.metrics import pass_at_k
from analysis.measures.votes import majority
from tests.known_runs import ALONE, write_run

OTHER_ANSWERS = {**ALONE, "answer_tokens": 8}


@pytest.mark.parametrize(
    "answers", [["1", "1", "2", "3", None], ["1", "2", "2", "2", "1"], [None, None, "1"], [None, None], ["2", "1"]]
)
def test_votes_are_those_of_every_subset(answers: list[str | None]) -> None:
    found = votes(answers, [answer == "1" for answer in answers], draws=20_000)
    for n in range(1, len(answers) + 1):
        subsets = list(combinations(answers, n))
        exact = np.mean([majority(subset, [answer == "1" for answer in subset]) for subset in subsets])
        assert found[n - 1] == pytest.approx(exact, abs=0.015)
    assert found[-1] == majority(answers, [answer == "1" for answer in answers]), "all of them are one subset"


def test_many_paths_are_drawn_in_pieces_to_the_same_end() -> None:
    names = ["right"] * 300 + [f"wrong {index}" for index in range(300)]
    one = votes(names, [name == "right" for name in names], draws=60)
    assert one[0] == pytest.approx(0.5, abs=0.2) and one[-1] == 1


def read(folders: list[Path]) -> list[Pool]:
    return pools([Run.read(folder) for folder in folders])


def test_runs_of_another_seed_or_size_are_one_pool_and_no_path_is_there_twice(tmp_path: Path) -> None:
    """The first four of the eight paths are those of the run of four: they have the same seeds."""
    folders = [
        write_run(tmp_path, {"q": [["1", "1", "2", "2", "2", "2", "1", "1"]]}),
        write_run(tmp_path, {"q": [["1", "1", "2", "2"]]}, peers=4),
        write_run(tmp_path, {"q": [["1", "1", "1", "1"]]}, peers=4, seed=7, thinks={"q": 160}),
        write_run(tmp_path, {"q": [["1"]]}, sampling={"temperature": 0.5}),
        write_run(tmp_path, {"q": [["1"]]}, "dispersed"),
    ]
    first, second = read(folders)
    assert (first.size(["q"]), second.size(["q"])) == (12, 1)
    assert first.runs == tuple(folder.name for folder in folders[:3])
    assert first.means("correct", ["q"])[0] == pytest.approx([8 / 12])
    one = (8 * 100 + 4 * 160) / 12
    assert first.prices(Budget.TOKENS, ["q"]) == pytest.approx([count * one for count in range(1, 13)])
    longest = first.prices(Budget.CRITICAL_PATH, ["q"])
    assert longest[0] == pytest.approx(one) and longest[8:] == pytest.approx([160] * 4)
    assert np.isnan(first.prices(Budget.FLOPS, ["q"])).all(), "the model is not known"


def test_between_whole_numbers_of_paths_there_are_straight_lines_and_beyond_there_is_nothing(tmp_path: Path) -> None:
    [found] = read([write_run(tmp_path, {"p": [["1", "2", "2"]], "q": [["1", "1", "1", "2"]]})])
    assert found.size(["p", "q"]) == 3
    two, three = found.cons(2, ["p", "q"]), found.cons(3, ["p", "q"])
    assert [vote[0] for vote in three] == pytest.approx([0, 1], abs=0.02)
    between = found.cons(2.25, ["p", "q"])
    expected = [0.75 * a[0] + 0.25 * b[0] for a, b in zip(two, three, strict=True)]
    assert [vote[0] for vote in between] == pytest.approx(expected)
    for count in (0.9, 3.1):
        with pytest.raises(ValueError, match="from 1 to 3 were measured"):
            found.cons(count, ["p", "q"])


def test_coverage_is_the_share_of_draws_that_hold_a_right_path(tmp_path: Path) -> None:
    [found] = read([write_run(tmp_path, {"p": [["1", "2", "2", "1"]], "q": [["1"] * 4], "r": [["2"] * 4]})])
    for count in (1, 2, 3, 4):
        exact = [pass_at_k(4, right, count) for right in (2, 4, 0)]
        assert np.ravel(found.coverage(count, ["p", "q", "r"])) == pytest.approx(exact)
    assert found.coverage(1.5, ["p"])[0][0] == pytest.approx((0.5 + pass_at_k(4, 2, 2)) / 2)


def test_a_run_meets_the_pool_of_its_budget_and_one_with_rounds_the_largest(tmp_path: Path) -> None:
    """What a run records of its method decides; of runs that record nothing, agents (moa) have rounds."""
    short = write_run(tmp_path, {"q": [["1"] * 2]})
    long = write_run(tmp_path, {"q": [["1"] * 5]}, method={**ALONE, "max_tokens": 900})
    found = read([short, long])

    def met(router: str | None = None, **more: Any) -> tuple[str, ...] | None:
        pool = pool_of(Run.read(write_run(tmp_path, {"q": [["1"]]}, router, **more)), found)
        return None if pool is None else pool.runs

    agents = {"max_tokens": 700, "answer_tokens": 32}
    assert met("dispersed") == (short.name,)
    assert met("dispersed", difficulty={"name": "hard"}) is None
    assert met(method={"name": "moa", **agents}) == (long.name,)
    assert met(method={"name": "rsa", **agents}) is None
    assert met(method={"name": "rsa", **agents}, comparison={"budget": "rounds"}) == (long.name,)
    assert met(method={"name": "moa", **agents}, comparison={"budget": "path"}) is None


def test_a_run_shares_the_settings_that_its_method_names_with_the_pool(tmp_path: Path) -> None:
    runs = [write_run(tmp_path, {"q": [["1"] * 2]}), write_run(tmp_path, {"q": [["1"] * 3]}, method=OTHER_ANSWERS)]
    found = read(runs)
    method = {"name": "best_of_n", "max_tokens": 512, "answer_tokens": 99}
    for shares, expected in ((["max_tokens", "answer_tokens"], None), (["max_tokens"], (runs[1].name,))):
        run = Run.read(write_run(tmp_path, {"q": [["1"]]}, method=method, comparison={"shares": shares}))
        pool = pool_of(run, found)
        assert (None if pool is None else pool.runs) == expected
        assert (baseline_of(run, [Run.read(folder) for folder in runs]) is None) == (expected is None)
