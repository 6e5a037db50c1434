"""One run as a grid of questions: what became of each of its groups, read once a file and again where it changed."""

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from leap_lab.files import read_json
from leap_lab.runs import groupfile
from leap_lab.runs.groupfile import NotAGroup, Stamp
from leap_lab.runs.identity import run_id_of
from leap_lab.runs.reading import settings

from ..measures.probes import blocks_of, probes_in
from ..measures.votes import majority, named

log = logging.getLogger(__name__)
KEY = ["question_id", "group"]
COLUMNS = (
    *("run_id", "question_id", "group", "path", "gold", "answer", "cluster", "correct", "finish"),
    *("tokens_think", "tokens_summary", "started_s", "finished_s", "probes", "probe_clusters"),
)
FORCED = ("forced", "context_full")  # ways to end in which the runtime opened the answer
State = tuple[int, int]  # of a file: when it was written, and its size


@dataclass(frozen=True)
class Group:
    """What the grid shows of a group: a sign a path in the order of the paths, and counts."""

    group: int
    right: str  # 1: right, 0: wrong
    forced: str  # 1: the budget or the context ran out
    recovered: int  # blocks before which a path was wrong, and after which it was right
    harmed: int  # the other way round
    probed: bool
    vote: float  # correctness of the majority vote; between 0 and 1 where answers are tied
    tokens: int  # sampled by all paths: thinking, summaries, answers
    started_s: float
    finished_s: float
    gold: str


@dataclass
class Cell:
    """A run folder, and what is known of its groups so far."""

    folder: Path
    settings: dict[str, Any] = field(init=False)
    _seen: dict[Path, State] = field(default_factory=dict)
    _stamps: dict[Path, Stamp] = field(default_factory=dict)
    _groups: dict[Path, Group] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settings = settings(self.folder)

    def version(self) -> int:
        """A number that changes when a group file is added, replaced or removed; costs one look at the folder."""
        try:
            return (self.folder / "groups").stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def refresh(self) -> None:
        """Read the files that are new or have changed; a file that holds no group is left out with a warning."""
        there = {file: (state.st_mtime_ns, state.st_size) for file, state in _files(self.folder / "groups")}
        changed = [file for file, state in there.items() if self._seen.get(file) != state]
        for file in [*self._seen.keys() - there.keys(), *changed]:
            self._groups.pop(file, None)
            self._stamps.pop(file, None)
        identity = read_json(self.folder / "identity.json")
        run_id = run_id_of(identity) if identity else None
        tables = {}
        for file in changed:
            try:
                self._stamps[file] = groupfile.read_stamp(file, run_id)
                tables[file] = groupfile.read(file, COLUMNS)
            except NotAGroup as error:
                self._stamps.pop(file, None)
                log.warning("%s %s: left out", file, error)
        self._groups |= _groups_of(tables)
        self._seen = there

    def questions(self) -> dict[str, list[tuple[Path, Group]]]:
        """By question, in the order of ids (numbers in them as such): its groups in order, each with its file."""
        ordered = sorted(self._groups, key=lambda file: (_natural(self._stamps[file].question_id), self._stamps[file]))
        found = groupby(ordered, lambda file: self._stamps[file].question_id)
        return {question: [(file, self._groups[file]) for file in files] for question, files in found}

    def groups(self) -> list[Group]:
        """All groups, in any order."""
        return list(self._groups.values())

    def changed(self, files: Iterable[Path]) -> int:
        """When the newest of these files was written, in nanoseconds."""
        return max(self._seen[file][0] for file in files)


def _natural(text: str) -> list[tuple[int, str]]:
    """A key that puts `q-9` before `q-10`."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]{1,300})", text)]


def _files(folder: Path) -> Iterable[tuple[Path, Any]]:
    for file in folder.glob("*.parquet"):
        try:
            yield file, file.stat()
        except FileNotFoundError:  # replaced or set aside meanwhile
            continue


def _groups_of(tables: Mapping[Path, pa.Table]) -> dict[Path, Group]:
    """The groups of these files, computed together: pandas takes long to start on each."""
    if not tables:
        return {}
    rows: pd.DataFrame = pa.concat_tables(tables.values()).to_pandas()
    said = named(rows)
    blocks = blocks_of(probes_in(rows))
    turned = pd.DataFrame(
        {"recovered": ~blocks["before"] & blocks["after"], "harmed": blocks["before"] & ~blocks["after"]}
    )
    turns = turned.groupby([blocks[name] for name in KEY]).sum()
    starts = pd.Series([len(table) for table in tables.values()]).cumsum().tolist()
    found = {}
    for file, start, end in zip(tables, [0, *starts], starts, strict=False):
        own = rows.iloc[start:end]
        place = (own["question_id"].iloc[0], own["group"].iloc[0])
        recovered, harmed = turns.loc[place] if place in turns.index else (0, 0)
        found[file] = _group(own, list(said.iloc[start:end]), int(recovered), int(harmed))
    return found


def _group(rows: pd.DataFrame, said: list[str | None], recovered: int, harmed: int) -> Group:
    right = rows["correct"].to_numpy(bool)
    return Group(
        group=int(rows["group"].iloc[0]),
        right="".join("01"[int(each)] for each in right),
        forced="".join("01"[int(each in FORCED)] for each in rows["finish"]),
        recovered=recovered,
        harmed=harmed,
        probed=any(len(probes) for probes in rows["probes"]),
        vote=majority(said, right),
        tokens=int(rows["tokens_think"].sum() + rows["tokens_summary"].sum()),
        started_s=float(rows["started_s"].min()),
        finished_s=float(rows["finished_s"].max()),
        gold=str(rows["gold"].iloc[0]),
    )
