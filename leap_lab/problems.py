"""Problems: what is asked and what the right answer is, from the hub, from a local file, or from the built-in task.

Every row is checked: a duplicate id, a missing column or an empty answer is one error that names file, row (from 1)
and column.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Literal

from leap_lab.errors import UserError

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
FORMATS = (".jsonl", ".json", ".csv", ".parquet")
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Problem:
    """One question. `answer` is the gold answer; for a `choice` it is the letter and `options` are in display order."""

    id: str
    text: str
    answer: str
    kind: Literal["math", "choice"] = "math"
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Columns:
    """The columns of a dataset that hold what a problem needs; an empty `id` numbers the rows."""

    problem: str = "problem"
    answer: str = "answer"
    id: str = "id"
    options: str = "options"


@dataclass(frozen=True)
class Local:
    """A file of problems: JSONL, JSON (a list), CSV or Parquet with `problem`, `answer` and optional `id`, `options`.

    `options` (a list, in CSV a JSON list) makes a row a choice, whose answer is a letter.
    """

    path: str
    columns: Columns = field(default_factory=Columns)

    def load(self) -> list[Problem]:
        """All problems in file order; `UserError` on the first thing wrong with the file."""
        file = Path(self.path).expanduser()
        if not file.is_file():
            raise UserError(f"dataset.path={self.path}: no such file")
        return problems_of(read_rows(file), self.columns, str(file))


@dataclass(frozen=True)
class Hub:
    """A benchmark through `datasets.load_dataset`: a hub id, or a folder or file that it can read, in `hub_id`."""

    hub_id: str
    split: str = "train"
    configs: Sequence[str | None] = (None,)
    columns: Columns = field(default_factory=Columns)

    def load(self) -> list[Problem]:
        """All problems, the configs one after another."""
        rows = [row for config in self.configs for row in load_rows(self.hub_id, config, self.split)]
        return problems_of(rows, self.columns, self.hub_id)


@dataclass(frozen=True)
class Gpqa(Hub):
    """GPQA: one right and three wrong answers a row, shown in an order set by a hash of the question."""

    correct: str = "Correct Answer"
    incorrect: Sequence[str] = ("Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3")

    def load(self) -> list[Problem]:
        """The questions with their options shuffled, the same way at all times and places."""
        rows = load_rows(self.hub_id, self.configs[0], self.split)
        return problems_of([self._shuffled(row) for row in rows], self.columns, self.hub_id)

    def _shuffled(self, row: Row) -> Row:
        missing = [name for name in (self.columns.problem, self.correct, *self.incorrect) if row.get(name) is None]
        if missing:
            raise UserError(f"{self.hub_id}: no column {missing[0]!r}; the columns are {', '.join(sorted(row))}")
        right = str(row[self.correct]).strip()
        options = [right, *(str(row[name]).strip() for name in self.incorrect)]
        seed = hashlib.sha256(str(row[self.columns.problem]).encode()).digest()
        Random(seed).shuffle(options)
        return {**row, self.columns.options: options, self.columns.answer: LETTERS[options.index(right)]}


@dataclass(frozen=True)
class Arithmetic:
    """The built-in task (`leap_lab.arithmetic`): fresh problems of every level."""

    count: int
    seed: int
    split: Literal["train", "test"]
    levels: Sequence[int]
    steps: Sequence[int]

    def load(self) -> list[Problem]:
        """`count` problems; a larger count begins with the same ones."""
        from leap_lab import arithmetic

        for key, values, least, most in (("levels", self.levels, 1, 5), ("steps", self.steps, 2, 10)):
            if not values or not all(isinstance(value, int) and least <= value <= most for value in values):
                raise UserError(f"dataset.{key}={list(values)}: allowed are whole numbers from {least} to {most}")
        if self.split not in ("train", "test"):
            raise UserError(f"dataset.split={self.split}: allowed are train and test")
        return arithmetic.generate(self.count, self.seed, self.split, tuple(self.levels), tuple(self.steps))


def load_rows(hub_id: str, config: str | None, split: str) -> list[Row]:
    """Rows of a hub dataset; `UserError` with the way out when it cannot be had."""
    import datasets

    datasets.disable_progress_bars()
    path = Path(hub_id).expanduser()
    try:
        if path.is_file():
            return read_rows(path)
        found = datasets.load_dataset(str(path) if path.is_dir() else hub_id, config, split=split)
    except UserError:
        raise
    except Exception as error:  # datasets raises dozens of kinds
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        gated = "gated" in reason or "401" in reason or "403" in reason or "authenticat" in reason.lower()
        way = "it is gated: accept its terms on the hub and log in with `hf auth login`" if gated else reason
        raise UserError(f"dataset.hub_id={hub_id}: cannot be loaded: {way}; a local copy goes in its place") from error
    return list(found)


def read_rows(file: Path) -> list[Row]:
    """The rows of a local file, values as they stand in it (a CSV's all text)."""
    suffix = file.suffix.lower()
    if suffix not in FORMATS:
        raise UserError(f"{file}: unknown file type {suffix or 'without a suffix'}; allowed are {', '.join(FORMATS)}")
    try:
        if suffix == ".jsonl":
            return _jsonl(file)
        if suffix == ".json":
            return _listed(json.loads(file.read_text(encoding="utf-8")), file)
        return _table(file, suffix)
    except (ValueError, OSError) as error:
        raise UserError(f"{file}: cannot be read as {suffix[1:]}: {' '.join(str(error).split())[:200]}") from error


def problems_of(rows: Iterable[Row], columns: Columns, source: str) -> list[Problem]:
    """Check the rows and turn them into problems; rows without an id are called q1, q2, ..."""
    problems: list[Problem] = []
    first_row: dict[str, int] = {}
    for number, row in enumerate(rows, start=1):
        where = f"{source}, row {number}"
        problem = _problem(row, columns, where, f"q{number}")
        if problem.id in first_row:
            raise UserError(f"{where}, column {columns.id!r}: id {problem.id!r} is that of row {first_row[problem.id]}")
        first_row[problem.id] = number
        problems.append(problem)
    return problems


def _problem(row: Row, columns: Columns, where: str, made_up: str) -> Problem:
    text, answer = (_filled(row, column, where) for column in (columns.problem, columns.answer))
    given = row.get(columns.id)
    identity = made_up if given is None or str(given).strip() == "" else str(given)
    options = _options(row.get(columns.options), columns, where)
    if not options:
        return Problem(identity, text, answer)
    letter = answer.strip("().").upper()
    if letter not in LETTERS[: len(options)] or len(letter) != 1:
        allowed = f"a letter from A to {LETTERS[len(options) - 1]}"
        raise UserError(f"{where}, column {columns.answer!r}: {answer!r} names none of the options; allowed is {allowed}")
    return Problem(identity, text, letter, "choice", options)


def _filled(row: Row, column: str, where: str) -> str:
    if column not in row:
        raise UserError(f"{where}: no column {column!r}; the columns are {', '.join(map(str, row))}")
    value = row[column]
    text = "" if value is None else str(value).strip()
    if not text:
        raise UserError(f"{where}, column {column!r}: empty")
    return text


def _options(value: Any, columns: Columns, where: str) -> tuple[str, ...]:
    if value is None or (isinstance(value, str) and not value.strip()):
        return ()
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = None
    listed = list(value) if isinstance(value, Iterable) and not isinstance(value, Mapping) else None
    if listed is None or not 2 <= len(listed) <= len(LETTERS):
        raise UserError(f"{where}, column {columns.options!r}: allowed is a list of 2 to {len(LETTERS)} options")
    return tuple(str(option) for option in listed)


def _jsonl(file: Path) -> list[Row]:
    rows: list[Row] = []
    for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise UserError(f"{file}, row {number}: not JSON ({error})") from error
        if not isinstance(row, dict):
            raise UserError(f"{file}, row {number}: allowed is a JSON object")
        rows.append(row)
    return rows


def _listed(value: Any, file: Path) -> list[Row]:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise UserError(f"{file}: allowed is a JSON list of objects")
    return value


def _table(file: Path, suffix: str) -> list[Row]:
    if suffix == ".csv":
        import csv

        with file.open(encoding="utf-8-sig", newline="") as lines:
            return [dict(row) for row in csv.DictReader(lines)]
    import pyarrow.parquet

    rows: list[Row] = pyarrow.parquet.read_table(file).to_pylist()
    return rows
