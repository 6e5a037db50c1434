"""What a reference run says: how difficult a question is (Section 5.2.2) and how a response may begin (Section 2).

A reference run has many independent responses (32) per question, by the same model. It is a separate run with a seed of
its own, so nothing that is taken from it depends on the run under study.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from leap_lab.errors import UserError
from leap_lab.path import Kind
from leap_lab.runs import groupfile
from leap_lab.seeds import rng_for
from leap_lab.tasks.difficulty import LEAST_RIGHT, bucket
from leap_lab.tasks.problem import Problem

Beginnings = tuple[tuple[int, ...], ...]
CLOSING = 8  # tokens at the end of the thinking that no beginning reaches: they may spell its closing tag


@dataclass(frozen=True)
class Selection:
    """The questions of a cell, and what the paths of each group begin with."""

    problems: list[Problem]
    reference: "ReferenceRun | None" = None
    prefix: Mapping[str, Any] | None = None

    def beginnings(self, problem: Problem, group: int, peers: int, seed: int) -> Beginnings:
        """Token ids for every path of a group; empty where paths start from the question."""
        if self.reference is None or self.prefix is None:
            return ()
        return self.reference.beginnings(problem.id, group, peers, seed, self.prefix)

    def content(self, problem: Problem) -> str:
        """What a group is decoded from: the question and, where paths begin from responses, which of them are right.

        A corrected right answer changes it only in a run with beginnings: these are then other ones.
        """
        if self.reference is None:
            return problem.content
        marks = hashlib.sha256(bytes(self.reference.right(problem.id))).hexdigest()[:8]
        return f"{problem.content}.{marks}"


@dataclass(frozen=True)
class ReferenceRun:
    """A finished reference run, read one question at a time."""

    folder: Path

    def right(self, question: str) -> tuple[bool, ...]:
        """Which responses to a question are right, in the order of paths."""
        file = _file(self.folder, question)
        return _right(self.folder, question, file.stat().st_mtime_ns if file.exists() else 0)

    def beginnings(self, question: str, group: int, peers: int, seed: int, prefix: Mapping[str, Any]) -> Beginnings:
        """The first tokens of wrong or right responses, drawn with a seed, for every path of a group.

        `bad` and `good`: one response for the whole group, as in Section 2, or with `per_path` one for each path.
        `random`: the same of any response, as often a right one as the question has right ones.
        `mixed`: one for each path, a share `good_ratio` of them right. A larger ratio only replaces some bad ones.
        """
        right, wrong = self._responses(question)
        rng = rng_for("beginnings", seed, question, group)
        either = [*right, *wrong] if prefix["name"] == "random" else []
        drawn = [(rng.choice(either or right), rng.choice(wrong)) for _ in range(peers)]
        if not prefix["per_path"]:
            drawn = drawn[:1] * peers
        good = {"good": peers, "random": peers, "bad": 0, "mixed": round(prefix["good_ratio"] * peers)}[prefix["name"]]
        lucky = set(rng.sample(range(peers), peers)[:good])
        chosen = [right_one if path in lucky else wrong_one for path, (right_one, wrong_one) in enumerate(drawn)]
        return tuple(cut(response, prefix["fraction"]) for response in chosen)

    def _responses(self, question: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The right and the wrong responses whose thinking is long enough to take a beginning from."""
        rows = _read(self.folder, question, ["correct", "segments"])
        usable = [row for row in rows if _thinking(row) > CLOSING]
        return [row for row in usable if row["correct"]], [row for row in usable if not row["correct"]]

    def is_mixed(self, question: str) -> bool:
        """Whether the question has right and wrong responses to begin from."""
        return 0 < sum(self.right(question)) < len(self.right(question)) and all(self._responses(question))


def select(
    problems: Sequence[Problem], difficulty: str, prefix: Mapping[str, Any], reference: ReferenceRun
) -> Selection:
    """The questions of one bucket, and with beginnings only those that have both right and wrong responses.

    `UserError` when none is left.
    """
    marks = {problem.id: reference.right(problem.id) for problem in problems}
    buckets = {question: bucket(sum(right), len(right)) for question, right in marks.items()}
    counts = Counter(buckets.values())
    sizes = ", ".join(f"{name} {counts[name]}" for name in LEAST_RIGHT)
    kept = [problem for problem in problems if difficulty in ("all", buckets[problem.id])]
    if not kept:
        raise UserError(
            f"difficulty={difficulty}: none of the {len(problems)} questions is in this bucket ({sizes}); raise limit"
        )
    if prefix["name"] == "none":
        return Selection(kept)
    mixed = [problem for problem in kept if reference.is_mixed(problem.id)]
    if not mixed:
        raise UserError(
            f"prefix={prefix['name']}: no question has both right and wrong responses ({sizes}); raise limit"
        )
    return Selection(mixed, reference, prefix)


def cut(response: Mapping[str, Any], fraction: float) -> tuple[int, ...]:
    """The first `fraction` of a response's own tokens, at least one, and never past its thinking."""
    own = [int(token) for part in response["segments"] if _own(part) for token in part["tokens"]]
    return tuple(own[: max(1, min(round(fraction * len(own)), _thinking(response) - CLOSING))])


def _thinking(response: Mapping[str, Any]) -> int:
    return sum(len(part["tokens"]) for part in response["segments"] if part["kind"] == Kind.THINK)


def _own(part: Mapping[str, Any]) -> bool:
    return part["kind"] in (Kind.THINK, Kind.FINAL)


@lru_cache(maxsize=100_000)
def _right(folder: Path, question: str, changed_ns: int) -> tuple[bool, ...]:
    """Kept until the file changes: a group may be graded again."""
    return tuple(row["correct"] for row in _read(folder, question, ["correct"]))


def _file(folder: Path, question: str) -> Path:
    return folder / "groups" / groupfile.Stamp(question, 0, folder.name).file_name


def _read(folder: Path, question: str, columns: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a question; a reference run has one group of each."""
    file = _file(folder, question)
    try:
        rows: list[dict[str, Any]] = groupfile.read(file, columns).to_pylist()
    except groupfile.NotAGroup as error:
        raise UserError(f"{file} {error}; rerun the same command to decode it again") from error
    return rows
