"""Word problems: new ones for every seed, the same ones for the same seed, every answer a natural number."""

import pytest

from leap_lab.errors import UserError
from leap_lab.tasks.word_problems import MOST_MADE, STORIES, WordProblems


def test_a_larger_count_begins_with_the_same_problems():
    few, many = WordProblems(20, 0).load(), WordProblems(200, 0).load()
    assert few == many[:20]
    assert len({problem.text for problem in many}) == 200
    assert WordProblems(20, 1).load() != few


def test_every_answer_is_a_positive_integer_and_every_story_is_told():
    problems = WordProblems(1000, 3).load()
    assert all(int(problem.answer) > 0 for problem in problems)
    asked = {problem.text.rpartition(". ")[2] for problem in problems[: len(STORIES)]}
    assert len(asked) == len(STORIES)


def test_an_answer_worked_out_by_hand():
    (hens, *_) = WordProblems(1, 0).load()
    assert "16 hens" in hens.text and "eats 2" in hens.text and "4 dollars" in hens.text
    assert hens.answer == str(7 * (16 - 2) * 4)


@pytest.mark.parametrize(("count", "seed"), [(0, 0), (MOST_MADE + 1, 0), (5, -1), (True, 0)])
def test_bad_settings_are_one_line(count, seed):
    with pytest.raises(UserError, match=r"dataset\.(count|seed)="):
        WordProblems(count, seed).load()
