"""One setting at a time: Pass@1 and the gain over independent sampling by T, k, position, helpers or temperature."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leap_lab.errors import UserError
from leap_lab.runs.reading import settings

from ..drawing import tables
from ..drawing.curves import Panel, Series, curves
from ..drawing.figures import Drawings, questions
from ..labels import names_of
from ..measures.compare import Row, Run, against, compare, corrected
from ..measures.shared import determining, hears
from .axes import AXES, TITLES, Settings
from .base import Asked, Claim, Exhibit, beside, decided, directional

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Point:
    """A run and its place on the axis; independent runs stand there only if the setting is theirs, too."""

    place: float
    row: Row
    folder: Path
    settings: Settings


Lines = Mapping[str, Sequence[Point]]  # by name, in the order of places


def sensitivity(folders: Sequence[str | Path], axis: str, rows: Sequence[Row] | None = None) -> list[Point]:
    """The runs that have a place on the axis, each beside its independent baseline, p corrected for them all (Holm).

    `rows` are those of `compare`, where they are at hand. `UserError` when there is none.
    """
    rows = rows or corrected(compare(folders))
    named = {Path(folder).name: Path(folder) for folder in folders}
    own = {row.run_id: settings(named[row.run_id]) for row in rows}
    found = [
        Point(place, row, named[row.run_id], own[row.run_id])
        for row in rows
        if (place := AXES[axis].place(own[row.run_id])) is not None
    ]
    if not [point for point in found if not point.row.independent]:
        raise UserError(f"{axis}: none of these runs has such a setting ({AXES[axis].name})")
    return sorted(found, key=lambda point: (point.row.independent, point.place))


def lines_of(points: Sequence[Point], axis: str) -> dict[str, list[Point]]:
    """The points by line: on one stand runs that differ in the setting of the axis and in nothing else."""
    alike: dict[str, list[Point]] = {}
    for point in points:
        alike.setdefault(repr(sorted(_beside(point, axis).items())), []).append(point)
    own = list(alike.values())
    names = [_line(each[0].row, axis) for each in own]
    told_apart = names_of([_beside(each[0], axis) for each in own], [each[0].row.run_id for each in own])
    return {
        name if names.count(name) == 1 else other.removeprefix("router "): each
        for name, other, each in zip(names, told_apart, own, strict=True)
    }


def _beside(point: Point, axis: str) -> dict[str, Any]:
    """What determined the result of a run beside the setting of the axis."""
    return {key: value for key, value in determining(point.settings).items() if key not in AXES[axis].keys}


def contrast(text: str, source: str, one: Point, other: Point, up: bool) -> Asked:
    """A claim on the paired difference in Pass@1 of one run minus another of the same line."""
    runs = [Run.read(point.folder) for point in (one, other)]
    shared = sorted(set(runs[0].table["question_id"]) & set(runs[1].table["question_id"]))
    what = f"difference between {one.row.name} and {other.row.name}"
    return Asked(text, source, against(runs[0], runs[1], shared), up, what)


def exhibit(folders: Sequence[str | Path], axis: str) -> Exhibit:
    """Table, figure and claims of one of `AXES`; `UserError` for another axis, and where no run has a place on it."""
    if axis not in AXES:
        raise UserError(f"axis={axis}: no such axis; choose from {', '.join(AXES)}")
    rows = corrected(compare(folders))
    points = sensitivity(folders, axis, rows)
    title, source = TITLES[axis]
    return Exhibit(
        name=axis,
        title=title,
        source=source,
        table=tables.cells(rows),
        notes=tables.notes(rows),
        figures=Drawings({axis: partial(figure, points, rows, axis)}),
        claims=_claims(lines_of([point for point in points if hears(point.row.labels["router"])], axis), axis),
        runs=[row.run_id for row in rows],
        further=beside(rows),
    )


def figure(points: Sequence[Point], rows: Sequence[Row], axis: str) -> "Figure":
    """Above, Pass@1 over the setting; below, the gain over independent sampling, the paper's as marks."""
    lines = lines_of(points, axis)
    above = [Series(name, [(p.place, p.row["pass@1"]) for p in own]) for name, own in lines.items()]
    gains = [
        Series(name, [(p.place, p.row.against.difference) for p in own if p.row.against is not None])
        for name, own in lines.items()
        if any(p.row.against is not None for p in own)
    ]
    bands = {row.name: row["pass@1"] for row in rows if row.independent and row.run_id not in _ids(points)}
    if axis == "position":
        routed = [row for row in rows if row.labels["router"] is not None and row.run_id not in _ids(points)]
        bands |= {f"{row.name} (all blocks)": row["pass@1"] for row in routed}
    n = questions(point.row.questions for point in points)
    panels = [Panel("Pass@1 (%)", above, bands)]
    if gains:
        panels.append(Panel("gain (points)", gains, marks=AXES[axis].marks(), zero=True))
    ticks = sorted({point.place for point in points})
    return curves(panels, f"{AXES[axis].name}\n{n}", ticks)


