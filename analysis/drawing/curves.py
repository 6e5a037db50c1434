"""Figures of curves: a quantity with its interval over a setting, one line a method, published values as marks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ..stats.intervals import Estimate
from .figures import STYLE, TIGHT, blank, reach, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = "osD^vP*X"
LINES = ("-", "--", "-.", ":")


@dataclass(frozen=True)
class Series:
    """One line: what it shows and its points, each a place on the x axis and an estimate."""

    name: str
    points: Sequence[tuple[float, Estimate]]


@dataclass(frozen=True)
class Marks:
    """Published values, in the unit of the axis, without intervals because the paper has none."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """One pair of axes. `scale` turns estimates into the unit of the axis: 100 for shares in percent, 1 for tokens."""

    y: str
    series: Sequence[Series]
    bands: Mapping[str, Estimate] | None = None  # what holds at every x, such as the baseline
    marks: Sequence[Marks] = ()
    scale: float = 100
    zero: bool = False  # a line at 0, for differences
    steps: bool = False  # each value holds until the next one, as in a survival curve


def curves(
    panels: Sequence[Panel],
    x: str,
    ticks: Sequence[float] = (),
    names: Sequence[str] = (),
    log: bool = False,
    join: bool = True,
) -> "Figure":
    """Panels above each other over one x axis; `names` label the `ticks`, `join=False` draws points alone."""
    with style() as palette:
        figure = blank(0.6 + 1.75 * len(panels) + 0.16 * sum(map(_legend_rows, panels)))
        stacked = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        lines = list(dict.fromkeys(series.name for panel in panels for series in panel.series))
        width = _spread(panels)
        for axes, panel in zip(stacked, panels, strict=True):
            _draw(axes, panel, palette, join, lines, width)
            if log:
                axes.set_xscale("log")
        if ticks:
            stacked[-1].set_xticks(list(ticks), list(names) or [f"{tick:g}" for tick in ticks])
            stacked[-1].minorticks_off()
        stacked[-1].set_xlabel(x)
    return figure


def _draw(axes: "Axes", panel: Panel, palette: Sequence[Any], join: bool, lines: Sequence[str], width: float) -> None:
    """One panel; a line of the same name has the same look in every panel."""
    if panel.zero:
        axes.axhline(0, color="0.3", linewidth=0.8)
    for index, (name, band) in enumerate((panel.bands or {}).items()):
        color = palette[7 - index % 4]
        if band.low is not None and band.high is not None:
            low, high = panel.scale * band.low, panel.scale * band.high
            axes.axhspan(low, high, color=color, alpha=0.15, linewidth=0)
        axes.axhline(panel.scale * band.value, color=color, linewidth=0.9, linestyle=LINES[1 + index % 3], label=name)
    for place, series in enumerate(panel.series):
        index, shift = lines.index(series.name), width * (place - (len(panel.series) - 1) / 2)
        _line(axes, series, palette[index % len(palette)], index, panel, shift, join)
    for index, marks in enumerate(panel.marks):
        _mark(axes, marks, index)
    axes.set_ylabel(panel.y)
    _legend(axes)


def _legend_rows(panel: Panel) -> int:
    """The rows of a panel's legend beyond the first one."""
    names = [*(panel.bands or {}), *(f"paper, {marks.name}" for marks in panel.marks), *(s.name for s in panel.series)]
    return 0 if len(names) < 2 else -(-len(names) // _legend_columns(names)) - 1


def _legend_columns(names: Sequence[str]) -> int:
    """As many as the names leave room for."""
    return 1 if max(map(len, names)) > 24 else 2


def _legend(axes: "Axes") -> None:
    """Above the axes; none for a single line."""
    names = axes.get_legend_handles_labels()[1]
    if len(names) > 1:
        columns = _legend_columns(names)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, frameon=False, **TIGHT)


def _line(axes: "Axes", series: Series, color: Any, index: int, panel: Panel, shift: float, join: bool) -> None:
    estimates = [estimate for _, estimate in series.points]
    shown: dict[str, Any] = {"color": color, "markersize": 3.5, "capsize": 2, "linewidth": 1.1, "zorder": 3}
    axes.errorbar(
        [place + shift for place, _ in series.points],
        [panel.scale * estimate.value for estimate in estimates],
        yerr=reach(estimates, panel.scale),
        fmt=MARKERS[index % len(MARKERS)],
        linestyle=LINES[index % len(LINES)] if join else "none",
        drawstyle="steps-post" if panel.steps else "default",
        label=series.name,
        **shown,
    )


def _spread(panels: Sequence[Panel]) -> float:
    """How far lines stand apart, so that their intervals do not hide each other."""
    places = sorted({place for panel in panels for series in panel.series for place, _ in series.points})
    if len(places) < 2:
        return 0.0
    return 0.06 * min(right - left for left, right in pairwise(places))


def shares(
    columns: Sequence[str],
    parts: Mapping[str, Sequence[Estimate]],
    x: str,
    y: str,
    marks: Mapping[str, Marks] | None = None,
) -> "Figure":
    """A panel for each part: its share in percent by column, with its interval; `marks` are by part.

    The parts add up to 100% in every column. They are not stacked: an interval on top of other shares would be of none
    of them, and could pass 100%.
    """
    rows = -(-len(parts) // 2)
    with style() as palette:
        figure = blank(0.5 + 1.3 * rows)
        grid = figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False)
        for index, (axes, (name, found)) in enumerate(zip(grid.flat, parts.items(), strict=False)):
            shown: dict[str, Any] = {"color": palette[index], "markersize": 3.5, "capsize": 2, "linewidth": 1.1}
            shown |= {"clip_on": False, "zorder": 3}
            heights = [100 * estimate.value for estimate in found]
            axes.errorbar(range(len(columns)), heights, yerr=reach(found, 100), fmt=f"{MARKERS[index]}-", **shown)
            if own := (marks or {}).get(name):
                _mark(axes, own, 0)
                axes.legend(loc="best", frameon=False, **TIGHT)
            axes.set_title(name, loc="left", pad=3)
            axes.set_xticks(range(len(columns)), list(columns))
            axes.grid(axis="x", visible=False)
        for axes in grid.flat[len(parts) :]:
            axes.set_visible(False)
            grid[-2, 1].tick_params(labelbottom=True)
        grid[0, 0].set_ylim(0, 100)
        figure.supxlabel(x, fontsize=STYLE["axes.labelsize"])
        figure.supylabel(y, fontsize=STYLE["axes.labelsize"])
    return figure


def _mark(axes: "Axes", marks: Marks, index: int) -> None:
    """Published values: hollow, so that they are not taken for ours."""
    shown: dict[str, Any] = {"marker": MARKERS[2 + index], "facecolors": "none", "edgecolors": "0.25", "s": 16}
    axes.scatter(*zip(*marks.points, strict=True), label=f"paper, {marks.name}", zorder=4, linewidths=0.8, **shown)
