"""What a run or sweep ends with: one table (Markdown, LaTeX, JSON) and one figure (PNG, PDF)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from analysis import figures, tables
from leap_lab.files import write_json, write_whole


@dataclass(frozen=True)
class Report:
    """The table for the console, and the files that were written."""

    table: str
    files: list[Path]


def write(
    folders: Sequence[str | Path], out: str | Path, questions: Sequence[str] | None = None, groups: int | None = None
) -> Report:
    """Compare runs over these questions (None: all) and the first `groups` groups, and write table and figure to `out`."""
    rows = tables.rows(folders, questions, groups)
    table = tables.frame(rows)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    text = tables.markdown(table)
    write_whole(out / "table.md", f"{text}\n".encode())
    write_whole(out / "table.tex", tables.latex(table).encode())
    write_json(out / "table.json", {"rows": [asdict(row) for row in rows]})
    drawn = figures.save(figures.overview(rows), out / "figure")
    return Report(text, [out / "table.md", out / "table.tex", out / "table.json", *drawn])
