"""Right answers out of the solutions that data sets give."""

import pytest

from leap_lab.grading.golds import answer_of, extracted, remark
from leap_lab.tasks.problem import Problem


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("55", "55"),
        ("She has 20+31=<<20+31=51>>51. Then 51+4=55.\n#### 55", "55"),
        ("#### 1\nNo, wait.\n#### 2,000  ", "2,000"),
        (r"\boxed{55}", "55"),
        (r"So \boxed{1} is wrong, and $x = \boxed{\frac{1}{2}}$.", r"\frac{1}{2}"),
        ("The answer is 55", "55"),
        ("First 3.\nThe final answer is: $12$.", "12"),
        ("We get 7.\nAnswer: 7", "7"),
        ("#### 5 and \\boxed{6}", "5 and \\boxed{6}"),
        (r"\frac{1}{2}", r"\frac{1}{2}"),
        ("the answer is", "the answer is"),
        ("Evelyn", "Evelyn"),
        ("", ""),
    ],
)
def test_the_answer_alone_is_taken(given, taken):
    assert answer_of(given) == taken


def test_only_answers_of_formulas_are_taken_out_of_solutions():
    problems = [Problem("a", "?", "#### 5"), Problem("b", "?", "#### 5", "text"), Problem("c", "?", "A", "choice")]
    assert [problem.answer for problem in extracted(problems)] == ["5", "#### 5", "A"]


def test_a_note_shows_the_first_three_that_were_taken():
    given = [Problem(str(number), "?", f"so\n#### {number}") for number in range(5)] + [Problem("x", "?", "9")]
    note = remark(given, extracted(given), "dataset.path=f")
    assert note is not None and note.startswith("dataset.path=f: 5 of 6 answers were taken out of a solution: '0' of ")
    assert "'2' of" in note and "'3' of" not in note
    assert remark(given[5:], extracted(given[5:]), "f") is None
