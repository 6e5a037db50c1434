"""One setting at a time: Pass@1 and the gain over independent sampling by T, k, position, helpers or temperature."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leap_lab.errors import UserError
from leap_lab.runs.reading import settings

from ..drawing import tables
from ..drawing.curves import Marks, Panel, Series, curves
from ..drawing.figures import Drawings
from ..measures.compare import Row, Run, against, compare, corrected
from .base import Asked, Claim, Exhibit, beside, decided, directional
from .published import published

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Settings = Mapping[str, Any]


def _relative(key: str, own: str) -> Callable[[Settings], float | None]:
    """A setting as a multiple of the model's own; None for a run without either."""
    return lambda found: round(found[key] / found[own], 4) if found.get(key) and found.get(own) else None


@dataclass(frozen=True)
class Axis:
    """What an experiment varies: its name on the x axis, where it stands, and the published gains."""

    name: str
    place: Callable[[Settings], float | None]
    marks: Callable[[], list[Marks]]


@dataclass(frozen=True)
class Point:
    """A run and its place on the axis; independent runs stand there only if the setting is theirs, too."""

    place: float
    row: Row
    folder: Path


def _gains(series: Mapping[str, Mapping[float, float]], bases: Mapping[str, float], unit: float) -> list[Marks]:
    return [
        Marks(model, [(place / unit, value - bases[model]) for place, value in values.items()])
        for model, values in series.items()
    ]


def _granularity_marks() -> list[Marks]:
    told = published()["granularity"]
    return _gains({m: each["T"] for m, each in told.items()}, {m: each["baseline"] for m, each in told.items()}, 4096)


def _top_k_marks() -> list[Marks]:
    told = published()["top_k"]["R1-14B"]
    return _gains({"R1-14B": {1: told["k1"], told["peak_k"]: told["peak"]}}, {"R1-14B": told["baseline"]}, 1)


def _position_marks() -> list[Marks]:
    told = published()["single_position"]["R1-14B"]
    places = {place: value for place, value in told.items() if not isinstance(place, str)}
    return _gains({"R1-14B": places}, {"R1-14B": told["none"]}, 4096)


def _helpers_marks() -> list[Marks]:
    told, base = published()["single_k"], published()["pass_at_1"]["aime_2024"]["R1-14B"]["baseline"]
    series: dict[str, dict[float, float]] = {
        f"R1-14B {name}": {k: each[f"k{k}"] for k in (2, 4, 8)} for name, each in told.items()
    }
    return _gains(series, dict.fromkeys(series, base), 1)


AXES = {
    "granularity": Axis(
        "T, multiples of the model's", _relative("method.interval", "model.interval"), _granularity_marks
    ),
    "top_k": Axis("k, peers heard", lambda found: found.get("router.top_k"), _top_k_marks),
    "position": Axis(
        "position of the block, multiples of T", _relative("method.position", "model.interval"), _position_marks
    ),
    "single": Axis("k, helpers that stop at the block", lambda found: found.get("method.helpers"), _helpers_marks),
    "temperature": Axis(
        "temperature, multiples of the model's", _relative("sampling.temperature", "model.sampling.temperature"), list
    ),
}


def sensitivity(folders: Sequence[str | Path], axis: str, rows: Sequence[Row] | None = None) -> list[Point]:
    """The runs that have a place on the axis, each beside its independent baseline, p corrected for them all (Holm).

    `rows` are those of `compare`, where they are at hand. `UserError` when there is none.
    """
    rows = rows or corrected(compare(folders))
    named = {Path(folder).name: Path(folder) for folder in folders}
    places = {row.run_id: AXES[axis].place(settings(named[row.run_id])) for row in rows}
    found = [Point(place, row, named[row.run_id]) for row in rows if (place := places[row.run_id]) is not None]
    if not [point for point in found if not point.row.independent]:
        raise UserError(f"{axis}: none of these runs has such a setting ({AXES[axis].name})")
    return sorted(found, key=lambda point: (point.row.independent, point.place))


def contrast(text: str, source: str, one: Point, other: Point, up: bool) -> Asked:
    """A claim on the paired difference in Pass@1 of one run minus another."""
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
        claims=_claims([point for point in points if not point.row.independent], axis),
        runs=[row.run_id for row in rows],
        further=beside(rows),
    )


