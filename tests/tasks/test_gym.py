"""Problems of reasoning-gym: fresh by seed, graded by the package's own scorers."""

import json

import pytest

from leap_lab.errors import UserError
from leap_lab.grading.grade import equal, read
from leap_lab.tasks.gym import ReasoningGym

pytest.importorskip("reasoning_gym", reason="the extra gym is not installed")

TASKS = ("chain_sum", "knights_knaves", "word_sorting", "basic_arithmetic", "gcd")


@pytest.mark.parametrize("task", TASKS)
def test_right_answers_are_right_and_others_are_wrong(task):
    for problem in ReasoningGym(task, count=5).load():
        answer = json.loads(problem.answer)["answer"]
        found, note = read(rf"So it is \boxed{{{answer}}}.", "", problem)
        assert note == "clean" and equal(found, problem)
        assert not equal("nonsense", problem)


def test_a_seed_is_a_set_of_problems():
    first, again, other = (ReasoningGym("chain_sum", 4, seed).load() for seed in (1, 1, 2))
    assert first == again
    assert not {problem.text for problem in first} & {problem.text for problem in other}
    assert ReasoningGym("chain_sum", 2, 1).load() == first[:2], "more problems leave the first as they are"


def test_settings_of_the_task_are_handed_on():
    short = ReasoningGym("chain_sum", 3, settings={"min_terms": 2, "max_terms": 2}).load()
    assert all(problem.text.count(" + ") + problem.text.count(" - ") == 1 for problem in short)


def test_a_scorer_may_accept_another_answer_than_the_gold():
    """Knights and knaves may be named in any order."""
    problem = ReasoningGym("knights_knaves", 1).load()[0]
    gold = json.loads(problem.answer)["answer"]
    assert equal(gold, problem) and equal(gold.rstrip("."), problem)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"task": "chain_sums"}, "dataset.task=chain_sums: no such task of reasoning-gym; there are chain_sum"),
        ({"task": "chain_sum", "settings": {"terms": 2}}, "dataset.settings=.*: chain_sum refuses them"),
        ({"task": "chain_sum", "settings": {"min_terms": 0}}, "chain_sum refuses them"),
    ],
)
def test_what_the_package_does_not_have_is_one_line(settings, message):
    with pytest.raises(UserError, match=message):
        ReasoningGym(**settings).load()
