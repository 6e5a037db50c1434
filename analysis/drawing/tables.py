"""Runs side by side as a table: for the console, in Markdown and in LaTeX (booktabs)."""

import re
from collections.abc import Callable, Mapping, Sequence

from leap_lab.errors import brief

from ..measures.compare import Row
from ..measures.contrasts import Against
from ..measures.shared import is_control
from ..measures.votes import RULE
from ..stats.intervals import ENOUGH, Estimate
from .numerals import percent, points, short

Cells = list[list[str]]  # the head, then a row per run
WIDEST = 1000  # characters of a cell or note
AGAINST = "vs independent"
LEGEND = (
    "Q×G×N: questions, groups per question, paths per group.",
    "[low, high]: 95% interval for questions like these, questions resampled (Gaffke's for bounded means where fewer "
    f"than {ENOUGH} differ).",
    f"{AGAINST}: paired difference of Pass@1 in points, p by permutation of its signs over questions.",
    f"Cons: majority vote. {RULE}",
    "shortest: the same, ties to the shorter answers.",
    "sampled, heard, wrapper, prefilled: mean tokens per path: its own, words of peers, the runtime's words around "
    "these, and computed of its prompts.",
    "(a–b): with a perfect prefix cache and with none; what was measured also depends on what else was decoded.",
    "FLOPs: mean per path, estimated from the model. critical path: tokens of a group sampled one after another.",
)

THESE = (
    LEGEND[0],
    "[low, high]: 95% interval for these very questions asked again, by what their groups (paths that are independent) "
    "differ. It says nothing of other questions.",
    f"{AGAINST}: paired difference of Pass@1 in points, p by Welch's t test over these questions.",
    *LEGEND[3:],
)
SPENT = ("sampled", "heard", "wrapper", "prefilled", "FLOPs", "critical path")
# Shares of paths that stand in any table where they are not 0 throughout: their heading, and what they are.
ENDINGS = {
    "forced": ("forced %", "paths whose budget or context ran out, so that the runtime opened their answer."),
    "stopped": ("stopped %", "paths that their method ended early; they have no answer."),
    "own_blocks": ("own blocks %", "paths that opened a summary or a comment of their own accord; it was cut."),
}
CONTROL = (
    "the control. Its paths pause and summarize as with any router, and hear nobody: what another router gains over it "
    "comes from peers' words, what it gains itself does not."
)
PREFILLED = "prefilled is n/a, because the engine does not report it."
FEW = f"with fewer than {ENOUGH} that differ nothing can be decided"
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
    table = with_endings(table, [row.estimates for row in rows])
    if any(row.independent for row in rows):
        return table
    return [[cell for name, cell in zip(table[0], line, strict=True) if name != AGAINST] for line in table]


def with_endings(table: Cells, found: Sequence[Mapping[str, Estimate]], of: str = "") -> Cells:
    """The table with a column for each of `ENDINGS` that is above 0 in one of its rows; n/a where it is not known.

    `found` has the shares of every row below the head. `of` goes into the heading where a row is of several runs.
    """
    head, *lines = table
    for name, (heading, _) in ENDINGS.items():
        if any(own[name].value > 0 for own in found if name in own):
            head = [*head, f"{heading} {of}".rstrip()]
            shares = [percent(own[name]) if name in own else "n/a" for own in found]
            lines = [[*line, share] for line, share in zip(lines, shares, strict=True)]
    return [head, *lines]


def endings_told(table: Cells) -> list[str]:
    """What the columns of `with_endings` are, as far as the table has them."""
    return [
        f"{heading}: {words}"
        for heading, words in ENDINGS.values()
        if any(column.startswith(heading) for column in table[0])
    ]


def notes(rows: Sequence[Row]) -> list[str]:
    """What a reader has to know: what the columns are, what is missing, where there is no interval and why."""
    baseline = any(row.independent for row in rows)
    these = any(row.these for row in rows)
    told = [line for line in (THESE if these else LEGEND) if baseline or not line.startswith(AGAINST)]
    told += endings_told(cells(rows))
    told += [f"{row.name}: {CONTROL}" for row in rows if is_control(row.labels["router"])]
    told += [*([ASSUMED] if baseline and not these else []), *correction([row.against for row in rows])]
    told += [f"{row.name}: {power(row.against)}" for row in rows if row.against is not None and not these]
    told += [f"{row.name}: {row.found} of {row.asked} groups are there." for row in rows if row.found < row.asked]
    told += [
        f"{row.name}: heard and wrapper are n/a, because the run did not count them apart; together they are "
        f"{row['tokens_received'].value:.0f}."
        for row in rows
        if "tokens_heard" not in row.estimates
    ]
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
        f"{row['tokens_own'].value:.0f}",
        *(_known(row, f"tokens_{name}", "{:.0f}".format) for name in ("heard", "wrapper")),
        _bounded(row, "tokens_prefilled", "{:.0f}".format),
        _bounded(row, "flops", short),
        f"{row['critical_path'].value:.0f}",
    ]


def _known(row: Row, name: str, form: Callable[[float], str]) -> str:
    """A metric that not every run has."""
    return form(row[name].value) if name in row.estimates else "n/a"


def _bounded(row: Row, name: str, form: Callable[[float], str]) -> str:
    """A metric with what it would be with a perfect and with no prefix cache, as far as these are known."""
    bounds = [f"{name}_{bound}" for bound in ("least", "most")]
    if not {*bounds} <= {*row.estimates}:
        return _known(row, name, form)
    least, most = (form(row[bound].value) for bound in bounds)
    return f"{_known(row, name, form)} ({least}–{most})"


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
