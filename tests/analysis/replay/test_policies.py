"""Every policy against answers and costs that were counted by hand."""

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from analysis.replay import policies
from analysis.replay.records import Record
from analysis.replay.view import Group, NotRecorded, Outcome, play
from tests.analysis.replay.known import at_random, record


def played(policy: Any, of: Record, size: int | None = None, **settings: Any) -> Outcome:
    count = len(of)
    best = policy is policies.oracle
    return play(lambda group: policy(group, **settings), of, range(count), size or count, best)


def outcome(right: float, tokens: float, critical_path: int, probes: float = 0.0) -> Outcome:
    return Outcome(right, tokens, probes, critical_path)


def test_majority_runs_all_and_ties_share() -> None:
    five = record([10, 20, 30, 40, 50], [1, 2, 1, 2, 2])
    assert played(policies.majority, five) == outcome(0.0, 150, 50)
    assert played(policies.majority, five, 4) == outcome(0.5, 100, 40)
    assert played(policies.majority, five, 3) == outcome(1.0, 60, 30)
    assert played(policies.majority, record([10, 20], [None, 1])) == outcome(1.0, 30, 20)
    assert played(policies.majority, record([10, 20], [None, None])) == outcome(0.0, 30, 20)


@pytest.mark.parametrize(
    ("said", "used"),
    [
        ([1, 1, 1, 1, 1, 1, 1, 1], 4),  # 1 - 1/32 is the first chance above 0.95
        ([1, 2, 1, 1, 1, 1, 1, 1], 7),  # six against one: 1 - 9/256
        ([1, None, 1, 1, None, 1, 1, 1], 6),  # no answer is no vote
        ([1, 2, 1, 2, 1, 2, 1, 2], 8),  # never
    ],
)
def test_asc_takes_one_path_after_another_until_the_leader_is_safe(said: Sequence[int | None], used: int) -> None:
    lengths = [10, 20, 30, 40, 50, 60, 70, 80]
    found = played(policies.asc, record(lengths, said))
    right = 0.5 if said.count(1) == said.count(2) else 1.0
    assert found == outcome(right, sum(lengths[:used]), sum(lengths[:used]))


def test_asc_stops_by_its_threshold() -> None:
    same = record([10] * 4, [1] * 4)
    assert [played(policies.asc, same, threshold=share).tokens for share in (0.7, 0.8, 0.9, 0.95)] == [10, 20, 30, 40]
    assert played(policies.asc, same, threshold=1.0).tokens == 40


def test_esc_stops_at_the_first_window_that_agrees() -> None:
    lengths = [1, 2, 3, 4, 5, 10, 20, 30, 40, 50, 600, 700]
    mixed = record(lengths, [1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 1, 1])
    assert played(policies.esc, mixed) == outcome(0.0, 165, 55), "six against four, windows one after another"
    assert played(policies.esc, mixed, 4) == outcome(1.0, 10, 4)
    assert played(policies.esc, mixed, window=2) == outcome(1.0, 3, 2)
    assert played(policies.esc, record([1] * 4, [None] * 4), window=2) == outcome(0.0, 4, 2), "nothing agrees"


def test_short_stops_when_m_have_ended_and_ties_go_to_the_shortest() -> None:
    five = record([50, 10, 30, 20, 40], [1, 2, 3, 1, 1])
    assert played(policies.short, five) == outcome(0.0, 10 + 20 + 30 + 30 + 30, 30)
    assert played(policies.short, five, m=1) == outcome(0.0, 50, 10)
    assert played(policies.short, five, m=4) == outcome(1.0, 10 + 20 + 30 + 40 + 40, 40)
    assert played(policies.short, five, m=9) == outcome(1.0, 150, 50), "no more than there are"
    assert played(policies.short, record([1, 2, 3], [None, None, 1])) == outcome(1.0, 6, 3)


def test_confidences_weigh_and_choose() -> None:
    five = record([10] * 5, [1, 1, 2, 3, None], [0.4, 0.4, 1.0, 0.9, 5.0])
    assert played(policies.weighted, five).right == 0.0, "2 has 1.0, 1 has 0.8"
    assert played(policies.weighted, five, 2).right == 1.0
    assert played(policies.self_certainty, five) == outcome(0.0, 50, 10)
    assert played(policies.self_certainty, five, 2).right == 1.0
    ranked = record([10] * 4, [1, 2, 2, 3], [0.9, 0.8, 0.7, 0.1])
    assert played(policies.borda, ranked).right == 0.0, "3 + 2 against 4"
    assert played(policies.borda, ranked, power=2.0).right == 1.0, "16 against 9 + 4"


