"""Paths with a segment of every kind, and their rows, for the tests of run folders."""

from pathlib import Path as FilePath
from typing import Any, NamedTuple

from leap_lab.engines.usage import Bounds, Usage
from leap_lab.path import Kind, Path, Probe, Route
from leap_lab.runs.rows import rows
from leap_lab.tasks.problem import Problem

IDENTITY = {"method": {"name": "leap", "interval": 64}, "peers": 2, "temperature": 1.0}


class Grade(NamedTuple):
    answer: str | None
    correct: bool


def full_path(index: int = 0, text: str = "so 4") -> Path:
    """A path with a segment of every kind, each of another length."""
    path = Path(index=index, seed=2**31 - 1, finish="answered", tokens_cut=100, tokens_probe=11, critical_path=500)
    path.heard, path.bounds = 4, Bounds(6, 16, 7, 17)
    path.usage, path.probe_usage = Usage(3, 12, 13, 14, 15), Usage(4, 22, 23, 24, 25)
    for length, kind in enumerate(Kind, start=1):
        if kind is Kind.FINAL:
            path.forced_at = len(path.segments)
        path.add(kind, 0, range(length), f"{kind} {text}")
    path.routes.append(Route(0, (1, 2), (0.25, 0.5)))
    path.probes.append(Probe(0, "before", None, False))
    path.probes.append(Probe(0, "after", "4", True))
    path.started_s, path.finished_s = 1.5, 2.5
    return path


def group_rows(run_id: str, question: str = "q", group: int = 0, text: str = "so 4") -> list[dict[str, Any]]:
    grades = [Grade("4", True), Grade(None, False)]
    paths = [full_path(0, text), full_path(1, text)]
    return rows(run_id, Problem(question, "2+2", "4"), group, paths, grades, [3, 0])


def truncate(file: FilePath) -> None:
    file.write_bytes(file.read_bytes()[:-20])
