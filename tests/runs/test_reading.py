"""Reading run folders: what is asked for, without files that do not belong there."""

from pathlib import Path as FilePath

import pytest

from leap_lab.errors import UserError
from leap_lab.runs.folder import RunFolder
from leap_lab.runs.groupfile import SCHEMA, SCHEMA_VERSION
from leap_lab.runs.reading import read_groups, require_groups
from tests.runs.doubles import group_rows, truncate


def test_group_numbers_are_not_taken_from_names(folder: RunFolder) -> None:
    for question, group in [("q", 1), ("q-1", 1), ("q", 11), ("q-1", 0)]:
        folder.write_group(group_rows(folder.run_id, question, group))
    read = read_groups(folder.path, ["question_id", "group"]).drop_duplicates()
    assert read.values.tolist() == [["q", 1], ["q", 11], ["q-1", 0], ["q-1", 1]]
    assert [file.name for file in folder.groups()] == [
        *("q-1.parquet", "q-11.parquet", "q-1-0.parquet", "q-1-1.parquet")
    ]


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
