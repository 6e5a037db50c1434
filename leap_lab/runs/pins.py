"""What a folder of runs has fixed at first use: the commits of hub models and data sets, and which local file is which.

A run id holds a commit, and for a local file a name made of its first version's questions. Both are kept in
`runs_dir/.pins.json`, so that the same command later finds its own runs although the hub moved on or the file grew.
"""

import hashlib
import os
import pathlib
import time
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from leap_lab import home, hub
from leap_lab.errors import UserError
from leap_lab.files import read_json, write_json
from leap_lab.runs.lock import Busy, Lock, take

NAME = ".pins.json"
PATIENCE = 30.0  # seconds to wait for another command that is writing its pins
SECTIONS = ("model", "dataset", "files")


class Pins:
    """The pins of one folder of runs. Nothing is written before `save`."""

    def __init__(self, runs_dir: str | pathlib.Path) -> None:
        self._file = pathlib.Path(runs_dir) / NAME
        self._new: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}

    def commit(self, kind: hub.Kind, repository: str, revision: str | None = None) -> str:
        """The commit of a hub repository: the one pinned for this `revision` (None: the main branch), else today's.

        Raises `hub.UnknownCommit`. A whole commit is its own pin.
        """
        if revision and hub.COMMIT.fullmatch(revision):
            return revision
        name = f"{repository}@{revision}" if revision else repository
        if name not in self._new[kind]:
            known = self._kept[kind].get(name)
            self._new[kind][name] = known or hub.commit_of(kind, repository, revision)
        return str(self._new[kind][name])

    def local(self, place: pathlib.Path, questions: Sequence[str]) -> str:
        """The name of a local data set with these questions (`Problem.content`): 16 hex digits.

        A file is the data set that it was while it stays in its place and keeps a question, and the one that has
        exactly its questions. Of copies that differ since, the oldest keeps the name. Any other file is new.
        """
        spot, own = os.path.relpath(home.path(place).resolve(), self._home), sorted(set(questions))
        known: dict[str, dict[str, Any]] = {**self._kept["files"], **self._new["files"]}
        name = next((name for name, entry in known.items() if self._is_same(entry, spot, own)), "")
        if not name:
            name = _digest("\n".join(own))
            while name in known:
                name = _digest(name)
        for other, entry in known.items():
            if spot in entry["places"] and other != name:
                left = [each for each in entry["places"] if each != spot]
                self._new["files"][other] = {**entry, "places": left}
        places = list(dict.fromkeys([*known.get(name, {}).get("places", ()), spot]))
        self._new["files"][name] = {"places": places, "questions": own}
        return name

    def _is_same(self, entry: dict[str, Any], spot: str, questions: list[str]) -> bool:
        if questions == entry["questions"]:
            return True
        oldest = next((each for each in entry["places"] if (self._home / each).exists()), spot)
        return spot == oldest and spot in entry["places"] and bool({*questions} & {*entry["questions"]})

    @property
    def _home(self) -> pathlib.Path:
        return self._file.parent.resolve()

    def save(self) -> None:
        """Write what is new, beside what other commands have pinned meanwhile.

        `UserError` where one of them pinned another commit in the last moment, or where there is no room.
        """
        if all(self._kept[section].items() >= self._new[section].items() for section in SECTIONS):
            return
        lock = self._locked()
        try:
            pins = _read(self._file)
            for section in ("model", "dataset"):
                for name, commit in self._new[section].items():
                    if pins[section].get(name, commit) != commit:
                        raise UserError(f"{self._file}: another command has just pinned {name}; rerun this one")
            write_json(self._file, {section: {**pins[section], **self._new[section]} for section in SECTIONS})
        finally:
            lock.release()

    @cached_property
    def _kept(self) -> dict[str, dict[str, Any]]:
        return _read(self._file)

    def _locked(self) -> Lock:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return take(self._file.with_name(f"{NAME}.lock"))
            except Busy:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


def _read(file: pathlib.Path) -> dict[str, dict[str, Any]]:
    """The sections of a file, empty ones where it is missing; `UserError` where `save` did not write it."""
    pins = read_json(file)
    found = {section: pins.get(section, {}) for section in SECTIONS}
    if not all(map(_is_whole, found, found.values())):
        raise UserError(f"{file}: holds something other than pins; remove it to continue")
    return found


def _is_whole(section: str, value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    if section != "files":
        return all(isinstance(commit, str) and hub.COMMIT.fullmatch(commit) for commit in value.values())
    lists = [entry.get(key) if isinstance(entry, dict) else None for entry in value.values() for key in _FILE]
    return all(isinstance(each, list) for each in lists)


_FILE = ("places", "questions")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]
