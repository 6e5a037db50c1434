"""Run folders: hostile text and names, killed and failed writes, folders of another configuration."""

import json
import math
from pathlib import Path as FilePath

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from leap_lab.errors import UserError
from leap_lab.files import escaped, write_whole
from leap_lab.path import Kind
from leap_lab.runs.folder import RunFolder
from leap_lab.runs.identity import run_id_of
from leap_lab.runs.reading import read_groups
from tests.runs.doubles import IDENTITY, group_rows


def test_a_group_comes_back_as_it_was_written(folder: RunFolder) -> None:
    written = group_rows(folder.run_id)
    file = folder.write_group(written)
    assert pq.read_table(file).to_pylist() == written
    first = pq.read_table(file).to_pylist()[0]
    assert first["routes"] == [{"turn": 0, "peers": [1, 2], "similarity": [0.25, 0.5]}]
    assert [probe["answer"] for probe in first["probes"]] == [None, "4"]
    assert (first["seed"], first["blocks"], first["aha"], first["gold"]) == (2**31 - 1, 1, 3, "4")


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
