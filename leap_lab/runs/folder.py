"""Run folders: what a run found out, one Parquet file a group, written whole or not at all.

`rows` turns a graded group into the columns of `SCHEMA`, `RunFolder` keeps them under `runs_dir/<run_id>/groups/`, and
`read_groups` gives them back to the analysis, only the columns asked for. Every file says in its own metadata which
run, question and group it holds, in which version of the schema.

Text is stored as UTF-8, which cannot hold a lone surrogate: it becomes U+FFFD. Token ids stay as they are, and so they
are the truth.
"""

import hashlib
import json
import logging
import pathlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa
import yaml

from leap_lab.errors import UserError, brief
from leap_lab.files import read_json, remove_unfinished, storable, write_json, write_whole
from leap_lab.path import Kind, Path
from leap_lab.runs import groupfile
from leap_lab.runs.groupfile import READABLE, SCHEMA, SCHEMA_VERSION, NotAGroup, Stamp
from leap_lab.runs.lock import Lock, take
from leap_lab.tasks.sources import Problem

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SCHEMA", "SCHEMA_VERSION", "RunFolder", "dotted", "read_groups", "require_groups", "rows", "run_id_of"]

log = logging.getLogger(__name__)


class Graded(Protocol):
    """What a grade says of a path: its answer, None when it gave none, and whether that is right."""

    @property
    def answer(self) -> str | None: ...

    @property
    def correct(self) -> bool: ...


