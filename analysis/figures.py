"""Figures in one style: readable when printed a column wide and by colour-blind readers, PNG and PDF."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.stats import Estimate
from analysis.tables import Row, names

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 6.8  # inches, two columns of a paper
STYLE = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 8,
    "legend.fontsize": 7.5,
    "pdf.fonttype": 42,
}


def overview(rows: Sequence[Row]) -> "Figure":
    """Pass@1 and Cons@N of every run with 95% intervals, and beside it the tokens a path sampled and received."""
    import matplotlib

    matplotlib.use("Agg")
    import seaborn as sns
    from matplotlib import pyplot as plt

    palette = sns.color_palette("colorblind")
    with sns.axes_style("whitegrid"), plt.rc_context(STYLE):
        figure, (left, right) = plt.subplots(
            1, 2, figsize=(WIDTH, 1.3 + 0.34 * len(rows)), sharey=True, width_ratios=(3, 2), layout="constrained"
        )
        _accuracy(left, rows, palette)
        _tokens(right, rows, palette)
        left.set_yticks(range(len(rows)), names(rows))
        left.invert_yaxis()
        for axes in (left, right):
            axes.grid(axis="y", visible=False)
    return figure


def save(figure: "Figure", stem: Path) -> list[Path]:
    """Write `stem`.png (300 dpi) and `stem`.pdf, each whole or not at all, and close the figure."""
    from matplotlib import pyplot as plt

    from leap_lab.files import write_whole

    made = []
    for suffix in (".png", ".pdf"):
        data = io.BytesIO()
        figure.savefig(data, format=suffix[1:], dpi=300)
        made.append(stem.with_suffix(suffix))
        write_whole(made[-1], data.getvalue())
    plt.close(figure)
    return made


def _accuracy(axes: "Axes", rows: Sequence[Row], palette: Sequence[Any]) -> None:
    size = {row.paths for row in rows}
    votes = f"Cons@{size.pop()}" if len(size) == 1 else "Cons@N"
    baseline = next((row["pass@1"] for row in rows if row.labels["method"] == "independent"), None)
    if baseline is not None and baseline.low is not None and baseline.high is not None:
        axes.axvspan(100 * baseline.low, 100 * baseline.high, color="0.5", alpha=0.15, linewidth=0)
    for shift, color, marker, label, name in (
        (-0.13, palette[0], "o", "Pass@1", "pass@1"),
        (0.13, palette[1], "s", votes, "cons@"),
    ):
        _points(axes, [row.find(name) for row in rows], shift, color, marker, label)
    questions = sorted({row["pass@1"].n for row in rows})
    n = str(questions[0]) if len(questions) == 1 else f"{questions[0]}–{questions[-1]}"
    axes.set_xlabel(f"correct (%), 95% intervals over n = {n} questions")
    axes.set_xlim(0, 100)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, borderaxespad=-1.8)


def _points(axes: "Axes", values: list[Estimate], shift: float, color: Any, marker: str, label: str) -> None:
    middle = [100 * value.value for value in values]
    below = [100 * (value.value - (value.value if value.low is None else value.low)) for value in values]
    above = [100 * ((value.value if value.high is None else value.high) - value.value) for value in values]
    axes.errorbar(
        middle,
        [index + shift for index in range(len(values))],
        xerr=[below, above],
        fmt=marker,
        color=color,
        markersize=4,
        capsize=2,
        linewidth=1.2,
        label=label,
    )


def _tokens(axes: "Axes", rows: Sequence[Row], palette: Sequence[Any]) -> None:
    own = [row["tokens_own"].value for row in rows]
    received = [row["tokens_received"].value for row in rows]
    places = range(len(rows))
    axes.barh(places, own, height=0.5, color=palette[2], label="own")
    axes.barh(places, received, height=0.5, left=own, color=palette[4], hatch="///", edgecolor="white", label="received")
    axes.set_xlabel("tokens per path")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, borderaxespad=-1.8)