@pytest.mark.parametrize("keep", [0.1, 0.25, 0.5, 0.9, 1.0])
def test_deepconf_keeps_those_at_or_above_the_percentile(keep: float) -> None:
    for seed in range(20):
        some = at_random(seed)
        assert some.scores["tail"] is not None
        pairs = [pair for pair in zip(some.answers, some.scores["tail"], strict=True) if pair[0] is not None]
        bar = np.percentile([sure for _, sure in pairs], 100 * (1 - keep))
        votes = dict.fromkeys([answer for answer, _ in pairs], 0.0)
        for answer, sure in pairs:
            votes[answer] += sure if sure >= bar - 1e-9 else 0.0
        best = max(votes, key=lambda answer: votes[answer])
        assert played(policies.deepconf, some, keep=keep).right == float(best == 1)
    assert played(policies.deepconf, record([1], [None], [1.0])).right == 0.0


def test_parallel_probe_drops_who_disagrees_and_stops_when_the_majority_holds() -> None:
    says = [[1] * 9, [1] * 9, [2] * 9, [2, *[1] * 8]]
    four = record([100] * 4, [1, 1, 2, 1], probes=says, step=10)
    quick = {"warmup": 1, "patience": 2, "share": 0.5, "least": 2, "stable": 3}
    # At 20 tokens the third path was twice against 1; at 30 the majority has held for three probes.
    assert played(policies.parallel_probe, four, **quick) == outcome(1.0, 110 + 11 * 4, 30, 44)
    kept = outcome(1.0, 120 + 12 * 4, 30, 48)
    for other in ({"warmup": 3}, {"patience": 4}, {"share": 0.8}, {"least": 4}):
        assert played(policies.parallel_probe, four, **quick | other) == kept, other
    assert played(policies.parallel_probe, four, **quick | {"stable": 4}).critical_path == 40


def test_parallel_probe_waits_for_the_end_where_nothing_is_stable() -> None:
    two = record([25, 45], [1, 2], probes=[[2, 2], [2, None, 2, 2]], step=10)
    found = played(policies.parallel_probe, two)
    assert found == outcome(0.5, 70 + 6 * 4, 45, 24), "paths that ended vote with their answer"
    silent = record([25], [1], probes=[[None, None]], step=10)
    assert played(policies.parallel_probe, silent).right == 1.0


def test_a_tie_leaves_the_majority_as_it_was() -> None:
    says = [[1] * 5, [1, 2, 2, 2, 2], [2] * 5, [1, 1, 1, 1, 1]]
    four = record([60] * 4, [1, 2, 2, 1], probes=says, step=10)
    quick = {"warmup": 9, "stable": 4}
    assert played(policies.parallel_probe, four, **quick).critical_path == 40, "1 leads, then it is two against two"


def test_the_oracle_is_right_where_any_path_is() -> None:
    assert played(policies.oracle, record([1, 2, 3], [2, 2, 1])) == outcome(1.0, 6, 3)
    assert played(policies.oracle, record([1, 2, 3], [2, 2, 1]), 2).right == 0.0


@pytest.mark.parametrize("policy", policies.ALL, ids=lambda policy: policy.__name__)
def test_what_was_not_recorded_is_named_and_settings_have_defaults(policy: Any) -> None:
    bare = record([10, 20], [1, 1])
    if policy is policies.parallel_probe:
        with pytest.raises(NotRecorded, match="probes"):
            played(policy, bare)
    elif policy in (policies.weighted, policies.deepconf, policies.self_certainty, policies.borda):
        with pytest.raises(NotRecorded, match="confidences"):
            played(policy, bare)
    else:
        assert played(policy, bare).right == 1.0
    first, *settings = inspect.signature(policy).parameters.values()
    assert first.annotation is Group and all(each.default is not inspect.Parameter.empty for each in settings)


@pytest.mark.parametrize(("policy", "name"), [("short", "m"), ("esc", "window"), ("deepconf", "keep")])
def test_settings_that_mean_nothing_are_refused(policy: str, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}=0: must be above 0"):
        played(getattr(policies, policy), at_random(0), **{name: 0})
