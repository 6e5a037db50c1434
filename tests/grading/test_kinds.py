r"""A problem's kind names its grader; each reads, compares and refuses golds in its own way."""

import sys

import pytest

from leap_lab.errors import UserError
from leap_lab.grading.base import Grader, grader_of
from leap_lab.grading.grade import check_golds, equal, read
from leap_lab.tasks.arithmetic import generate
from leap_lab.tasks.problem import Problem

GOLDS = [  # kind, gold, a right answer, a wrong one
    ("math", r"\frac{1}{2}", "0.5", "0.51"),
    ("choice", "B", "b", "C"),
    ("text", "Evelyn", r"\text{evelyn}", "Evan"),
    ("text", "x+1", "x+1", "1+x"),
    ("several", '["2", "two apples"]', "2.0", "3"),
    ("several", '["2", "two apples"]', r"\text{Two apples}", "two pears"),
    ("list", '["1", "0.5"]', r"(1, \frac12)", r"\frac12, 1"),
    ("list", '["Ann", "Bob"]', r"\text{Ann, Bob}", "Bob, Ann"),
    ("list", '["1", "2"]', "[1; 2]", "1, 2, 3"),
]
REFUSED = [  # kind, a gold that no answer could equal
    ("math", r"\boxed{55}"),
    ("math", "The answer is 55"),
    ("math", "She has 51. Then 51+4=<<51+4=55>>55.\n#### 55"),
    ("math", "Answer: 55"),
    ("math", "First we add the two numbers, then we take away four of them, and what is left of it all is 55."),
    ("math", "5}"),
    ("math", "{5"),
    ("math", "..."),
    ("math", ""),
    ("text", r"\boxed{yes}"),
    ("text", "The answer is yes"),
    ("text", "..."),
    ("choice", "E"),
    ("choice", "yes"),
    ("several", "2"),
    ("several", "[]"),
    ("several", '["2", ""]'),
    ("several", '["2", 3'),
    ("several", r'["2", "\\boxed{3}"]'),
    ("list", "1, 2"),
    ("list", '["1, 2", "3"]'),
]


def problem(kind, gold):
    return Problem("q", "?", gold, kind, ("w", "x", "y", "z") if kind == "choice" else ())


@pytest.mark.parametrize(("kind", "gold", "right", "wrong"), GOLDS)
def test_each_kind_compares_in_its_own_way(kind, gold, right, wrong):
    question = problem(kind, gold)
    assert grader_of(kind).check_gold(question) is None
    assert equal(right, question)
    assert not equal(wrong, question)


@pytest.mark.parametrize(("kind", "gold", "right", "wrong"), GOLDS)
def test_the_gold_as_a_model_writes_it_is_read_and_right(kind, gold, right, wrong):
    question = problem(kind, gold)
    written = f"ANSWER: {right}" if kind == "choice" else rf"\boxed{{{right}}}"
    answer, note = read(written, "", question)
    assert (note, equal(answer, question)) == ("clean", True)


@pytest.mark.parametrize(("kind", "gold"), REFUSED)
def test_a_gold_that_no_answer_could_equal_is_found(kind, gold):
    reason = grader_of(kind).check_gold(problem(kind, gold))
    assert reason
    assert "\n" not in reason


@pytest.mark.parametrize(
    "kind", ["nonsense", "no_such_module.Grader", "json.loads", "leap_lab.grading.base.KINDS", ".x", ""]
)
def test_an_unknown_kind_is_one_line(kind):
    with pytest.raises(UserError, match="kind=") as caught:
        grader_of(kind)
    assert "\n" not in str(caught.value)


def test_the_kinds_are_listed_where_one_is_unknown():
    with pytest.raises(UserError, match="choice, list, math, several, text, or my_module.MyGrader"):
        grader_of("matth")


def test_a_grader_of_your_own_is_a_kind_by_its_address(tmp_path, monkeypatch):
    (tmp_path / "shouting.py").write_text(
        """
from leap_lab.grading.base import Grader

class Shouting(Grader):
    def extract(self, final, thinking, problem):
        words = [word for word in (final or thinking).split() if word.isupper()]
        return words[-1] if words else None

    def equal(self, answer, gold, problem):
        return answer == gold.upper()

    def written(self, gold, problem):
        return gold.upper()
"""
    )
    monkeypatch.syspath_prepend(tmp_path)
    question = Problem("q", "?", "yes", "shouting.Shouting")
    assert isinstance(grader_of("shouting.Shouting"), Grader)
    assert grader_of("shouting.Shouting").check_gold(question) is None
    assert read("I say YES", "", question) == ("YES", "clean")
    assert read("", "I say YES", question) == ("YES", "recovered")
    assert equal("YES", question)
    del sys.modules["shouting"]


def test_the_golds_of_the_built_in_task_are_answers():
    check_golds(generate(200, 0), "dataset=arithmetic")
