r"""Grading by tables: what counts as an answer, what is equal to what, and hostile text."""

import time

import pytest

from leap_lab.equality import Checker
from leap_lab.grading import Grade, count_aha, equal, extract, grade, integer
from leap_lab.path import Kind, Path
from leap_lab.problems import Problem

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
    (r"\boxed{3}</think> no box here", None),
    (r"</comment>\boxed{5}", "5"),
    (r"<b>\boxed{6}</b>", "6"),
    ("\x00\\boxed{7}\x07", "7"),
    ("\ud800\\boxed{8}", "8"),
    (r"\boxed{" + "9" * 3000 + "}", None),
    ("{" * 50 + r"\boxed{10}" + "}" * 3, "10"),
]
CHOICES = [  # text after the thinking, the letter (four options)
    ("ANSWER: C", "C"),
    ('"ANSWER": "C"', "C"),
    ('{"reason": "x", "ANSWER": "C"}', "C"),
    ("'ANSWER': 'C'", "C"),
    ("**ANSWER: C**", "C"),
    ("**ANSWER**: C", "C"),
    ("ANSWER:C", "C"),
    ("ANSWER = C", "C"),
    ("ANSWER: (C)", "C"),
    ("ANSWER: C.", "C"),
    ("ANSWER: C) because", "C"),
    ("ANSWER: $C$", "C"),
    ("ANSWER: A\nANSWER: B", "B"),
    ("Answer: D", "D"),
    ("the answer is C.", "C"),
    ("The answer is (C)", "C"),
    ("the correct answer is **C**", "C"),
    ("the answer is option C", "C"),
    ("Answer is: B", "B"),
    (r"\boxed{C}", "C"),
    (r"\boxed{\text{C}}", "C"),
    (r"\boxed{\textbf{(C)}}", "C"),
    (r"\boxed{(C)}", "C"),
    (r"\boxed{C. 42}", "C"),
    (r"\boxed{C) 42}", "C"),
    (r"The answer is $\boxed{B}$.", "B"),
    (r"ANSWER: A, no: \boxed{B}", "B"),
    ("(C)", "C"),
    ("So it must be (C).", "C"),
    ("C", "C"),
    ("**C**", "C"),
    ("C.", "C"),
    ("\nANSWER: C", "C"),
    (" C", "C"),
    ("A good question needs thought.", None),
    ("A", "A"),
    ("I think so.", None),
    ("the answer is A good one", None),
    ("The answer is Berlin", None),
    ("ANSWER: Carbon", None),
    ("ANSWER: E", None),
    (r"\boxed{E}", None),
    (r"\boxed{42}", None),
    (r"\boxed{C", None),
    (r"ANSWER: B and then \boxed{C", None),
    ("(c)", None),
    ("Option (B) looks wrong", None),
    ("", None),
    ("ABCD", None),
    ("ANSWER: C's", None),
]
EQUAL = [  # answer, gold, whether they are the same
    ("42", "42", True),
    ("042", "42", True),
    ("42", "042", True),
    ("+42", "42", True),
    ("-42", "42", False),
    ("-7", "-7", True),
    ("1,234", "1234", True),
    ("1{,}234", "1234", True),
    (r"1\,234", "1234", True),
    ("12,34", "1234", False),
    ("$42$", "42", True),
    ("42.", "42", True),
    (r"\text{42}", "42", True),
    ("43", "42", False),
    ("4", "42", False),
    ("142", "42", False),
    ("42.0", "42", True),
    (r"\frac{84}{2}", "42", True),
    ("41.9999", "42", False),
    ("²", "2", False),
    (r"\frac{1}{2}", "0.5", True),
    (r"\dfrac12", r"\frac{1}{2}", True),
    (r"\frac{1}{2}", r"\frac{1}{3}", False),
    (r"\sqrt{2}", r"\sqrt{2}", True),
    (r"2\sqrt{2}", r"\sqrt{8}", True),
    ("x+1", "2x+1", False),
    ("2x+1", "x+1", False),
    ("x+1", "1+x", True),
    ("(1,2)", "(1,2)", True),
    ("(1,2)", "(2,1)", False),
    (r"\{1,2\}", r"\{2,1\}", True),
    ("x=5", "5", True),
    ("", "5", False),
    ("no idea", "5", False),
    (r"\pi", "3.14159", False),
    ("<script>42</script>", "42", False),
]


def path_of(*parts: tuple[Kind, str]) -> Path:
    path = Path(0, 0)
    for kind, text in parts:
        path.add(kind, 0, range(max(1, len(text))), text)
    return path


@pytest.mark.parametrize(("text", "answer"), BOXES)
def test_the_last_box_decides(text, answer):
    assert extract(text) == answer


@pytest.mark.parametrize(("text", "letter"), CHOICES)
def test_choices_are_read_by_letter(text, letter):
    assert extract(text, kind="choice", letters=4) == letter


@pytest.mark.parametrize(("answer", "gold", "same"), EQUAL)
def test_equality(answer, gold, same):
    assert equal(answer, gold) is same


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
    path = path_of((Kind.THINK, "long"), (Kind.TRIGGER, "\n</think>"), (Kind.TRIGGER, "\n\n\\boxed{"), (Kind.FINAL, "2}."))
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
        "ANSWER" * 17_000,
        "answer is " * 10_000,
        "(" * 100_000,
        " " * 100_000 + "C",
        "\\boxed" * 17_000,
        "let me " * 15_000,
    ],
    ids=range(9),
)
def test_100_000_characters_are_read_in_linear_time(text):
    started = time.process_time()
    extract(text)
    extract(text, kind="choice")
    count_aha(text)
    assert time.process_time() - started < 20  # seconds; quadratic reading takes minutes


@pytest.mark.parametrize("text", ["42", "+0042", "$1,000$", "-3."])
def test_integers_never_reach_the_worker(text):
    assert integer(text) is not None


def test_a_comparison_that_never_ends_is_not_equal_and_the_next_one_works():
    checker = Checker(seconds=1.0)
    try:
        assert checker.equal(r"\frac{1}{2}", "0.5")
        assert not checker.equal("9^{9^{9^9}}", "5")
        assert checker.equal(r"\frac{1}{4}", "0.25")
    finally:
        checker.close()


def test_aha_moments_are_whole_words():
    assert count_aha("Wait, that is off. Hmm, let me double-check. Actually no.") == 4
    assert count_aha("waiting awaits factually hummus") == 0
