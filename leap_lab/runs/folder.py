"""Run folders: the results of a run, one Parquet file per group, written whole or not at all.

`rows.rows` turns a graded group into columns, `RunFolder` keeps them under `runs_dir/<run_id>/groups/`, and
`reading.read_groups` reads them for the analysis, only the requested columns. Every file says in its own metadata
which run, question and group it holds, in which version of the schema.

Text is stored as UTF-8, which cannot hold a lone surrogate: it becomes U+FFFD. Token ids are stored exactly, so
they are authoritative.
"""

import json
import logging
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from leap_lab.errors import UserError
from leap_lab.files import read_json, remove_unfinished, write_json, write_whole
from leap_lab.runs import groupfile
from leap_lab.runs.groupfile import READABLE, NotAGroup, Stamp
from leap_lab.runs.identity import canonical, differences, refusal, run_id_of
from leap_lab.runs.lock import Lock, take
from leap_lab.runs.reading import stamped

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run, for the one process that writes it: no other process can, from `open` to `close`."""

    path: pathlib.Path
    run_id: str
    _lock: Lock = field(compare=False, repr=False)

    @classmethod
    def open(cls, runs_dir: str | pathlib.Path, identity: Mapping[str, Any], config: Mapping[str, Any]) -> "RunFolder":
        """Make `runs_dir/<run_id>`, or resume it; config.yaml is then this `config` (plain values).

        Raises `lock.Busy` where another process has it open, and `UserError` when the folder cannot be made, when it
        belongs to another identity, or when one of its files is too damaged to use.
        """
        path = pathlib.Path(runs_dir) / run_id_of(identity)
        try:
            (path / "groups").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"runs_dir={runs_dir}: cannot make a run folder there: {error.strerror}") from error
        folder = cls(path, path.name, take(path / ".lock"))
        try:
            folder._prepare(canonical(identity), config)
        except BaseException:
            folder.close()
            raise
        return folder

    @classmethod
    def reopen(cls, path: pathlib.Path) -> "RunFolder":
        """Open a run that is there, with the configuration that it has; `UserError` where it is none.

        Raises `lock.Busy` where another process has it open.
        """
        identity = read_json(path / "identity.json")
        if not identity:
            raise UserError(f"{path}: no identity.json; name the folder of a run, such as runs/<run_id>")
        folder = cls(path, run_id_of(identity), take(path / ".lock"))
        try:
            if identity.get("schema") in READABLE[:-1]:
                raise UserError(refusal(path, identity["schema"]))
            folder.read_run()
        except BaseException:
            folder.close()
            raise
        return folder

    def close(self) -> None:
        """Release the lock, so that other processes can write this run."""
        self._lock.release()

    def _prepare(self, identity: dict[str, Any], config: Mapping[str, Any]) -> None:
        remove_unfinished(self.path, self._groups_dir)
        self._claim(identity)
        self.read_run()
        read_json(self.path / "metrics.json")
        write_whole(
            self.path / "config.yaml", yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True).encode()
        )

    def _claim(self, identity: dict[str, Any]) -> None:
        file = self.path / "identity.json"
        existing = canonical(read_json(file))
        if existing.get("schema") in READABLE[:-1]:
            raise UserError(refusal(self.path, existing["schema"]))
        if existing and existing != identity:
            raise UserError(f"{self.path}: made by another configuration: {differences(existing, identity)}")
        write_whole(file, json.dumps(identity, indent=2).encode())  # exact, unlike write_json

    @property
    def _groups_dir(self) -> pathlib.Path:
        return self.path / "groups"

    def stamps(self) -> Iterator[tuple[Stamp, pathlib.Path]]:
        """The groups of this run in any order; what is no group of it is left out without a word."""
        for file in self._groups_dir.glob("*.parquet"):
            try:
                yield groupfile.read_stamp(file, self.run_id), file
            except NotAGroup:
                continue

    def set_aside(self, is_current: Callable[[Stamp], bool]) -> None:
        """Move groups that are not current to `earlier/<content>/`, where no reader looks; `has` takes them back."""
        for stamp, file in [(stamp, file) for stamp, file in self.stamps() if not is_current(stamp)]:
            place = self._earlier / stamp.content / file.name
            place.parent.mkdir(parents=True, exist_ok=True)
            file.replace(place)

    @property
    def _earlier(self) -> pathlib.Path:
        return self.path / "earlier"

    def has(self, question_id: str, group: int, content: str = "") -> bool:
        """Whether the file of this group is there, whole and of this run; a bad file gets a warning.

        `content` is that of the question (empty: any). A group of it that was set aside is moved back.
        """
        file = self._groups_dir / Stamp(question_id, group, self.run_id).file_name
        aside = self._earlier / content / file.name
        if content and not file.exists() and aside.is_file():
            aside.replace(file)
        if not file.exists():
            return False
        if file.is_dir():
            raise UserError(f"{file}: a folder is in the place of a group file; move it away to continue")
        try:
            stamp = groupfile.check(file, self.run_id)
        except NotAGroup as error:
            log.warning("%s %s: it counts as missing and is decoded again", file, error)
            return False
        return not content or stamp.content == content

    def write_group(self, rows: Sequence[Mapping[str, Any]], content: str = "") -> pathlib.Path:
        """Write the rows of one group and return their file; `ValueError` unless they are one group of this run.

        `content` is that of the question.
        """
        if any(row["run_id"] != self.run_id for row in rows):
            raise ValueError(f"rows of another run for the folder of run {self.run_id}")
        return groupfile.write(self._groups_dir, rows, content)

    def keep_grades(self, grades: Sequence[Mapping[str, Any]]) -> None:
        """Add grades that are about to be replaced to earlier_grades.json, each once."""
        file = self.path / "earlier_grades.json"
        kept = read_json(file).get("grades", [])
        write_json(file, {"grades": [*kept, *(dict(grade) for grade in grades if grade not in kept)]})

    def groups(self) -> list[pathlib.Path]:
        """The files of this run's groups by question and group; files of other runs are left out with a warning."""
        return [file for _, file in stamped(self.path)]

    def write_metrics(self, metrics: Mapping[str, Any]) -> None:
        """Write metrics.json; a number that is not finite becomes null."""
        write_json(self.path / "metrics.json", metrics)

    def write_run(self, run: Mapping[str, Any]) -> None:
        """Write run.json: provenance, status, budgets, engine utilisation."""
        write_json(self.path / "run.json", run)

    def read_run(self) -> dict[str, Any]:
        """The contents of run.json, empty when there is none yet; `UserError` when `write_run` did not write it."""
        file = self.path / "run.json"
        run = read_json(file)
        if run and not isinstance(run.get("sessions", []), list):
            raise UserError(f"{file}: its sessions are not a list; remove it to continue")
        return run
