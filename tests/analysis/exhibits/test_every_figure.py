"""What holds for the figures of all exhibits, drawn of run folders with known answers."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text

from analysis.exhibits import communication, transitions
from tests.analysis.exhibits import test_endings as made
from tests.analysis.exhibits.test_communication import FOUR
from tests.known_runs import write_exchanges

BUILDERS: list[Callable[[Path], made.Made]] = [
    *(made.the_trap, made.the_tolerance, made.the_difficulty, made.the_efficiency, made.the_scaling),
    made.the_fair_share,
    *(made.the_granularity, made.the_main_table),
]


def few(runs: Path) -> list[Path]:
    """So few questions that intervals of shares are wide."""
    paths = [[*path, ("1", "1", [(index + 1) % 4])] for index, path in enumerate(FOUR)]
    return [write_exchanges(runs, {f"q{index}": [paths[: 2 + index % 3]] for index in range(4)})]


def the_transitions(runs: Path) -> made.Made:
    return few(runs), lambda: transitions.exhibit(few(runs))


def the_types(runs: Path) -> made.Made:
    return few(runs), lambda: communication.exhibit(few(runs))


@pytest.fixture(params=[*BUILDERS, the_transitions, the_types], ids=lambda builder: builder.__name__)
def drawn(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Figure]:
    figures: dict[str, Figure] = dict(request.param(tmp_path)[1]().figures)
    assert figures
    for figure in figures.values():
        figure.draw_without_rendering()
    return figures


def test_every_figure_says_of_how_many_questions_it_is(drawn: dict[str, Figure]) -> None:
    for stem, figure in drawn.items():
        texts = [text.get_text() for text in figure.findobj(match=lambda each: hasattr(each, "get_text"))]
        assert any("n = " in text for text in texts), stem


def test_no_interval_of_a_share_leaves_0_to_100(drawn: dict[str, Figure]) -> None:
    seen = 0
    for figure in drawn.values():
        words = [axes.get_ylabel() or figure.get_supylabel() for axes in figure.axes]
        for axes, word in zip(figure.axes, words, strict=True):
            bars = [bar for container in axes.containers for bar in getattr(container, "lines", [()] * 3)[2]]
            ends = [end[1] for bar in bars for segment in bar.get_segments() for end in segment]
            if "(%)" in word:
                seen += len(ends)
                assert all(-1e-9 <= end <= 100 + 1e-9 for end in ends)
    assert seen or all("(%)" not in axes.get_ylabel() for figure in drawn.values() for axes in figure.axes)


def in_view(axis: Axis) -> list[Text]:
    """The labels of the ticks that are drawn."""
    low, high = sorted(axis.get_view_interval())
    drawn = [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    return [label for label in drawn if label.get_text() and label.get_visible()]


def test_no_label_leaves_the_figure_or_is_drawn_over_another(drawn: dict[str, Figure]) -> None:
    for stem, figure in drawn.items():
        for axes in filter(lambda axes: axes.get_visible(), figure.axes):
            columns, named = in_view(axes.xaxis), [axes.xaxis.label, axes.yaxis.label, axes.title]
            for label in [*columns, *in_view(axes.yaxis), *named]:
                box = label.get_window_extent()
                if label.get_text():
                    assert figure.bbox.x0 - 1 <= box.x0 and box.x1 <= figure.bbox.x1 + 1, (stem, label)
                    assert figure.bbox.y0 - 1 <= box.y0 and box.y1 <= figure.bbox.y1 + 1, (stem, label)
            if all(label.get_rotation() == 0 for label in columns):
                boxes = [label.get_window_extent() for label in columns]
                assert all(left.x1 <= right.x0 for left, right in pairwise(boxes)), stem
