"""Groups graded again where the right answer of a question was corrected; nothing is decoded."""

from collections.abc import Mapping, Sequence
from typing import Any

from leap_lab.files import storable
from leap_lab.grading.grade import equal, grade
from leap_lab.grading.voting import clusters
from leap_lab.path import Kind, Path, Segment
from leap_lab.runs import groupfile
from leap_lab.runs.folder import RunFolder
from leap_lab.tasks.problem import Problem


def regrade(folder: RunFolder, problems: Mapping[str, Problem]) -> int:
    """Grade the groups in this folder whose right answer is no longer that of their question; returns how many."""
    count = 0
    for stamp, file in list(folder.stamps()):
        problem = problems.get(stamp.question_id)
        try:
            golds = groupfile.read(file, ["gold"])["gold"].to_pylist()
            if problem is None or set(golds) == {storable(problem.answer)}:
                continue
            rows = groupfile.read(file, None).to_pylist()
        except groupfile.NotAGroup:
            continue  # it is decoded again where it is wanted
        folder.write_group(clustered([graded(row, problem) for row in rows], problem), stamp.content)
        count += 1
    return count


def graded(row: Mapping[str, Any], problem: Problem) -> dict[str, Any]:
    """A row with its path graded by this problem; probes by the answers that they gave."""
    mark = grade(path_of(row), problem)
    answer = None if mark.answer is None else storable(mark.answer)
    own = {"question_id": problem.id, "gold": storable(problem.answer), "answer": answer, "correct": mark.correct}
    return {**row, **own, "probes": [_probe(probe, problem) for probe in row["probes"]]}


def clustered(rows: Sequence[Mapping[str, Any]], problem: Problem) -> list[dict[str, Any]]:
    """The rows of a group with their answers and those of their probes numbered by which are equal to each other."""
    said = [row["answer"] for row in rows] + [probe["answer"] for row in rows for probe in row["probes"]]
    numbers = iter(clusters(said, lambda answer, other: equal(answer, other, problem.kind)))
    own = [next(numbers) for _ in rows]
    return [
        {**row, "cluster": number, "probe_clusters": [next(numbers) for _ in row["probes"]]}
        for row, number in zip(rows, own, strict=True)
    ]


def _probe(probe: Mapping[str, Any], problem: Problem) -> dict[str, Any]:
    answer = probe["answer"]
    return {**probe, "correct": answer is not None and equal(answer, problem.answer, problem.kind)}


def path_of(row: Mapping[str, Any]) -> Path:
    """What grading reads of a path, from its row: the segments, and where the runtime opened an answer.

    An answer was opened in every path that did not end by itself, and it is the last that the runtime wrote there.
    """
    segments = [
        Segment(Kind(part["kind"]), part["turn"], tuple(part["tokens"]), part["text"]) for part in row["segments"]
    ]
    path = Path(row["path"], row["seed"], segments, finish=row["finish"])
    if path.finish != "answered":
        written = [index for index, segment in enumerate(segments) if segment.kind is Kind.TRIGGER]
        path.forced_at = written[-1] if written else None
    return path
