"""Run folders: every column, hostile text and names, files cut short, folders of another configuration."""

import json
import logging
import math
import random
from collections.abc import Callable
from pathlib import Path as FilePath
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from leap_lab.engines.usage import Usage
from leap_lab.errors import UserError
from leap_lab.files import escaped, write_whole
from leap_lab.path import Kind, Path, Probe, Route
from leap_lab.runs import groupfile
from leap_lab.runs.folder import RunFolder
from leap_lab.runs.groupfile import SCHEMA, SCHEMA_VERSION
from leap_lab.runs.identity import run_id_of
from leap_lab.runs.reading import read_groups, require_groups
from leap_lab.runs.rows import rows
from leap_lab.tasks.problem import Problem

IDENTITY = {"method": {"name": "leap", "interval": 64}, "peers": 2, "temperature": 1.0}
DESIGN_COLUMNS = [
    *("run_id", "question_id", "group", "path", "gold", "answer", "correct", "finish"),
    *("tokens_think", "tokens_summary", "tokens_comment", "tokens_prompt", "tokens_probe", "tokens_prefilled"),
    *("blocks", "aha", "segments", "routes", "probes", "seed", "started_s", "finished_s"),
]


class Grade(NamedTuple):
    answer: str | None
    correct: bool


def full_path(index: int = 0, text: str = "so 4") -> Path:
    """A path with a segment of every kind, each of another length."""
    path = Path(index=index, seed=2**31 - 1, finish="answered", tokens_cut=100, tokens_probe=11, critical_path=500)
    path.usage, path.probe_usage = Usage(3, 12, 13, 14, 15), Usage(4, 22, 23, 24, 25)
    for length, kind in enumerate(Kind, start=1):
        path.forced_at = len(path.segments)
        path.add(kind, 0, range(length), f"{kind} {text}")
    path.routes.append(Route(0, (1, 2), (0.25, 0.5)))
    path.probes.append(Probe(0, "before", None, False))
    path.probes.append(Probe(0, "after", "4", True))
    path.started_s, path.finished_s = 1.5, 2.5
    return path


def group_rows(run_id: str, question: str = "q", group: int = 0, text: str = "so 4") -> list[dict[str, Any]]:
    grades = [Grade("4", True), Grade(None, False)]
    paths = [full_path(0, text), full_path(1, text)]
    return rows(run_id, Problem(question, "2+2", "4"), group, paths, grades, [3, 0])


@pytest.fixture
def folder(tmp_path: FilePath) -> RunFolder:
    return RunFolder.open(tmp_path / "runs", IDENTITY, {"peers": 2})


def test_columns_are_those_of_the_design_and_then_more() -> None:
    assert SCHEMA.names[: len(DESIGN_COLUMNS)] == DESIGN_COLUMNS
    assert set(group_rows("r")[0]) == set(SCHEMA.names)


def test_tokens_are_counted_by_who_wrote_them() -> None:
    lengths = {kind: length for length, kind in enumerate(Kind, start=1)}
    row = group_rows("r")[0]
    assert row["tokens_think"] == lengths[Kind.THINK] + lengths[Kind.FINAL] + 100
    for kind in (Kind.SUMMARY, Kind.COMMENT, Kind.PROMPT, Kind.TRIGGER, Kind.PREFIX):
        assert row[f"tokens_{kind}"] == lengths[kind]
    assert row["tokens_answer"] == row["tokens_forced"] == lengths[Kind.FINAL]
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
    assert len(columns) == 20 and all(plain[name] > 0 for name in columns)
    assert {name: row[name] for name in columns} == {name: 3 * plain[name] for name in columns}
    assert {name: row[name] for name in SCHEMA.names if name not in columns} == {
        name: plain[name] for name in SCHEMA.names if name not in columns
    }


def test_the_critical_path_is_the_longest_of_a_path_and_its_helpers() -> None:
    path, helper = full_path(), full_path(1)
    path.helpers, helper.critical_path = [helper], 600
    assert rows("r", Problem("q", "2+2", "4"), 0, [path], [Grade("4", True)], [0])[0]["critical_path"] == 600


def test_a_group_comes_back_as_it_was_written(folder: RunFolder) -> None:
    written = group_rows(folder.run_id)
    file = folder.write_group(written)
    assert pq.read_table(file).to_pylist() == written
    first = pq.read_table(file).to_pylist()[0]
    assert first["routes"] == [{"turn": 0, "peers": [1, 2], "similarity": [0.25, 0.5]}]
    assert [probe["answer"] for probe in first["probes"]] == [None, "4"]
    assert (first["seed"], first["blocks"], first["aha"], first["gold"]) == (2**31 - 1, 1, 3, "4")


