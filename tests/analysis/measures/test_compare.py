"""Runs side by side, each against its independent baseline."""

from pathlib import Path
from typing import Any

import pytest

from analysis.drawing import tables
from analysis.measures.compare import compare, corrected
from analysis.stats.significance import holm
from tests.known_runs import ALONE, EASY, HARD, copies, write_run


def test_the_baseline_comes_first_and_is_what_others_are_compared_with(sweep: list[Path]) -> None:
    baseline, dispersed, clustered = compare(sweep)
    assert [row.name for row in (baseline, dispersed, clustered)] == ["independent", "dispersed k=4", "clustered k=4"]
    assert baseline.against is None
    assert dispersed.against is not None and clustered.against is not None
    assert dispersed.against.difference.value == pytest.approx(20 / 64)
    assert dispersed.against.verdict == "", "eight questions gain, and a ninth may lose all"
    assert (dispersed.against.up, dispersed.against.same, dispersed.against.down) == (8, 0, 0)
    assert dispersed.against.p == 2 / 2**8
    assert (clustered.against.difference.value, clustered.against.p, clustered.against.verdict) == (0, 1.0, "")


def test_better_and_worse_are_said_as_plainly_where_there_are_questions_enough(tmp_path: Path) -> None:
    easy, hard = copies(EASY, 6), copies(HARD, 6)
    for answers, other, verdict in ((easy, hard, "better"), (hard, easy, "worse")):
        _, row = compare([write_run(tmp_path / verdict, answers, "random"), write_run(tmp_path / verdict, other)])
        assert row.against is not None
        assert row.against.verdict == verdict


def test_votes_and_coverage_have_paired_tests_of_their_own(tmp_path: Path) -> None:
    """EASY wins four votes and ties one, HARD ties one; pass@8 is 1 wherever one of eight is right."""
    alone, row = compare([write_run(tmp_path, EASY, "random"), write_run(tmp_path, HARD)])
    assert alone.others == {} and set(row.others) == {"cons@8", "final", "pass@2", "pass@4", "pass@8"}
    assert row.others["cons@8"].difference.value == pytest.approx(row["cons"].value - alone["cons"].value)
    assert (row.others["cons@8"].up, row.others["cons@8"].down) == (5, 0)
    assert row.others["pass@8"].difference.value == pytest.approx(1 / 8)
    assert row.others["pass@8"].p == 1, "one question gains, and its two signs are equally extreme"


def test_the_vote_of_other_numbers_of_paths_is_not_compared(tmp_path: Path) -> None:
    twice = {question: [[*group, *group] for group in groups] for question, groups in HARD.items()}
    _, row = compare([write_run(tmp_path, EASY, "random"), write_run(tmp_path, twice, peers=16)])
    assert row.against is not None and set(row.others) == {"pass@2", "pass@4", "pass@8"}


def test_a_decision_by_weights_and_a_single_row_are_compared_with_the_vote_of_as_many_peers(tmp_path: Path) -> None:
    """The first of eight decides: it is right wherever one of eight is; and a run of which it is the only row."""
    single = {question: [group[:1] for group in groups] for question, groups in EASY.items()}
    alone, weighted, one = compare(
        [
            write_run(tmp_path, HARD),
            write_run(tmp_path, EASY, method={**ALONE, "name": "genselect"}, weights=[1, *[0.0] * 7]),
            write_run(tmp_path, single, method={**ALONE, "name": "pacore"}),
        ]
    )
    assert [row.decides for row in (alone, weighted, one)] == [False, True, True]
    assert [row["final"].value for row in (weighted, one)] == [1, 1] and alone["final"].value == alone["cons"].value
    assert weighted["cons"].value < 1 and (weighted.paths, one.paths) == (8, 1)
    for row in (weighted, one):
        assert row.others["final"].difference.value == pytest.approx(1 - alone["cons"].value)
    assert "cons@8" not in one.others and "cons@1" not in one.others
    assert [row["tokens_group"].value for row in (alone, weighted, one)] == [800, 800, 100]


def test_each_metric_is_a_family(sweep: list[Path]) -> None:
    bare, family = compare(sweep), corrected(compare(sweep))
    for name in bare[1].others:
        ps = [row.others[name].p for row in bare[1:]]
        assert [row.others[name].p for row in family[1:]] == holm(ps)
    assert str(family[1].others["cons@8"].family) == "corrected for the 2 comparisons with independent in this table"


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
