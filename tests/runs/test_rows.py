"""A graded path as columns: which there are, and what is counted in which."""

import pytest

from leap_lab.path import Kind
from leap_lab.runs.groupfile import SCHEMA
from leap_lab.runs.rows import rows
from leap_lab.tasks.problem import Problem
from tests.runs.doubles import Grade, full_path, group_rows

DESIGN_COLUMNS = [
    *("run_id", "question_id", "group", "path", "gold", "answer", "correct", "finish"),
    *("tokens_think", "tokens_summary", "tokens_comment", "tokens_prompt", "tokens_probe", "tokens_prefilled"),
    *("blocks", "aha", "segments", "routes", "probes", "seed", "started_s", "finished_s"),
]


def test_columns_are_those_of_the_design_and_then_more() -> None:
    assert SCHEMA.names[: len(DESIGN_COLUMNS)] == DESIGN_COLUMNS
    assert set(group_rows("r")[0]) == set(SCHEMA.names)


def test_tokens_are_counted_by_who_wrote_them() -> None:
    lengths = {kind: length for length, kind in enumerate(Kind, start=1)}
    row = group_rows("r")[0]
    assert row["tokens_think"] == lengths[Kind.THINK] + lengths[Kind.FINAL] + 100
    for kind in (Kind.SUMMARY, Kind.COMMENT, Kind.TRIGGER, Kind.PREFIX):
        assert row[f"tokens_{kind}"] == lengths[kind]
    assert row["tokens_prompt"] == lengths[Kind.PROMPT] + lengths[Kind.AGAIN]
    assert row["tokens_answer"] == row["tokens_forced"] == lengths[Kind.FINAL]
    assert row["tokens_heard"] == 4
    assert [row[f"tokens_prefilled_{bound}"] for bound in ("least", "most")] == [6, 16]
    assert [row[f"tokens_attended_{bound}"] for bound in ("least", "most")] == [7, 17]
    assert (row["tokens_cut"], row["tokens_probe"], row["critical_path"]) == (100, 11, 500)
    names = ("prefilled", "cached", "decoded", "attended")
    assert [row["requests"], *(row[f"tokens_{name}"] for name in names)] == [3, 12, 13, 14, 15]
    assert [row["requests_probe"], *(row[f"tokens_probe_{name}"] for name in names)] == [4, 22, 23, 24, 25]


def test_a_row_bears_the_tokens_of_its_helpers_and_shows_the_path_alone() -> None:
    alone, path = full_path(), full_path()
    path.helpers = [full_path(1), full_path(2)]
    problem = Problem("q", "2+2", "4")
    plain, row = (rows("r", problem, 0, [each], [Grade("4", True)], [0])[0] for each in (alone, path))
    columns = [name for name in SCHEMA.names if name.startswith(("tokens_", "requests"))]
    assert len(columns) == 25 and all(plain[name] > 0 for name in columns)
    assert {name: row[name] for name in columns} == {name: 3 * plain[name] for name in columns}
    assert {name: row[name] for name in SCHEMA.names if name not in columns} == {
        name: plain[name] for name in SCHEMA.names if name not in columns
    }


def test_the_critical_path_is_the_longest_of_a_path_and_its_helpers() -> None:
    path, helper = full_path(), full_path(1)
    path.helpers, helper.critical_path = [helper], 600
    assert rows("r", Problem("q", "2+2", "4"), 0, [path], [Grade("4", True)], [0])[0]["critical_path"] == 600


@pytest.mark.parametrize(("comments", "heard", "told"), [(False, None, 0), (True, None, None), (True, 3, 3)])
def test_what_was_heard_is_not_known_of_comments_that_nobody_counted(comments, heard, told):
    path = full_path()
    path.heard = heard
    if not comments:
        path.segments = [part for part in path.segments if part.kind is not Kind.COMMENT]
    assert rows("r", Problem("q", "2+2", "4"), 0, [path], [Grade("4", True)], [0])[0]["tokens_heard"] == told


def test_every_path_needs_a_grade() -> None:
    with pytest.raises(ValueError, match="shorter"):
        rows("r", Problem("q", "", "4"), 0, [full_path()], [], [0])


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_a_weight_that_is_none_is_refused(weight):
    path = full_path()
    path.weight = weight
    with pytest.raises(ValueError, match="has weight .*: must be a finite number >= 0, or None"):
        rows("r", Problem("q", "2+2", "4"), 0, [path], [Grade("4", True)], [0])


def test_the_weight_of_a_path_is_in_its_row():
    path = full_path()
    for weight in (None, 0.0, 2.5):
        path.weight = weight
        assert rows("r", Problem("q", "2+2", "4"), 0, [path], [Grade("4", True)], [0])[0]["weight"] == weight
