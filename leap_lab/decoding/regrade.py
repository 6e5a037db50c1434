"""Groups graded again from what their paths wrote; nothing is decoded.

A command that decodes does so where the right answer of a question was corrected; `leap_lab.regrade` does so with all
groups of a run, after a correction or with a better grader.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from leap_lab.files import storable
from leap_lab.grading.grade import alike, equal, grade
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


@dataclass
class Regraded:
    """What grading a run again came to. `changes` are the grades as they were, and `now` as they are."""

    paths: int = 0
    unknown: int = 0  # groups of questions that the data set no longer has, as they were asked
    changes: list[dict[str, Any]] = field(default_factory=list)


GRADE = ("gold", "answer", "correct")


def regrade_all(folder: RunFolder, problems: Mapping[str, Problem], write: bool = True) -> Regraded:
    """Grade every group again; with `write` the new grades replace the old ones, which earlier_grades.json keeps."""
    found, files = Regraded(), []
    for stamp, file in sorted(folder.stamps()):
        problem = problems.get(stamp.question_id)
        if problem is None or (stamp.content and stamp.content.partition(".")[0] != problem.content):
            found.unknown += 1
            continue
        old = groupfile.read(file, None).to_pylist()
        new = clustered([graded(row, problem) for row in old], problem)
        found.paths += len(new)
        pairs = zip(old, new, strict=True)
        found.changes += [_change(before, after) for before, after in pairs if _differs(before, after)]
        if new != old:
            files.append((new, stamp.content))
    if write and files:
        folder.keep_grades(found.changes)
        for rows, content in files:
            folder.write_group(rows, content)
    return found


def _change(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    place = {key: before[key] for key in ("question_id", "group", "path")}
    return {**place, **{key: before[key] for key in GRADE}, "now": {key: after[key] for key in GRADE}}


def _differs(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether the grade itself is another, and not only that of a probe."""
    return any(before[key] != after[key] for key in GRADE)


def graded(row: Mapping[str, Any], problem: Problem) -> dict[str, Any]:
    """A row with its path graded by this problem; probes by the answers that they gave."""
    mark = grade(path_of(row), problem)
    answer = None if mark.answer is None else storable(mark.answer)
    own = {"question_id": problem.id, "gold": storable(problem.answer), "answer": answer, "correct": mark.correct}
    return {**row, **own, "extraction": mark.note, "probes": [_probe(probe, problem) for probe in row["probes"]]}


def clustered(rows: Sequence[Mapping[str, Any]], problem: Problem) -> list[dict[str, Any]]:
    """The rows of a group with their answers and those of their probes numbered by which are equal to each other."""
    said = [row["answer"] for row in rows] + [probe["answer"] for row in rows for probe in row["probes"]]
    numbers = iter(clusters(said, lambda answer, other: alike(answer, other, problem)))
    own = [next(numbers) for _ in rows]
    return [
        {**row, "cluster": number, "probe_clusters": [next(numbers) for _ in row["probes"]]}
        for row, number in zip(rows, own, strict=True)
    ]


def _probe(probe: Mapping[str, Any], problem: Problem) -> dict[str, Any]:
    answer = probe["answer"]
    return {**probe, "correct": answer is not None and equal(answer, problem)}


def path_of(row: Mapping[str, Any]) -> Path:
    """What grading reads of a path, from its row: the segments, and where the runtime opened an answer.

    An answer was opened in every path that ran out of budget or context, and it is the last that the runtime wrote
    there.
    """
    segments = [
        Segment(Kind(part["kind"]), part["turn"], tuple(part["tokens"]), part["text"]) for part in row["segments"]
    ]
    path = Path(row["path"], row["seed"], segments, finish=row["finish"])
    if path.finish in ("forced", "context_full"):
        written = [index for index, segment in enumerate(segments) if segment.kind is Kind.TRIGGER]
        path.forced_at = written[-1] if written else None
    return path
