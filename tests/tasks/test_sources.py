"""Datasets: every source gives checked problems, and everything wrong with a file is one clear line."""

import json
import random
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

from leap_lab.errors import UserError
from leap_lab.tasks.arithmetic import Arithmetic
from leap_lab.tasks.problem import Problem
from leap_lab.tasks.rows import unavailable
from leap_lab.tasks.sources import Columns, Gpqa, Hub, Local
from tests.hubs import NEW, OLD, Cache

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


def test_rows_without_an_id_get_one_from_what_is_asked_and_numbers_become_text(tmp_path):
    rows = [{"problem": "p", "answer": 7}, {"problem": "q", "answer": 0}]
    first, second = Local(write(tmp_path, "x.jsonl", rows)).load()
    assert (first.answer, second.answer) == ("7", "0")
    assert (first.id, second.id) == (f"q-{first.content}", f"q-{second.content}")
    assert first.id != second.id
    turned = [{"problem": "q", "answer": 1}, {"problem": "new", "answer": 2}, {"problem": "p", "answer": 7}]
    ids = [problem.id for problem in Local(write(tmp_path, "x.jsonl", turned)).load()]
    assert ids[::2] == [second.id, first.id], "wherever the row is, whatever its answer"


def test_the_same_question_twice_is_two_questions(tmp_path):
    rows = [{"problem": "p", "answer": 7}, {"problem": "p", "answer": 7}, {"problem": "p", "answer": 8}]
    ids = [problem.id for problem in Local(write(tmp_path, "x.jsonl", rows)).load()]
    assert ids == [ids[0], f"{ids[0]}-2", f"{ids[0]}-3"]


def test_what_is_asked_is_text_kind_and_options_alone():
    asked = Problem("a", "p", "1")
    assert asked.content == Problem("b", "p", "2").content
    others = [Problem("a", "p ", "1"), Problem("a", "p", "A", "choice", ("1", "2")), Problem("a", "\ud800", "1")]
    others.append(Problem("a", "p", "A", "choice", ("2", "1")))
    assert len({each.content for each in [asked, *others]}) == 5


def test_options_make_a_choice(tmp_path):
    rows = [{"problem": "p", "answer": "b", "options": ["x", "y"]}, {"problem": "q", "answer": "5", "options": None}]
    choice, plain = Local(write(tmp_path, "x.jsonl", rows)).load()
    assert (choice.kind, choice.answer, choice.options) == ("choice", "B", ("x", "y"))
    assert plain.kind == "math"


def test_a_kind_names_the_grader_of_a_row(tmp_path):
    rows = [
        {"problem": "p", "answer": "yes", "kind": "text"},
        {"problem": "q", "answer": ["2", "two"], "kind": "several"},
        {"problem": "r", "answer": "[1, 2]", "kind": "list"},
        {"problem": "s", "answer": "b", "kind": "my_module.Letters", "options": ["x", "y"]},
        {"problem": "t", "answer": "5", "kind": None},
    ]
    problems = Local(write(tmp_path, "x.jsonl", rows)).load()
    assert [(problem.kind, problem.answer) for problem in problems] == [
        ("text", "yes"),
        ("several", '["2", "two"]'),
        ("list", '["1", "2"]'),
        ("my_module.Letters", "B"),
        ("math", "5"),
    ]


