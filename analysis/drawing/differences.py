"""What runs differ by from independent sampling, metric by metric: intervals, tests, and what became of questions."""

from collections.abc import Sequence

from ..measures.compare import Row
from ..measures.contrasts import Against
from .numerals import counts, p_value, points
from .tables import ASSUMED, Cells

TITLE = "Differences to independent sampling"
COVERAGE = f"{TITLE}: pass@k"
CONTROL = "Differences to the control (router=none)"
NOTE = (
    "Paired over questions, in points. a/b/c: questions that gained, stayed the same, lost; worst: the largest loss of "
    "one. signs: p of a/c by the sign test, as if all gains and losses were alike. bounds: 95% as well. " + ASSUMED
)

NOTE_THESE = (
    "Paired over questions, in points, for these very questions asked again; there are no bounds for other questions. "
    "a/b/c: questions that gained, stayed the same, lost; worst: the largest loss of one. signs: p of a/c by the sign "
    "test, for questions like these."
)


def cells(rows: Sequence[Row], coverage: bool = False, margin: float | None = None, control: bool = False) -> Cells:
    """Pass@1 and Cons@N of every run that has a baseline, or with `coverage` its pass@k; a mere head where none has.

    Of a run that decides otherwise than by the vote of all its peers, also its decision (Final).

    `margin`, in points, adds which differences are within it. `control`: against the control instead.
    """
    head = ["run", "metric", "difference", "bounds", "a/b/c", "signs"]
    table = [head if margin is None else [*head, f"within ±{margin:g}"]]
    for row in rows:
        for name, against in (_over_control(row) if control else _shown(row, coverage)).items():
            line = [row.name, name, points(against), _bounds(against), counts(against), p_value(against.signs_p)]
            table.append(line if margin is None else [*line, "yes" if against.within(margin / 100) else "not shown"])
    return table


def note(rows: Sequence[Row], margin: float | None = None) -> str:
    """What the columns are, and which family p is corrected for."""
    families = _families([found for row in rows for shown in (False, True) for found in _shown(row, shown).values()])
    if any(row.these for row in rows):
        return f"{NOTE_THESE} {families}".rstrip()
    told = [NOTE, families]
    if margin is not None:
        told.append(
            f"within ±{margin:g}: two one-sided tests of the bounds at 5%, divided by the number of comparisons."
        )
    return " ".join(filter(None, told))


def control_note(rows: Sequence[Row]) -> str:
    """What the differences to the control are, and their family."""
    told = "Each run minus the one that differs from it in that paths hear nobody. Columns as for independent sampling."
    return f"{told} {_families([found for row in rows for found in _over_control(row).values()])}".rstrip()


def _families(every: Sequence[Against]) -> str:
    named = sorted({str(against.family) for against in every} - {""})
    return " ".join(f"Of each metric, p is {words} (Holm)." for words in named)


def _shown(row: Row, coverage: bool) -> dict[str, Against]:
    """By metric, as it is called here."""
    if row.against is None:
        return {}
    if coverage:
        return {name: found for name, found in row.others.items() if name.startswith("pass@")}
    shown = ("cons@", "final") if row.decides else ("cons@",)
    return {"Pass@1": row.against} | {
        name.capitalize(): found for name, found in row.others.items() if name.startswith(shown)
    }


def _over_control(row: Row) -> dict[str, Against]:
    """By metric, as `_shown` has the differences to independent sampling."""
    named = {name: found for name, found in row.over_control.items() if name == "pass@1" or name.startswith("cons@")}
    return {name.capitalize(): found for name, found in named.items()}


def _bounds(against: Against) -> str:
    if against.bounds is None:
        return "n/a"
    return f"[{100 * against.bounds.low:+.1f}, {100 * against.bounds.high:+.1f}]"