def run_id_of(identity: Mapping[str, Any]) -> str:
    """The 12 hex digits that name a run: a hash of what determines its result, the order of keys left out."""
    text = json.dumps(_canonical(identity), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def rows(
    run_id: str, problem: Problem, group: int, paths: Sequence[Path], grades: Sequence[Graded], aha: Sequence[int]
) -> list[dict[str, Any]]:
    """One row per path with the columns of `SCHEMA`; `ValueError` unless there are as many grades and counts."""
    key = {"run_id": run_id, "question_id": problem.id, "group": group}
    return [
        {**key, "path": path.index, "gold": storable(problem.answer), **_graded(grade), **_of_path(path), "aha": count}
        for path, grade, count in zip(paths, grades, aha, strict=True)
    ]


def _graded(grade: Graded) -> dict[str, Any]:
    return {"answer": _storable(grade.answer), "correct": grade.correct}


def _of_path(path: Path) -> dict[str, Any]:
    return {
        "finish": path.finish,
        **_tokens(path),
        "critical_path": max(each.chain for each in path.bill),
        "blocks": path.blocks,
        "segments": [
            {"kind": part.kind.value, "turn": part.turn, "text": storable(part.text), "tokens": list(part.tokens)}
            for part in path.segments
        ],
        "routes": [
            {"turn": route.turn, "peers": list(route.peers), "similarity": list(route.similarity)}
            for route in path.routes
        ],
        "probes": [
            {"turn": probe.turn, "phase": probe.phase, "answer": _storable(probe.answer), "correct": probe.correct}
            for probe in path.probes
        ],
        "seed": path.seed,
        "started_s": path.started_s,
        "finished_s": path.finished_s,
    }


def _tokens(path: Path) -> dict[str, int]:
    """The columns of tokens and requests: of the path and of its helpers, which have no row of their own."""
    bill = [_tokens_of_one(each) for each in path.bill]
    return {column: sum(each[column] for each in bill) for column in bill[0]}


def _tokens_of_one(path: Path) -> dict[str, int]:
    return {
        "tokens_think": path.count(Kind.THINK, Kind.FINAL) + path.tokens_cut,
        "tokens_summary": path.count(Kind.SUMMARY),
        "tokens_comment": path.count(Kind.COMMENT),
        "tokens_prompt": path.count(Kind.PROMPT),
        "tokens_probe": path.tokens_probe,
        "tokens_prefilled": path.usage.prefilled,
        "tokens_trigger": path.count(Kind.TRIGGER),
        "tokens_cut": path.tokens_cut,
        "tokens_prefix": path.count(Kind.PREFIX),
        "tokens_answer": path.count(Kind.FINAL),
        "tokens_forced": path.forced,
        "requests": path.usage.requests,
        "tokens_cached": path.usage.cached,
        "tokens_decoded": path.usage.decoded,
        "tokens_attended": path.usage.attended,
        "requests_probe": path.probe_usage.requests,
        "tokens_probe_prefilled": path.probe_usage.prefilled,
        "tokens_probe_cached": path.probe_usage.cached,
        "tokens_probe_decoded": path.probe_usage.decoded,
        "tokens_probe_attended": path.probe_usage.attended,
    }


def _storable(answer: str | None) -> str | None:
    return None if answer is None else storable(answer)


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run, for the one process that writes it: from `open` to `close` no other one can."""

    path: pathlib.Path
    run_id: str
    _lock: Lock = field(compare=False, repr=False)

    @classmethod
    def open(cls, runs_dir: str | pathlib.Path, identity: Mapping[str, Any], config: Mapping[str, Any]) -> "RunFolder":
        """Make `runs_dir/<run_id>`, or go on with it; config.yaml is then this `config` (plain values).

        `lock.Busy` where another process has it open. `UserError` when the folder cannot be made, when another identity
        made it, or when a file of it is damaged beyond use.
        """
        path = pathlib.Path(runs_dir) / run_id_of(identity)
        try:
            (path / "groups").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"runs_dir={runs_dir}: cannot make a run folder there: {error.strerror}") from error
        folder = cls(path, path.name, take(path / ".lock"))
        try:
            folder._prepare(_canonical(identity), config)
        except BaseException:
            folder.close()
            raise
        return folder

    def close(self) -> None:
        """Let other processes write this run."""
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
        here = _canonical(read_json(file))
        if here.get("schema") in READABLE[:-1]:
            raise UserError(_earlier(self.path, here["schema"]))
        if here and here != identity:
            raise UserError(f"{self.path} was made by another configuration: {_differences(here, identity)}")
        write_whole(file, json.dumps(identity, indent=2).encode())  # exact, unlike write_json

    @property
    def _groups_dir(self) -> pathlib.Path:
        return self.path / "groups"

    def has(self, question_id: str, group: int) -> bool:
        """Whether this group is here, whole and of this run; a file that is not gets a warning and wants replacing."""
        file = self._groups_dir / Stamp(question_id, group, self.run_id).file_name
        if not file.exists():
            return False
        if file.is_dir():
            raise UserError(f"{file}: a folder lies where a group belongs; move it away to go on")
        try:
            groupfile.check(file, self.run_id)
        except NotAGroup as error:
            log.warning("%s %s: it counts as missing and is decoded again", file, error)
            return False
        return True

    def write_group(self, rows: Sequence[Mapping[str, Any]]) -> pathlib.Path:
        """Write the rows of one group and return their file; `ValueError` unless they are one group of this run."""
        if any(row["run_id"] != self.run_id for row in rows):
            raise ValueError(f"rows of another run for the folder of run {self.run_id}")
        return groupfile.write(self._groups_dir, rows)

    def groups(self) -> list[pathlib.Path]:
        """The files of this run's groups by question and group; foreign ones are left out with a warning."""
        return [file for _, file in _stamped(self.path)]

    def write_metrics(self, metrics: Mapping[str, Any]) -> None:
        """Write metrics.json; a number that is not finite becomes null."""
        write_json(self.path / "metrics.json", metrics)

    def write_run(self, run: Mapping[str, Any]) -> None:
        """Write run.json: provenance, status, budgets, engine utilisation."""
        write_json(self.path / "run.json", run)

    def read_run(self) -> dict[str, Any]:
        """What run.json says; empty when there is none yet. `UserError` when it is not what `write_run` wrote."""
        file = self.path / "run.json"
        told = read_json(file)
        if told and not isinstance(told.get("sessions", []), list):
            raise UserError(f"{file}: its sessions are no list; remove it to go on")
        return told


def require_groups(
    folder: str | pathlib.Path, questions: Collection[str] | None = None, groups: Collection[int] | None = None
) -> list[pathlib.Path]:
    """The files of these questions and groups (None: all) in a run folder, by question id and group number.

    A file that holds no group of this run is left out with a warning. `UserError` when nothing is left.
    """
    found = _stamped(pathlib.Path(folder))
    asked = [
        file
        for stamp, file in found
        if (questions is None or stamp.question_id in questions) and (groups is None or stamp.group in groups)
    ]
    if not asked:
        what = f"none of the asked groups among its {len(found)}" if found else "no groups of paths here"
        raise UserError(f"{folder}: {what}; name the folder of a run, such as runs/<run_id>")
    return asked


def read_groups(
    folder: str | pathlib.Path,
    columns: Sequence[str] | None = None,
    questions: Collection[str] | None = None,
    groups: Collection[int] | None = None,
) -> "pd.DataFrame":
    """A row per path of a run folder, in the order of `require_groups`, with these columns (None: all of `SCHEMA`).

    `questions` are ids and `groups` numbers. `UserError` for an unknown column, and when there is nothing to read.
    """
    for column in columns or ():
        if column not in SCHEMA.names:
            raise UserError(f"columns={column}: no such column; allowed are {', '.join(SCHEMA.names)}")
    tables = [table for file in require_groups(folder, questions, groups) for table in _whole(file, columns)]
    if not tables:
        raise UserError(f"{folder}: all groups that were asked for are damaged; the command that made them mends them")
    frame: pd.DataFrame = pa.concat_tables(tables).to_pandas()
    return frame


def _whole(file: pathlib.Path, columns: Sequence[str] | None) -> list[pa.Table]:
    """The rows of a file; nothing, and a warning, where it is damaged."""
    try:
        return [groupfile.read(file, columns)]
    except NotAGroup as error:
        log.warning("%s %s: left out", file, error)
        return []


def _stamped(folder: pathlib.Path) -> list[tuple[Stamp, pathlib.Path]]:
    """The groups of the run that made this folder, by question id and group number."""
    run_id = _maker(folder)
    found = []
    for file in (folder / "groups").glob("*.parquet"):
        try:
            found.append((groupfile.read_stamp(file, run_id), file))
        except NotAGroup as error:
            log.warning("%s %s: left out", file, error)
    if len(runs := {stamp.run_id for stamp, _ in found}) > 1:
        raise UserError(f"{folder}: no identity.json, and groups of several runs ({', '.join(sorted(runs))})")
    return sorted(found)


def _maker(folder: pathlib.Path) -> str | None:
    """The run that made this folder, None where it does not say; `UserError` where another schema made it."""
    identity = read_json(folder / "identity.json")
    if (schema := identity.get("schema", SCHEMA_VERSION)) not in READABLE:
        raise UserError(f"{folder}: made with version {brief(schema)} of the schema, not {SCHEMA_VERSION}")
    return run_id_of(identity) if identity else None


def earlier_runs(runs_dir: pathlib.Path) -> dict[pathlib.Path, dict[str, Any]]:
    """The identities of the runs in `runs_dir` that an earlier version of the schema made."""
    found = {file.parent: read_json(file) for file in sorted(runs_dir.glob("*/identity.json"))}
    return {folder: identity for folder, identity in found.items() if identity.get("schema") in READABLE[:-1]}


def refuse_earlier(identity: Mapping[str, Any], earlier: Mapping[pathlib.Path, Mapping[str, Any]]) -> None:
    """`UserError` where one of `earlier_runs` has these settings: its id is another, so it would not be extended.

    Compared is what both identities know, without the addresses of classes and the ids of reference runs.
    """
    mine = _settings_of(identity)
    for folder, other in earlier.items():
        theirs = _settings_of(other)
        if all(theirs[key] == mine[key] for key in theirs.keys() & mine.keys()):
            raise UserError(_earlier(folder, other["schema"]))


def _settings_of(identity: Mapping[str, Any]) -> dict[str, Any]:
    flat = dotted(_canonical(identity))
    return {
        key: value for key, value in flat.items() if not key.endswith("_target_") and key not in ("schema", "reference")
    }


def _earlier(folder: pathlib.Path, schema: object) -> str:
    return (
        f"{folder}: these settings were decoded with version {brief(schema)} of the schema, which can be analysed but "
        "not extended; move that folder away or name another runs_dir"
    )


def _canonical(value: Any) -> Any:
    """JSON values only, and one form for numbers: 1 and 1.0 are the same setting."""
    if isinstance(value, Mapping):
        return {str(key): _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _differences(here: Mapping[str, Any], mine: Mapping[str, Any]) -> str:
    old, new = ({key: repr(value) for key, value in dotted(tree).items()} for tree in (here, mine))
    pairs = [(key, old.get(key, "absent"), new.get(key, "absent")) for key in sorted(old | new)]
    return ", ".join(f"{key} was {brief(was)}, now {brief(now)}" for key, was, now in pairs if was != now)


def dotted(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested mapping as a flat one, by keys such as `method.interval`."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        nested = isinstance(value, Mapping) and value
        flat |= dotted(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": value}
    return flat
