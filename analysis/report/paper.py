"""The experiments of the paper as one report, in Markdown and HTML: figures, tables, what they say of its claims."""

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from leap_lab.errors import UserError
from leap_lab.files import write_whole
from leap_lab.runs.reading import settings
from leap_lab.settings.experiments import exhibit_of

from ..drawing import tables
from ..drawing.figures import renamed, save_all
from ..exhibits.base import Claim, Exhibit, Further, writing
from ..labels import names_of
from ..load import Asked, only
from ..measures.budget import Budget
from . import ledgers
from .sweep import Report, Show

Folders = Sequence[str | Path]
# The table of contents of the report of all experiments: beginnings, routers and cost, single settings, blocks,
# methods. An experiment that is not listed stands after these, in the order in which it was named.
CONTENTS = (
    *("trap", "trap_length", "good_beginnings", "error_tolerance"),
    *("main_table", "efficiency", "scaling", "fair_share"),
    *("granularity", "top_k", "position", "single", "temperature"),
    *("difficulty", "communication_types", "transitions"),
    *("arena", "leap_vs_cpt"),
)
VERDICTS = {
    "holds": "Hold here",
    "does not hold": "Do not hold here",
    "undecided": "Cannot be decided by these data",
}
INTRODUCTION = (
    "All is measured on the runs named under each table; brackets are 95% intervals over questions. A claim of the "
    "paper holds here, or does not, only where the interval decides it; where the data cannot decide, the report says "
    "so. The paper's own values are of large models on other questions: they show a direction, not the size to expect."
)


def write(
    experiments: Mapping[str, Folders | Mapping[Path, Asked]],
    out: str | Path,
    budget: Budget | None = None,
    exhibits: Mapping[str, Callable[..., Exhibit]] | None = None,
    show: Show = lambda table: None,
) -> Report:
    """Every experiment's exhibit and, of several, one report.md and report.html on top, in `out`.

    A key of `experiments` is the name of an experiment and, after a space, what was swept beside it. Its runs are
    folders, read whole, or folders with the questions and groups that it asked of each. `exhibits` has the callables
    of `experiments.exhibit_of` by the same keys; those that it lacks are looked up by the experiment's name. A `budget`
    goes to exhibits that take one.

    An exhibit that cannot be made, because of runs that failed, is a line in `problems` and costs no other, and so is a
    figure that cannot be drawn in `undrawn`. `UserError` when `out` cannot be written.
    """
    made, problems = [], []
    for label in sorted(experiments, key=_place):
        runs = experiments[label]
        asked = {folder.name: some for folder, some in runs.items()} if isinstance(runs, Mapping) else {}
        try:
            make = (exhibits or {}).get(label) or exhibit_of(label.partition(" ")[0])
            with only(asked):
                made.append(_made(label, _with_budget(make, budget), list(runs)))
        except UserError as error:
            problems.append(f"experiment={label}: {str(error).removeprefix(f'{label}: ')}")
    written = [exhibit.write_tables(out) for exhibit in made]
    console = "\n\n".join(f"{exhibit.title} ({exhibit.source})\n{exhibit.console()}" for exhibit in made)
    files = list[Path]()
    if len(made) > 1:
        files, console = _summary(made, Path(out)), summary(made)
    if made:
        show(console)
    undrawn = list[str]()
    for exhibit, texts in zip(made, written, strict=True):
        with writing(out):
            drawn, failed = save_all(exhibit.figures, Path(out))
        files, undrawn = [*files, *texts, *drawn], [*undrawn, *failed]
    return Report(console, files, problems, {exhibit.name: exhibit.table for exhibit in made}, undrawn)


def _place(label: str) -> int:
    """Where an experiment stands in the report."""
    name = label.partition(" ")[0]
    return CONTENTS.index(name) if name in CONTENTS else len(CONTENTS)


def _with_budget(exhibit: Callable[..., Exhibit], budget: Budget | None) -> Callable[..., Exhibit]:
    takes = isinstance(exhibit, partial) and "budget" in exhibit.keywords
    return partial(exhibit, budget=budget) if takes and budget is not None else exhibit


def _made(label: str, exhibit: Callable[..., Exhibit], runs: Folders) -> Exhibit:
    """The exhibit of one experiment; what was swept beside it becomes part of its title and its files."""
    name, _, variant = label.partition(" ")
    found = [settings(Path(folder)) for folder in runs]
    found = [each for each in found if each.get("seed") != each.get("reference.seed")] or found
    for key in ("model.path", "dataset.name", "dataset.seed", "seed"):
        if len(values := {str(each.get(key)) for each in found}) > 1:
            raise UserError(f"runs of several {key} ({', '.join(sorted(values))}): name those of one")
    made = _named(exhibit(runs), name)
    made = replace(made, further=[*made.further, _costs(made, runs)])
    if not variant:
        return made
    suffix = "_" + re.sub(r"[^A-Za-z0-9.]+", "_", variant).strip("_")
    figures = renamed(made.figures, {stem: f"{stem}{suffix}" for stem in made.figures})
    claims = [replace(claim, text=f"{claim.text} [{variant}]") for claim in made.claims]
    return replace(made, name=f"{name}{suffix}", title=f"{made.title}: {variant}", figures=figures, claims=claims)


