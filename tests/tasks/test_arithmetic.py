"""The built-in task: answers, ranges, levels, splits."""

import re

import pytest

from leap_lab.tasks.arithmetic import HIGHEST, LOWEST, generate, level_of, split_of


def values(text: str) -> dict[str, int]:
    """Evaluate a problem the slow way."""
    known: dict[str, int] = {}
    for name, left, sign, right in re.findall(r"^(\w)=(\w+)([+-])(\d+)$", text, re.MULTILINE):
        base = known[left] if left in known else int(left)
        known[name] = base + int(right) if sign == "+" else base - int(right)
    return known


@pytest.mark.parametrize("split", ["train", "test"])
def test_answers_are_those_of_the_chain(split):
    for problem in generate(200, seed=3, split=split):
        known = values(problem.text)
        asked = problem.text.splitlines()[-1].removeprefix("What is ").removesuffix("?")
        assert str(known[asked]) == problem.answer
        assert 6 <= len(known) <= 10
        assert all(LOWEST <= value <= HIGHEST for value in known.values())


def test_levels_come_in_turn_and_are_read_off_the_first_sum():
    problems = generate(50, seed=1, levels=(2, 5))
    levels = [level_of(int(re.search(r"\+(\d+)$", problem.text, re.MULTILINE)[1])) for problem in problems]
    assert levels == [2, 5] * 25


def test_the_splits_share_no_problem_under_any_seeds():
    train = {problem.text for seed in range(5) for problem in generate(300, seed, "train")}
    test = {problem.text for seed in range(5) for problem in generate(300, seed, "test")}
    assert not train & test
    assert {split_of(text) for text in train} == {"train"}
    assert {split_of(text) for text in test} == {"test"}


def test_a_seed_gives_the_same_problems_and_more_of_them_extend_it():
    assert generate(20, seed=4) == generate(40, seed=4)[:20]
    assert {problem.text for problem in generate(40, seed=4)} != {problem.text for problem in generate(40, seed=5)}
    assert len({problem.id for problem in generate(40, seed=4)}) == 40
    assert len({problem.text for problem in generate(400, seed=4)}) == 400


def test_steps_set_the_length_of_the_chain():
    assert {len(values(problem.text)) for problem in generate(30, seed=0, steps=(4,))} == {4}