def test_columns_can_have_other_names(tmp_path):
    rows = [{"Question": "p", "Gold": "1", "Key": "k"}]
    columns = Columns(problem="Question", answer="Gold", id="Key")
    assert Local(write(tmp_path, "x.jsonl", rows), columns).load() == [Problem("k", "p", "1")]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([*ROWS, ROWS[0]], r"x\.jsonl, row 3, column 'id': duplicate id 'a', as in row 1"),
        ([{"problem": "p"}], r"x\.jsonl, row 1: no column 'answer'; the columns are problem"),
        ([{"answer": "p"}], r"x\.jsonl, row 1: no column 'problem'"),
        ([ROWS[0], {"id": "b", "problem": "p", "answer": " "}], r"x\.jsonl, row 2, column 'answer': empty"),
        ([{"problem": "p", "answer": None}], r"row 1, column 'answer': empty"),
        ([{"problem": "p", "answer": "C", "options": ["x", "y"]}], r"'C' names none of the options; .* A to B"),
        ([{"problem": "p", "answer": "AB", "options": ["x", "y"]}], r"'AB' names none of the options"),
        ([{"problem": "p", "answer": "A", "options": ["x"]}], r"column 'options': must be a list of 2 to 26"),
        ([{"problem": "p", "answer": "A", "options": "x, y"}], r"column 'options': must be a list, such as"),
        ([{"problem": "p", "answer": "A", "options": ["x", " "]}], r"column 'options': an item is empty"),
        ([{"problem": "p", "answer": "A", "options": ["x", ["y"]]}], r"column 'options': a list; must be text"),
        ([{"problem": "p", "answer": True}], r"row 1, column 'answer': a bool; must be text or a number"),
        ([{"problem": "p", "answer": ["1"]}], r"row 1, column 'answer': a list; must be text or a number"),
        ([{"problem": "p", "answer": float("nan")}], r"row 1, column 'answer': empty"),
        ([{"problem": "p\ud800", "answer": "1"}], r"row 1, column 'problem': not valid Unicode"),
        ([ROWS[0], {"problem": "p", "answer": "1"}], r"row 2: no column 'id'; the columns are problem, answer"),
        ([ROWS[0], {"id": " ", "problem": "p", "answer": "1"}], r"row 2, column 'id': empty"),
        ([{**ROWS[0], "id": 1}, {**ROWS[1], "id": "1"}], r"row 2, column 'id': duplicate id '1', as in row 1"),
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
        ("x", "hello", "no file extension"),
        ("x.jsonl", '{"problem": "p", "answer": "1"}\n{broken', r"x\.jsonl, row 2: cannot be read as jsonl"),
        ("x.jsonl", "[1, 2]", r"row 1: cannot be read as jsonl: must be a JSON object"),
        ("x.jsonl", "[" * 100_000, r"row 1: cannot be read as jsonl"),
        ("x.jsonl", "\n \n", ": holds no problems"),
        ("x.json", '{"problem": "p"}', "must be a list of objects"),
        ("x.json", "{", "cannot be read as json"),
        ("x.json", "[]", ": holds no problems"),
        ("x.parquet", "no parquet", "cannot be read as parquet"),
        ("x.csv", "problem,answer\np,1\nAdd 1,000 and 2,1002\n", r"row 2: .* 3 fields under 2 columns; quote a field"),
        ("x.csv", "problem,answer\np\n", r"row 1: .* 1 fields under 2 columns"),
        ("x.csv", "problem,answer,answer\np,1,2\n", r"two columns are named 'answer'"),
        ("x.csv", 'problem,answer\n"p,1\n', r"row 1: cannot be read as csv"),
        ("x.csv", "", ": holds no problems"),
    ],
)
def test_a_bad_file_is_one_line(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=message) as caught:
        Local(str(tmp_path / name)).load()
    assert "\n" not in str(caught.value)


def test_numbers_stay_the_text_that_they_are(tmp_path):
    file = tmp_path / "x.csv"
    file.write_bytes(b'\xef\xbb\xbfid,problem,answer,options\r\n007,"a, b",025,\r\n\r\n08,c,b,"[""x"", ""2.50""]"\r\n')
    plain, choice = Local(str(file)).load()
    assert plain == Problem("007", "a, b", "025")
    assert choice == Problem("08", "c", "B", "choice", ("x", "2.50"))
    (tmp_path / "x.jsonl").write_text(
        '{"problem": "p", "answer": 0.10}\n\n{"problem": "q", "answer": 1' + "0" * 400 + "}"
    )
    assert [problem.answer for problem in Local(str(tmp_path / "x.jsonl")).load()] == ["0.10", "1" + "0" * 400]


def test_text_that_is_no_utf_8_and_a_long_field(tmp_path):
    (tmp_path / "x.jsonl").write_bytes(b'{"problem": "\xff", "answer": "1"}')
    with pytest.raises(UserError, match=r"x\.jsonl, row 1: cannot be read as jsonl"):
        Local(str(tmp_path / "x.jsonl")).load()
    long = [{"problem": "p" * 200_000, "answer": "1"}]
    assert len(Local(write(tmp_path, "x.csv", long)).load()[0].text) == 200_000


def test_a_missing_file_is_named():
    with pytest.raises(UserError, match=r"dataset\.path=nowhere\.jsonl: no such file"):
        Local("nowhere.jsonl").load()


