"""Every benchmark that conf names, read with its own columns from a small file of the shape that it has on the hub."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import leap_lab
from leap_lab import api
from leap_lab.errors import UserError

ARENA = {"problem_idx": 1, "problem": "What is 2 + 3?", "answer": "5", "problem_type": ["Algebra"]}
LATEX = {**ARENA, "answer": r"\frac{\sqrt{2}}{2}"}
ROWS = {
    "aime_2024": {"id": 60, "problem": "What is 2 + 3?", "answer": "5"},
    "aime_2025": {"question": "What is 2 + 3?", "answer": "5"},
    "aime_2026": {**ARENA, "answer": 5},
    "aimo_2025": {"id": "a1", "problem": "What is 2 + 3?", "answer": 5},
    "hmmt_feb_2025": LATEX,
    "hmmt_nov_2025": LATEX,
    "hmmt_feb_2026": LATEX,
    "brumo_2025": ARENA,
    "beyond_aime": {"problem": "What is 2 + 3?", "answer": 5},
    "olymmath": {"problem": "What is 2 + 3?", "answer": r"$\frac{1}{2}$", "subject": "Algebra"},
    "math_500": {"problem": "What is 2 + 3?", "solution": "It is 5.", "answer": "5", "subject": "Algebra", "level": 1},
    "gsm8k": {"question": "What is 2 + 3?", "answer": "2+3=<<2+3=5>>5\n#### 5"},
    "gpqa_diamond": {
        "Record ID": "r",
        "Question": "What is 2 + 3?",
        "Correct Answer": "5",
        **{f"Incorrect Answer {number}": str(number) for number in (1, 2, 3)},
    },
    "supergpqa": {
        "uuid": "u",
        "question": "What is 2 + 3?",
        "options": [str(number) for number in range(10)],
        "answer": "5",
        "answer_letter": "F",
        "discipline": "Science",
    },
    "zebralogic": {
        "id": "z",
        "puzzle": "There are two houses.",
        "question": "Who lives in the first?",
        "choices": ["Arnold", "Eric"],
        "answer": "Eric",
    },
}
GOLDS = {"gsm8k": "5", "supergpqa": "F", "zebralogic": "B", "olymmath": r"$\frac{1}{2}$", "aime_2026": "5"}
CONF = Path(leap_lab.__file__).parents[1] / "conf" / "dataset"


def problems(tmp_path: Path, name: str, rows: list[dict[str, object]]) -> list[leap_lab.Problem]:
    file = tmp_path / "copy.parquet"
    pq.write_table(pa.Table.from_pylist(rows), file)
    return api.cell("engine=scripted", f"dataset={name}", f"dataset.hub_id={file}").problems()


def test_every_benchmark_has_a_row_here():
    named = {file.stem for file in CONF.glob("*.yaml") if "hub_id" in yaml.safe_load(file.read_text())}
    assert named == set(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_a_benchmark_is_read(tmp_path, name):
    [problem] = problems(tmp_path, name, [ROWS[name]])
    assert "What is 2 + 3?" in problem.text or "first?" in problem.text
    assert problem.answer == GOLDS.get(name, problem.answer)
    assert (problem.kind == "choice") == (name in ("gpqa_diamond", "supergpqa", "zebralogic"))
    if problem.kind == "choice":
        right = problem.options["ABCDEFGHIJ".index(problem.answer)]
        assert right in ("5", "Eric")


def test_a_puzzle_stands_before_its_question(tmp_path):
    [problem] = problems(tmp_path, "zebralogic", [ROWS["zebralogic"]])
    assert problem.text == "There are two houses.\n\nWho lives in the first?"
    with pytest.raises(UserError, match="row 1, column 'answer': 'Bob': must be one of the options"):
        problems(tmp_path, "zebralogic", [{**ROWS["zebralogic"], "answer": "Bob"}])


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("#### 55 and a half of it, which is the most that anybody could say about it in so many words", "more than"),
        ("", "column 'answer': empty"),
        (r"\boxed{55", r"holds '\\\\boxed'"),
    ],
)
def test_a_gold_that_no_answer_can_equal_is_refused_with_its_row(tmp_path, answer, message):
    rows = [{"question": "1 + 1?", "answer": "#### 2"}, {"question": "What is 2 + 3?", "answer": answer}]
    with pytest.raises(UserError, match=message) as caught:
        problems(tmp_path, "gsm8k", rows)
    assert "row 2" in str(caught.value)


def test_ids_and_offset_choose_questions(tmp_path):
    rows = [{**ROWS["aime_2024"], "id": number} for number in range(6)]
    file = tmp_path / "copy.parquet"
    pq.write_table(pa.Table.from_pylist(rows), file)

    def ids(*overrides: str) -> list[str]:
        cell = api.cell("engine=scripted", "dataset=aime_2024", f"dataset.hub_id={file}", *overrides)
        assert cell.run_id == whole, "a run is not another one for it"
        return [problem.id for problem in cell.problems()]

    whole = api.cell("engine=scripted", "dataset=aime_2024", f"dataset.hub_id={file}").run_id
    assert ids() == list("012345")
    assert ids("dataset.offset=2", "limit=3") == list("234")
    assert ids("dataset.ids=[4,1]") == list("41")
    assert ids("dataset.ids=[4,1,0]", "dataset.offset=1", "limit=1") == ["1"]
    for wrong, message in (
        ("dataset.ids=[9]", r"dataset.ids=9: no such question; there are 0, 1, 2"),
        ("dataset.offset=6", r"dataset.offset=6: must be less than 6"),
        ("dataset.offset=-1", r"dataset.offset=-1: must be an integer >= 0"),
        ("dataset.ids=4", r"dataset.ids=4: must be a list of different ids"),
        ("dataset.ids=[4,4]", r"dataset.ids=\['?4'?, '?4'?\]: must be a list of different ids"),
    ):
        with pytest.raises(UserError, match=message):
            api.cell("engine=scripted", "dataset=aime_2024", f"dataset.hub_id={file}", wrong).problems()
