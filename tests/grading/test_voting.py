"""Answers are clustered by equality among themselves."""

from functools import partial
from itertools import permutations

import pytest

from leap_lab.decoding.decoder import graded_rows
from leap_lab.decoding.regrade import clustered
from leap_lab.grading.grade import alike
from leap_lab.grading.voting import clusters
from leap_lab.path import Branch, Kind, Path
from leap_lab.tasks.problem import Problem


@pytest.mark.parametrize(
    ("answers", "numbers"),
    [
        (["7", "007", "8", "7.0", None], [0, 0, 1, 0, None]),
        (["1/2", "3", "0.5", r"\frac{1}{2}"], [0, 1, 0, 0]),
        ([r"\sqrt{8}", r"2\sqrt{2}", "3"], [0, 0, 1]),
        ([None, None], [None, None]),
        ([], []),
    ],
)
def test_equal_answers_are_one_however_written(answers, numbers):
    assert clusters(answers, partial(alike, problem=Problem("q", "?", "7"))) == numbers


@pytest.mark.parametrize(
    ("kind", "gold", "answers", "numbers"),
    [
        ("choice", "B", ["B", "A", "B", "b"], [0, 1, 0, 0]),
        ("text", "Oslo", ["Oslo", r"\text{oslo}", "Bergen"], [0, 0, 1]),
        ("several", '["2", "two"]', ["1/2", "0.5", "deux", "2"], [0, 0, 1, 2]),
        ("list", '["1", "1/2"]', ["1, 0.5", "1, 1/2", "1/2, 1", "3", "3.0"], [0, 0, 1, 2, 2]),
        ("reasoning_gym", "{}", ["a  b", "a b", "b"], [0, 0, 1]),
    ],
)
def test_every_kind_says_which_answers_are_one(kind, gold, answers, numbers):
    """Answers are not written as golds are: a gold may be a JSON list, and answers are none."""
    assert clusters(answers, partial(alike, problem=Problem("q", "?", gold, kind))) == numbers


def test_the_order_of_paths_decides_nothing():
    """Not even where `equal` takes one of a pair for the right answer, and holds one way round only."""
    known = {("bb", "a"), ("ccc", "bb"), ("e", "d")}

    def one_way(answer, other):
        return (answer, other) in known

    for answers in permutations(["a", "bb", "ccc", "d", "e"]):
        of = dict(zip(answers, clusters(answers, one_way), strict=True))
        assert of["a"] == of["bb"] == of["ccc"] and of["d"] == of["e"] != of["a"]


def path(answer, before=""):
    made = Path(0, 7, finish="answered")
    made.add(Kind.FINAL, 0, [1], f"\\boxed{{{answer}}}" if answer else "none")
    probed = Path(0, 7, finish="answered")
    probed.add(Kind.FINAL, 0, [1], f"\\boxed{{{before}}}")
    made.branches = [Branch(0, "before", probed)] if before else []
    return made


@pytest.mark.parametrize("gold", ["1/2", "3", "4"])
def test_a_group_is_clustered_alike_whatever_is_right(gold):
    paths = [path("1/2"), path("0.5", before="3.0"), path("3", before=r"\frac{1}{2}"), path("")]
    rows = graded_rows("r", Problem("q", "?", gold), 0, paths)
    assert [row["cluster"] for row in rows] == [0, 0, 1, None]
    assert [row["probe_clusters"] for row in rows] == [[], [1], [0], []]
    bare = [{**row, "cluster": None, "probe_clusters": None} for row in rows]
    assert clustered(bare, Problem("q", "?", "5")) == rows, "groups that are graded again get theirs, too"
