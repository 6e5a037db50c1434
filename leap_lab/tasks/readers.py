"""Files as people have them: JSON Lines, JSON, CSV and Parquet, also with gzip, and folders of Parquet or of `datasets`."""

import csv
import gzip
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leap_lab.errors import UserError, one_line

Values = Mapping[str, Any]
SEPARATORS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class Layout:
    """How a text file is written: its `encoding` (None: UTF-8), and what separates the fields of a CSV line (None: found
    from its first line)."""

    encoding: str | None = None
    separator: str | None = None


def read(place: Path, source: str, layout: Layout) -> Iterator[Values]:
    """The rows of a file or folder, in order. `UserError` names the row that cannot be read, and a way out."""
    count = 0
    try:
        for values in _rows(place, source, layout):
            count += 1
            yield values
    except UnicodeDecodeError as error:
        told = f"not {layout.encoding or 'UTF-8'}; dataset.encoding= says what it is, such as cp1252 or latin-1"
        raise UserError(f"{source}: {told}") from error
    except (ValueError, OSError, EOFError, RecursionError, csv.Error) as error:
        reason = one_line(error, 200)
        raise UserError(f"{source}, row {count + 1}: cannot be read as {_kind(place)}: {reason}") from error


def _rows(place: Path, source: str, layout: Layout) -> Iterator[Values]:
    if place.is_dir():
        return _folder(place, source)
    kind = _kind(place)
    if kind not in READERS:
        found = f"unknown file type .{kind}" if kind else "no file extension"
        known = ", ".join(f".{each}" for each in READERS)
        raise UserError(f"{source}: {found}; allowed are {known}, each also with .gz, and folders of Parquet files")
    data = place.read_bytes()
    return READERS[kind](gzip.decompress(data) if place.suffix.lower() == ".gz" else data, layout)


def _kind(place: Path) -> str:
    """The type of a file by its name, without a dot."""
    name = Path(place.stem) if place.suffix.lower() == ".gz" else place
    return name.suffix.lower().removeprefix(".")


def _text(data: bytes, layout: Layout) -> str:
    try:
        return data.decode(layout.encoding or "utf-8-sig")
    except LookupError as error:
        raise UserError(f"dataset.encoding={layout.encoding}: no such encoding; must be one such as cp1252") from error


def _jsonl(data: bytes, layout: Layout) -> Iterator[Values]:
    for line in _text(data, layout).split("\n"):
        if line.strip():
            yield _object(_loads(line))


def _json(data: bytes, layout: Layout) -> Iterator[Values]:
    """A list of objects; or objects line by line, as many tools name it."""
    text = _text(data, layout)
    if not text.lstrip().startswith("["):
        yield from _jsonl(data, layout)
        return
    yield from map(_object, _loads(text))


def _csv(data: bytes, layout: Layout) -> Iterator[Values]:
    csv.field_size_limit(sys.maxsize)
    text = _text(data, layout)
    separator = layout.separator or _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    header = next(reader, [])
    if twice := {name for name in header if header.count(name) > 1}:
        raise ValueError(f"two columns are named {min(twice)!r}")
    for fields in filter(None, reader):
        if len(fields) != len(header):
            told = f"quote a field that holds {separator!r}, or set dataset.separator="
            raise ValueError(f"{len(fields)} fields under {len(header)} columns; {told}")
        yield dict(zip(header, fields, strict=True))


def _separator(text: str) -> str:
    """What separates the columns in the first line; a comma where nothing does."""
    first = next(csv.reader(io.StringIO(text.partition("\n")[0])), [])
    if len(first) > 1:
        return ","
    return max(SEPARATORS, key=text.partition("\n")[0].count)


def _parquet(data: bytes, layout: Layout) -> Iterator[Values]:
    import pyarrow
    import pyarrow.parquet

    try:
        yield from pyarrow.parquet.read_table(pyarrow.BufferReader(data)).to_pylist()
    except pyarrow.ArrowException as error:
        raise ValueError(one_line(error, 200)) from error


def _folder(place: Path, source: str) -> Iterator[Values]:
    """A folder of Parquet files, one after another by name, or one that `save_to_disk` of `datasets` wrote."""
    if (place / "dataset_dict.json").is_file():
        raise UserError(f"{source}: holds several splits; name the folder of one, such as {place / 'test'}")
    if (place / "state.json").is_file():
        import datasets

        datasets.disable_progress_bars()
        yield from datasets.load_from_disk(str(place))
        return
    files = sorted(place.rglob("*.parquet"))
    if not files:
        raise UserError(f"{source}: the folder holds no Parquet files; name a file or a folder of Parquet files")
    for file in files:
        yield from _parquet(file.read_bytes(), Layout())


READERS: dict[str, Callable[[bytes, Layout], Iterator[Values]]] = {
    "jsonl": _jsonl,
    "ndjson": _jsonl,
    "json": _json,
    "csv": _csv,
    "tsv": _csv,
    "parquet": _parquet,
}


def json_or_none(text: str) -> Any:
    """The value of JSON text, numbers as they are written; None where it is none."""
    try:
        return _loads(text)
    except ValueError:
        return None


def _loads(text: str) -> Any:
    return json.loads(text, parse_int=str, parse_float=str)


def _object(value: Any) -> Values:
    if not isinstance(value, dict):
        raise ValueError("must be a JSON object")
    return value
