"""Run folders, written by the project's own code, to rows, tables, a figure and the command line."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from analysis.__main__ import main
from analysis.load import COLUMNS, load
from analysis.measures.compare import compare
from analysis.report import sweep as report
from leap_lab.errors import UserError
from tests.known_runs import EASY, HARD, write_run


def test_a_row_per_path_with_the_settings_of_its_run(sweep: list[Path]) -> None:
    table = load(sweep)
    choices, method = ["model", "dataset", "method"], ["max_tokens", "answer_tokens", "interval", "summary_tokens"]
    others = ["router", "top_k", "prompts", "temperature", "difficulty", "prefix", "peers", "seed"]
    assert list(table.columns) == [*COLUMNS, *choices, *method, *others, "flops", "flops_least", "flops_most"]
    assert len(table) == 3 * 8 * 8
    first, last = table.iloc[0], table.iloc[-1]
    assert (first["method"], first["router"], first["top_k"], first["interval"]) == ("leap", "dispersed", 4, 64)
    assert (last["method"], last["router"], last["peers"], last["temperature"]) == ("independent", None, 8, 1.0)
    assert list(table["run_id"].unique()) == [folder.name for folder in sweep]


def test_only_what_was_asked_for_is_read(tmp_path: Path) -> None:
    folder = write_run(tmp_path, {"a": [["1"], ["2"], ["2"]], "b": [["1"], ["1"], ["1"]]})
    assert len(load([folder], questions=["a"])) == 3
    assert len(load([folder], groups=1)) == 2
    assert list(load([folder], ["question_id", "answer"]).columns[:2]) == ["question_id", "answer"]


def test_a_report_is_a_table_in_three_forms_and_a_figure_in_two(sweep: list[Path], tmp_path: Path) -> None:
    made = report.write(sweep, tmp_path / "new" / "out")
    assert [file.name for file in made.files] == ["table.md", "table.tex", "table.json", "figure.png", "figure.pdf"]
    assert sorted(made.files) == sorted((tmp_path / "new" / "out").iterdir())  # nothing unfinished beside them
    with Image.open(made.files[3]) as image:
        assert image.size[0] == pytest.approx(3.35 * 300, abs=1)
    assert made.files[4].read_bytes().startswith(b"%PDF")
    assert "dispersed k=4" in made.table and "Q×G×N:" in made.table


def test_the_json_holds_the_numbers_and_what_they_are_of(sweep: list[Path], tmp_path: Path) -> None:
    made = report.write(sweep, tmp_path / "out", questions=[f"q{index}" for index in range(1, 8)])
    baseline, dispersed, _ = json.loads(made.files[2].read_text())["rows"]
    assert baseline["vs"] is None
    assert (dispersed["run_id"], dispersed["questions"], dispersed["labels"]["router"]) == (
        sweep[0].name,
        7,
        "dispersed",
    )
    assert dispersed["metrics"]["pass@1"]["value"] == pytest.approx(0.5)
    assert dispersed["vs"]["value"] == pytest.approx(16 / 56)
    assert (dispersed["vs"]["n"], dispersed["vs"]["p"]) == (7, 2 * 2 / 2**7)


def test_a_sweep_of_ones_own_is_corrected_and_says_what_became_of_questions(sweep: list[Path], tmp_path: Path) -> None:
    made = report.write(sweep, tmp_path / "out")
    assert "p is corrected for the 2 comparisons with independent in this table (Holm)." in made.table
    assert "Differences to independent sampling" in made.table and "8/0/0" in made.table
    text = made.files[0].read_text()
    assert "## Differences to independent sampling: pass@k" in text and "| pass@8 |" in text
    assert "pass@8" not in made.table and "pass@8" in made.files[1].read_text()
    _, dispersed, _ = json.loads(made.files[2].read_text())["rows"]
    found = dispersed["vs"]
    assert (found["up"], found["same"], found["down"], found["worst"], found["verdict"]) == (8, 0, 0, 0, "")
    assert found["bounds"]["low"] < 0 < found["bounds"]["high"]
    assert found["family"] == {"size": 2, "words": "comparisons with independent in this table"}
    assert set(dispersed["others"]) == {"cons@8", "final", "pass@2", "pass@4", "pass@8"}


def test_the_command_takes_a_margin(sweep: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", *map(str, sweep), "--out", str(tmp_path / "out"), "--margin", "5"]) == 0
    assert "within ±5" in capsys.readouterr().out
    for margin in ("0", "-1", "100", "nan", "five"):
        with pytest.raises(SystemExit) as stopped:
            main(["report", str(sweep[0]), f"--margin={margin}"])
        assert stopped.value.code == 2
        assert f"invalid value: {margin} (must be a number of points above 0" in capsys.readouterr().err


def test_these_questions_asked_again_need_two_groups_of_leap(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of 8 questions one arm has two groups; with groups=1 independent paths are samples, LeaP's groups are not."""
    twice = {q: [group, [*group[1:], "2"]] for q, [group] in EASY.items()}
    folders = [write_run(tmp_path, twice, "dispersed", groups=2), write_run(tmp_path, HARD)]
    command = ["report", *map(str, folders), "--out", str(tmp_path / "out"), "--over", "these"]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "for these very questions asked again" in said and "questions like these, questions" not in said
    alone, heard = json.loads((tmp_path / "out" / "table.json").read_text())["rows"]
    assert alone["these_questions"] and alone["metrics"]["pass@1"]["low"] is not None
    assert alone["metrics"]["cons@8"]["low"] is None, "one vote a question"
    assert heard["vs"]["low"] is not None and heard["vs"]["bounds"] is None and heard["vs"]["verdict"] == "better"
    assert main([*command, "--groups", "1"]) == 0
    said = capsys.readouterr().out
    assert "n/a: for these questions an interval needs two groups of each (groups=2): paths of a group" in said
    _, heard = json.loads((tmp_path / "out" / "table.json").read_text())["rows"]
    assert heard["metrics"]["pass@1"]["low"] is None and heard["vs"]["low"] is None and heard["vs"]["verdict"] == ""


