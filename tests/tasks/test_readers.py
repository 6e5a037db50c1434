"""Files as people have them, and one line with a way out where a file cannot be read."""

import gzip
import json

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leap_lab.errors import UserError
from leap_lab.tasks.sources import Local

ROWS = [{"problem": "Café: 1 + 1?", "answer": "2"}, {"problem": "a, b; c", "answer": "025"}]
PROBLEMS = [(row["problem"], row["answer"]) for row in ROWS]
LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)


def table(separator: str) -> str:
    quoted = [[f'"{value}"' for value in row.values()] for row in ROWS]
    return "\r\n".join(separator.join(fields) for fields in (["problem", "answer"], *quoted)) + "\r\n"


def read(place, **told):
    return [(problem.text, problem.answer) for problem in Local(str(place), **told).load()]


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("lines.json", LINES.encode(), {}),
        ("lines.ndjson", LINES.encode(), {}),
        ("list.json", json.dumps(ROWS).encode(), {}),
        ("bom.csv", table(",").encode("utf-8-sig"), {}),
        ("semicolons.csv", table(";").encode(), {}),
        ("tabs.tsv", table("\t").encode(), {}),
        ("bars.csv", table("|").encode(), {}),
        ("told.csv", table("^").encode(), {"separator": "^"}),
        ("windows.csv", table(",").encode("cp1252"), {"encoding": "cp1252"}),
        ("both.csv", table(";").encode("utf-16"), {"encoding": "utf-16", "separator": ";"}),
        ("lines.jsonl", LINES.encode("latin-1"), {"encoding": "latin-1"}),
        ("lines.jsonl.gz", gzip.compress(LINES.encode()), {}),
        ("table.CSV.GZ", gzip.compress(table(";").encode()), {}),
    ],
)
def test_what_people_have_is_read(tmp_path, name, data, told):
    (tmp_path / name).write_bytes(data)
    assert read(tmp_path / name, **told) == PROBLEMS


def test_a_folder_of_parquet_files_is_read_in_the_order_of_their_names(tmp_path):
    for number, row in enumerate(ROWS):
        pq.write_table(pa.Table.from_pylist([row]), tmp_path / f"part-{number}.parquet")
    (tmp_path / "README.md").write_text("not a table")
    assert read(tmp_path) == PROBLEMS


def test_what_save_to_disk_wrote_is_read(tmp_path):
    datasets.Dataset.from_list(ROWS).save_to_disk(tmp_path / "saved")
    assert read(tmp_path / "saved") == PROBLEMS
    datasets.DatasetDict({"test": datasets.Dataset.from_list(ROWS)}).save_to_disk(tmp_path / "splits")
    with pytest.raises(UserError, match=r"holds several splits; name the folder of one, such as .*splits/test"):
        read(tmp_path / "splits")
    assert read(tmp_path / "splits" / "test") == PROBLEMS


@pytest.mark.parametrize(
    ("name", "data", "told", "message"),
    [
        ("x.csv", table(",").encode("cp1252"), {}, r"not UTF-8; dataset.encoding= says what it is, such as cp1252"),
        ("x.jsonl", LINES.encode("cp1252"), {}, r"not UTF-8; dataset.encoding="),
        ("x.csv", b"", {"encoding": "klingon"}, r"dataset.encoding=klingon: no such encoding"),
        ("x.csv", b"a", {"separator": ",,"}, r"dataset.separator=',,': must be one character"),
        ("x.csv", b"problem,answer\n1,2,3\n", {}, r"row 1: .*3 fields under 2 columns; quote a field .* or set"),
        ("x.xlsx", b"PK", {}, r"unknown file type .xlsx; allowed are .jsonl, .* each also with .gz, and folders of"),
        ("x", b"", {}, r"no file extension; allowed are"),
        ("x.jsonl.gz", b"not packed", {}, r"cannot be read as jsonl: "),
        ("x.jsonl.gz", gzip.compress(LINES.encode())[:40], {}, r"cannot be read as jsonl: "),
        ("x.json", b'{"problem": "p"', {}, r"row 1: cannot be read as json"),
        ("x.jsonl", b'{"question": "p", "answer": "1"}', {}, r"no column 'problem'; .* dataset.columns.problem= names"),
    ],
)
def test_what_cannot_be_read_is_one_line_with_a_way_out(tmp_path, name, data, told, message):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError, match=message) as caught:
        read(tmp_path / name, **told)
    assert "\n" not in str(caught.value)


def test_a_folder_without_tables_says_so(tmp_path):
    with pytest.raises(UserError, match="holds no Parquet files; name a file or a folder of Parquet files"):
        read(tmp_path)
