"""Groups graded again where the right answer of a question was corrected; nothing is decoded."""

from collections.abc import Mapping
from typing import Any

from leap_lab.files import storable
from leap_lab.grading.grade import equal, grade
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
        folder.write_group([graded(row, problem) for row in rows], stamp.content)
        count += 1
    return count


def graded(row: Mapping[str, Any], problem: Problem) -> dict[str, Any]:
    """A row with its path graded by this problem; probes by the answers that they gave."""
    mark = grade(path_of(row), problem)
    answer = None if mark.answer is None else storable(mark.answer)
    own = {"question_id": problem.id, "gold": storable(problem.answer), "answer": answer, "correct": mark.correct}
    return {**row, **own, "probes": [_probe(probe, problem) for probe in row["probes"]]}


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
