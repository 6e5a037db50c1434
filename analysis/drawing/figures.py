"""Figures in one style: readable when printed a column wide and by colour-blind readers, PNG and PDF.

The style is whole: what a user's matplotlibrc, MPLBACKEND or program set has no effect on a figure.
"""

import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leap_lab.errors import one_line
from leap_lab.files import write_whole

from ..measures.compare import Row
from ..stats.intervals import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 3.35  # inches, one column of a paper: font sizes below are those on the printed page
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
    """Pass@1 and Cons@N of every run with 95% intervals; below, the tokens a path sampled and received."""
    with style() as palette:
        figure = blank(1.7 + 0.42 * len(rows))
        top, bottom = figure.subplots(2, 1, sharey=True, height_ratios=(3, 2))
        _accuracy(top, rows, palette)
        _tokens(bottom, rows, palette)
        for axes in (top, bottom):
            axes.set_yticks(range(len(rows)), [_wrapped(row.name) for row in rows])
            axes.set_ylim(len(rows) - 0.5, -0.5)  # the first run on top
            axes.grid(axis="y", visible=False)
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, **TIGHT)
    return figure


def blank(height: float) -> "Figure":
    """An empty figure, a column wide and so many inches high; to be called within `style`."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH, height), layout="constrained")


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
    """Points with intervals; the band is the first baseline's interval of Pass@1, when all runs have that one."""
    baselines = [row["pass@1"] for row in rows if row.independent]
    if len(baselines) == 1 and baselines[0].low is not None and baselines[0].high is not None:
        low, high = 100 * baselines[0].low, 100 * baselines[0].high
        axes.axvspan(low, high, color=palette[0], alpha=0.15, linewidth=0, label="independent")
        axes.axvline(100 * baselines[0].value, color=palette[0], linewidth=0.8, linestyle=":")
    for index, (name, label) in enumerate((("pass@1", "Pass@1"), ("cons", _votes(rows)))):
        shift = 0.3 * index - 0.15
        _points(axes, [row[name] for row in rows], shift, palette[index], MARKERS[index], label)
    axes.set_xlabel(f"correct (%), 95% intervals, n = {_span([row.questions for row in rows])} questions")
    axes.set_xlim(0, 100)


def _points(axes: "Axes", values: Sequence[Estimate], shift: float, color: Any, marker: str, label: str) -> None:
    places = [index + shift for index in range(len(values))]
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
    """Own and received tokens end to end, with the interval of their sum."""
    own, received = ([row[f"tokens_{name}"].value for row in rows] for name in ("own", "received"))
    places = range(len(rows))
    axes.barh(places, own, height=0.55, color=palette[2], label="own", zorder=2)
    shown: dict[str, Any] = {"color": palette[8], "hatch": "////", "edgecolor": "0.45", "linewidth": 0, "zorder": 2}
    axes.barh(places, received, height=0.55, left=own, label="received", **shown)
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


def _span(numbers: Sequence[int]) -> str:
    return str(min(numbers)) if min(numbers) == max(numbers) else f"{min(numbers)}–{max(numbers)}"


def _wrapped(name: str, width: int = 20) -> str:
    import textwrap

    return textwrap.fill(name, width, break_long_words=False)
