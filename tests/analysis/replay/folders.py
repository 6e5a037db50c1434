"""Run folders of independent paths with probes, written by the project's own code."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from leap_lab.grading.grade import Grade
from leap_lab.path import Probe
from leap_lab.runs.folder import RunFolder
from leap_lab.runs.rows import rows
from leap_lab.tasks.problem import Problem
from tests.known_runs import ALONE, config_of, reasoning_path

# A path: its tokens, its answer with the number of its cluster, and those of its probes; "1" and "1.0" are right.
Said = tuple[str | None, int | None]
Recorded = tuple[int, Said, Sequence[Said]]


def write_probed(
    runs: Path, questions: Mapping[str, Sequence[Sequence[Recorded]]], interval: int | None = 10, **more: Any
) -> Path:
    """A run of independent paths that were asked every `interval` tokens: by question, groups of paths."""
    config = config_of({**ALONE, "probe_interval": interval}, None, **more)
    folder = RunFolder.open(runs, {key: value for key, value in config.items() if key != "groups"}, config)
    for question, groups in questions.items():
        for group, paths in enumerate(groups):
            folder.write_group(_rows(folder.run_id, question, group, paths))
    return folder.path


def _rows(run_id: str, question: str, group: int, recorded: Sequence[Recorded]) -> list[dict[str, Any]]:
    paths = [reasoning_path(index, False, length) for index, (length, _, _) in enumerate(recorded)]
    for path, (_, _, probes) in zip(paths, recorded, strict=True):
        path.probes = [Probe(turn, "before", text, _right(text)) for turn, (text, _) in enumerate(probes)]
        path.tokens_probe = 3 * len(probes)
    grades = [Grade(text, _right(text)) for _, (text, _), _ in recorded]
    written = rows(run_id, Problem(question, "?", "1"), group, paths, grades, [0] * len(paths))
    clusters = [
        {"cluster": number, "probe_clusters": [number for _, number in probes]} for _, (_, number), probes in recorded
    ]
    return [row | own for row, own in zip(written, clusters, strict=True)]


def _right(text: str | None) -> bool:
    return text in ("1", "1.0")
