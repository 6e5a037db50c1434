r"""Grading a path: by its own words alone, by the grader of its kind."""

import time

import pytest

from leap_lab.errors import UserError
from leap_lab.grading.grade import Grade, check_golds, count_aha, grade, read
from leap_lab.path import Kind, Path
from leap_lab.tasks.problem import Problem

QUESTION = Problem("q", "1+1", "2")


def path_of(*parts: tuple[Kind, str]) -> Path:
    path = Path(0, 0)
    for kind, text in parts:
        path.add(kind, 0, range(max(1, len(text))), text)
    return path


def test_a_peers_box_is_nobodys_answer():
    peers = (Kind.COMMENT, '<comment>\nPeer 1: "\\boxed{2}"\n</comment>')
    asked = (Kind.TRIGGER, "\\boxed{2} ")
    silent = path_of((Kind.PROMPT, "\\boxed{2}"), (Kind.THINK, "hm"), asked, peers, (Kind.FINAL, "I do not know"))
    assert grade(silent, QUESTION) == Grade(None, False, "none")
    wrong = path_of((Kind.THINK, "\\boxed{3}"), peers, (Kind.THINK, "still</think>"))
    assert grade(wrong, QUESTION) == Grade("3", False, "recovered")


def test_a_beginning_is_graded_with_the_paths_own_words():
    path = path_of((Kind.PREFIX, "so \\boxed{"), (Kind.THINK, "2}"))
    assert grade(path, QUESTION).correct


def test_a_forced_answer_is_read_behind_its_opening():
    path = path_of(
        (Kind.THINK, "long"), (Kind.TRIGGER, "\n</think>"), (Kind.TRIGGER, "\n\n\\boxed{"), (Kind.FINAL, "2}.")
    )
    path.forced_at = 2
    assert grade(path, QUESTION) == Grade("2", True, "clean")
    letter = path_of((Kind.TRIGGER, "\n\nANSWER:"), (Kind.FINAL, " B"))
    letter.forced_at = 0
    assert grade(letter, Problem("q", "?", "B", "choice", ("x", "y"))) == Grade("B", True, "clean")


def test_words_after_a_closing_tag_inside_the_thinking_come_after_the_thinking():
    assert read("", "\\boxed{1}</think>\n\\boxed{2}", QUESTION) == ("2", "clean")
    assert read("xed{2}", "\\boxed{1}</think>\n\\bo", QUESTION) == ("2", "clean")


def test_the_first_row_whose_gold_no_answer_can_equal_is_named():
    good = Problem("a", "1+1", "2")
    bad = Problem("b", "2+2", r"\boxed{4}")
    check_golds([good, good], "dataset.path=x.jsonl")
    with pytest.raises(UserError, match=r"dataset\.path=x\.jsonl, row 2 \(id b\): answer .*boxed.*the answer alone"):
        check_golds([good, bad], "dataset.path=x.jsonl")
    with pytest.raises(UserError, match=r"dataset\.path=x\.jsonl, row 1 \(id c\): kind='matth'"):
        check_golds([Problem("c", "?", "2", "matth")], "dataset.path=x.jsonl")


def test_aha_moments_are_whole_words():
    assert count_aha("Wait, that is off. Hmm, let me double-check. Actually no.") == 4
    assert count_aha("waiting awaits factually hummus") == 0


def test_aha_moments_are_counted_in_linear_time():
    started = time.process_time()
    count_aha("let me " * 15_000)
    assert time.process_time() - started < 20  # seconds; quadratic reading takes minutes
