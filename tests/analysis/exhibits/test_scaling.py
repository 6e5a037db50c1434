"""Votes against tokens, and agents against LeaP, on run folders with known answers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.exhibits import scaling, scaling_curves
from analysis.exhibits.matched import Groups
from analysis.measures.budget import Budget
from analysis.measures.compare import Run
from leap_lab.errors import UserError
from tests.known_runs import ALONE, write_run

QUESTIONS = [f"q{index}" for index in range(8)]
MOA = {**ALONE, "name": "moa", "layers": 2, "max_tokens": 700}


def answers(of: int, *solved: bool) -> dict[str, list[list[str]]]:
    """All paths right, or all wrong, by question."""
    return {
        q: [[("1" if right else "2")] * of] for q, right in zip(QUESTIONS, solved * (8 // len(solved)), strict=True)
    }


def write_leap(runs: Path, peers: int, *solved: bool, router: str = "dispersed") -> Path:
    """Paths of 100 tokens: 90 and a summary of 10."""
    return write_run(runs, answers(peers, *solved), router, thinks=dict.fromkeys(QUESTIONS, 90), peers=peers)


def write_moa(runs: Path, thinks: int, *solved: bool) -> Path:
    return write_run(runs, answers(3, *solved), method=MOA, thinks=dict.fromkeys(QUESTIONS, thinks), peers=3)


def write_alone(runs: Path, right: int = 7, **more: Any) -> Path:
    made = {q: [["1"] * right + ["2"] * (20 - right)] for q in QUESTIONS}
    return write_run(runs, made, peers=20, **more)


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """LeaP solves half with 4 paths and all with 8; agents none at 600 tokens, halfway between the two."""
    return [
        write_leap(tmp_path, 8, True),
        write_leap(tmp_path, 4, True, False),
        write_moa(tmp_path, 200, False),
        write_alone(tmp_path),
    ]


def test_curves_are_of_runs_that_differ_in_paths_alone(folders: list[Path]) -> None:
    [found] = scaling.scaling(folders)
    alone, leap, moa = found.curves
    assert (found.questions, leap.method, moa.method) == (8, "leap", "moa")
    assert [point.size for point in alone.points] == [1, 2, 3, 4, 6, 8, 12, 16, 20]
    assert [point.cost for point in alone.points][:3] == [100, 200, 300]
    assert alone.points[0].cons.value == pytest.approx(7 / 20, abs=0.02) and alone.points[-1].cons.value == 0
    assert [(point.size, point.cost, point.cons.value) for point in leap.points] == [(4, 400, 0.5), (8, 800, 1)]
    assert [(point.size, point.cost, point.cons.value) for point in moa.points] == [(3, 600, 0)]
    assert (leap.name, moa.name) == ("dispersed k=4", "moa")
    for point, count in zip(leap.points, (3, 5), strict=True):
        assert point.vote is not None
        assert point.cons.value - point.vote.difference.value == pytest.approx(alone.points[count].cons.value)


def test_agents_meet_leap_at_their_own_tokens(folders: list[Path]) -> None:
    [found] = scaling.scaling(folders)
    [agents] = found.agents
    assert agents.against is not None and agents.against.difference.value == pytest.approx(-0.75)
    claim = scaling.exhibit(folders).claims[-1]
    assert claim.source == "Appendix F" and claim.verdict == "holds"


def test_agents_beyond_leap_s_tokens_are_not_judged(folders: list[Path], tmp_path: Path) -> None:
    claim = scaling.exhibit([*folders[:2], write_moa(tmp_path / "more", 300, False), folders[3]]).claims[-1]
    assert claim.verdict == "undecided"
    assert claim.because.endswith("its sampled tokens per question (900) are outside those of LeaP (400 to 800).")


def test_between_two_runs_there_are_straight_lines(folders: list[Path]) -> None:
    curve = [(price, Groups.of(Run.read(folder))) for price, folder in zip((800, 400), folders[:2], strict=True)]
    for tokens, unsolved in ((400, 0), (500, 0.25), (800, 1)):
        votes = scaling.between(curve, tokens, QUESTIONS)
        assert votes is not None and np.ravel(votes) == pytest.approx([1, unsolved] * 4)
    assert scaling.between(curve, 399, QUESTIONS) is None and scaling.between(curve, 801, QUESTIONS) is None
    alone = scaling.between(curve[:1], 800, QUESTIONS)
    assert alone is not None and scaling.between(curve[:1], 700, QUESTIONS) is None


def test_claims_and_table_name_every_run(folders: list[Path], tmp_path: Path) -> None:
    shown = scaling.exhibit([*folders, write_leap(tmp_path, 30, True)])
    [head, *rows] = shown.table
    assert {len(row) for row in rows} == {len(head)} and len(rows) == 9 + 3 + 1
    assert [claim.source for claim in shown.claims] == ["Figure 6"] * 3 + ["Appendix F"]
    assert "(3.00k) are more than the 20 independent paths of each question take (2.00k)" in shown.claims[2].because
    assert len({claim.text for claim in shown.claims}) == 4
    assert set(shown.runs) >= {folder.name for folder in folders}


def test_the_figure_has_tokens_on_a_logarithmic_axis(folders: list[Path]) -> None:
    axes, below = scaling.exhibit(folders).figures["scaling"].axes
    assert axes.get_xscale() == "log"
    assert [label.get_text() for label in below.get_xticklabels()] == ["100", "200", "500", "1k", "2k"]
    alone, leap, moa = [container[0] for container in axes.containers]
    assert list(leap.get_ydata()) == [50, 100] and list(moa.get_ydata()) == [0]
    assert len(alone.get_xdata()) == 9 and list(leap.get_xdata()) == pytest.approx([400, 800], rel=0.05)


def test_below_are_the_paired_differences_at_equal_cost(folders: list[Path]) -> None:
    """Independent paths of 400, 600 and 800 tokens: their vote is known from the pool."""
    shown = scaling.exhibit(folders)
    below = shown.figures["scaling"].axes[1]
    [found] = scaling.scaling(folders)
    for curve, line in zip(found.curves[1:], (container[0] for container in below.containers), strict=True):
        differences = [100 * point.vote.difference.value for point in curve.points if point.vote is not None]
        assert list(line.get_ydata()) == pytest.approx(differences) and differences


def test_without_a_common_pool_or_question_it_says_so(folders: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing to compare"):
        scaling.scaling(folders[:3])
    with pytest.raises(UserError, match="nothing to compare"):
        scaling.scaling(folders[3:])
    elsewhere = write_run(tmp_path, {"other": [["1"] * 8]}, "random")
    with pytest.raises(UserError, match="no question in common"):
        scaling.scaling([*folders, elsewhere])


def test_the_critical_path_can_be_the_cost(folders: list[Path]) -> None:
    """All paths have 100 tokens: no number of them costs more, so the same critical path pays for all 20."""
    [found] = scaling.scaling(folders, Budget.CRITICAL_PATH)
    alone, leap, moa = found.curves
    assert {point.cost for point in alone.points} == {point.cost for point in leap.points} == {100}
    assert [point.matched.paths for point in leap.points if point.matched] == [20, 20]
    assert moa.points[0].matched is not None and "are more than the 20 independent" in moa.points[0].matched.why
    shown = scaling.exhibit(folders, Budget.CRITICAL_PATH)
    assert shown.table[0][3] == "critical path per question"
    assert shown.claims[0].text.startswith("At a matched critical-path budget")


def test_operations_that_are_not_known_are_refused(folders: list[Path]) -> None:
    with pytest.raises(UserError, match="--budget=flops: the FLOPs of these runs are not known"):
        scaling.scaling(folders, Budget.FLOPS)


def test_ticks_are_round_numbers_and_few() -> None:
    assert scaling_curves.ticks([130, 6247]) == [100, 200, 500, 1000, 2000, 5000]
    assert scaling_curves.ticks([700, 900_000]) == [1000, 10_000, 100_000, 1_000_000]
    assert scaling_curves.ticks([400]) == [500]
