"""Runs side by side, each against its independent baseline."""

from pathlib import Path
from typing import Any

import pytest

from analysis.drawing import tables
from analysis.measures.compare import compare
from tests.known_runs import ALONE, EASY, HARD, write_run


def test_the_baseline_comes_first_and_is_what_others_are_compared_with(sweep: list[Path]) -> None:
    baseline, dispersed, clustered = compare(sweep)
    assert [row.name for row in (baseline, dispersed, clustered)] == ["independent", "dispersed k=4", "clustered k=4"]
    assert baseline.against is None
    assert dispersed.against is not None and clustered.against is not None
    assert dispersed.against.difference.value == pytest.approx(20 / 64)
    assert dispersed.against.verdict == "better"
    assert dispersed.against.p == 2 / 2**8
    assert (clustered.against.difference.value, clustered.against.p, clustered.against.verdict) == (0, 1.0, "")


def test_worse_is_said_as_plainly(tmp_path: Path) -> None:
    _, row = compare([write_run(tmp_path, HARD, "random"), write_run(tmp_path, EASY)])
    assert row.against is not None
    assert row.against.verdict == "worse"


@pytest.mark.parametrize(
    "change",
    [
        {"method": {**ALONE, "max_tokens": 1024}},
        {"sampling": {"temperature": 0.5}},
        {"seed": 1},
        {"prompts": {"name": "tuned", "math": "Otherwise asked: {problem}"}},
        {"dataset": {"name": "arithmetic", "seed": 9}},
    ],
)
def test_another_budget_sampling_or_task_is_no_baseline(tmp_path: Path, change: dict[str, Any]) -> None:
    found = compare([write_run(tmp_path, EASY, "dispersed"), write_run(tmp_path, EASY, **change)])
    assert [row.against for row in found] == [None, None]
    assert any("no independent run with the same" in note for note in tables.notes(found))


def test_how_much_was_asked_for_and_how_it_ran_do_not_part_a_run_from_its_baseline(tmp_path: Path) -> None:
    alone = write_run(tmp_path, EASY, dataset={"name": "arithmetic", "seed": 0, "limit": 99}, concurrency=1)
    assert compare([write_run(tmp_path, EASY, "dispersed"), alone])[1].against is not None


def test_the_difference_is_over_the_questions_that_both_have(tmp_path: Path) -> None:
    some = {question: EASY[question] for question in list(EASY)[:5]}
    found = compare([write_run(tmp_path, EASY, "dispersed"), write_run(tmp_path, some)])
    assert found[1].against is not None
    assert (found[1].against.difference.n, found[1].against.difference.value) == (5, 0)
    told = "\n".join(tables.notes(found))
    assert "independent: 5 of 8 groups are there." in told
    assert "dispersed k=4: the difference is over the 5 questions both runs have." in told


def test_questions_that_were_asked_for_and_are_missing_are_told(sweep: list[Path]) -> None:
    found = compare(sweep, questions=["q1", "q2", "q9"], groups=2)
    assert [(row.questions, row.found, row.asked) for row in found] == [(2, 2, 6)] * 3


def test_a_folder_named_twice_is_one_row(sweep: list[Path]) -> None:
    assert len(compare([*sweep, sweep[0].parent / "." / sweep[0].name])) == 3
