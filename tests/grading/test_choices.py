"""Which letter a text chooses."""

import time

import pytest

from leap_lab.grading.choices import choice
from leap_lab.grading.grade import read
from leap_lab.tasks.problem import Problem
from tests.grading.cases.letters import FINALS, WITH_OPTIONS
from tests.grading.cases.sentences import MORE_FINALS

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
    ("ANSWER: C because it is the only one left", "C"),
    ("The answer is C since B fails", "C"),
    ("**Answer:** C", "C"),
    ("**Answer:**\n\nC", "C"),
    (r"Answer: \text{C}", "C"),
    (r"Answer: \(C\)", "C"),
    ("ANSWER: `C`", "C"),
    ("ANSWER: C</s>", "C"),
    ("The correct option is C.", "C"),
    ("Correct option: (C)", "C"),
    ("The correct choice is **(C)** 42 J", "C"),
    ("ANSWER: C) 42 J", "C"),
    (r"The correct answer is C: $\boxed{10^{-4}}$", "C"),
    (r"\boxed{\text{(C) } 5}", "C"),
    (r"\boxed{\text{Option C}}", "C"),
    (r"\boxed{ANSWER: C}", "C"),
    (r"\boxed{\mathrm{C}}", "C"),
    ("It follows that\n\n(C)", "C"),
    ("ANSWER: C\n\nAnswer: A good one", "C"),
    ("either A or C, so the answer is C.", "C"),
    ("ANSWER: A, B", None),
    ("ANSWER: A or B", None),
    ("The answer is (C) or (D).", None),
    ("The answer is C-H", None),
    ("Answer: C=O", None),
    ("Answer: D2O", None),
    ("the answer is not C", None),
    ("The wrong answer is C", None),
    ("I rule out (A) and (C).", None),
    ("It is not (C).", None),
    ("is the answer C?", None),
    (r"\boxed{C = 5}", None),
    (r"\boxed{A, B}", None),
    (r"\boxed{A} \boxed 5", None),
    ("ANSWER: X", None),
]


def chosen(text, thinking="", options=("w", "x", "y", "z")):
    return read(text, thinking, Problem("q", "?", "A", "choice", options))[0]


@pytest.mark.parametrize(("text", "letter"), CHOICES + FINALS + MORE_FINALS)
def test_choices_are_read_by_letter(text, letter):
    assert chosen(text) == letter


@pytest.mark.parametrize(("options", "text", "letter"), WITH_OPTIONS)
def test_a_box_with_the_text_of_one_option_chooses_it(options, text, letter):
    assert chosen(text, options=options) == letter


def test_a_letter_with_another_options_text_chooses_nothing():
    options = ("Respiration", "Photosynthesis", "Osmosis", "Diffusion")
    assert chosen("B) Photosynthesis", options=options) == "B"
    assert chosen("B) Osmosis", options=options) is None
    assert chosen(r"\boxed{\text{(B) Osmosis}}", options=options) is None


def test_a_final_answer_that_is_no_letter_is_not_replaced_by_one_from_the_thinking():
    assert chosen("done", "ANSWER: B") == "B"
    assert chosen(r"\boxed{42}", "ANSWER: B") is None
    assert chosen("ANSWER: E", "ANSWER: B") is None


@pytest.mark.parametrize(
    "text",
    [
        "ANSWER" * 17_000,
        "answer is " * 10_000,
        "answer is" + " " * 100_000 + "x",
        "answer is C" + " " * 100_000 + "x",
        "answer: " + "(" * 100_000,
        "answer:" + "\\text{" * 16_000,
        "answer is C. " * 8_000,
        "If A is correct, " * 6_000,
        "I choose " * 11_000,
        "(A)" * 33_000,
        "(A) " * 25_000,
        "A) " * 33_000,
        "So " * 33_000,
        "(" * 100_000,
        "<answer>" * 12_000,
        "#" * 100_000,
        "* " * 50_000,
        " " * 100_000 + "C",
        "\n" * 100_000,
        "\\" * 100_000,
        "A is " * 20_000,
    ],
    ids=range(21),
)
def test_100_000_characters_are_read_in_linear_time(text):
    started = time.process_time()
    choice(text, 4, ("w", "x", "y", "z"))
    assert time.process_time() - started < 20  # seconds; quadratic reading takes minutes