def _line(row: Row, axis: str) -> str:
    """What a line is called where no other is called so: method, router and k."""
    words = [str(row.labels["method"])]
    if axis == "single":
        words.append(f"T={row.labels.get('position')}")
    if row.labels["router"] is not None and (axis != "single" or row.labels["router"] != "all"):
        words.append(str(row.labels["router"]))
    if row.labels.get("top_k") is not None and axis != "top_k":
        words.append(f"k={row.labels['top_k']}")
    return " ".join(words)


def _ids(points: Sequence[Point]) -> set[str]:
    return {point.row.run_id for point in points}


def _claims(lines: Lines, axis: str) -> list[Claim]:
    """Gains over independent sampling, then contrasts between runs, which are a family of their own."""
    gains, contrasts = GAINS.get(axis), CONTRASTS[axis](lines)
    return [*(gain_claims(lines, *gains) if gains else []), *decided(contrasts, "contrasts of this experiment")]


def gain_claims(lines: Lines, text: str, source: str) -> list[Claim]:
    """One claim a run on its gain over independent sampling, p corrected for the family."""
    return [
        directional(f"{text} ({p.row.name}).", source, p.row.against, True, "gain")
        for own in lines.values()
        for p in own
        if p.row.against is not None
    ]


def _on(name: str, lines: Lines) -> str:
    """Which line a claim is of, where there are several."""
    return f" ({name})" if len(lines) > 1 else ""


def _granularity(lines: Lines) -> list[Asked]:
    text = "Exchanging more often is better than exchanging seldom"
    return [
        contrast(f"{text}{_on(name, lines)}.", "Figure 7", own[0], own[-1], True)
        for name, own in lines.items()
        if len(own) > 1
    ]


def _top_k(lines: Lines) -> list[Asked]:
    asked = []
    for name, own in lines.items():
        by_k = {point.place: point for point in own}
        if {1, 4} <= set(by_k):
            text = f"Hearing four peers is better than hearing one{_on(name, lines)}."
            asked.append(contrast(text, "Figure 8", by_k[4], by_k[1], True))
        if 4 in by_k and max(by_k) > 4:
            text = f"Hearing more than four peers is worse than hearing four{_on(name, lines)}."
            asked.append(contrast(text, "Figure 8", by_k[max(by_k)], by_k[4], False))
    return asked


def _position(lines: Lines) -> list[Asked]:
    return _from_own(lines, "A block at T is better than a late one", "Figure 10", True)


def _single(lines: Lines) -> list[Asked]:
    asked = []
    helped = {name: own for name, own in lines.items() if own[0].row.labels["router"] == "all" and len(own) > 1}
    places = [own[0].row.labels.get("position") for own in helped.values()]
    for name, own in helped.items():
        position = own[0].row.labels.get("position")
        which = f"T={position}" if places.count(position) == 1 else name
        asked.append(contrast(f"More helpers are better than fewer ({which}).", "Table 4", own[-1], own[0], True))
    return asked


def _temperature(lines: Lines) -> list[Asked]:
    return _from_own(lines, "Above the model's own temperature LeaP's Pass@1 falls", "Figure 27", False)


def _from_own(lines: Lines, text: str, source: str, own_is_better: bool) -> list[Asked]:
    """Of each line the run at the model's own value against the one farthest above it."""
    asked = []
    for name, own in lines.items():
        by_place = {point.place: point for point in own}
        if 1 in by_place and max(by_place) > 1:
            pair = (by_place[1], by_place[max(by_place)])
            one, other = pair if own_is_better else pair[::-1]
            asked.append(contrast(f"{text}{_on(name, lines)}.", source, one, other, own_is_better))
    return asked


GAINS = {
    "position": ("A single block raises Pass@1", "Figure 10 and Table 3"),
    "single": ("Helpers that stop at the block raise the Pass@1 of the path that goes on", "Table 4"),
    "temperature": ("Peers raise Pass@1 at this temperature", "Figure 27"),
}
CONTRASTS: dict[str, Callable[[Lines], list[Asked]]] = {
    "granularity": _granularity,
    "top_k": _top_k,
    "position": _position,
    "single": _single,
    "temperature": _temperature,
}
