r"""Grading by tables: what counts as an answer, what is equal to what, and hostile text."""

import concurrent.futures
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from leap_lab.grading.checker import WORKER, Checker
from leap_lab.grading.equality import number
from leap_lab.grading.grade import Grade, count_aha, equal, extract, grade
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
    ("<b>42</b> 42", "42", False),
    ("−42", "-42", True),
    ("- 42", "-42", True),
    ("-0", "0", True),
    ("42.000", "42", True),
    ("42.0000000001", "42", False),
    ("4 2", "42", False),
    ("7 20", "720", False),
    ("3 4", "7", False),
    (r"42\quad 1", "43", False),
    (r"4\,2", "42", False),
    ("10 000", "10000", True),
    ("1,23", "123", False),
    ("1,2345", "12345", False),
    (r"\$1,234", "1234", True),
    ("9" * 1500, "9" * 1500 + ".0", True),
    ("9" * 1500, "9" * 1499 + "8", False),
    ("42 @ 7", "7", False),
    ("I think it may be @ 42", "42", False),
    (r"garbage @ \frac{1}{2}", r"\frac{1}{2}", False),
    ("5$ or $42", "42", False),
    (r"42\text{ or }43", "42", False),
    ("42, 43", "42", False),
    (r"42 \text{ is wrong}", "42", False),
    (r"\text{not } 42", "42", False),
    (r"x \neq 42", "42", False),
    (r"42\ldots", "42", False),
    ("42!", "42", False),
    ("31_8", "31", False),
    (r"\boxed{42}+1", "42", False),
    ("4\x002", "42", False),
    ("42\u200b", "42", True),
    ("４２", "42", False),
    ("\ud80042", "42", False),
    (r"42\text{ minutes}", "42", True),
    (r"42^\circ", "42", True),
    (r"\mathbf{42}", "42", True),
    (r"m+n = 42", "42", True),
    (r"2+40=42", "42", True),
    (r"2^{10}", "1024", True),
    (r"\sqrt{1764}", "42", True),
    (r"\frac{84.0000001}{2}", "42", False),
    (r"25\%", "0.25", True),
    (r"(x-1)(x+1)", "x^2-1", True),
    (r"\text{odd} ", r"\text{odd}", True),
    ("[0,1)", "(0,1)", False),
    ("1 1/2", "1", False),
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


@pytest.mark.parametrize("text", ["\\text{" * 300, " " * 1_999 + "x", "1," * 900 + "1", "\\," * 600 + "1"])
def test_a_long_answer_is_compared_in_linear_time(text):
    assert not equal(text, "5")


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("42", "42"),
        ("+0042", "42"),
        ("$1,000$", "1000"),
        ("-3.", "-3"),
        (r"-1{,}050.50", "-1050.5"),
        (".50", "0.5"),
        ("-0.0", "0"),
        ("x", None),
        ("1,0", None),
        ("", None),
        (".", None),
        ("٤٢", None),
    ],
)
def test_a_number_has_one_spelling(text, spelling):
    assert number(text) == spelling


def test_numbers_and_letters_need_no_worker_and_no_main_module_is_needed_for_one():
    script = r"""
import os, sys
from leap_lab.grading.grade import equal
assert equal("042", "42") and not equal("41", "42.5") and equal("c", "C", "choice")
assert not {"sympy", "math_verify", "datasets"} & set(sys.modules)
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("no worker")
print(equal(r"\frac{1}{2}", "1/2"))
"""
    done = subprocess.run([sys.executable, "-"], input=script, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["no worker", "True"]


@pytest.fixture
def checker():
    checker = Checker(seconds=1.0)
    assert checker.equal(r"\frac{1}{2}", "0.5")
    yield checker
    checker.close()


def workers():
    """Process ids of the workers of this process."""
    running = set()
    for status in pathlib.Path("/proc").glob("[0-9]*/status"):
        try:
            ours = f"PPid:\t{os.getpid()}\n" in status.read_text()
            if ours and str(WORKER).encode() in status.with_name("cmdline").read_bytes():
                running.add(int(status.parent.name))
        except OSError:
            continue
    return running


@pytest.mark.parametrize("hostile", ["9^{9^{9^9}}", "25!!", "(" * 2_000 + ")" * 2_000])
def test_a_comparison_that_never_ends_is_not_equal_and_the_next_one_works(checker, hostile):
    assert not checker.equal(hostile, "5")
    assert checker.equal(r"\frac{1}{4}", "0.25")


def test_a_worker_that_was_killed_from_outside_is_asked_again():
    others = workers()
    checker = Checker()
    assert checker.equal("x+1", "1+x")
    (worker,) = workers() - others
    os.kill(worker, signal.SIGKILL)
    assert checker.equal("x+1", "1+x")
    checker.close()
    assert workers() <= others


def test_a_reply_that_nobody_waited_for_meets_no_other_question(checker):
    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with pytest.raises(KeyboardInterrupt):
            checker.equal("9^{9^{9^9}}", "5")
    finally:
        signal.signal(signal.SIGALRM, before)
    assert checker.equal("x+1", "1+x")


def test_many_threads_can_ask_at_once(checker):
    cases = [("x+1", "1+x", True), ("x+1", "2x+1", False)] * 8
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda case: checker.equal(*case[:2]), cases))
    assert replies == [case[2] for case in cases]


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