def test_every_path_needs_a_grade() -> None:
    with pytest.raises(ValueError, match="shorter"):
        rows("r", Problem("q", "", "4"), 0, [full_path()], [], [0])


@pytest.mark.parametrize(
    "text", ["\0nul\x01\x1b[31m", "lone \ud800 half", "x" * 100_000, "\U0001f9ee ﷽ \u202e", "</think>\r\n", ""]
)
def test_any_text_survives(folder: RunFolder, text: str) -> None:
    file = folder.write_group(group_rows(folder.run_id, text=text))
    read = pq.read_table(file).to_pylist()[0]["segments"]
    assert [part["text"] for part in read] == [f"{kind} {text}".replace("\ud800", "\ufffd") for kind in Kind]
    assert [len(part["tokens"]) for part in read] == list(range(1, len(Kind) + 1))


@pytest.mark.parametrize("question", ["a/b", "..", "", "q-1", "Ä?*\n\0", "lone \ud800", "~", "x" * 5000, ".hidden"])
def test_any_question_id_is_found_again(folder: RunFolder, question: str) -> None:
    assert not folder.has(question, 0)
    file = folder.write_group(group_rows(folder.run_id, question))
    assert folder.has(question, 0)
    assert not folder.has(question, 1)
    assert file.parent == folder.path / "groups"
    assert len(file.name.encode()) <= 200
    assert len(read_groups(folder.path, ["path"], questions=[question])) == 2


@given(st.lists(st.text(alphabet="a%~-./é\ud800" + "A", max_size=300), min_size=2, max_size=2, unique=True))
def test_other_texts_have_other_names(texts: list[str]) -> None:
    assert escaped(texts[0]) != escaped(texts[1])


def test_group_numbers_are_not_taken_from_names(folder: RunFolder) -> None:
    for question, group in [("q", 1), ("q-1", 1), ("q", 11), ("q-1", 0)]:
        folder.write_group(group_rows(folder.run_id, question, group))
    read = read_groups(folder.path, ["question_id", "group"]).drop_duplicates()
    assert read.values.tolist() == [["q", 1], ["q", 11], ["q-1", 0], ["q-1", 1]]
    assert [file.name for file in folder.groups()] == [
        *("q-1.parquet", "q-11.parquet", "q-1-0.parquet", "q-1-1.parquet")
    ]


def truncate(file: FilePath) -> None:
    file.write_bytes(file.read_bytes()[:-20])


def empty(file: FilePath) -> None:
    file.write_bytes(b"")


def flip_a_byte_of_data(file: FilePath) -> None:
    data, column = bytearray(file.read_bytes()), pq.read_metadata(file).row_group(0).column(0)
    data[column.data_page_offset + column.total_compressed_size - 1] ^= 0xFF
    file.write_bytes(data)


def of_someone_else(file: FilePath) -> None:
    pq.write_table(pa.table({"x": [1]}), file)


def of_another_run(file: FilePath) -> None:
    other = RunFolder.open(file.parent.parent.parent, {"peers": 3}, {})
    file.write_bytes(other.write_group(group_rows(other.run_id)).read_bytes())


def of_another_group(file: FilePath) -> None:
    run = RunFolder.open(file.parent.parent.parent, IDENTITY, {})
    run.write_group(group_rows(run.run_id, group=5)).replace(file)


def of_an_older_schema(file: FilePath) -> None:
    table = pq.read_table(file)
    stamp = json.loads(table.schema.metadata[b"leap_lab"]) | {"schema": 0}
    pq.write_table(table.replace_schema_metadata({"leap_lab": json.dumps(stamp)}), file)


def without_a_column(file: FilePath) -> None:
    pq.write_table(pq.read_table(file).drop_columns(["correct"]), file)


def of_another_type(file: FilePath) -> None:
    table = pq.read_table(file)
    text = table["correct"].cast(pa.string())
    pq.write_table(table.set_column(table.column_names.index("correct"), "correct", text), file)


def without_rows(file: FilePath) -> None:
    pq.write_table(pq.read_table(file).slice(0, 0), file)


SPOILERS = [
    *(truncate, empty, flip_a_byte_of_data, of_someone_else, of_another_run, of_another_group, of_an_older_schema),
    *(without_a_column, of_another_type, without_rows),
]


