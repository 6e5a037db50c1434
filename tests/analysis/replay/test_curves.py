"""Curves of policies: fair orders, the votes of the tables, and what must hold whatever was recorded."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from analysis.load import load
from analysis.measures.metrics import estimates, per_group
from analysis.replay.chosen import Chosen, chosen
from analysis.replay.curves import Replay, orders, replay, sizes
from analysis.replay.records import read
from analysis.replay.view import Group, Votes
from leap_lab.errors import UserError
from tests.analysis.replay.known import at_random, record, records
from tests.known_runs import HARD, write_run

ALL = chosen("all")


def test_sizes_end_with_all_paths() -> None:
    assert sizes(1) == [1]
    assert sizes(8) == [1, 2, 4, 8]
    assert sizes(12) == [1, 2, 4, 8, 12]


@pytest.mark.parametrize("draws", [5, 10])
def test_every_path_stands_in_every_place_equally_often(draws: int) -> None:
    found = list(orders(at_random(0, paths=5), draws))
    assert len(found) == draws and all(sorted(order) == [0, 1, 2, 3, 4] for order in found)
    for place in range(5):
        assert set(Counter(order[place] for order in found).values()) == {draws // 5}


@pytest.mark.parametrize("draws", [1, 3, 7])
def test_few_orders_lie_far_apart_and_are_the_same_every_time(draws: int) -> None:
    of = at_random(0, paths=12)
    found = list(orders(of, draws))
    assert len({tuple(order) for order in found}) == draws and found == list(orders(of, draws))
    assert found != list(orders(at_random(0, paths=12, question="another"), draws))
    firsts = [found[0].index(order[0]) for order in found]
    assert min(np.diff([*firsts, 12])) >= 12 // draws


def test_the_vote_of_all_paths_is_the_cons_of_the_tables(tmp_path: Path) -> None:
    """And with one path, and orders that are fair, the mean of all paths; the oracle is pass@k."""
    run = write_run(tmp_path, HARD, thinks={question: 10 * len(question) for question in HARD})
    tables = estimates(per_group(load([run])))
    found = replay(chosen("majority,oracle"), read([run]), draws=8)
    by_size = {point.size: point for point in found.curves["majority"]}
    assert by_size[8].right == tables["cons@8"]
    assert by_size[1].right.as_dict() == pytest.approx(tables["pass@1"].as_dict())
    assert by_size[1].tokens.value == pytest.approx(tables["tokens_own"].value)
    assert by_size[8].critical_path.value == tables["critical_path"].value
    assert {point.size: point.right.value for point in found.curves["oracle"]}[8] == tables["pass@8"].value


@pytest.fixture(scope="module")
def everything() -> Replay:
    return replay(ALL, records(*(at_random(seed, question=f"q{seed}") for seed in range(10))), draws=6)


def test_nothing_is_better_than_the_oracle_nor_dearer_than_all_tokens(everything: Replay) -> None:
    curves = {name: {point.size: point for point in points} for name, points in everything.curves.items()}
    for name, points in curves.items():
        for size, point in points.items():
            most, bound = curves["majority"][size], curves["oracle"][size]
            assert point.tokens.value - point.probes.value <= most.tokens.value + 1e-9, (name, size)
            if name != "parallel_probe":  # it may answer with a probe, where its path ends with another answer
                assert all(np.array(bound.by_question) >= np.array(point.by_question) - 1e-12), (name, size)
            assert (point.probes.value > 0) == (name == "parallel_probe")
            if name not in ("asc", "esc"):
                assert point.critical_path.value <= most.critical_path.value, "side by side"


def test_more_paths_cost_more_and_can_only_help_the_oracle(everything: Replay) -> None:
    for name, points in everything.curves.items():
        if name not in ("short", "parallel_probe"):  # more paths may end them sooner
            assert all(np.diff([point.tokens.value for point in points]) >= 0)
    for name in ("majority", "asc", "esc", "oracle"):
        assert all(np.diff([point.critical_path.value for point in everything.curves[name]]) >= 0)
    assert all(np.diff([point.by_question for point in everything.curves["oracle"]], axis=0).ravel() >= 0)
    firsts = {points[0].by_question for points in everything.curves.values()}
    assert len(firsts) <= 2, "one path is one path, except for what its probes say"


def test_a_policy_without_what_it_needs_is_left_out() -> None:
    bare = records(record([10, 20], [1, 2]))
    found = replay(chosen("weighted,majority,parallel_probe"), bare)
    assert list(found.curves) == ["majority"] and len(found.left_out) == 2
    assert found.left_out[1].startswith("parallel_probe: left out, the runs did not record probes, which method.probe_")
    with pytest.raises(UserError, match="weighted: left out, the runs did not record confidences"):
        replay(chosen("weighted"), bare)


def test_policies_are_compared_with_the_majority_of_the_same_tokens() -> None:
    """Two paths in place of one where both halves of the questions cost the same."""
    some = records(*(record([10] * 8, [1] * 5 + [2] * 3, question=f"q{index}") for index in range(8)))

    def three_of_all(group: Group) -> Votes:
        group.start(3)
        group.finish()
        return group.votes()

    found = replay([Chosen("three", three_of_all), *chosen("majority")], some, draws=400)
    three = found.curves["three"][-1]
    assert three.tokens.value == 30 and three.against is not None
    assert three.against.difference.value == pytest.approx(0, abs=0.03), "it is the majority of three"
    assert all(point.against is None for point in found.curves["majority"])


def test_an_error_of_a_policy_names_it_and_the_question() -> None:
    def broken(group: Group) -> Votes:
        raise KeyError("mine")

    with pytest.raises(UserError, match=r"policy mine: question q, 1 paths: KeyError: 'mine'"):
        replay([Chosen("mine", broken)], records(record([1], [1])))
    with pytest.raises(UserError, match=r"policy mine: question q, 1 paths: NotYet: path 0 has not started"):
        replay([Chosen("mine", lambda group: {group.answer(0) or 0: 1.0})], records(record([1], [1])))
