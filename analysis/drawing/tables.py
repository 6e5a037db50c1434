"""Runs side by side as a table: for the console, in Markdown and in LaTeX (booktabs)."""

import math
import re
from collections.abc import Callable, Sequence

from leap_lab.errors import brief

from ..measures.compare import Row
from ..measures.contrasts import Against
from ..stats.intervals import ENOUGH, Estimate

Cells = list[list[str]]  # the head, then a row per run
WIDEST = 1000  # characters of a cell or note
AGAINST = "vs independent"
LEGEND = (
    "Q×G×N: questions, groups per question, paths per group.",
    "[low, high]: 95% interval for questions like these, questions resampled (Gaffke's for bounded means where fewer "
    f"than {ENOUGH} differ).",
    f"{AGAINST}: paired difference of Pass@1 in points, p by permutation of its signs over questions.",
    "shortest: majority vote, ties to the shorter answers.",
    "sampled, received, prefilled: mean tokens per path: its own, heard from peers, and computed of its prompts.",
    "FLOPs: mean per path, estimated from the model. critical path: tokens of a group sampled one after another.",
)

THESE = (
    LEGEND[0],
    "[low, high]: 95% interval for these very questions asked again, by what their groups (paths that are independent) "
    "differ. It says nothing of other questions.",
    f"{AGAINST}: paired difference of Pass@1 in points, p by Welch's t test over these questions.",
    *LEGEND[3:],
)
UNITS = (("E", 1e18), ("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3))
SPENT = ("sampled", "received", "prefilled", "FLOPs", "critical path")
OWN = "own blocks %"
PREFILLED = "prefilled is n/a, because the engine does not report it."
FEW = f"with fewer than {ENOUGH} that differ nothing can be decided"
COUNTS = "a/b/c: questions that gained, stayed the same, lost; worst: the largest loss of one."
ASSUMED = (
    "[low, high] and p take it that questions like these vary as the ones asked do. better and worse also need bounds "
    "that hold whatever rare questions do (Gaffke's for bounded means) to exclude 0."
)


def cells(rows: Sequence[Row]) -> Cells:
    """The table as text: shares in percent with 95% intervals, differences in points, tokens as means per path."""
    sizes = {row.paths for row in rows}
    votes = f"Cons@{sizes.pop()} %" if len(sizes) == 1 else "Cons@N %"
    head = ["run", "Q×G×N", "Pass@1 %", AGAINST, votes, "shortest %", *SPENT]
    table = [head, *(_line(row) for row in rows)]
    if any(_own_blocks(row) for row in rows):
        head.append(OWN)
        for line, row in zip(table[1:], rows, strict=True):
            line.append(percent(row.estimates["own_blocks"]) if "own_blocks" in row.estimates else "n/a")
    if any(row.independent for row in rows):
        return table
    return [[cell for name, cell in zip(head, line, strict=True) if name != AGAINST] for line in table]


def _own_blocks(row: Row) -> float:
    return row.estimates["own_blocks"].value if "own_blocks" in row.estimates else 0.0


def notes(rows: Sequence[Row]) -> list[str]:
    """What a reader has to know: what the columns are, what is missing, where there is no interval and why."""
    baseline = any(row.independent for row in rows)
    these = any(row.these for row in rows)
    told = [line for line in (THESE if these else LEGEND) if baseline or not line.startswith(AGAINST)]
    if any(_own_blocks(row) for row in rows):
        told.append(f"{OWN}: paths that opened a summary or a comment of their own accord; it was cut.")
    told += [*([ASSUMED] if baseline and not these else []), *correction([row.against for row in rows])]
    told += [f"{row.name}: {power(row.against)}" for row in rows if row.against is not None and not these]
    told += [f"{row.name}: {row.found} of {row.asked} groups are there." for row in rows if row.found < row.asked]
    told += [f"{row.name}: {PREFILLED}" for row in rows if "tokens_prefilled" not in row.estimates]
    for row in rows:
        if baseline and row.against is None and not row.independent:
            told.append(f"{row.name}: no independent run with the same questions, budget and sampling among these.")
        if row.against is not None and row.against.difference.n < row.questions:
            told.append(f"{row.name}: the difference is over the {row.against.difference.n} questions both runs have.")
    shown = [found for row in rows for found in (row["pass@1"], *_difference(row), row["cons"])]
    reasons = {found.why: None for found in shown if found.why}
    return told + [f"n/a: {why}." for why in reasons]


def _difference(row: Row) -> list[Estimate]:
    return [] if row.against is None else [row.against.difference]


def correction(found: Sequence[Against | None]) -> list[str]:
    """Which family the p values of a table are corrected for, or that they are not; nothing with one comparison."""
    there = [each for each in found if each is not None]
    if len(there) < 2:
        return []
    told = dict.fromkeys(str(each.family) for each in there)
    return [
        f"p is {words} (Holm)." if words else f"p is not corrected for being one of {len(there)}." for words in told
    ]


def power(against: Against) -> str:
    """Which true difference would be told, or that none can be."""
    if against.undecidable:
        count = len(against.by_question)
        return f"{count - against.same} of {count} questions differ: {FEW}."
    if against.detectable is None:
        return "its questions hardly differ in what they gain, so that nothing can be said of power."
    if against.detectable >= 1:
        return "no true difference would be called better with 80% power: there are too few questions."
    found = f"about {100 * against.detectable:.0f} points"
    return f"a true difference of {found} would be called better with 80% power; a smaller one may not."


def console(table: Cells) -> str:
    """Columns padded to one width, the first to the left, the rest to the right."""
    table = [[brief(cell, WIDEST) for cell in row] for row in table]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in table]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def markdown(table: Cells) -> str:
    """A Markdown table, padded to be read as it stands."""
    escaped = [[plain_markdown(cell) for cell in row] for row in table]
    widths = [max(3, *map(len, column)) for column in zip(*escaped, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in escaped]
    rule = ["-" * (width + 2) for width in widths]
    return "\n".join([lines[0], f"|{rule[0]}|" + "".join(f"{dashes[:-1]}:|" for dashes in rule[1:]), *lines[1:]])


def latex(table: Cells, told: Sequence[str] = ()) -> str:
    """A booktabs table; needs `\\usepackage{booktabs}`. The notes stand above it as comments."""
    head, *body = [" & ".join(_latex_cell(cell) for cell in row) + r" \\" for row in table]
    return "\n".join(
        [
            *(f"% {brief(note, WIDEST)}" for note in told),
            rf"\begin{{tabular}}{{l{'r' * (len(table[0]) - 1)}}}",
            *(r"\toprule", head, r"\midrule", *body, r"\bottomrule"),
            r"\end{tabular}",
        ]
    )


def _line(row: Row) -> list[str]:
    return [
        row.name,
        f"{row.questions}×{row.groups}×{row.paths}",
        percent(row["pass@1"]),
        "" if row.independent else points(row.against),
        percent(row["cons"]),
        f"{100 * row['shortest_majority'].value:.1f}",
        *(f"{row[f'tokens_{name}'].value:.0f}" for name in ("own", "received")),
        _known(row, "tokens_prefilled", "{:.0f}".format),
        _known(row, "flops", short),
        f"{row['critical_path'].value:.0f}",
    ]


def _known(row: Row, name: str, form: Callable[[float], str]) -> str:
    """A metric that not every run has."""
    return form(row[name].value) if name in row.estimates else "n/a"


def percent(share: Estimate) -> str:
    """A share in percent with its interval; n/a where there is nothing to count."""
    if share.value != share.value:
        return "n/a"
    return f"{100 * share.value:.1f} {_interval(share, '.1f')}"


def signed(difference: Estimate) -> str:
    """A difference of shares in points with its interval."""
    return f"{100 * difference.value:+.1f} {_interval(difference, '+.1f')}"


def number(found: Estimate, form: str = ".2f") -> str:
    """An estimate that is no share, with its interval."""
    if found.low is None or found.high is None:
        return f"{found.value:{form}} [n/a]"
    return f"{found.value:{form}} [{found.low:{form}}, {found.high:{form}}]"


def points(against: Against | None) -> str:
    """A difference in points with its interval, p and, where it is sure, the verdict."""
    if against is None:
        return "n/a"
    difference = signed(against.difference)
    p = "" if against.p is None else f" {p_value(against.p)}"
    return f"{difference}{p} {against.verdict}".rstrip()


def p_value(p: float) -> str:
    """To three digits."""
    return f"p={p:.3f}" if p >= 0.001 else "p<0.001"


def counted(against: Against | None, scale: float = 100, form: str = "+.1f") -> str:
    """`points`, and how many questions gained, stayed and lost, and the largest loss (see `COUNTS`)."""
    return "n/a" if against is None else f"{points(against)} {counts(against, scale, form)}"


def words(against: Against) -> str:
    """How many questions gained, stayed and lost, and the largest loss, in words."""
    told = f"{against.up} up, {against.same} same, {against.down} down"
    return f"{told}, the worst by {-100 * against.worst:.1f}" if against.down else told


def counts(against: Against, scale: float = 100, form: str = "+.1f") -> str:
    """How many questions gained, stayed and lost, and the largest loss of one, such as `15/8/1, worst -6.2`."""
    told = f"{against.up}/{against.same}/{against.down}"
    return f"{told}, worst {scale * against.worst:{form}}" if against.down else told


def _interval(value: Estimate, form: str) -> str:
    if value.low is None or value.high is None:
        return "[n/a]"
    return f"[{100 * value.low:{form}}, {100 * value.high:{form}}]"


def short(value: float | None) -> str:
    """A count to three digits, large ones with k, M, G, T, P or E; n/a where it is not known."""
    if value is None or value != value:
        return "n/a"
    for unit, size in UNITS:
        if abs(value) >= 0.9995 * size:
            scaled = value / size
            return f"{scaled:.{2 - int(math.log10(max(1.0, abs(scaled) * 1.0005)))}f}{unit}"
    return f"{value:.0f}"


def plain_markdown(text: str) -> str:
    """Text in which no sign means anything to Markdown, on one line."""
    text = brief(text, WIDEST)
    for mark in "\\|*_`<":
        text = text.replace(mark, f"\\{mark}")
    return text


def _latex_cell(text: str) -> str:
    marks = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "×": r"$\times$"}
    marks |= {mark: f"\\{mark}" for mark in "&%$#_{}"} | {mark: f"${mark}$" for mark in "<>|"}
    escaped = "".join(marks.get(character, character) for character in brief(text, WIDEST))
    return re.sub(r"(?<!\w)-(?=\d)", "$-$", escaped)
