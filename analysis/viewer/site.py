"""What the pages are made of: a few documents by name, the same for the server and for a folder of files.

- `sweep`: the table of all runs, and where each run's document is;
- `run-…`: one run as a grid of questions, and where each question's document is;
- `question-…`: all groups of one question of one run, with what their paths wrote;
- `state`: what changes while runs are written, small enough to be asked for every few seconds.

Names are hashes: nothing that a run, a question or a model chose becomes part of an address or of a file's name.
"""

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import Any

from leap_lab.errors import UserError
from leap_lab.runs.groupfile import NotAGroup
from leap_lab.runs.reading import run_folders

from ..labels import labels
from . import live
from .cells import Cell
from .groups import group
from .sweep import sweep

SHARE = 0.01  # of the time at most may go into following runs that are being written
EVERY_S = (2.0, 30.0)  # how often a page asks, at most and at least
Document = Mapping[str, Any]


class Site:
    """The documents of some runs; `UserError` for a folder that is no run, and for two of one name."""

    def __init__(self, folders: Sequence[str | Path]) -> None:
        distinct = {folder.resolve(): folder for folder in run_folders(folders)}
        self._cells: dict[str, Cell] = {}
        for folder in distinct.values():
            name = folder.resolve().name
            if name in self._cells:
                raise UserError(f"{folder}: a second run called {name}; rename one of the folders")
            self._cells[name] = Cell(folder.resolve())
        self._lock = Lock()  # of the cells
        self._table_lock = Lock()  # of the table, which may take long while everything else goes on
        self._versions: dict[str, int] = {}
        self._table: Document = {}
        self._table_of: dict[str, int] = {}  # the versions that the table is of
        self._table_due = 0.0
        self._refresh()
        self._cost_s = 0.0  # of reading what was new the last time

    def names(self) -> Iterator[str]:
        """All documents but `state`: the table, then of every run its grid and its questions."""
        yield "sweep"
        for name, cell in self._cells.items():
            yield _run(name)
            yield from (_question(name, question) for question in cell.questions())

    def document(self, name: str) -> Document | None:
        """A document by name, None for one that there is not; `UserError` where a run can no longer be read."""
        if name == "sweep":
            return self._sweep()
        with self._lock:
            self._refresh()
            if name == "state":
                every = min(max(self._cost_s / SHARE, EVERY_S[0]), EVERY_S[1])
                return {"every_s": every, "runs": {key: self._state(key) for key in self._cells}}
            if name in (runs := {_run(key): key for key in self._cells}):
                return self._grid(runs[name])
            places = (
                (key, [file for file, _ in found])
                for key, cell in self._cells.items()
                for question, found in cell.questions().items()
                if name == _question(key, question)
            )
            place = next(places, None)
        return place and _groups(*place)

    def _refresh(self) -> None:
        began = time.process_time()
        changed = {
            name: version
            for name, cell in self._cells.items()
            if self._versions.get(name) != (version := cell.version())
        }
        for name in changed:
            self._cells[name].refresh()
        self._versions |= changed
        if changed:
            self._cost_s = time.process_time() - began

    def _sweep(self) -> Document:
        """The table; of runs that are being written it is remade only as often as `SHARE` allows."""
        with self._table_lock:
            with self._lock:
                self._refresh()
                versions = dict(self._versions)
                folders = [cell.folder for cell in self._cells.values() if cell.groups()]
            if self._table_of != versions and (began := time.monotonic()) >= self._table_due:
                self._table, self._table_of = sweep(folders), versions
                self._table_due = time.monotonic() + (time.monotonic() - began) / SHARE
            table = self._table
        ordered = [*table["rows"], *(key for key in self._cells if key not in table["rows"])]
        with self._lock:
            return {**table, "runs": [{"key": key, "file": _run(key), **self._state(key)} for key in ordered]}

    def _state(self, key: str) -> Document:
        cell = self._cells[key]
        written = live.is_written(cell.folder)
        groups = cell.groups()
        return {
            "version": str(self._versions[key]),
            "status": live.status(cell.folder, written),
            "groups": len(groups),
            "asked": live.asked(cell.folder, cell.settings),
            "rate": live.rate(cell.folder, groups, written),
        }

    def _grid(self, key: str) -> Document:
        cell = self._cells[key]
        questions = [
            {
                "id": question,
                "file": _question(key, question),
                "version": str(cell.changed(file for file, _ in found)),
                "gold": found[0][1].gold,
                "groups": [_shown(asdict(each)) for _, each in found],
            }
            for question, found in cell.questions().items()
        ]
        told = {name: value for name, value in labels(cell.settings).items() if value is not None}
        return {"key": key, **self._state(key), "labels": told, "questions": questions}


def _groups(key: str, files: Sequence[Path]) -> Document | None:
    """The groups of a question; None where none of the files can be read any more."""
    found = []
    for file in files:
        try:
            found.append(group(file))
        except NotAGroup:  # replaced or damaged since it was listed
            continue
    return {"key": key, "question": found[0]["question_id"], "groups": found} if found else None


def _shown(group: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in group.items() if name not in ("started_s", "finished_s", "gold")}


def _run(key: str) -> str:
    return f"run-{_digest(key)}"


def _question(key: str, question: str) -> str:
    return f"question-{_digest(f'{_digest(key)} {question}')}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]