@pytest.mark.parametrize("spoil", SPOILERS)
def test_a_spoilt_file_counts_as_missing_and_is_replaced(
    folder: RunFolder, caplog: pytest.LogCaptureFixture, spoil: Callable[[FilePath], None]
) -> None:
    file = folder.write_group(group_rows(folder.run_id))
    assert folder.has("q", 0)
    assert not caplog.records
    spoil(file)
    assert not folder.has("q", 0)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert str(file) in caplog.text
    folder.write_group(group_rows(folder.run_id))
    assert folder.has("q", 0)


@pytest.mark.parametrize("spoil", SPOILERS)
def test_reading_goes_on_without_a_spoilt_file(
    folder: RunFolder, caplog: pytest.LogCaptureFixture, spoil: Callable[[FilePath], None]
) -> None:
    folder.write_group(group_rows(folder.run_id, group=0))
    file = folder.write_group(group_rows(folder.run_id, group=1))
    spoil(file)
    assert set(read_groups(folder.path)["group"]) == {0}
    assert str(file) in caplog.text


def test_a_flipped_bit_anywhere_is_noticed_or_changes_nothing(folder: RunFolder) -> None:
    file = folder.write_group(group_rows(folder.run_id))
    whole, table = file.read_bytes(), groupfile.read(file, None)
    noticed = 0
    for place in random.Random(0).sample(range(len(whole)), 200):
        spoilt = bytearray(whole)
        spoilt[place] ^= 1 << (place % 8)
        file.write_bytes(spoilt)
        try:
            groupfile.check(file, folder.run_id)
        except groupfile.NotAGroup:
            noticed += 1
        else:
            assert groupfile.read(file, None).equals(table), place
    assert noticed > 100


def test_a_folder_in_a_groups_place_is_refused_before_anything_is_decoded(folder: RunFolder) -> None:
    (folder.path / "groups" / "q-0.parquet").mkdir()
    with pytest.raises(UserError, match=r"q-0\.parquet: a folder is in the place of a group file"):
        folder.has("q", 0)


