"""A row is graded as its path was: by what the path wrote, a forced answer with the opening that it was given."""

import pytest

from leap_lab.decoding.decoder import graded_rows
from leap_lab.decoding.regrade import graded
from leap_lab.path import Branch, Kind, Path
from leap_lab.tasks.problem import Problem

MATH = Problem("q\ud800", "2+2", "4")
CHOICE = Problem("q", "2+2", "B", "choice", ("3", "4"))


def path(final: str, opening: str = "") -> Path:
    """A path that was shown an answer by a peer and then gave its own, after this opening if it was forced."""
    made = Path(0, 7, finish="forced" if opening else "answered")
    made.add(Kind.THINK, 0, range(9), "so \\boxed{9} ANSWER: A")
    made.add(Kind.SUMMARY, 0, range(2), "in short \\boxed{8}")
    made.add(Kind.TRIGGER, 0, [1], "</summary>")
    made.add(Kind.COMMENT, 0, range(3), "peers say \\boxed{7} ANSWER: A")
    made.add(Kind.THINK, 1, [2], "</think>")
    if opening:
        made.add(Kind.FINAL, 1, [3], "it goes on ")
        made.forced_at = len(made.segments)
        made.add(Kind.TRIGGER, 1, [4], opening)
    made.add(Kind.FINAL, 1, [5], final)
    probed = Path(0, 7, finish="answered")
    probed.add(Kind.FINAL, 0, [6], final if not opening else opening + final)
    made.branches = [Branch(0, "before", probed), Branch(0, "after", Path(0, 7, finish="answered"))]
    return made


@pytest.mark.parametrize(
    ("problem", "paths", "answers"),
    [
        (MATH, [path("\\boxed{4}"), path("4}", "\\boxed{"), path("5}", "\n\n\\boxed{"), path("none")], list("4459")),
        (CHOICE, [path("ANSWER: B"), path("B", "ANSWER: "), path("A", "\n\nANSWER: ")], list("BBA")),
    ],
)
def test_a_row_is_graded_as_its_path_was(problem, paths, answers):
    rows = graded_rows("r", problem, 0, paths)
    assert [row["answer"] for row in rows] == answers
    assert [graded(row, problem) for row in rows] == rows
    other = Problem(problem.id, problem.text, "5" if problem is MATH else "A", problem.kind, problem.options)
    wrong = graded_rows("r", other, 0, paths)
    assert wrong != rows
    assert [graded(row, other) for row in rows] == wrong
