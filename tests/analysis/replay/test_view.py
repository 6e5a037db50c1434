"""What a policy sees: what has happened, and nothing else."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analysis.replay import policies
from analysis.replay.records import CONFIDENCES, Record
from analysis.replay.view import Group, NotYet, Policy, Votes, play
from tests.analysis.replay.known import at_random, record, said

QUICK = {"parallel_probe": {"warmup": 2, "patience": 2, "stable": 4}, "short": {"m": 2}, "esc": {"window": 2}}
Call = tuple[int, str, tuple[Any, ...]]


class Spied(Group):
    """A group that keeps what was done to it, and when."""

    def __init__(self, record: Record, order: Sequence[int], size: int) -> None:
        super().__init__(record, order, size)
        self.calls: list[Call] = []

    def start(self, count: int | None = None) -> list[int]:
        self.calls.append((self.now, "start", (count,)))
        return super().start(count)

    def next_end(self) -> int | None:
        self.calls.append((self.now, "next_end", ()))
        return super().next_end()

    def finish(self) -> list[int]:
        self.calls.append((self.now, "finish", ()))
        return super().finish()

    def advance(self, tokens: int) -> None:
        self.calls.append((self.now, "advance", (tokens,)))
        super().advance(tokens)

    def stop(self, path: int) -> None:
        self.calls.append((self.now, "stop", (path,)))
        super().stop(path)


def decided(policy: Policy, of: Record, order: Sequence[int]) -> tuple[Spied, dict[int, float]]:
    group = Spied(of, order, len(order))
    return group, dict(policy(group))


def another_future(of: Record, order: Sequence[int], begun: Sequence[int], now: int, seed: int) -> Record:
    """The same record up to `now` and another one after it; `begun` has the starts of the paths, in their order.

    Answers have other numbers throughout, since those of a run tell which were given first in the whole group.
    """
    rng = np.random.default_rng(seed)
    assert of.step is not None
    lengths, answers, probes = list(of.lengths), list(of.answers), list(of.probes)
    scores = {name: list(own or ()) for name, own in of.scores.items()}
    for place, path in enumerate(order):
        lived = now - begun[place] if place < len(begun) and begun[place] <= now else -1
        if 0 <= lengths[path] <= lived:
            continue
        kept = probes[path][: max(0, lived) // of.step]
        lengths[path] = max(0, lived) + int(rng.integers(1, 200))
        more = max(0, (lengths[path] - 1) // of.step - len(kept))
        answers[path], probes[path] = said(rng), (*kept, *(said(rng) for _ in range(more)))
        for own in scores.values():
            own[path] = float(rng.uniform(5, 20))
    names = [int(name) for name in rng.permutation(len(of.worth))]

    def renamed(answer: int | None) -> int | None:
        return None if answer is None else names[answer]

    return replace(
        of,
        lengths=tuple(lengths),
        answers=tuple(map(renamed, answers)),
        probes=tuple(tuple(map(renamed, own)) for own in probes),
        scores={name: tuple(own) for name, own in scores.items()},
    )


def check_it_does_not_see_the_future(policy: Policy) -> None:
    """Whatever happens after a moment, what a policy does until then is the same, and so are votes that it has cast."""
    for seed in range(15):
        rng = np.random.default_rng(seed)
        of, order = at_random(seed), [int(path) for path in rng.permutation(12)]
        group, votes = decided(policy, of, order)
        for now in {0, group.now, *(int(moment) for moment in rng.integers(0, group.now + 1, 6))}:
            other, others = decided(policy, another_future(of, order, group._begun, now, seed + now), order)
            assert [call for call in other.calls if call[0] <= now] == [call for call in group.calls if call[0] <= now]
            if group.now <= now:
                assert others == votes and other.sampled == group.sampled


def with_settings(policy: Policy) -> Policy:
    settings = QUICK.get(policy.__name__, {})  # type: ignore[attr-defined]
    return lambda group: policy(group, **settings)


@pytest.mark.parametrize("policy", policies.ALL, ids=lambda policy: policy.__name__)
def test_no_policy_sees_the_future(policy: Policy) -> None:
    check_it_does_not_see_the_future(policy)
    check_it_does_not_see_the_future(with_settings(policy))


def peeks_at_lengths(group: Group) -> Votes:
    group.start()
    group.advance(1 + min(group._record.lengths) % 7)
    return {}


def breaks_ties_by_recorded_numbers(group: Group) -> Votes:
    group.start()
    first = group.next_end()
    while first is not None and group.running and (group._record.answers[group._order[first]] or 0) < 2:
        group.next_end()
    return group.votes()


@pytest.mark.parametrize("cheat", [peeks_at_lengths, breaks_ties_by_recorded_numbers])
def test_a_policy_that_sees_the_future_is_found(cheat: Policy) -> None:
    with pytest.raises(AssertionError):
        check_it_does_not_see_the_future(cheat)


def group(*lengths: int, answers: Sequence[int | None] = (), **more: Any) -> Group:
    return Group(record(lengths, answers or [1] * len(lengths), **more), range(len(lengths)), len(lengths))


def test_time_passes_for_running_paths_alone() -> None:
    three = group(10, 30, 20)
    assert three.start(2) == [0, 1] and three.now == 0
    three.advance(5)
    assert (three.now, three.tokens(0), three.tokens(1)) == (5, 5, 5)
    assert three.next_end() == 0 and three.now == 10
    assert three.start() == [2] and three.start() == [] and three.start(1) == []
    three.advance(5)
    three.stop(1)
    assert (three.tokens(1), three.tokens(2)) == (15, 5)
    three.advance(100)
    assert three.now == 30 and three.tokens(2) == 20, "the clock stops when no path runs"
    assert three.ended == [0, 2] and three.next_end() is None and three.finish() == [0, 2]
    assert three.sampled == 10 + 15 + 20


def test_a_stopped_path_is_passed_over() -> None:
    three = group(10, 20, 30)
    three.start()
    three.stop(0)
    three.advance(12)
    assert three.now == 12 and three.ended == []
    assert three.next_end() == 1 and three.now == 20


@pytest.mark.parametrize(
    "reads",
    [
        lambda group: group.answer(0),
        lambda group: group.confidence(0),
        lambda group: group.answer(1),
        lambda group: group.says(2),
        lambda group: group.tokens(2),
        lambda group: group.stop(2),
        lambda group: group.stop(1),
        lambda group: (group.advance(50), group.stop(0)),
    ],
)
def test_what_is_not_there_yet_cannot_be_read(reads: Callable[[Group], Any]) -> None:
    three = group(40, 40, 40, sure=[1.0, 2.0, 3.0])
    three.start(2)
    three.stop(1)
    with pytest.raises(NotYet, match=r"path \d has not|path \d is not"):
        reads(three)


def test_probes_appear_at_their_steps_and_cost_once() -> None:
    one = group(35, answers=[1], probes=[[2, None, 3]], step=10, price=4.0)
    one.start()
    assert one.says(0) is None and one.probed == 0
    seen = []
    for _ in range(4):
        one.advance(9)
        seen.append(one.says(0))
        one.says(0)
    assert seen == [None, 0, None, 1] and one.now == 35, "numbers as they were first seen: 2, then 1, the answer"
    assert one.probed == 2 * 4.0, "read at 18 and at 27"
    assert one.poll() == {0: 1}


def test_answers_are_numbered_as_they_are_seen() -> None:
    three = group(30, 20, 10, answers=[2, 5, None])
    three.start()
    three.finish()
    assert three.votes() == Counter({0: 1, 1: 1}) and three.answer(1) == 0 and three.answer(2) is None


@pytest.mark.parametrize("score", CONFIDENCES)
def test_confidences_are_told_at_the_end(score: str) -> None:
    two = group(10, 20, sure=[1.5, 2.5])
    two.start()
    assert two.next_end() == 0 and two.confidence(0, score) == 1.5
    with pytest.raises(ValueError, match="score=best: must be one of mean, tail, lowest, bottom"):
        two.confidence(0, "best")


@pytest.mark.parametrize(
    ("votes", "message"),
    [
        (None, "it returned None; must be votes"),
        ({7: 1.0}, "votes for 7, which is no answer that it has seen"),
        ({0: -1.0}, "the weight -1.0; must be a number >= 0"),
        ({0: float("nan")}, "the weight nan"),
        ({0: "2"}, "the weight 2; must be"),
    ],
)
def test_votes_that_are_none_are_refused(votes: Any, message: str) -> None:
    def policy(group: Group) -> Votes:
        policies.majority(group)
        found: Votes = votes
        return found

    with pytest.raises(ValueError, match=message):
        play(policy, record([1], [1]), [0], 1)


def test_paths_that_run_when_a_policy_returns_are_stopped_then() -> None:
    def impatient(group: Group) -> Votes:
        group.start()
        group.next_end()
        return group.votes()

    found = play(impatient, record([10, 20, 30], [1, 2, 2]), [1, 0, 2], 2)
    assert (found.right, found.tokens, found.critical_path) == (1.0, 20, 10)
    assert play(lambda group: {}, record([10], [1]), [0], 1).right == 0.0


def test_time_does_not_stand_still() -> None:
    with pytest.raises(ValueError, match=r"advance\(0\): time goes forward"):
        group(10).advance(0)