def _named(exhibit: Exhibit, name: str) -> Exhibit:
    """The exhibit with files of the experiment's own: several experiments may share the code of one exhibit."""
    if exhibit.name == name:
        return exhibit
    stems = {stem: name if stem == exhibit.name else f"{name}_{stem}" for stem in exhibit.figures}
    return replace(exhibit, name=name, figures=renamed(exhibit.figures, stems))


def _costs(exhibit: Exhibit, runs: Folders) -> Further:
    """The ledgers of the runs that an exhibit was made from."""
    used = [folder for folder in dict.fromkeys(map(Path, runs)) if folder.name in exhibit.runs]
    names = names_of([settings(folder) for folder in used], [folder.name for folder in used])
    return Further(ledgers.TITLE, ledgers.cells(names, ledgers.of_runs(used)), ledgers.NOTE, aside=True)


def summary(exhibits: Sequence[Exhibit]) -> str:
    """The claims by what the data say of them, as plain text."""
    lines = []
    for verdict, words in VERDICTS.items():
        found = _claims(exhibits, verdict)
        lines += [f"{words} ({len(found)}):", *(f"  {claim}" for claim in found)]
    return "\n".join(lines)


def _claims(exhibits: Sequence[Exhibit], verdict: str) -> list[Claim]:
    return [claim for exhibit in exhibits for claim in exhibit.claims if claim.verdict == verdict]


def _summary(exhibits: Sequence[Exhibit], out: Path) -> list[Path]:
    pages = {"report.md": markdown(exhibits), "report.html": page(exhibits)}
    for name, text in pages.items():
        write_whole(out / name, text.encode())
    return [out / "report.html", out / "report.md"]


def markdown(exhibits: Sequence[Exhibit]) -> str:
    """The report in Markdown, figures by their file names."""
    parts = ["# Learning from Peers: the paper's experiments, measured anew", INTRODUCTION, "## The paper's claims"]
    for verdict, words in VERDICTS.items():
        found = _claims(exhibits, verdict)
        told = "\n".join(f"- {tables.plain_markdown(str(claim))}" for claim in found)
        parts.append(f"### {words}: {len(found)}\n\n{told or 'None.'}")
    for exhibit in exhibits:
        figures = [f"![{tables.plain_markdown(exhibit.title)}]({stem}.png)" for stem in exhibit.figures]
        runs = f"Runs: {', '.join(exhibit.runs)}."
        parts += [f"## {tables.plain_markdown(exhibit.title)} ({exhibit.source})", *figures, exhibit.markdown(), runs]
    return "\n\n".join(parts) + "\n"


def page(exhibits: Sequence[Exhibit]) -> str:
    """The report as one HTML page beside its figures; all text is escaped."""
    body = ["<h1>Learning from Peers: the paper's experiments, measured anew</h1>", _p(INTRODUCTION)]
    body.append("<h2>The paper's claims</h2>")
    for verdict, words in VERDICTS.items():
        found = _claims(exhibits, verdict)
        body += [f"<h3>{words}: {len(found)}</h3>", _list(found)]
    for exhibit in exhibits:
        body.append(f'<section id="{exhibit.name}"><h2>{html.escape(f"{exhibit.title} ({exhibit.source})")}</h2>')
        for stem in exhibit.figures:
            body.append(f'<img src="{stem}.png" alt="{html.escape(exhibit.title)}">')
        body += [_list(exhibit.claims, verdicts=True), _table(exhibit.table)]
        body += [_p(note) for note in exhibit.notes]
        for each in exhibit.further:
            body += [f"<h3>{html.escape(each.title)}</h3>", _table(each.table), _p(each.note)]
        body += [_p(f"Runs: {', '.join(exhibit.runs)}."), "</section>"]
    return _PAGE.format(body="\n".join(body))


def _p(text: str) -> str:
    return f"<p>{html.escape(text)}</p>"


def _list(claims: Sequence[Claim], verdicts: bool = False) -> str:
    lines = []
    for claim in claims:
        lead = f"<b>{claim.verdict}</b>: " if verdicts else ""
        lines.append(f"<li>{lead}{html.escape(str(claim))}</li>")
    return f"<ul>{''.join(lines)}</ul>" if lines else ""


def _table(cells: tables.Cells) -> str:
    head, *body = (
        "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row)
        for tag, row in zip(["th", *["td"] * (len(cells) - 1)], cells, strict=True)
    )
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in body)}</table>"


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Learning from Peers, measured anew</title>
<style>
body {{ font: 16px/1.5 sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em; color: #222; }}
section {{ border-top: 1px solid #ccc; margin-top: 2em; }}
img {{ width: 27em; max-width: 100%; vertical-align: top; margin: 0 1em 1em 0; }}
table {{ border-collapse: collapse; font-size: 13px; display: block; overflow-x: auto; }}
td, th {{ padding: 0.2em 0.7em; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap; }}
td:first-child, th:first-child {{ text-align: left; }}
p {{ font-size: 14px; }}
</style></head><body>
{body}
</body></html>
"""
