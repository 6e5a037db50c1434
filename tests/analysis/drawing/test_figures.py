"""The figure of a sweep."""

from dataclasses import replace
from pathlib import Path

import matplotlib.colors
import numpy as np
import pytest

from analysis.drawing import figures
from analysis.measures.compare import compare
from analysis.stats.intervals import Estimate
from tests.known_runs import EASY, HARD, copies, write_run


def test_the_figure_draws_the_values_and_their_intervals(tmp_path: Path) -> None:
    easy, hard = copies(EASY, 2), copies(HARD, 2)  # 16 questions: enough for intervals of differences
    some = {**hard, **dict(list(easy.items())[:12])}
    runs = [write_run(tmp_path, easy, "dispersed"), write_run(tmp_path, some, "clustered"), write_run(tmp_path, hard)]
    found = compare(runs)
    top, middle, bottom = figures.overview(found).axes
    pass1, cons = top.containers
    for drawn, name in ((pass1, "pass@1"), (cons, "cons")):
        assert list(drawn.lines[0].get_xdata()) == pytest.approx([100 * row[name].value for row in found])
        segments = drawn.lines[2][0].get_segments()
        ends = [(100 * row[name].low, 100 * row[name].high) for row in found]  # type: ignore[operator]
        assert [(segment[0][0], segment[1][0]) for segment in segments] == [pytest.approx(end) for end in ends]
    [gains] = middle.containers
    differences = [row.against.difference for row in found if row.against is not None]
    assert list(gains.lines[0].get_xdata()) == pytest.approx([100 * each.value for each in differences])
    assert list(gains.lines[0].get_ydata()) == [1, 2], "the baseline has none"
    ends = [(100 * each.low, 100 * each.high) for each in differences]  # type: ignore[operator]
    segments = gains.lines[2][0].get_segments()
    assert [(segment[0][0], segment[1][0]) for segment in segments] == [pytest.approx(end) for end in ends]
    own, heard, wrapper = (container for container in bottom.containers if hasattr(container, "patches"))
    assert [bar.get_width() for bar in own] == [100, 110, 110]
    assert [(bar.get_x(), bar.get_width()) for bar in heard] == [(100, 0), (110, 30), (110, 30)]
    assert [(bar.get_x(), bar.get_width()) for bar in wrapper] == [(100, 0), (140, 10), (140, 10)]


def test_the_figure_tells_runs_units_and_n(sweep: list[Path]) -> None:
    top, middle, bottom = figures.overview(compare(sweep)).axes
    assert [label.get_text() for label in top.get_yticklabels()] == ["independent", "dispersed k=4", "clustered k=4"]
    assert top.get_xlabel() == "correct (%), 95% intervals, n = 8 questions"
    assert bottom.get_xlabel().startswith("tokens per path")
    assert middle.get_xlabel() == ("gain in Pass@1 over independent (points)\npaired, 95% intervals, n = 8 questions")
    assert [text.get_text() for text in top.get_legend().get_texts()] == ["Pass@1", "Cons@8"]


def test_without_a_baseline_no_gain_is_drawn(sweep: list[Path]) -> None:
    top, bottom = figures.overview(compare(sweep[:2])).axes
    assert "gain" not in top.get_xlabel() + bottom.get_xlabel()


@pytest.mark.parametrize("length", [1, 20, 23, 60, 90])
def test_a_name_is_never_wrapped_and_stays_on_the_page(sweep: list[Path], length: int) -> None:
    rows = [replace(row, name=("dispersed k=4 temperature=0.6 " * 4)[:length]) for row in compare(sweep)]
    figure = figures.overview(rows)
    figure.draw_without_rendering()
    for axes in figure.axes:
        assert axes.get_window_extent().width > 0.4 * figure.bbox.width, "the plot is not squeezed"
        for label in axes.get_yticklabels():
            assert "\n" not in label.get_text()
            assert figure.bbox.x0 <= label.get_window_extent().x0


def test_nothing_in_print_is_smaller_than_seven_points(sweep: list[Path]) -> None:
    figure = figures.overview(compare(sweep))
    assert figure.get_size_inches()[0] == 3.35
    for axes in figure.axes:
        legend = axes.get_legend().get_texts() if axes.get_legend() else []
        texts = [axes.xaxis.label, *axes.get_xticklabels(), *axes.get_yticklabels(), *legend]
        assert min(text.get_fontsize() for text in texts) >= 7


def test_series_differ_by_marker_and_by_lightness(sweep: list[Path]) -> None:
    pass1, cons = figures.overview(compare(sweep)).axes[0].containers
    points = [pass1.lines[0], cons.lines[0]]
    assert len({line.get_marker() for line in points}) == 2
    grey = [np.dot(matplotlib.colors.to_rgb(line.get_color()), (0.299, 0.587, 0.114)) for line in points]
    assert abs(grey[0] - grey[1]) > 0.15


def test_a_value_without_an_interval_is_a_point(sweep: list[Path]) -> None:
    bare = [
        replace(row, estimates={k: Estimate(v.value, None, None, 1) for k, v in row.estimates.items()})
        for row in compare(sweep)
    ]
    pass1 = figures.overview(bare).axes[0].containers[0]
    assert all(segment[0][0] == segment[1][0] for segment in pass1.lines[2][0].get_segments())
