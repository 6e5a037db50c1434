"""Group files that are cut short, damaged or foreign: they count as missing and are never read."""

import json
import logging
import random
from collections.abc import Callable
from pathlib import Path as FilePath

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leap_lab.runs import groupfile
from leap_lab.runs.folder import RunFolder
from leap_lab.runs.reading import read_groups
from tests.runs.doubles import IDENTITY, group_rows, truncate


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


def without_a_later_column(file: FilePath) -> None:
    """A file that says it has all of them, such as one in which a column's name was damaged."""
    pq.write_table(pq.read_table(file).drop_columns(["cluster"]), file)


SPOILERS = [
    *(truncate, empty, flip_a_byte_of_data, of_someone_else, of_another_run, of_another_group, of_an_older_schema),
    *(without_a_column, without_a_later_column, of_another_type, without_rows),
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


def test_a_file_of_this_schema_from_before_a_column_is_read_with_nulls(folder: RunFolder) -> None:
    file = folder.write_group(group_rows(folder.run_id))
    later = [name for name, version in groupfile.ADDED.items() if version > groupfile.SCHEMA_VERSION]
    table = pq.read_table(file)
    stamp = json.loads(table.schema.metadata[b"leap_lab"])
    del stamp["columns"]
    earlier = table.drop_columns(later).replace_schema_metadata({"leap_lab": json.dumps(stamp)})
    pq.write_table(earlier, file, write_page_checksum=True)
    assert folder.has("q", 0)
    found = read_groups(folder.path)
    assert later and found[later].isna().all().all() and set(found.columns) == set(groupfile.SCHEMA.names)
