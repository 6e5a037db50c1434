"""What a replay ends with: one table (Markdown, LaTeX, CSV, JSON), and a figure for each cost."""

import csv
import io
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leap_lab.files import write_json, write_whole

from ..drawing import figures, tables
from ..drawing.curves import Panel, Series, curves
from ..drawing.numerals import percent, points, short
from ..exhibits.base import writing
from ..exhibits.scaling_curves import rounded, ticks
from ..measures.votes import RULE
from ..report.sweep import Report, Show
from . import curves as replayed
from . import records
from .chosen import chosen
from .curves import DRAWS, Point, Replay

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "replay"
COSTS = {"tokens": "sampled tokens", "critical_path": "critical path"}
HEAD = ["policy", "N", "correct %", "tokens", "probes", "critical path", "vs majority"]
NOTES = (
    "N: paths that a policy may start. tokens: sampled per question, those of probes that the policy read included. "
    "critical path: tokens sampled one after another, without probes.",
    "vs majority: minus the vote of as many paths as the same tokens buy, paired over questions, in points; n/a beyond "
    "what was recorded.",
    "[low, high]: 95% interval for questions like these, questions resampled.",
    f"Votes of recorded answers. {RULE}",
)


def write(
    policies: str, folders: Sequence[str | Path], out: str | Path, draws: int = DRAWS, show: Show = lambda table: None
) -> Report:
    """Replay policies (`chosen.chosen`) on the paths of these runs; table and figures go to `out`.

    A figure that cannot be drawn is a line in `undrawn`. `UserError` for policies that are none, runs that they cannot
    be replayed on, and when `out` cannot be written; `OSError` when the disk is full.
    """
    found = replayed.replay(chosen(policies), records.read(folders), draws)
    table, told = cells(found), notes(found)
    texts = {
        f"{NAME}.md": "\n\n".join([tables.markdown(table), *map(tables.plain_markdown, told)]),
        f"{NAME}.tex": tables.latex(table, told),
        f"{NAME}.csv": table_of_numbers(found),
    }
    with writing(out):
        files = _written(texts, found, told, Path(out))
    console = "\n".join([tables.console(table), *told])
    show(console)
    drawings = figures.Drawings(
        {NAME if cost == "tokens" else f"{NAME}_{cost}": partial(figure, found, cost) for cost in COSTS}
    )
    with writing(out):
        drawn, undrawn = figures.save_all(drawings, Path(out))
    return Report(console, [*files, *drawn], tables={NAME: table}, undrawn=undrawn)


def cells(found: Replay) -> tables.Cells:
    """The table as text: shares in percent, differences in points, 95% intervals over questions."""
    return [HEAD, *(_line(point) for point in found.points)]


def _line(point: Point) -> list[str]:
    costs = [short(each.value) for each in (point.tokens, point.probes, point.critical_path)]
    return [point.policy, str(point.size), percent(point.right), *costs, points(point.against)]


def notes(found: Replay) -> list[str]:
    """What a reader has to know."""
    size = f"{len(found.records.questions)} questions, {found.records.size} paths each"
    drawn = f"{size}; means over {found.draws} orders of the paths of each question (seeded)."
    against = tables.correction([point.against for point in found.points])
    return [drawn, *NOTES, *against, *([tables.ASSUMED] if against else []), *found.left_out]


def numbers(point: Point) -> dict[str, Any]:
    """A point as it is written to CSV and JSON, columns flat."""
    row: dict[str, Any] = {"policy": point.policy, "paths": point.size}
    shown = {"correct": point.right, "tokens": point.tokens, "critical_path": point.critical_path}
    for name, each in shown.items():
        row |= {name: each.value, f"{name}_low": each.low, f"{name}_high": each.high}
    row |= {"tokens_probe": point.probes.value, "questions": point.right.n}
    against = point.against
    row["vs_majority"] = None if against is None else against.difference.value
    row["vs_majority_low"] = None if against is None else against.difference.low
    row["vs_majority_high"] = None if against is None else against.difference.high
    return row | {"vs_majority_p": None if against is None else against.p}


def table_of_numbers(found: Replay) -> str:
    """The points as CSV; empty where there is no number."""
    rows = [numbers(point) for point in found.points]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().rstrip("\n")


def _written(texts: Mapping[str, str], found: Replay, told: Sequence[str], out: Path) -> list[Path]:
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        write_whole(out / name, f"{text}\n".encode())
    head = {"runs": list(found.records.runs), "draws": found.draws}
    points_of = [numbers(point) | {"by_question": list(point.by_question)} for point in found.points]
    questions = [record.question for record in found.records.questions]
    write_json(out / f"{NAME}.json", head | {"questions": questions, "points": points_of, "notes": list(told)})
    return [*(out / name for name in texts), out / f"{NAME}.json"]


def figure(found: Replay, cost: str) -> "Figure":
    """How often right over a cost, a line a policy."""
    lines = [
        Series(name, [(max(1.0, getattr(point, cost).value), point.right) for point in own])
        for name, own in found.curves.items()
    ]
    places = ticks([place for line in lines for place, _ in line.points])
    n = figures.questions([len(found.records.questions)])
    x = f"{COSTS[cost]} per question ({n})"
    return curves([Panel("correct (%)", lines)], x, places, [rounded(place) for place in places], log=True)
