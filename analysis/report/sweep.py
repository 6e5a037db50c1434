"""What a run or sweep ends with: one table (Markdown, LaTeX, JSON) and one figure (PNG, PDF)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from leap_lab.files import write_json, write_whole

from ..drawing import differences, figures, tables
from ..drawing.tables import Cells
from ..exhibits.base import writing
from ..measures import routes
from ..measures.compare import Asked, Row, compare, corrected
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
) -> Report:
    """Compare runs over these questions (see `compare`) and the first `groups` groups; table and figure go to `out`.

    `margin`, in points: also say which differences are within it. `these`: intervals for these very questions. A figure
    that cannot be drawn is a line in `undrawn`. `UserError` for a folder that is no run, and when `out` cannot be
    written; `OSError` when the disk is full.
    """
    rows = corrected(compare(folders, questions, groups, these))
    found = {Path(folder).name: Path(folder) for folder in folders}
    runs = [found[row.run_id] for row in rows]
    asked = [questions[run.name] if isinstance(questions, Mapping) else questions for run in runs]
    told = [*tables.notes(rows), *routes.told([row.name for row in rows], runs, asked, groups)]
    spent = ledgers.of_runs(runs, asked, groups)
    with writing(out):
        report = _tables(rows, told, spent, Path(out), margin)
    show(report.table)
    with writing(out):
        drawn, undrawn = figures.save_all(figures.Drawings({"figure": lambda: figures.overview(rows)}), Path(out))
    return replace(report, files=[*report.files, *drawn], undrawn=undrawn)


def _write_texts(texts: Mapping[str, str], out: Path) -> list[Path]:
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        write_whole(out / name, f"{text}\n".encode())
    return [out / name for name in texts]


def _tables(
    rows: Sequence[Row], told: Sequence[str], spent: Sequence[dict[str, Any]], out: Path, margin: float | None
) -> Report:
    table, apart = tables.cells(rows), _apart(rows, margin)
    costs = ledgers.cells([row.name for row in rows], spent)
    beside = [*apart, (ledgers.TITLE, costs, ledgers.NOTE)]
    texts = {
        "table.md": "\n\n".join([tables.markdown(table), *told, *(_section(*each) for each in beside)]),
        "table.tex": "\n\n".join(
            [tables.latex(table, told), *(tables.latex(cells, [title, note]) for title, cells, note in beside)]
        ),
    }
    written = _write_texts(texts, out)
    numbers = [{**_numbers(row), "ledger": each} for row, each in zip(rows, spent, strict=True)]
    write_json(out / "table.json", {"rows": numbers, "notes": list(told)})
    console = "\n".join([tables.console(table), *told, *(_on_console(*each) for each in apart[:1])])
    return Report(console, [*written, out / "table.json"], tables={"table": table, "ledger": costs})


def _apart(rows: Sequence[Row], margin: float | None) -> list[Beside]:
    """The differences to independent sampling, then those of pass@k; none without a baseline."""
    if all(row.against is None for row in rows):
        return []
    told = differences.note(rows, margin)
    shown = ((differences.TITLE, False), (differences.COVERAGE, True))
    return [(title, differences.cells(rows, coverage, margin), told) for title, coverage in shown]


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
    return about | {"metrics": metrics, "vs": against, "others": others}