def test_a_margin_is_of_questions_like_these(sweep: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["report", str(sweep[0]), "--over", "these", "--margin", "5"])
    assert stopped.value.code == 2
    assert "--margin=5: only for questions like these" in capsys.readouterr().err


def test_the_same_runs_give_the_same_table(sweep: list[Path], tmp_path: Path) -> None:
    assert report.write(sweep, tmp_path / "a").table == report.write(sweep, tmp_path / "b").table


def test_the_command_prints_the_table_and_the_files(
    sweep: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", *map(str, sweep), "--out", str(tmp_path / "out"), "--groups", "1"]) == 0
    said = capsys.readouterr().out
    assert "independent" in said and f"report: {tmp_path / 'out' / 'figure.pdf'}" in said


def no_such(root: Path) -> Path:
    return root / "none"


def empty(root: Path) -> Path:
    (root / "empty").mkdir()
    return root / "empty"


def foreign(root: Path) -> Path:
    (folder := empty(root)).joinpath("config.yaml").write_text("just: words\n")
    return folder


def a_list(root: Path) -> Path:
    (folder := empty(root)).joinpath("config.yaml").write_text("- 1\n")
    return folder


def not_yaml(root: Path) -> Path:
    (folder := empty(root)).joinpath("config.yaml").write_bytes(b"\xff: [")
    return folder


def without_groups(root: Path) -> Path:
    return write_run(root, {})


@pytest.mark.parametrize("make", [no_such, empty, foreign, a_list, not_yaml, without_groups])
def test_a_folder_that_is_no_run_is_one_line(
    make: Callable[[Path], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make(tmp_path)
    assert main(["report", str(folder), "--out", str(tmp_path / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {folder}") and "runs/<run_id>" in line
    assert not (tmp_path / "out").exists()


def test_an_output_that_cannot_be_a_folder_is_one_line(
    sweep: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main(["report", str(sweep[0]), "--out", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err == f"error: --out={tmp_path / 'file'}: cannot write there: File exists\n"


@pytest.mark.parametrize("arguments", [[], ["report"], ["plot"], ["report", "x", "--groups", "0"]])
def test_wrong_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_no_run_at_all_is_an_error() -> None:
    with pytest.raises(UserError, match="none named"):
        compare([])


def test_the_command_line_needs_no_engine(sweep: list[Path], tmp_path: Path) -> None:
    code = (
        "import sys; from analysis.__main__ import main; "
        f"status = main(['report', *{[str(folder) for folder in sweep]!r}, '--out', {str(tmp_path / 'out')!r}]); "
        "heavy = {'vllm', 'torch', 'wandb', 'transformers', 'datasets'} & set(sys.modules); "
        "sys.exit(f'imported {heavy}' if heavy else status)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
