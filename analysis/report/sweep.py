"""What a run or sweep ends with: one table (Markdown, LaTeX, JSON) and one figure (PNG, PDF)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from leap_lab.files import write_json, write_whole

from ..drawing import differences, figures, judges, several, tables
from ..drawing.tables import Cells
from ..exhibits.base import writing
from ..measures import routes
from ..measures.compare import Asked, Row, compare, corrected
from ..measures.judged import judged
from ..measures.means import means
from ..measures.standings import standings
from . import ledgers

Beside = tuple[str, Cells, str]  # a table beside the main one: its title, itself, its note


@dataclass(frozen=True)
class Report:
    """The table with its notes, for the console, and the files that were written."""

    table: str
    files: list[Path]
    problems: list[str] = field(default_factory=list)  # what could not be made, and why
    tables: dict[str, Cells] = field(default_factory=dict)  # by name, for trackers
    undrawn: list[str] = field(default_factory=list)  # figures that could not be drawn, and why

    @property
    def figures(self) -> dict[str, Path]:
        """The figures by name, as PNG."""
        return {file.stem: file for file in self.files if file.suffix == ".png"}

    @property
    def look(self) -> Path:
        """The file to open first."""
        first = [file for suffix in (".html", ".png", ".md") for file in self.files if file.suffix == suffix]
        return first[0]


Show = Callable[[str], None]  # is given the table when it is written, before any figure is drawn


def write(
    folders: Sequence[str | Path],
    out: str | Path,
    questions: Asked = None,
    groups: int | None = None,
    margin: float | None = None,
    these: bool = False,
    show: Show = lambda table: None,
    apart: bool = False,
) -> Report:
    """Compare runs over these questions (see `compare`) and the first `groups` groups; table and figure go to `out`.

    Runs that differ in their seed alone are one row, unless `apart`; settings with several data sets have a row for
    their mean. `margin`, in points: also say which differences are within it. `these`: intervals for these very
    questions. A figure that cannot be drawn is a line in `undrawn`. `UserError` for a folder that is no run, and when
    `out` cannot be written; `OSError` when the disk is full.
    """
    rows = compare(folders, questions, groups, these, seeds_pooled=not apart)
    found = {Path(folder).name: Path(folder) for folder in folders}
    names = {run: name for row in rows for run, name in _names(row).items()}
    runs = [found[run] for run in names]
    asked = [questions[run] if isinstance(questions, Mapping) else questions for run in names]
    rows = corrected([*rows, *means(rows)])
    about = [*several.seeds_told(rows), *several.means_told(rows)]
    told = [*tables.notes(rows), *about, *routes.told([*names.values()], runs, asked, groups)]
    costs = Costs([*names.values()], ledgers.of_runs(runs, asked, groups), [*names])
    said = [judged(run, some, groups) for run, some in zip(runs, asked, strict=True)]
    apart_from_grades = (judges.TITLE, judges.cells([*names.values()], said), judges.NOTE)
    with writing(out):
        report = _tables(rows, told, costs, Path(out), [*_apart(rows, margin), apart_from_grades])
    show(report.table)
    with writing(out):
        drawn, undrawn = figures.save_all(figures.Drawings({"figure": lambda: figures.overview(rows)}), Path(out))
    return replace(report, files=[*report.files, *drawn], undrawn=undrawn)


def _write_texts(texts: Mapping[str, str], out: Path) -> list[Path]:
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        write_whole(out / name, f"{text}\n".encode())
    return [out / name for name in texts]


def _names(row: Row) -> dict[str, str]:
    """What each of the runs of a row is called."""
    if len(row.run_ids) == 1:
        return {row.run_id: row.name}
    return {run: f"{row.name} seed={seed}" for run, seed in zip(row.run_ids, row.seeds, strict=True)}


@dataclass(frozen=True)
class Costs:
    """The ledgers of single runs, each with a name and an id."""

    names: Sequence[str]
    ledgers: Sequence[dict[str, Any]]
    run_ids: Sequence[str]


def _tables(rows: Sequence[Row], told: Sequence[str], spent: Costs, out: Path, beside_it: Sequence[Beside]) -> Report:
    table, apart = tables.cells(rows), [each for each in beside_it if len(each[1]) > 1]
    costs = ledgers.cells(spent.names, spent.ledgers)
    beside = [*apart, (ledgers.TITLE, costs, ledgers.NOTE)]
    texts = {
        "table.md": "\n\n".join([tables.markdown(table), *told, *(_section(*each) for each in beside)]),
        "table.tex": "\n\n".join(
            [tables.latex(table, told), *(tables.latex(cells, [title, note]) for title, cells, note in beside)]
        ),
    }
    written = _write_texts(texts, out)
    by_run = dict(zip(spent.run_ids, spent.ledgers, strict=True))
    numbers = [{**_numbers(row), **_spent(row, by_run)} for row in rows]
    write_json(out / "table.json", {"rows": numbers, "notes": list(told)})
    shown = [_on_console(*each) for each in apart if each[0] != differences.COVERAGE]
    console = "\n".join([tables.console(table), *told, *shown])
    return Report(console, [*written, out / "table.json"], tables={"table": table, "ledger": costs})


def _apart(rows: Sequence[Row], margin: float | None) -> list[Beside]:
    """Differences to independent sampling, also of pass@k, and to the control; ranks; models. Any may be empty."""
    told = differences.note(rows, margin)
    return [
        (differences.TITLE, differences.cells(rows, False, margin), told),
        (differences.COVERAGE, differences.cells(rows, True, margin), told),
        (
            differences.CONTROL,
            differences.cells(rows, margin=margin, control=True),
            differences.control_note(rows),
        ),
        (several.RANKS, several.ranks([] if rows[0].these else standings(rows)), several.RANKS_NOTE),
        (several.MODELS, several.side_by_side(rows), several.MODELS_NOTE),
    ]


def _section(title: str, cells: Cells, note: str) -> str:
    return "\n\n".join([f"## {title}", tables.markdown(cells), note])


def _on_console(title: str, cells: Cells, note: str) -> str:
    return f"\n{title}\n{tables.console(cells)}\n{note}"


def _numbers(row: Row) -> dict[str, Any]:
    against = row.against and row.against.as_dict()
    others = {name: found.as_dict() for name, found in row.others.items()}
    size = {key: getattr(row, key) for key in ("questions", "groups", "paths", "found", "asked")}
    metrics = {name: found.as_dict() for name, found in row.estimates.items()}
    about = {"run_id": row.run_id, "name": row.name, **size, "labels": row.labels, "these_questions": row.these}
    of = {"run_ids": list(row.run_ids), "seeds": list(row.seeds), "data_sets": list(row.data_sets)}
    control = {name: found.as_dict() for name, found in row.over_control.items()}
    return about | of | {"metrics": metrics, "vs": against, "others": others, "vs_control": control}


def _spent(row: Row, by_run: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The ledger of a row's run, or by seed those of several."""
    if len(row.run_ids) == 1:
        return {"ledger": by_run[row.run_id]}
    return {"ledgers": {run: by_run[run] for run in row.run_ids}}
