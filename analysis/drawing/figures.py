"""Figures in one style: readable when printed a column wide and by colour-blind readers, PNG and PDF.

The style is whole: what a user's matplotlibrc, MPLBACKEND or program set has no effect on a figure.
"""

import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leap_lab.errors import brief, one_line
from leap_lab.files import write_whole

from ..measures.compare import Row
from ..stats.intervals import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, WIDE = 3.35, 6.9  # inches, one and two columns of a paper: font sizes below are those on the printed page
SHORT, LONGEST = 22, 60  # characters of a run's name: beside a plot of one column, and at most
STYLE = {
    "font.sans-serif": ["DejaVu Sans"],  # which comes with matplotlib
    "font.size": 7.5,
    "axes.titlesize": 7.5,
    "axes.labelsize": 7.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7,
    "axes.edgecolor": "0.3",
    "grid.linewidth": 0.5,
    "pdf.fonttype": 42,  # text stays text
    "text.parse_math": False,  # a $ in the name of a run is a $
}
DPI = 300
MARKERS = "os"
TIGHT = {"borderaxespad": 0.2, "handletextpad": 0.4, "columnspacing": 1.0, "handlelength": 1.2}


class Drawings(Mapping[str, "Figure"]):
    """Figures by file stem, each drawn when it is asked for: a table does not wait for its figures."""

    def __init__(self, drawing: "Mapping[str, Callable[[], Figure]]") -> None:
        self._drawing = dict(drawing)

    def __getitem__(self, stem: str) -> "Figure":
        return self._drawing[stem]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._drawing)

    def __len__(self) -> int:
        return len(self._drawing)


def renamed(figures: "Mapping[str, Figure]", stems: Mapping[str, str]) -> Drawings:
    """The same figures under other stems; none is drawn."""
    return Drawings({stems[stem]: partial(figures.__getitem__, stem) for stem in figures})


@contextmanager
def style() -> Iterator[Any]:
    """The style of every figure, while it is made and while it is written; gives the colour-blind palette."""
    _import()
    import matplotlib
    import seaborn as sns

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({**sns.axes_style("whitegrid"), **STYLE})
        yield sns.color_palette("colorblind")


def _import() -> None:
    """Import matplotlib, whatever MPLBACKEND names: it may be a notebook's, and no figure here needs it."""
    if "matplotlib" in sys.modules:
        return
    backend = os.environ.pop("MPLBACKEND", None)
    import matplotlib

    if backend is not None:
        os.environ["MPLBACKEND"] = backend
        with suppress(ValueError):
            matplotlib.rcParams["backend"] = backend


def overview(rows: Sequence[Row]) -> "Figure":
    """Every run with 95% intervals: Pass@1 and Cons@N, the paired gain over independent sampling, tokens of a path."""
    compared = any(row.against is not None for row in rows)
    heights = (3, 2, 2) if compared else (3, 2)
    with style() as palette:
        height = 1.7 + 0.42 * len(rows) + compared * (0.6 + 0.2 * len(rows))
        figure = blank(height, _width([row.name for row in rows]))
        stacked = figure.subplots(len(heights), 1, sharey=True, height_ratios=heights)
        _accuracy(stacked[0], rows, palette)
        if compared:
            _gains(stacked[1], rows, palette)
        _tokens(stacked[-1], rows, palette)
        for axes in stacked:
            axes.set_yticks(range(len(rows)), [brief(row.name, LONGEST) for row in rows])
            axes.set_ylim(len(rows) - 0.5, -0.5)  # the first run on top
            axes.grid(axis="y", visible=False)
            if axes.get_legend_handles_labels()[1]:
                axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, **TIGHT)
    return figure


