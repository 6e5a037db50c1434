"""Datasets: every source gives checked problems, and everything wrong with a file is one clear line."""

import json
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

from leap_lab.errors import UserError
from leap_lab.problems import Arithmetic, Columns, Gpqa, Hub, Local, Problem

ROWS = [
    {"id": "a", "problem": "1 + 1?", "answer": "2"},
    {"id": "b", "problem": "20 + 5?", "answer": "025"},
]


def write(folder, name, rows):
    file = folder / name
    if name.endswith(".jsonl"):
        file.write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    elif name.endswith(".json"):
        file.write_text(json.dumps(rows))
    elif name.endswith(".csv"):
        keys = list(rows[0])
        lines = [",".join(keys), *(",".join(f'"{row[key]}"' for key in keys) for row in rows)]
        file.write_text("\n".join(lines))
    else:
        pq.write_table(pa.Table.from_pylist(rows), file)
    return str(file)


@pytest.mark.parametrize("name", ["x.jsonl", "x.json", "x.csv", "x.parquet", "X.JSONL"])
def test_every_format_gives_the_same_problems(tmp_path, name):
    problems = Local(write(tmp_path, name.lower(), ROWS)).load()
    assert problems == [Problem("a", "1 + 1?", "2"), Problem("b", "20 + 5?", "025")]


def test_rows_without_an_id_are_numbered_and_numbers_become_text(tmp_path):
    rows = [{"problem": "p", "answer": 7}, {"problem": "q", "answer": 0}]
    assert [(p.id, p.answer) for p in Local(write(tmp_path, "x.jsonl", rows)).load()] == [("q1", "7"), ("q2", "0")]


def test_options_make_a_choice(tmp_path):
    rows = [{"problem": "p", "answer": "b", "options": ["x", "y"]}, {"problem": "q", "answer": "5", "options": None}]
    choice, plain = Local(write(tmp_path, "x.jsonl", rows)).load()
    assert (choice.kind, choice.answer, choice.options) == ("choice", "B", ("x", "y"))
    assert plain.kind == "math"


def test_columns_can_have_other_names(tmp_path):
    rows = [{"Question": "p", "Gold": "1", "Key": "k"}]
    columns = Columns(problem="Question", answer="Gold", id="Key")
    assert Local(write(tmp_path, "x.jsonl", rows), columns).load() == [Problem("k", "p", "1")]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([*ROWS, ROWS[0]], r"x\.jsonl, row 3, column 'id': id 'a' is that of row 1"),
        ([{"problem": "p"}], r"x\.jsonl, row 1: no column 'answer'; the columns are problem"),
        ([{"answer": "p"}], r"x\.jsonl, row 1: no column 'problem'"),
        ([ROWS[0], {"id": "b", "problem": "p", "answer": " "}], r"x\.jsonl, row 2, column 'answer': empty"),
        ([{"problem": "p", "answer": None}], r"row 1, column 'answer': empty"),
        ([{"problem": "p", "answer": "C", "options": ["x", "y"]}], r"'C' names none of the options; .* A to B"),
        ([{"problem": "p", "answer": "AB", "options": ["x", "y"]}], r"'AB' names none of the options"),
        ([{"problem": "p", "answer": "A", "options": ["x"]}], r"column 'options': allowed is a list of 2 to 26"),
        ([{"problem": "p", "answer": "A", "options": "x, y"}], r"column 'options': allowed is a list"),
    ],
)
def test_a_bad_row_is_named(tmp_path, rows, message):
    with pytest.raises(UserError, match=message) as caught:
        Local(write(tmp_path, "x.jsonl", rows)).load()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.txt", "hello", r"unknown file type \.txt; allowed are \.jsonl, \.json, \.csv, \.parquet"),
        ("x", "hello", "unknown file type without a suffix"),
        ("x.jsonl", '{"problem": "p", "answer": "1"}\n{broken', r"x\.jsonl, row 2: not JSON"),
        ("x.jsonl", "[1, 2]", r"row 1: allowed is a JSON object"),
        ("x.json", '{"problem": "p"}', "allowed is a JSON list of objects"),
        ("x.json", "{", "cannot be read as json"),
        ("x.parquet", "no parquet", "cannot be read as parquet"),
    ],
)
def test_a_bad_file_is_one_line(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=message) as caught:
        Local(str(tmp_path / name)).load()
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named():
    with pytest.raises(UserError, match=r"dataset\.path=nowhere\.jsonl: no such file"):
        Local("nowhere.jsonl").load()


def test_a_hub_dataset_is_read_by_the_datasets_library(tmp_path):
    write(tmp_path, "train.jsonl", ROWS)
    assert [problem.id for problem in Hub(str(tmp_path)).load()] == ["a", "b"]
    assert [problem.id for problem in Hub(str(tmp_path / "train.jsonl")).load()] == ["a", "b"]


def test_a_hub_dataset_that_cannot_be_had_is_one_line(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UserError, match=r"dataset\.hub_id=nobody/nothing: cannot be loaded") as caught:
        Hub("nobody/nothing").load()
    assert "\n" not in str(caught.value)


def gpqa(folder, count=400):
    rows = [
        {
            "Record ID": f"r{number}",
            "Question": f"Which of these is number {number}?",
            "Correct Answer": f"{number}",
            "Incorrect Answer 1": "w1",
            "Incorrect Answer 2": "w2",
            "Incorrect Answer 3": "w3",
        }
        for number in range(count)
    ]
    file = write(folder, "gpqa.jsonl", rows)
    return Gpqa(file, columns=Columns(problem="Question", id="Record ID")).load()


def test_gpqa_options_are_shuffled_by_the_question_and_balanced(tmp_path):
    problems = gpqa(tmp_path)
    assert problems == gpqa(tmp_path)
    for number, problem in enumerate(problems):
        assert problem.options["ABCD".index(problem.answer)] == str(number)
        assert sorted(problem.options) == sorted([str(number), "w1", "w2", "w3"])
    letters = Counter(problem.answer for problem in problems)
    assert stats.chisquare([letters[letter] for letter in "ABCD"]).pvalue > 0.01


def test_gpqa_without_its_columns_is_refused(tmp_path):
    file = write(tmp_path, "x.jsonl", ROWS)
    with pytest.raises(UserError, match="no column 'Correct Answer'"):
        Gpqa(file, columns=Columns(problem="problem")).load()


def test_the_built_in_task_extends_and_checks_its_settings():
    task = Arithmetic(20, 1, "test", [1, 5], [6])
    assert task.load() == Arithmetic(40, 1, "test", [1, 5], [6]).load()[:20]
    with pytest.raises(UserError, match=r"dataset\.levels=\[0\]: allowed are whole numbers from 1 to 5"):
        Arithmetic(20, 1, "test", [0], [6]).load()
    with pytest.raises(UserError, match=r"dataset\.steps=\[11\]"):
        Arithmetic(20, 1, "test", [1], [11]).load()
    with pytest.raises(UserError, match=r"dataset\.split=dev"):
        Arithmetic(20, 1, "dev", [1], [6]).load()