def figure(points: Sequence[Point], rows: Sequence[Row], axis: str) -> "Figure":
    """Above, Pass@1 over the setting; below, the gain over independent sampling, the paper's as marks."""
    lines: dict[str, list[Point]] = {}
    for point in points:
        lines.setdefault(_line(point.row, axis), []).append(point)
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
    n = _span(point.row.questions for point in points)
    panels = [Panel("Pass@1 (%)", above, bands)]
    if gains:
        panels.append(Panel("gain (points)", gains, marks=AXES[axis].marks(), zero=True))
    ticks = sorted({point.place for point in points})
    return curves(panels, f"{AXES[axis].name} (n = {n} questions)", ticks)


def _line(row: Row, axis: str) -> str:
    """Runs that differ in nothing else stand on one line."""
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


def _span(numbers: Any) -> str:
    found = sorted(numbers)
    return str(found[0]) if found[0] == found[-1] else f"{found[0]}–{found[-1]}"


def _claims(points: Sequence[Point], axis: str) -> list[Claim]:
    """Gains over independent sampling, then contrasts between runs, which are a family of their own."""
    gains, contrasts = GAINS.get(axis), CONTRASTS[axis](points)
    return [*(gain_claims(points, *gains) if gains else []), *decided(contrasts, "contrasts of this experiment")]


def gain_claims(points: Sequence[Point], text: str, source: str) -> list[Claim]:
    """One claim a run on its gain over independent sampling, p corrected for the family."""
    return [
        directional(f"{text} ({p.row.name}).", source, p.row.against, True, "gain")
        for p in points
        if p.row.against is not None
    ]


def _granularity(points: Sequence[Point]) -> list[Asked]:
    text = "Exchanging more often is better than exchanging seldom."
    return [contrast(text, "Figure 7", points[0], points[-1], True)] if len(points) > 1 else []


def _top_k(points: Sequence[Point]) -> list[Asked]:
    by_k = {point.place: point for point in points}
    claims = []
    if {1, 4} <= set(by_k):
        text = "Hearing four peers is better than hearing one."
        claims.append(contrast(text, "Figure 8", by_k[4], by_k[1], True))
    if 4 in by_k and max(by_k) > 4:
        text = "Hearing more than four peers is worse than hearing four."
        claims.append(contrast(text, "Figure 8", by_k[max(by_k)], by_k[4], False))
    return claims


def _position(points: Sequence[Point]) -> list[Asked]:
    claims, by_place = [], {point.place: point for point in points}
    if 1 in by_place and max(by_place) > 1:
        text = "A block at T is better than a late one."
        claims.append(contrast(text, "Figure 10", by_place[1], by_place[max(by_place)], True))
    return claims


def _single(points: Sequence[Point]) -> list[Asked]:
    claims = []
    helped = [point for point in points if point.row.labels["router"] == "all"]
    for position in sorted({point.row.labels["position"] for point in helped if "position" in point.row.labels}):
        own = [point for point in helped if point.row.labels.get("position") == position]
        if len(own) > 1:
            text = f"More helpers are better than fewer (T={position})."
            claims.append(contrast(text, "Table 4", own[-1], own[0], True))
    return claims


def _temperature(points: Sequence[Point]) -> list[Asked]:
    claims, by_place = [], {point.place: point for point in points}
    if 1 in by_place and max(by_place) > 1:
        text = "Above the model's own temperature LeaP's Pass@1 falls."
        claims.append(contrast(text, "Figure 27", by_place[max(by_place)], by_place[1], False))
    return claims


TITLES = {
    "granularity": ("How often paths exchange", "Figures 7 and 28"),
    "top_k": ("How many peers a path hears", "Figure 8"),
    "position": ("A single block, by its position", "Figures 10 and 29"),
    "single": ("One path with helpers that stop at the block", "Tables 3 and 4"),
    "temperature": ("Sampling temperature", "Figure 27"),
}
GAINS = {
    "position": ("A single block raises Pass@1", "Figure 10 and Table 3"),
    "single": ("Helpers that stop at the block raise the Pass@1 of the path that goes on", "Table 4"),
    "temperature": ("Peers raise Pass@1 at this temperature", "Figure 27"),
}
CONTRASTS: dict[str, Callable[[Sequence[Point]], list[Asked]]] = {
    "granularity": _granularity,
    "top_k": _top_k,
    "position": _position,
    "single": _single,
    "temperature": _temperature,
}
