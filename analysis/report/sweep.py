"""What a run or sweep ends with: one table (Markdown, LaTeX, JSON) and one figure (PNG, PDF)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leap_lab.errors import UserError
from leap_lab.files import FULL, write_json, write_whole

from ..drawing import figures, tables
from ..drawing.tables import Cells
from ..measures import routes
from ..measures.compare import Asked, Row, compare
from . import ledgers


@dataclass(frozen=True)
class Report:
    """The table with its notes, for the console, and the files that were written."""

    table: str
    files: list[Path]
    problems: list[str] = field(default_factory=list)  # what could not be made, and why
    tables: dict[str, Cells] = field(default_factory=dict)  # by name, for trackers

    @property
    def figures(self) -> dict[str, Path]:
        """The figures by name, as PNG."""
        return {file.stem: file for file in self.files if file.suffix == ".png"}

    @property
    def look(self) -> Path:
        """The file to open first."""
        first = [file for suffix in (".html", ".png", ".md") for file in self.files if file.suffix == suffix]
        return first[0]


def write(folders: Sequence[str | Path], out: str | Path, questions: Asked = None, groups: int | None = None) -> Report:
    """Compare runs over these questions (see `compare`) and the first `groups` groups; table and figure go to `out`.

    `UserError` for a folder that is no run, and when `out` cannot be written; `OSError` when the disk is full.
    """
    rows = compare(folders, questions, groups)
    found = {Path(folder).name: Path(folder) for folder in folders}
    runs = [found[row.run_id] for row in rows]
    asked = [questions[run.name] if isinstance(questions, Mapping) else questions for run in runs]
    try:
        heard = routes.told([row.name for row in rows], runs, asked, groups)
        return _written(rows, [*tables.notes(rows), *heard], ledgers.of_runs(runs, asked, groups), Path(out))
    except OSError as error:
        if error.errno in FULL:
            raise
        raise UserError(f"--out={out}: cannot write there: {error.strerror or error}") from error


def _write_texts(texts: Mapping[str, str], out: Path) -> list[Path]:
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        write_whole(out / name, f"{text}\n".encode())
    return [out / name for name in texts]


def _written(rows: Sequence[Row], told: Sequence[str], spent: Sequence[dict[str, Any]], out: Path) -> Report:
    table = tables.cells(rows)
    costs = ledgers.cells([row.name for row in rows], spent)
    markdown = [tables.markdown(table), *told, f"## {ledgers.TITLE}", tables.markdown(costs), ledgers.NOTE]
    texts = {
        "table.md": "\n\n".join(markdown),
        "table.tex": "\n\n".join([tables.latex(table, told), tables.latex(costs, [ledgers.NOTE])]),
    }
    written = _write_texts(texts, out)
    numbers = [{**_numbers(row), "ledger": each} for row, each in zip(rows, spent, strict=True)]
    write_json(out / "table.json", {"rows": numbers, "notes": list(told)})
    drawn = figures.save(figures.overview(rows), out / "figure")
    return Report(
        "\n".join([tables.console(table), *told]),
        [*written, out / "table.json", *drawn],
        [],
        {"table": table, "ledger": costs},
    )


def _numbers(row: Row) -> dict[str, Any]:
    against = row.against and {**row.against.difference.as_dict(), "p": row.against.p, "verdict": row.against.verdict}
    size = {key: getattr(row, key) for key in ("questions", "groups", "paths", "found", "asked")}
    metrics = {name: found.as_dict() for name, found in row.estimates.items()}
    return {"run_id": row.run_id, "name": row.name, **size, "labels": row.labels, "metrics": metrics, "vs": against}
