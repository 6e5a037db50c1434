"""The reference run: buckets at the bounds of the paper, and beginnings that are what they are called."""

from pathlib import Path as FilePath

import pytest

from leap_lab.errors import UserError
from leap_lab.grading.grade import Grade
from leap_lab.path import Kind, Path
from leap_lab.runs.folder import RunFolder
from leap_lab.runs.reference import CLOSING, ReferenceRun, cut, select
from leap_lab.runs.rows import rows
from leap_lab.tasks.difficulty import LEAST_RIGHT, bucket
from leap_lab.tasks.problem import Problem
from tests.doubles import QUESTION

BAD = {"name": "bad", "fraction": 0.2, "good_ratio": 0.0, "per_path": False}
THOUGHT = 40


def response(index: int, right: bool) -> Path:
    """Thinking whose tokens tell whose it is: 100 + index when right, 200 + index when wrong."""
    path = Path(index, index, finish="answered")
    path.add(Kind.PROMPT, 0, [1, 2], "ab")
    path.add(Kind.THINK, 0, [(100 if right else 200) + index] * THOUGHT, "x" * THOUGHT)
    path.add(Kind.FINAL, 0, [3] * 10, "y" * 10)
    return path


@pytest.fixture
def source(tmp_path: FilePath) -> ReferenceRun:
    """Question `n` has n right responses among four."""
    folder = RunFolder.open(tmp_path, {"a": 1}, {})
    for right in range(5):
        problem = Problem(f"{right}", QUESTION.text, "2")
        paths = [response(index, index < right) for index in range(4)]
        grades = [Grade("2", index < right) for index in range(4)]
        folder.write_group(rows(folder.run_id, problem, 0, paths, grades, [0] * 4))
    return ReferenceRun(folder.path)


def problems(*ids: int) -> list[Problem]:
    return [Problem(f"{number}", "", "") for number in ids]


def test_buckets_have_the_bounds_of_the_paper():
    found = [bucket(right, 32) for right in range(33)]
    assert found == ["very_hard"] + ["hard"] * 8 + ["medium"] * 16 + ["easy"] * 7 + ["very_easy"]
    assert [bucket(right, 4) for right in range(5)] == ["very_hard", "hard", "medium", "medium", "very_easy"]


def test_questions_are_told_apart_by_what_the_reference_run_says(source):
    assert source.right("3") == (True, True, True, False)
    kept = {
        name: [p.id for p in select(problems(*range(5)), name, {"name": "none"}, source).problems]
        for name in ("all", "very_hard", "hard", "medium", "very_easy")
    }
    assert kept == {"all": list("01234"), "very_hard": ["0"], "hard": ["1"], "medium": ["2", "3"], "very_easy": ["4"]}


def test_a_bucket_without_questions_is_one_line(source):
    refused = r"difficulty=easy: none of the 5 questions is in this bucket \(very_easy 1, easy 0, medium 2"
    with pytest.raises(UserError, match=refused):
        select(problems(*range(5)), "easy", {"name": "none"}, source)
    with pytest.raises(UserError, match=r"prefix=bad: no question has both right and wrong responses"):
        select(problems(0, 4), "all", BAD, source)
    assert set(LEAST_RIGHT) == {"very_easy", "easy", "medium", "hard", "very_hard"}


def test_only_questions_with_right_and_wrong_responses_have_beginnings(source):
    chosen = select(problems(*range(5)), "all", BAD, source)
    assert [problem.id for problem in chosen.problems] == ["1", "2", "3"]


@pytest.mark.parametrize(("name", "first"), [("bad", 200), ("good", 100)])
def test_a_group_shares_one_beginning_or_draws_one_a_path(source, name, first):
    prefix = BAD | {"name": name}
    (problem,) = problems(2)
    shared = select([problem], "all", prefix, source)
    beginnings = [shared.beginnings(problem, group, 6, seed=1) for group in range(12)]
    assert all(len(set(group)) == 1 and len(group) == 6 for group in beginnings)
    assert len({group[0] for group in beginnings}) == 2, "another group draws again"
    assert {len(path) for group in beginnings for path in group} == {10}
    assert all(token // 100 * 100 == first for group in beginnings for path in group for token in path)
    each = select([problem], "all", prefix | {"per_path": True}, source).beginnings(problem, 0, 16, seed=1)
    assert len(set(each)) == 2


@pytest.mark.parametrize("per_path", [True, False])
def test_random_beginnings_are_right_as_often_as_responses_are(source, per_path):
    (problem,) = problems(3)
    chosen = select([problem], "all", BAD | {"name": "random", "per_path": per_path}, source)
    groups = [chosen.beginnings(problem, group, 8, seed=1) for group in range(200)]
    assert ({len(set(group)) for group in groups} == {1}) is not per_path
    drawn = [path[0] for group in groups for path in (group if per_path else group[:1])]
    assert set(drawn) == {100, 101, 102, 203}
    assert sum(token < 200 for token in drawn) / len(drawn) == pytest.approx(3 / 4, abs=0.08)


def test_draws_follow_seed_question_and_group(source):
    (problem,) = problems(2)
    chosen = select([problem], "all", BAD | {"per_path": True}, source)
    one = chosen.beginnings(problem, 0, 16, seed=1)
    assert one == chosen.beginnings(problem, 0, 16, seed=1)
    assert one != chosen.beginnings(problem, 0, 16, seed=2)
    assert one != chosen.beginnings(problem, 1, 16, seed=1)


def test_a_larger_share_of_good_beginnings_only_mends_some_of_the_bad(source):
    (problem,) = problems(2)
    by_ratio = []
    for ratio in (0.0, 0.25, 0.5, 1.0):
        prefix = BAD | {"name": "mixed", "good_ratio": ratio, "per_path": True}
        by_ratio.append(select([problem], "all", prefix, source).beginnings(problem, 0, 8, seed=1))
    good = [[path[0] < 200 for path in group] for group in by_ratio]
    assert [sum(group) for group in good] == [0, 2, 4, 8]
    for fewer, more, before, after in zip(good, good[1:], by_ratio, by_ratio[1:], strict=False):
        for was, now, one, other in zip(fewer, more, before, after, strict=True):
            assert now or not was
            assert one == other or (now and not was)


def test_a_beginning_ends_before_the_thinking_does():
    row = {"segments": [{"kind": "think", "tokens": [5] * 40}, {"kind": "final", "tokens": [6] * 60}]}
    assert len(cut(row, 0.1)) == 10
    assert cut(row, 0.9) == (5,) * (40 - CLOSING)
    assert cut(row, 0.001) == (5,)


def test_no_reference_no_beginnings():
    from leap_lab.runs.reference import Selection

    assert Selection(problems(1)).beginnings(problems(1)[0], 0, 4, 0) == ()
