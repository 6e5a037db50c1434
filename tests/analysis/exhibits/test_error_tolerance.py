"""Error tolerance: shares, baselines and crossings on run folders with known answers."""

from pathlib import Path

import numpy as np
import pytest

from analysis.exhibits import error_tolerance
from analysis.exhibits.error_tolerance import crossing, tolerance
from leap_lab.errors import UserError
from tests.known_runs import LEAP, write_run

QUESTIONS = 96


def beginnings(name: str, ratio: float, fraction: float = 0.3) -> dict[str, object]:
    return {"name": name, "fraction": fraction, "good_ratio": ratio, "per_path": name == "mixed"}


def solved(*right: int) -> dict[str, list[list[str]]]:
    """Questions of which so many of 8 paths are right, in turn."""
    return {f"q{q:02}": [["1"] * right[q % len(right)] + ["2"] * (8 - right[q % len(right)])] for q in range(QUESTIONS)}


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """LeaP solves 3, 5, 7 of 8 at 0, 25, 50% good, more or less; alone 1 (all bad) and 6 (all good)."""
    return [
        write_run(tmp_path, solved(6, 7, 8), "dispersed", prefix=beginnings("mixed", 0.5)),
        write_run(tmp_path, solved(2, 3, 4), "dispersed", prefix=beginnings("mixed", 0.0)),
        write_run(tmp_path, solved(4, 5, 6), "dispersed", prefix=beginnings("mixed", 0.25)),
        write_run(tmp_path, solved(1, 1, 1), prefix=beginnings("mixed", 0.0)),
        write_run(tmp_path, solved(6, 6, 6), prefix=beginnings("mixed", 1.0)),
        write_run(tmp_path, solved(4, 4, 4), prefix=beginnings("mixed", 0.5)),
    ]


def test_the_curve_its_baselines_and_where_it_passes_them(folders: list[Path]) -> None:
    [found] = tolerance(folders)
    assert [level.share for level in found.levels] == [0, 0.25, 0.5]
    assert [level.correct.value for level in found.levels] == pytest.approx([3 / 8, 5 / 8, 7 / 8])
    assert found.bad is not None and found.good is not None and found.questions == QUESTIONS
    assert (found.bad.value, found.good.value) == (1 / 8, 6 / 8)
    assert [level.over_bad.difference.value for level in found.levels if level.over_bad] == [2 / 8, 4 / 8, 6 / 8]
    assert [level.over_good.difference.value for level in found.levels if level.over_good] == [-3 / 8, -1 / 8, 1 / 8]
    assert found.passes_good is not None and found.passes_good.value == pytest.approx(0.375)
    assert found.passes_good.low is not None and found.passes_good.high is not None
    assert 0.25 < found.passes_good.low < 0.375 < found.passes_good.high < 0.5
    assert found.passes_bad is not None and found.passes_bad.value == -np.inf and found.passes_bad.low is None
    assert found.runs[:3] == [folders[index].name for index in (1, 2, 0)] and len(found.runs) == 5


def test_claims_hold_where_intervals_decide(folders: list[Path]) -> None:
    shown = error_tolerance.exhibit(folders)
    assert [claim.verdict for claim in shown.claims] == ["holds", "holds"]
    assert "at 50% good is +12.5" in shown.claims[1].because
    assert any("from 37.5% of good beginnings on, [" in note for note in shown.notes)
    worse = error_tolerance.exhibit([*folders[1:3], *folders[3:]])
    assert worse.claims[1].verdict == "undecided", "the paper says it of 43% and more, and 25% is all there is"
    assert worse.claims[1].because == "There is no run of LeaP with 43 to 50% good."
    assert any("below independent paths (all good) even at the largest share of good" in note for note in worse.notes)
    [head, *rows] = shown.table
    assert {len(row) for row in rows} == {len(head)}
    assert [row[1] for row in rows] == ["0", "25", "50", "0", "100"]


def test_all_comparisons_are_one_family(folders: list[Path]) -> None:
    [found] = tolerance(folders)
    families = {str(each.family) for level in found.levels for each in (level.over_bad, level.over_good) if each}
    assert families == {"corrected for the 6 comparisons of this table"}
    assert "corrected for the 6 comparisons" in error_tolerance.exhibit(folders).claims[0].because