def blank(height: float, width: float = WIDTH) -> "Figure":
    """An empty figure of this size in inches; to be called within `style`."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _width(names: Sequence[str]) -> float:
    """One column, or two where names of runs would take half of one: a name is never wrapped."""
    return WIDTH if max(map(len, names)) <= SHORT else WIDE


def save(figure: "Figure", stem: Path) -> list[Path]:
    """Write `stem`.png (300 dpi) and `stem`.pdf, each whole or not at all."""
    return _write(_images(figure), stem)


def save_all(figures: "Mapping[str, Figure]", out: Path) -> tuple[list[Path], list[str]]:
    """Draw and write figures by their stems: the files, and a line for every figure that cannot be drawn.

    One that fails costs no other. `OSError` where a file cannot be written.
    """
    files, failed = list[Path](), list[str]()
    for stem in figures:
        try:
            images = _images(figures[stem])
        except Exception as error:  # whatever matplotlib and its fonts raise, the table is there
            failed.append(f"figure {stem}: {type(error).__name__}: {one_line(error, 200)}")
        else:
            files += _write(images, out / stem)
    return files, failed


def _images(figure: "Figure") -> dict[str, bytes]:
    """A figure as PNG and PDF, by the suffix of the file."""
    images = {}
    with style():
        for suffix in (".png", ".pdf"):
            data = io.BytesIO()
            figure.savefig(data, format=suffix[1:], dpi=DPI)
            images[suffix] = data.getvalue()
    return images


def _write(images: Mapping[str, bytes], stem: Path) -> list[Path]:
    files = {stem.with_name(f"{stem.name}{suffix}"): data for suffix, data in images.items()}
    for file, data in files.items():
        write_whole(file, data)
    return list(files)


def _accuracy(axes: "Axes", rows: Sequence[Row], palette: Sequence[Any]) -> None:
    """Each run by itself; how runs differ, `_gains` shows."""
    decided = ("final", "decision") if any(row.decides for row in rows) else ("cons", _votes(rows))
    for index, (name, label) in enumerate((("pass@1", "Pass@1"), decided)):
        shift = 0.3 * index - 0.15
        places = [place + shift for place in range(len(rows))]
        _points(axes, [row[name] for row in rows], places, palette[index], MARKERS[index], label)
    axes.set_xlabel(f"correct (%), 95% intervals, {questions(row.questions for row in rows)}")
    axes.set_xlim(0, 100)


def _gains(axes: "Axes", rows: Sequence[Row], palette: Sequence[Any]) -> None:
    """The difference to the baseline over the same questions: intervals of two runs that overlap say nothing of it."""
    found = [(place, row.against.difference) for place, row in enumerate(rows) if row.against is not None]
    axes.axvline(0, color="0.3", linewidth=0.8)
    _points(axes, [difference for _, difference in found], [place for place, _ in found], palette[0], MARKERS[0])
    axes.set_xlabel(
        f"gain in Pass@1 over independent (points)\npaired, 95% intervals, {questions(each.n for _, each in found)}"
    )


def _points(
    axes: "Axes", values: Sequence[Estimate], places: Sequence[float], color: Any, marker: str, label: str | None = None
) -> None:
    middle = [100 * value.value for value in values]
    shown: dict[str, Any] = {
        "color": color,
        "markersize": 4,
        "capsize": 2,
        "linewidth": 1.1,
        "clip_on": False,
        "zorder": 3,
    }
    axes.errorbar(middle, places, xerr=reach(values, 100), fmt=marker, label=label, **shown)


def _tokens(axes: "Axes", rows: Sequence[Row], palette: Sequence[Any]) -> None:
    """Own tokens, those that peers wrote and the runtime's words around them, with the interval of their sum.

    The latter two are one, `received`, where a run did not count them apart.
    """
    apart = all("tokens_heard" in row.estimates for row in rows)
    looks: dict[str, dict[str, Any]] = {
        "own": {"color": palette[2]},
        "heard": {"color": palette[8], "hatch": "////", "edgecolor": "0.45", "linewidth": 0},
        "wrapper": {"color": "0.8", "hatch": "....", "edgecolor": "0.5", "linewidth": 0},
    }
    looks["received"] = looks["heard"]
    places, left = range(len(rows)), [0.0] * len(rows)
    for name in ("own", *(("heard", "wrapper") if apart else ("received",))):
        found = [row[f"tokens_{name}"].value for row in rows]
        axes.barh(places, found, height=0.55, left=left, label=name, zorder=2, **looks[name])
        left = [start + value for start, value in zip(left, found, strict=True)]
    both = [row["tokens_with_received"] for row in rows]
    bars: dict[str, Any] = {"fmt": "none", "ecolor": "0.2", "capsize": 2, "elinewidth": 0.9, "zorder": 3}
    axes.errorbar([total.value for total in both], places, xerr=reach(both), **bars)
    axes.set_xlabel(f"tokens per path, mean of {_span([row.paths for row in rows])} paths a group")


def reach(values: Sequence[Estimate], scale: float = 1) -> list[list[float]]:
    """How far the intervals reach below and above the values; 0 where there is none."""
    below = [0.0 if found.low is None else max(0.0, scale * (found.value - found.low)) for found in values]
    above = [0.0 if found.high is None else max(0.0, scale * (found.high - found.value)) for found in values]
    return [below, above]


def _votes(rows: Sequence[Row]) -> str:
    sizes = {row.paths for row in rows}
    return f"Cons@{sizes.pop()}" if len(sizes) == 1 else "Cons@N"


def questions(numbers: Iterable[int]) -> str:
    """Of how many questions a figure is, such as `n = 24 questions`."""
    return f"n = {_span(list(numbers))} questions"


def _span(numbers: Sequence[int]) -> str:
    return str(min(numbers)) if min(numbers) == max(numbers) else f"{min(numbers)}–{max(numbers)}"
