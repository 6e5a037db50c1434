"""Which candidate a text names, and how many comparisons a knock-out takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leap_lab.methods.genselect import chosen, comparisons, windows


@given(st.integers(1, 200), st.integers(2, 20))
def test_windows_hold_everything_once_and_comparisons_are_counted(count, window):
    left, total = list(range(count)), 0
    while len(left) > 1:
        groups = list(windows(left, window))
        assert [each for group in groups for each in group] == left
        sizes = [len(group) for group in groups]
        assert max(sizes) <= window and max(sizes) - min(sizes) <= 1 and len(groups) == -(-len(left) // window)
        total += sum(size > 1 for size in sizes)
        left = [group[0] for group in groups]
    assert comparisons(count, window) == total


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("BEST: 2", 1),
        ("so\n**BEST: 3**", 2),
        ("**BEST**: 1", 0),
        ("best:1.", 0),
        ("BEST: \\boxed{3}", 2),
        ("BEST: Answer 2 is right", 1),
        ("BEST: candidate #3", 2),
        ("BEST\uff1a 2", 1),
        ("BEST: 1\nBEST: 3", 2),
        ("BEST: X, where X is 2", None),
        ("BEST: 1\nno, BEST: 0", None),
        ("BEST: 4", None),
        ("BEST: 2.5", None),
        ("BEST: -2", None),
        ("BEST: 12", None),
        (f"BEST: {'9' * 5000}", None),
        ("BEST: \u0663", None),
        ("the best 2 are good", None),
        ("BEST:", None),
        ("", None),
        ("Answer 2", None),
        ("\\boxed{2}", None),
    ],
)
def test_the_last_number_that_is_named_counts(text, index):
    assert chosen(text, 3) == index


@given(st.text(), st.integers(1, 9))
def test_any_text_names_a_candidate_or_none(text, count):
    assert chosen(text, count) in (None, *range(count))


@given(st.text(alphabet="BEST: 0123456789\n*{}\\x"), st.integers(1, 8), st.integers(1, 8))
def test_what_stands_before_the_last_line_makes_no_difference(text, count, number):
    expected = number - 1 if number <= count else None
    assert chosen(f"{text}\nBEST: {number}", count) == expected