def test_the_figure_has_the_curve_the_bands_and_the_published_marks(folders: list[Path]) -> None:
    axes, below = error_tolerance.exhibit(folders).figures["error_tolerance"].axes
    legend = axes.get_legend_handles_labels()[1]
    assert {"independent, all bad", "independent, all good", "paper, R1-14B"} < set(legend)
    assert [list(line.get_ydata()) for line in axes.lines if str(line.get_label()).startswith("independent")] == [
        [12.5, 12.5],
        [75, 75],
    ]
    [line] = [container[0] for container in axes.containers]
    assert list(line.get_xdata()) == [0, 25, 50]
    assert list(line.get_ydata()) == pytest.approx([37.5, 62.5, 87.5])
    assert [[float(x) for x in point] for point in axes.collections[-1].get_offsets()] == [[0, 41.88]]
    gains = {container.get_label(): list(container[0].get_ydata()) for container in below.containers}
    assert gains == {
        "over all bad": pytest.approx([25, 50, 75]),
        "over all good": pytest.approx([-37.5, -12.5, 12.5]),
    }


def test_baselines_may_begin_from_one_response_and_settings_part_curves(tmp_path: Path) -> None:
    ratios = (0.0, 0.5)
    leap = [write_run(tmp_path, solved(4), "dispersed", prefix=beginnings("mixed", ratio)) for ratio in ratios]
    other = [write_run(tmp_path, solved(4), "random", prefix=beginnings("mixed", ratio)) for ratio in ratios]
    longer = write_run(tmp_path, solved(2), prefix=beginnings("bad", 0.0, 0.6))
    alone = write_run(tmp_path, solved(1), prefix=beginnings("bad", 0.0))
    first, second = tolerance([longer, *leap, *other, alone])
    assert first.bad is not None and second.bad is not None
    assert (first.bad.value, first.good, first.passes_good) == (1 / 8, None, None)
    assert first.runs == [*(run.name for run in leap), alone.name] and second.runs[0] == other[0].name
    assert first.name != second.name
    shown = error_tolerance.exhibit([longer, *leap, *other, alone])
    assert [claim.verdict for claim in shown.claims] == ["holds", "undecided"] * 2
    assert shown.claims[1].because == "There is no independent run with good beginnings."
    assert shown.table[1][-1] == "n/a"


def test_a_share_is_what_a_group_of_this_size_can_have(tmp_path: Path) -> None:
    [found] = tolerance([write_run(tmp_path, solved(4), "dispersed", prefix=beginnings("mixed", 0.3))])
    assert [level.share for level in found.levels] == [0.25], "0.3 of 8 paths are 2"
    assert found.bad is None and found.levels[0].over_bad is None
    claims = error_tolerance.exhibit([tmp_path / found.runs[0]]).claims
    assert [claim.verdict for claim in claims] == ["undecided", "undecided"]


def test_without_mixed_runs_or_common_questions_it_says_so(tmp_path: Path) -> None:
    alone = write_run(tmp_path, solved(1), prefix=beginnings("mixed", 0.0))
    with pytest.raises(UserError, match="no run of LeaP with mixed beginnings"):
        tolerance([alone])
    elsewhere = {"other": [["1"] * 8]}
    leap = write_run(tmp_path, elsewhere, "dispersed", prefix=beginnings("mixed", 0.0), method=LEAP)
    with pytest.raises(UserError, match="no question in common"):
        tolerance([alone, leap])


def test_a_curve_that_falls_back_passes_where_it_stays() -> None:
    curve = np.tile([-1.0, 1.0, -1.0, 3.0], (8, 1))
    assert crossing([0, 0.1, 0.2, 0.4], curve).value == pytest.approx(0.25)
    assert crossing([0, 0.1], curve[:, 1:3]).value == np.inf
    assert crossing([0.1, 0.4], curve[:, [1, 3]]).value == -np.inf
    assert "fewer than" in crossing([0, 0.1, 0.2, 0.4], curve).why, "all questions are alike"


def test_no_bound_is_put_where_nothing_was_measured() -> None:
    """At the largest share the curve is hardly above the baseline: many resamples do not reach it."""
    rng = np.random.default_rng(0)
    gains = np.stack([-1 + rng.normal(0, 0.1, 20), 0.05 + rng.normal(0, 0.5, 20)], axis=1)
    gains[:, 1] += 0.05 - gains[:, 1].mean()
    found = crossing([0, 0.5], gains)
    assert 0.4 < found.value < 0.5 and (found.low, found.high) == (None, None)
    assert found.why.startswith("the crossing is outside the shares measured in 0% (below) and ")


def test_the_interval_of_a_crossing_covers_what_it_claims() -> None:
    """Lines with a common part a question: the true crossing is at 0.25. 300 sets, so 92 to 98%."""
    rng = np.random.default_rng(6)
    shares = [0.0, 0.125, 0.25, 0.375, 0.5]
    hits = 0
    for _ in range(300):
        level, noise = rng.normal(0, 0.2, (20, 1)), rng.normal(0, 0.1, (20, 5))
        found = crossing(shares, 2 * (np.array(shares) - 0.25) + level + noise, resamples=500)
        hits += found.low is not None and found.high is not None and found.low <= 0.25 <= found.high
    assert 0.92 <= hits / 300 <= 0.98
