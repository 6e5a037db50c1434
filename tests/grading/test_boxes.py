r"""Which box of a text is its answer."""

import time

import pytest

from leap_lab.grading.boxes import last_box
from leap_lab.grading.grade import read
from leap_lab.tasks.problem import Problem
from tests.grading.cases.boxes import FINALS, WITH_THINKING

QUESTION = Problem("q", "1+1", "2")
BOXES = [  # text after the thinking, the answer
    (r"\boxed{42}", "42"),
    (r"The answer is $\boxed{42}$.", "42"),
    (r"\boxed{ 42 }", "42"),
    (r"\boxed {42}", "42"),
    (r"\boxed{1} then \boxed{2}", "2"),
    (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
    (r"\boxed{\sqrt{\frac{a}{b}}}", r"\sqrt{\frac{a}{b}}"),
    (r"\boxed{\{1,2\}}", r"\{1,2\}"),
    (r"\boxed{\left\{x\right.}", r"\left\{x\right."),
    (r"\[\boxed{x^{2}+1}\]", "x^{2}+1"),
    (r"\boxed{\text{no solution}}", r"\text{no solution}"),
    (r"\boxed{\boxed{7}}", "7"),
    ("\\boxed{4\n2}", "4\n2"),
    (r"\boxed{12} and \boxed{13", None),
    (r"\boxed{13", None),
    (r"\boxed{", None),
    (r"\boxed{}", None),
    (r"\boxed{ }", None),
    (r"\boxed 5", None),
    (r"\boxed{8} see \boxed above", "8"),
    (r"\fbox{9}", None),
    ("42", None),
    ("", None),
    ("the answer is 42", None),
    (r"boxed{42}", None),
    (r"\boxed{3}</think>\boxed{4}", "4"),
    (r"\boxed{3}</think> no box here", "3"),
    (r"\boxed{3</think> \boxed{4}", "4"),
    (r"\boxed{3}</think> \boxed{4", None),
    (r"\boxed{3} </think> I put it in \boxed{}.", "3"),
    (r"\boxed{1} \boxed 5", None),
    (r"\boxed{1} \boxed\frac12", None),
    (r"$\boxed{8}$, as asked in \(\boxed\)", "8"),
    (r"\boxedtext{1}", None),
    (r"\boxed{5\}", None),
    (r"\boxed{\text{a \} b}}", r"\text{a \} b}"),
    (r"\boxed{\begin{cases} 1 \\ 2 \end{cases}}", r"\begin{cases} 1 \\ 2 \end{cases}"),
    (r"\boxed{1}}}}}", "1"),
    (r"<comment>\boxed{2}</comment>", "2"),
    ("\x08oxed{7}", None),
    (r"</comment>\boxed{5}", "5"),
    (r"<b>\boxed{6}</b>", "6"),
    ("\x00\\boxed{7}\x07", "7"),
    ("\ud800\\boxed{8}", "8"),
    (r"\boxed{" + "9" * 3000 + "}", None),
    ("{" * 50 + r"\boxed{10}" + "}" * 3, "10"),
]


@pytest.mark.parametrize(("text", "answer"), BOXES + FINALS)
def test_the_last_box_decides(text, answer):
    assert read(text, "", QUESTION)[0] == answer


@pytest.mark.parametrize(("thinking", "final", "answer", "note"), WITH_THINKING)
def test_the_thinking_counts_only_where_the_answer_states_nothing(thinking, final, answer, note):
    assert read(final, thinking, QUESTION) == (answer, note)


def test_an_empty_box_does_not_hide_that_the_text_broke_off():
    assert last_box(r"\boxed{1} \boxed{}").answer == "1"
    assert last_box(r"\boxed{1} \boxed{2 \boxed{}").answer is None
    assert last_box(r"\boxed{} \boxed{...}") is None


@pytest.mark.parametrize(
    "text",
    [
        "\\boxed{" * 14_000,
        "\\boxed{}" * 12_000,
        "\\boxed{" * 6_000 + "}" * 6_000,
        "\\boxed{...}" * 9_000,
        "{" * 100_000,
        "\\boxed{1}" + "}" * 100_000,
        "\\boxed{" + "(" * 1_900 + "}",
        "\\boxed{" + "\\text{" * 300 + "}" * 301,
        "\\boxed" * 17_000,
        "\\" * 100_000,
    ],
    ids=range(10),
)
def test_100_000_characters_are_read_in_linear_time(text):
    started = time.process_time()
    last_box(text)
    assert time.process_time() - started < 10  # seconds; quadratic reading takes minutes