@pytest.fixture
def hub(monkeypatch, tmp_path_factory):
    """The datasets library without a network, and with a cache of its own."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path_factory.mktemp("cache"))


def test_a_hub_dataset_is_read_by_the_datasets_library(tmp_path, hub):
    write(tmp_path, "train.jsonl", ROWS)
    assert [problem.id for problem in Hub(str(tmp_path)).load()] == ["a", "b"]
    assert [problem.id for problem in Hub(str(tmp_path / "train.jsonl")).load()] == ["a", "b"]


def test_a_hub_dataset_that_cannot_be_had_is_one_line(hub):
    with pytest.raises(UserError, match=r"dataset\.hub_id=nobody/nothing: cannot be loaded") as caught:
        Hub("nobody/nothing").load()
    assert "\n" not in str(caught.value)


def test_a_hub_dataset_that_lacks_what_is_asked_for_is_one_line(tmp_path, hub):
    write(tmp_path, "train.jsonl", [*ROWS, ROWS[0]])
    with pytest.raises(UserError, match=r"train, row 3, column 'id': duplicate id 'a', as in row 1"):
        Hub(str(tmp_path)).load()
    with pytest.raises(UserError, match=r"train, row 1: no column 'question'; the columns are id, problem, answer"):
        Hub(str(tmp_path), columns=Columns(problem="question")).load()
    with pytest.raises(UserError, match=r"dataset\.hub_id=.*: cannot be loaded: .*test") as caught:
        Hub(str(tmp_path), split="test").load()
    assert "\n" not in str(caught.value)


def test_hub_configs_follow_one_another(tmp_path, hub):
    one, two = [{"problem": "p", "answer": 1}], [{"problem": "q", "answer": 2}]
    write(tmp_path, "one.jsonl", one)
    write(tmp_path, "two.jsonl", two)
    configs = [f"- config_name: {name}\n  data_files: {name}.jsonl" for name in ("one", "two")]
    (tmp_path / "README.md").write_text("---\nconfigs:\n" + "\n".join(configs) + "\n---\n")
    problems = Hub(str(tmp_path), configs=["one", "two"]).load()
    assert [(problem.text, problem.answer) for problem in problems] == [("p", "1"), ("q", "2")]


def test_a_hub_dataset_is_read_at_its_commit_and_no_other(tmp_path, monkeypatch):
    """Without a network the datasets library itself serves what it prepared last, whatever it is asked for."""
    cache = Cache(tmp_path, monkeypatch)
    cache.dataset("me/q", {OLD: [{"problem": "old", "answer": "1"}], NEW: [{"problem": "new", "answer": "1"}]})
    for commit, text in ((OLD, "old"), (NEW, "new")):
        assert [problem.text for problem in Hub("me/q", revision=commit).load()] == [text]
    with pytest.raises(UserError, match=f"me/q: cannot be loaded: the local cache has commit {NEW}, not {'c' * 40}"):
        Hub("me/q", revision="c" * 40).load()


def test_a_gated_dataset_says_what_to_do():
    message = unavailable(
        "owner/name", "Dataset 'owner/name' is a gated dataset on the Hub. You must be authenticated."
    )
    assert message.startswith("dataset.hub_id=owner/name: cannot be loaded: it is gated: accept its terms on the hub")


def gpqa_rows(count):
    return [
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


def gpqa(folder, rows):
    file = write(folder, "gpqa.jsonl", rows)
    return Gpqa(file, columns=Columns(problem="Question", id="Record ID")).load()


def test_gpqa_options_are_shuffled_by_the_question_and_balanced(tmp_path):
    problems = gpqa(tmp_path, gpqa_rows(400))
    random.seed(1)
    assert problems[::-1] == gpqa(tmp_path, gpqa_rows(400)[::-1])
    for number, problem in enumerate(problems):
        assert problem.options["ABCD".index(problem.answer)] == str(number)
        assert sorted(problem.options) == sorted([str(number), "w1", "w2", "w3"])
    letters = Counter(problem.answer for problem in problems)
    assert stats.chisquare([letters[letter] for letter in "ABCD"]).pvalue > 0.01


def test_gpqa_without_its_columns_is_refused(tmp_path):
    file = write(tmp_path, "x.jsonl", ROWS)
    with pytest.raises(UserError, match="no column 'Correct Answer'"):
        Gpqa(file, columns=Columns(problem="problem")).load()
    rows = gpqa_rows(2)
    rows[1]["Incorrect Answer 2"] = ""
    with pytest.raises(UserError, match=r"row 2, column 'Incorrect Answer 2': empty"):
        gpqa(tmp_path, rows)


def test_gpqa_keeps_the_right_answer_when_a_wrong_one_reads_the_same(tmp_path):
    rows = [{**row, "Incorrect Answer 1": row["Correct Answer"]} for row in gpqa_rows(20)]
    plain = gpqa(tmp_path, gpqa_rows(20))
    assert [problem.answer for problem in gpqa(tmp_path, rows)] == [problem.answer for problem in plain]


def test_the_built_in_task_extends_and_checks_its_settings():
    task = Arithmetic(20, 1, "test", [1, 5], [6])
    assert task.load() == Arithmetic(40, 1, "test", [1, 5], [6]).load()[:20]
    with pytest.raises(UserError, match=r"dataset\.levels=0: must be an integer from 1 to 5"):
        Arithmetic(20, 1, "test", [0], [6]).load()
    with pytest.raises(UserError, match=r"dataset\.steps=16"):
        Arithmetic(20, 1, "test", [1], [16]).load()
    with pytest.raises(UserError, match=r"dataset\.split=dev"):
        Arithmetic(20, 1, "dev", [1], [6]).load()
    with pytest.raises(UserError, match=r"dataset\.count=0: must be an integer from 1"):
        Arithmetic(0, 1, "test", [1], [6]).load()
    with pytest.raises(UserError, match=r"dataset\.seed=x"):
        Arithmetic(20, "x", "test", [1], [6]).load()
