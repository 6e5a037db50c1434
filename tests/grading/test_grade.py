r"""Grading by tables: what counts as an answer, what is equal to what, and hostile text."""

import time

import pytest

from leap_lab.grading.grade import Grade, count_aha, extract, grade
from leap_lab.path import Kind, Path
from leap_lab.tasks.problem import Problem

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
    (r"\boxed{3} </think> I put it in \boxed{}.", None),
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


def path_of(*parts: tuple[Kind, str]) -> Path:
    path = Path(0, 0)
    for kind, text in parts:
        path.add(kind, 0, range(max(1, len(text))), text)
    return path


@pytest.mark.parametrize(("text", "answer"), BOXES)
def test_the_last_box_decides(text, answer):
    assert extract(text) == answer


def test_the_thinking_counts_only_where_the_answer_holds_no_box():
    assert extract("done", r"\boxed{1} \boxed{2}") == "2"
    assert extract(r"\boxed{3}", r"\boxed{1}") == "3"
    assert extract(r"\boxed{3", r"\boxed{1}") is None
    assert extract("", r"\boxed{1} \boxed{2") is None


def test_a_peers_box_is_nobodys_answer():
    peers = (Kind.COMMENT, '<comment>\nPeer 1: "\\boxed{2}"\n</comment>')
    asked = (Kind.TRIGGER, "\\boxed{2} ")
    silent = path_of((Kind.PROMPT, "\\boxed{2}"), (Kind.THINK, "hm"), asked, peers, (Kind.FINAL, "I do not know"))
    assert grade(silent, Problem("q", "1+1", "2")) == Grade(None, False)
    wrong = path_of((Kind.THINK, "\\boxed{3}"), peers, (Kind.THINK, "still</think>"))
    assert grade(wrong, Problem("q", "1+1", "2")) == Grade("3", False)


def test_a_beginning_is_graded_with_the_paths_own_words():
    path = path_of((Kind.PREFIX, "so \\boxed{"), (Kind.THINK, "2}"))
    assert grade(path, Problem("q", "1+1", "2")).correct


def test_a_forced_answer_is_read_behind_its_opening():
    path = path_of(
        (Kind.THINK, "long"), (Kind.TRIGGER, "\n</think>"), (Kind.TRIGGER, "\n\n\\boxed{"), (Kind.FINAL, "2}.")
    )
    path.forced_at = 2
    assert grade(path, Problem("q", "1+1", "2")) == Grade("2", True)
    letter = path_of((Kind.TRIGGER, "\n\nANSWER:"), (Kind.FINAL, " B"))
    letter.forced_at = 0
    assert grade(letter, Problem("q", "?", "B", "choice", ("x", "y"))) == Grade("B", True)


@pytest.mark.parametrize(
    "text",
    [
        "\\boxed{" * 14_000,
        "{" * 100_000,
        "\\boxed{1}" + "}" * 100_000,
        "\\boxed{" + "(" * 1_900 + "}",
        "ANSWER" * 17_000,
        "answer is " * 10_000,
        "answer is" + " " * 100_000 + "x",
        "answer is C" + " " * 100_000 + "x",
        "answer: " + "(" * 100_000,
        "answer:" + "\\text{" * 16_000,
        "(A)" * 33_000,
        "(" * 100_000,
        " " * 100_000 + "C",
        "\n" * 100_000,
        "\\" * 100_000,
        "\\boxed" * 17_000,
        "let me " * 15_000,
    ],
    ids=range(17),
)
def test_100_000_characters_are_read_in_linear_time(text):
    started = time.process_time()
    extract(text)
    extract(text, kind="choice")
    count_aha(text)
    assert time.process_time() - started < 20  # seconds; quadratic reading takes minutes


def test_words_after_a_closing_tag_inside_the_thinking_come_after_the_thinking():
    assert extract("", "\\boxed{1}</think>\n\\boxed{2}") == "2"
    assert extract("xed{2}", "\\boxed{1}</think>\n\\bo") == "2"


def test_a_final_answer_that_is_no_letter_is_not_replaced_by_one_from_the_thinking():
    assert extract("done", "ANSWER: B", kind="choice", letters=4) == "B"
    assert extract(r"\boxed{42}", "ANSWER: B", kind="choice", letters=4) is None
    assert extract("ANSWER: E", "ANSWER: B", kind="choice", letters=4) is None


def test_aha_moments_are_whole_words():
    assert count_aha("Wait, that is off. Hmm, let me double-check. Actually no.") == 4
    assert count_aha("waiting awaits factually hummus") == 0