@pytest.mark.parametrize("name", ["identity.json", "run.json", "metrics.json"])
@pytest.mark.parametrize("data", [b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_json_file_is_noticed_when_the_run_is_opened(
    tmp_path: FilePath, folder: RunFolder, name: str, data: bytes
) -> None:
    (folder.path / name).write_bytes(data)
    with pytest.raises(UserError, match=rf"{name}: (cannot be read|holds a list).*remove it to continue"):
        RunFolder.open(tmp_path / "runs", IDENTITY, {})


def test_groups_of_several_runs_without_an_identity_are_not_mixed(tmp_path: FilePath, folder: RunFolder) -> None:
    other = RunFolder.open(tmp_path / "runs", {"peers": 3}, {})
    folder.write_group(group_rows(folder.run_id))
    file = other.write_group(group_rows(other.run_id, group=1))
    file.rename(folder.path / "groups" / file.name)
    (folder.path / "identity.json").unlink()
    with pytest.raises(UserError, match="no identity.json, and groups of several runs"):
        read_groups(folder.path)


def test_reading_leaves_spoilt_and_copied_files_out(folder: RunFolder, caplog: pytest.LogCaptureFixture) -> None:
    whole = folder.write_group(group_rows(folder.run_id, group=0))
    truncate(folder.write_group(group_rows(folder.run_id, group=1)))
    (whole.parent / "q-0 copy.parquet").write_bytes(whole.read_bytes())
    assert len(read_groups(folder.path, ["path"])) == 2
    assert folder.groups() == [whole]
    assert "q-1.parquet" in caplog.text
    assert "q-0 copy.parquet" in caplog.text


def test_what_a_killed_run_left_is_ignored_and_cleaned(tmp_path: FilePath, folder: RunFolder) -> None:
    left = [folder.path / ".run.json.1a.unfinished", folder.path / "groups" / ".q-0.parquet.1a.unfinished"]
    for file in left:
        file.write_bytes(b"half")
    assert not folder.has("q", 0)
    assert folder.groups() == []
    RunFolder.open(tmp_path / "runs", IDENTITY, {})
    assert not any(file.exists() for file in left)


def test_a_failed_write_keeps_the_old_file(tmp_path: FilePath) -> None:
    file = tmp_path / "metrics.json"
    file.write_text("old")
    with pytest.raises(TypeError):
        write_whole(file, "text where bytes belong")
    assert [found.name for found in tmp_path.iterdir()] == ["metrics.json"]
    assert file.read_text() == "old"


def test_rows_of_two_groups_or_of_another_run_are_refused(folder: RunFolder) -> None:
    mine = group_rows(folder.run_id)
    for wrong in ([], mine + group_rows(folder.run_id, group=1), group_rows("another")):
        with pytest.raises(ValueError, match=r"one group at a time|another run"):
            folder.write_group(wrong)
    assert folder.groups() == []


def test_run_ids_follow_what_is_set_and_not_how_it_is_written() -> None:
    assert run_id_of(IDENTITY) == run_id_of(dict(reversed(list(IDENTITY.items()))))
    assert run_id_of({"top_p": 1}) == run_id_of({"top_p": 1.0})
    assert run_id_of({"sizes": (1, 2)}) == run_id_of({"sizes": [1, 2]})
    assert len({run_id_of({"a": value}) for value in (0, 1, 1.5, "1", None, [1], {"b": 1})}) == 7


def test_the_same_identity_goes_on_in_the_same_folder(tmp_path: FilePath, folder: RunFolder) -> None:
    folder.write_group(group_rows(folder.run_id))
    again = RunFolder.open(tmp_path / "runs", IDENTITY, {"peers": 2, "limit": 5})
    assert again == folder
    assert again.has("q", 0)
    assert yaml.safe_load((again.path / "config.yaml").read_text()) == {"peers": 2, "limit": 5}


def test_another_identity_is_refused_with_what_differs(tmp_path: FilePath, folder: RunFolder) -> None:
    old = {"method": {"name": "leap", "interval": 128}, "peers": 2, "temperature": 1.0, "extra": None}
    (folder.path / "identity.json").write_text(json.dumps(old))
    with pytest.raises(UserError) as refused:
        RunFolder.open(tmp_path / "runs", IDENTITY, {})
    message = str(refused.value)
    assert message.endswith("extra was None, now absent, method.interval was 128, now 64")
    assert "\n" not in message


def test_an_identity_of_odd_values_is_its_own(tmp_path: FilePath) -> None:
    odd = {"stop": "\ud800", "limit": math.inf, "path": "ﬁ\n"}
    assert RunFolder.open(tmp_path, odd, odd) == RunFolder.open(tmp_path, odd, odd)
    assert yaml.safe_load((tmp_path / run_id_of(odd) / "config.yaml").read_text())["limit"] == math.inf


def test_a_runs_dir_that_cannot_be_is_refused(tmp_path: FilePath) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"runs_dir=.*file.*cannot make"):
        RunFolder.open(tmp_path / "file", IDENTITY, {})


def test_run_and_metrics_are_strict_json(folder: RunFolder) -> None:
    assert folder.read_run() == {}
    folder.write_run({"status": "finished", "n": np.int64(3), "rate": np.float64(0.5), "path": FilePath("a")})
    assert folder.read_run() == {"status": "finished", "n": 3, "rate": 0.5, "path": "a"}
    folder.write_metrics({"pass1": {"value": math.nan, "low": np.float64("inf"), "all": [(1, math.nan)]}})
    text = (folder.path / "metrics.json").read_text()
    assert json.loads(text) == {"pass1": {"value": None, "low": None, "all": [[1, None]]}}
    (folder.path / "run.json").write_text("{")
    with pytest.raises(UserError, match=r"run\.json: cannot be read"):
        folder.read_run()


def test_reading_takes_only_what_is_asked_for(folder: RunFolder) -> None:
    for question in ("q", "r"):
        for group in range(3):
            folder.write_group(group_rows(folder.run_id, question, group))
    frame = read_groups(folder.path, ["group", "correct"], questions=["r"], groups=range(2))
    assert frame.columns.tolist() == ["group", "correct"]
    assert frame.values.tolist() == [[0, True], [0, False], [1, True], [1, False]]
    assert read_groups(folder.path).shape == (12, len(SCHEMA.names))


def test_a_run_of_another_schema_is_not_read(tmp_path: FilePath) -> None:
    folder = RunFolder.open(tmp_path, {"schema": 0}, {})
    folder.write_group(group_rows(folder.run_id))
    with pytest.raises(UserError, match=f"made with version 0 of the schema, not {SCHEMA_VERSION}"):
        read_groups(folder.path)


def test_what_is_not_there_to_read_is_said_in_one_line(tmp_path: FilePath, folder: RunFolder) -> None:
    for empty_folder in (folder.path, tmp_path / "nowhere"):
        with pytest.raises(UserError, match="holds no groups of paths"):
            require_groups(empty_folder)
    folder.write_group(group_rows(folder.run_id))
    with pytest.raises(UserError, match="none of its 1 groups is requested"):
        read_groups(folder.path, questions=["other"])
    with pytest.raises(UserError, match="columns=tokens: no such column; allowed are run_id"):
        read_groups(folder.path, ["tokens"])
