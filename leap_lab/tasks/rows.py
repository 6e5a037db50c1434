"""Rows of problems out of files and hub datasets, as text, every value checked when it is asked for.

A row's number counts the rows of its file from 1, a header and blank lines left out.
"""

import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from leap_lab.errors import UserError

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """One row and where it stands, such as `questions.csv, row 3`."""

    where: str
    values: Values

    def text(self, column: str) -> str:
        """The value as text; `UserError` when there is none."""
        if column not in self.values:
            raise UserError(f"{self.where}: no column {column!r}; the columns are {', '.join(self.values) or 'none'}")
        text = self._as_text(column, self.values[column])
        return text or self.refuse(column, "empty")

    def texts(self, column: str) -> tuple[str, ...]:
        """The texts of a list, which in CSV is JSON; none where the row has no list."""
        value = self.values.get(column)
        if value is None or (isinstance(value, str) and not value.strip()):
            return ()
        if isinstance(value, str):
            value = _json_or_none(value)
        if not isinstance(value, list):
            self.refuse(column, 'allowed is a list, such as ["x", "y"]')
        return tuple(self._as_text(column, item) or self.refuse(column, "an item is empty") for item in value)

    def has(self, column: str) -> bool:
        """Whether the row has a value there."""
        return self.values.get(column) not in (None, "")

    def refuse(self, column: str, why: str) -> NoReturn:
        """Raise the `UserError` that names this row and the column."""
        raise UserError(f"{self.where}, column {column!r}: {why}")

    def _as_text(self, column: str, value: Any) -> str:
        if value is None or value != value:  # a missing number is not equal to itself
            return ""
        if isinstance(value, bool | list | dict | bytes):
            self.refuse(column, f"a {type(value).__name__}; allowed are text and numbers")
        text = str(value).strip()
        if not text.isascii() and text.encode(errors="replace").decode() != text:
            self.refuse(column, "text that is not valid Unicode (half of a surrogate pair)")
        return text


def read_file(file: Path, source: str) -> list[Row]:
    """The rows of a local file as they stand in it: a CSV's values and JSON's numbers stay the text they are.

    `source` names it in errors, such as `dataset.path=questions.csv`.
    """
    suffix = file.suffix.lower()
    if suffix not in READERS:
        raise UserError(f"{source}: unknown file type {suffix or 'without a suffix'}; allowed are {', '.join(READERS)}")
    rows: list[Row] = []
    try:
        for number, values in enumerate(READERS[suffix](file), start=1):
            rows.append(Row(f"{source}, row {number}", values))
    except (ValueError, OSError, RecursionError, csv.Error) as error:
        raise UserError(f"{source}, row {len(rows) + 1}: cannot be read as {suffix[1:]}: {_line(error)}") from error
    return rows


def read_hub(hub_id: str, config: str | None, split: str) -> list[Row]:
    """The rows of a hub dataset, or of a local folder or file; `UserError` with the way out when it cannot be had."""
    path = Path(hub_id).expanduser()
    if path.is_file():
        return read_file(path, f"dataset.hub_id={hub_id}")
    import datasets

    datasets.disable_progress_bars()
    try:
        found = datasets.load_dataset(str(path) if path.is_dir() else hub_id, config, split=split)
    except Exception as error:  # datasets and what it stands on raise dozens of kinds
        raise UserError(unavailable(hub_id, _line(error))) from error
    name = ", ".join(part for part in (f"dataset.hub_id={hub_id}", config, split) if part)
    return [Row(f"{name}, row {number}", values) for number, values in enumerate(found, start=1)]


def unavailable(hub_id: str, reason: str) -> str:
    """What to tell a user who cannot have a dataset, in one line."""
    if any(word in reason.lower() for word in ("gated", "401", "403", "authenticat")):
        reason = "it is gated: accept its terms on the hub and log in with `hf auth login`"
    return f"dataset.hub_id={hub_id}: cannot be loaded: {reason}; the path of a local copy can stand in its place"


def _jsonl(file: Path) -> Iterator[Values]:
    for line in file.read_text(encoding="utf-8-sig").split("\n"):
        if line.strip():
            yield _object(_loads(line))


def _json(file: Path) -> Iterator[Values]:
    rows = _loads(file.read_text(encoding="utf-8-sig"))
    if not isinstance(rows, list):
        raise ValueError("allowed is a list of objects")
    yield from map(_object, rows)


def _csv(file: Path) -> Iterator[Values]:
    csv.field_size_limit(sys.maxsize)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, strict=True)
        header = next(reader, [])
        if twice := {name for name in header if header.count(name) > 1}:
            raise ValueError(f"two columns {min(twice)!r}")
        for fields in filter(None, reader):
            if len(fields) != len(header):
                raise ValueError(f"{len(fields)} fields under {len(header)} columns; quote a field that holds a comma")
            yield dict(zip(header, fields, strict=True))


def _parquet(file: Path) -> Iterator[Values]:
    import pyarrow
    import pyarrow.parquet

    try:
        yield from pyarrow.parquet.read_table(file).to_pylist()
    except pyarrow.ArrowException as error:
        raise ValueError(_line(error)) from error


READERS: dict[str, Callable[[Path], Iterator[Values]]] = {
    ".jsonl": _jsonl,
    ".json": _json,
    ".csv": _csv,
    ".parquet": _parquet,
}


def _loads(text: str) -> Any:
    return json.loads(text, parse_int=str, parse_float=str)


def _json_or_none(text: str) -> Any:
    try:
        return _loads(text)
    except ValueError:
        return None


def _object(value: Any) -> Values:
    if not isinstance(value, dict):
        raise ValueError("allowed is a JSON object")
    return value


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
