"""Sources of problems: the hub, a local file, or the built-in task.

Every row is checked. A duplicate id, a missing column or an empty answer is one error that names the file, the row
(from 1) and the column.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from leap_lab import home
from leap_lab.errors import UserError, brief
from leap_lab.tasks.problem import LETTERS, Problem
from leap_lab.tasks.readers import Layout
from leap_lab.tasks.rows import Row, read_hub, rows_of

LISTS = frozenset(["several", "list"])  # kinds whose answer is a list


@dataclass(frozen=True)
class Columns:
    """Names of the columns that a problem is read from; with an empty `id` ids come from the questions."""

    problem: str = "problem"
    answer: str = "answer"
    id: str = "id"
    options: str = "options"
    kind: str = "kind"

    def read(self, row: Row, identity: str) -> Problem:
        """The problem of a row; a row with options is a choice, whose answer is the letter of one.

        A row's kind names its grader; without one it is `math`. Answers of the kinds `several` and `list` are lists.
        """
        text, kind = row.text(self.problem), row.text(self.kind) if row.has(self.kind) else ""
        if kind in LISTS:
            return Problem(identity, text, json.dumps(row.texts(self.answer)), kind)
        answer, options = row.text(self.answer), row.texts(self.options)
        if not options:
            return Problem(identity, text, answer, kind or "math")
        if not 2 <= len(options) <= len(LETTERS):
            row.refuse(self.options, f"must be a list of 2 to {len(LETTERS)} options")
        letter = answer.strip("().").upper()
        if letter not in tuple(LETTERS[: len(options)]):
            allowed = f"a letter from A to {LETTERS[len(options) - 1]}"
            row.refuse(self.answer, f"{brief(repr(answer))} names none of the options; must be {allowed}")
        return Problem(identity, text, letter, kind or "choice", options)


@dataclass(frozen=True)
class Local:
    """A file of problems (JSON Lines, JSON, CSV, Parquet, each also with gzip) or a folder of them (see `readers`).

    Its columns are `problem`, `answer` and, if you like, `id`, `options` and `kind`. `options` (a list, in CSV a JSON
    list) makes a row a choice, whose answer is a letter. `kind` names the grader of a row.
    """

    path: str
    columns: Columns = field(default_factory=Columns)
    encoding: str | None = None  # of a text file; None: UTF-8
    separator: str | None = None  # of CSV; None: found from the first line
    answer: str = "auto"  # auto: out of a solution where one is given (`grading.golds`); as_is: as it is written

    def load(self) -> list[Problem]:
        """All problems in file order; `UserError` on the first thing wrong with the file."""
        file = home.path(self.path)
        if not file.exists():
            raise UserError(f"dataset.path={self.path}: no such file")
        if self.separator is not None and len(self.separator) != 1:
            raise UserError(f"dataset.separator={self.separator!r}: must be one character")
        source, layout = f"dataset.path={self.path}", Layout(self.encoding, self.separator)
        return problems_of(rows_of(file, source, layout), self.columns.id, self.columns.read, source)


@dataclass(frozen=True)
class Hub:
    """A benchmark through `datasets.load_dataset`: a hub id, or a local folder or file, in `hub_id`."""

    hub_id: str
    split: str = "train"
    configs: Sequence[str | None] = (None,)
    columns: Columns = field(default_factory=Columns)
    revision: str | None = None  # a commit, branch or tag; for local data None
    answer: str = "as_is"  # as in `Local`

    def load(self) -> list[Problem]:
        """All problems, the configs one after another; a local file has none."""
        configs = self.configs[:1] if home.path(self.hub_id).is_file() else self.configs
        rows = [row for config in configs for row in read_hub(self.hub_id, config, self.split, self.revision)]
        return problems_of(rows, self.columns.id, self._read, f"dataset.hub_id={self.hub_id}")

    def _read(self, row: Row, identity: str) -> Problem:
        return self.columns.read(row, identity)


@dataclass(frozen=True)
class Gpqa(Hub):
    """GPQA: one right and three wrong answers per row, shown in an order set by a hash of the question."""

    correct: str = "Correct Answer"
    incorrect: Sequence[str] = ("Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3")

    def _read(self, row: Row, identity: str) -> Problem:
        question = row.text(self.columns.problem)
        options = [row.text(column) for column in (self.correct, *self.incorrect)]
        order = list(range(len(options)))
        Random(hashlib.sha256(question.encode()).digest()).shuffle(order)
        shown = tuple(options[place] for place in order)
        return Problem(identity, question, LETTERS[order.index(0)], "choice", shown)


@dataclass(frozen=True)
class Zebra(Hub):
    """ZebraLogic: several questions about one puzzle; the answer is the text of an option."""

    puzzle: str = "puzzle"

    def _read(self, row: Row, identity: str) -> Problem:
        columns = self.columns
        text, options = f"{row.text(self.puzzle)}\n\n{row.text(columns.problem)}", row.texts(columns.options)
        answer = row.text(columns.answer)
        if options.count(answer) != 1:
            row.refuse(columns.answer, f"{brief(repr(answer))}: must be one of the options")
        return Problem(identity, text, LETTERS[options.index(answer)], "choice", options)


def problems_of(rows: Sequence[Row], id_column: str, read: Callable[[Row, str], Problem], source: str) -> list[Problem]:
    """One problem per row. Ids come from their column if any row has one; otherwise from what is asked.

    An id such as `q-3f2a9c01b7de` stays with its question wherever the row is; the same question again gets `-2`.
    """
    if not rows:
        raise UserError(f"{source}: holds no problems")
    named = any(row.has(id_column) for row in rows)
    problems: list[Problem] = []
    first_row: dict[str, int] = {}
    asked: Counter[str] = Counter()
    for number, row in enumerate(rows, start=1):
        problem = read(row, row.text(id_column) if named else "")
        if not named:
            asked[problem.content] += 1
            problem = replace(problem, id=_id_of(problem, asked[problem.content]))
        if problem.id in first_row:
            row.refuse(id_column, f"duplicate id {brief(repr(problem.id))}, as in row {first_row[problem.id]}")
        first_row[problem.id] = number
        problems.append(problem)
    return problems


def _id_of(problem: Problem, times: int) -> str:
    return f"q-{problem.content}" if times == 1 else f"q-{problem.content}-{times}"
