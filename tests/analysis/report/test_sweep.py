"""Run folders, written by the project's own code, to rows, tables, a figure and the command line."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib.colors
import numpy as np
import pytest
from PIL import Image

from analysis.__main__ import main
from analysis.drawing import figures, tables
from analysis.load import COLUMNS, load
from analysis.measures.compare import compare
from analysis.report import sweep as report
from analysis.stats.intervals import Estimate
from leap_lab.errors import UserError
from tests.known_runs import ALONE, EASY, HARD, write_run


@pytest.fixture
def sweep(tmp_path: Path) -> list[Path]:
    runs = tmp_path / "runs"
    return [write_run(runs, EASY, "dispersed"), write_run(runs, HARD, "clustered"), write_run(runs, HARD)]


def test_a_row_per_path_with_the_settings_of_its_run(sweep: list[Path]) -> None:
    table = load(sweep)
    choices, method = ["model", "dataset", "method"], ["max_tokens", "answer_tokens", "interval", "summary_tokens"]
    others = ["router", "top_k", "prompts", "temperature", "difficulty", "prefix", "peers", "seed"]
    assert list(table.columns) == [*COLUMNS, *choices, *method, *others, "flops"]
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


def test_the_baseline_comes_first_and_is_what_others_are_compared_with(sweep: list[Path]) -> None:
    baseline, dispersed, clustered = compare(sweep)
    assert [row.name for row in (baseline, dispersed, clustered)] == ["independent", "dispersed k=4", "clustered k=4"]
    assert baseline.against is None
    assert dispersed.against is not None and clustered.against is not None
    assert dispersed.against.difference.value == pytest.approx(20 / 64)
    assert dispersed.against.verdict == "better"
    assert dispersed.against.p == 2 / 2**8
    assert (clustered.against.difference.value, clustered.against.p, clustered.against.verdict) == (0, 1.0, "")


def test_worse_is_said_as_plainly(tmp_path: Path) -> None:
    _, row = compare([write_run(tmp_path, HARD, "random"), write_run(tmp_path, EASY)])
    assert row.against is not None
    assert row.against.verdict == "worse"


@pytest.mark.parametrize(
    "change",
    [
        {"method": {**ALONE, "max_tokens": 1024}},
        {"sampling": {"temperature": 0.5}},
        {"seed": 1},
        {"prompts": {"name": "untuned"}},
        {"dataset": {"name": "arithmetic", "seed": 9}},
    ],
)
def test_another_budget_sampling_or_task_is_no_baseline(tmp_path: Path, change: dict[str, Any]) -> None:
    found = compare([write_run(tmp_path, EASY, "dispersed"), write_run(tmp_path, EASY, **change)])
    assert [row.against for row in found] == [None, None]
    assert any("no independent run with the same" in note for note in tables.notes(found))


def test_how_much_was_asked_for_and_how_it_ran_do_not_part_a_run_from_its_baseline(tmp_path: Path) -> None:
    alone = write_run(tmp_path, EASY, dataset={"name": "arithmetic", "seed": 0, "limit": 99}, concurrency=1)
    assert compare([write_run(tmp_path, EASY, "dispersed"), alone])[1].against is not None


def test_the_difference_is_over_the_questions_that_both_have(tmp_path: Path) -> None:
    some = {question: EASY[question] for question in list(EASY)[:5]}
    found = compare([write_run(tmp_path, EASY, "dispersed"), write_run(tmp_path, some)])
    assert found[1].against is not None
    assert (found[1].against.difference.n, found[1].against.difference.value) == (5, 0)
    told = "\n".join(tables.notes(found))
    assert "independent: 5 of 8 groups are there." in told
    assert "dispersed k=4: the difference is over the 5 questions both runs have." in told


def test_questions_that_were_asked_for_and_are_missing_are_told(sweep: list[Path]) -> None:
    found = compare(sweep, questions=["q1", "q2", "q9"], groups=2)
    assert [(row.questions, row.found, row.asked) for row in found] == [(2, 2, 6)] * 3


def test_a_folder_named_twice_is_one_row(sweep: list[Path]) -> None:
    assert len(compare([*sweep, sweep[0].parent / "." / sweep[0].name])) == 3


def test_the_table_holds_the_numbers(sweep: list[Path]) -> None:
    head, baseline, dispersed, clustered = tables.cells(compare(sweep))
    assert head[1:5] == ["Q×G×N", "Pass@1 %", "vs independent", "Cons@8 %"]
    assert baseline[1] == "8×1×8" and baseline[3] == ""
    assert baseline[2].startswith("25.0 [") and dispersed[2].startswith("56.2 [")
    assert dispersed[3].startswith("+31.2 [") and dispersed[3].endswith("p=0.008 better")
    assert re.fullmatch(r"\+0\.0 \[-\d+\.\d, \+\d+\.\d\] p=1\.000", clustered[3])
    assert baseline[4].startswith("6.2 [") and dispersed[4].startswith("56.2 [")  # a tie of 4 to 4 counts half
    assert head[-5:] == ["sampled", "received", "prefilled", "FLOPs", "critical path"]
    assert baseline[-5:] == ["100", "0", "50", "n/a", "100"] and dispersed[-5:] == ["110", "40", "90", "n/a", "110"]


def test_operations_are_shown_where_the_run_knows_them(tmp_path: Path) -> None:
    """Two operations per token computed, a path has 50 in its prompt and 100 that it samples; ten per token sampled."""
    per = {"computed": 2_000_000, "sampled": 10_000_000, "attended": 5}
    folder = write_run(tmp_path / "runs", EASY, flops_per=per)
    made = report.write([folder], tmp_path / "out")
    assert tables.cells(compare([folder]))[1][-2] == "1.31G"
    [row] = json.loads(made.files[2].read_text())["rows"]
    assert row["metrics"]["flops"]["value"] == 2e6 * 150 + 1e7 * 101
    assert row["ledger"]["flops"] == 64 * (2e6 * 150 + 1e7 * 101)
    assert (row["ledger"]["sampled"], row["ledger"]["cached"], row["ledger"]["critical_path_max"]) == (6400, 1280, 100)
    assert "What these runs cost" in made.files[0].read_text() and "83.8G" in made.files[0].read_text()


def test_what_the_engine_does_not_report_is_shown_as_such(tmp_path: Path) -> None:
    per = {"computed": 2_000_000, "sampled": 10_000_000, "attended": 5}
    folders = [write_run(tmp_path, EASY, flops_per=per), write_run(tmp_path, HARD, "all", flops_per=per, reports=False)]
    known, unknown = tables.cells(compare(folders))[1:]
    assert known[-5:] == ["100", "0", "50", "1.31G", "100"] and unknown[-5:] == ["110", "40", "n/a", "n/a", "110"]
    notes = [note for note in tables.notes(compare(folders)) if "engine" in note]
    assert notes == ["all k=4: prefilled is n/a, because the engine does not report it."]
    made = report.write(folders, tmp_path / "out")
    known, unknown = (row["ledger"] for row in json.loads(made.files[2].read_text())["rows"])
    assert (unknown["prefilled"], unknown["cached"], unknown["flops"], unknown["sampled"]) == (None, None, None, 7040)
    ledger = made.tables["ledger"]
    columns = [ledger[0].index(name) for name in ("prefilled", "cached", "FLOPs", "sampled")]
    assert [ledger[2][column] for column in columns] == ["n/a", "n/a", "n/a", "7.04k"]


@pytest.mark.parametrize(
    ("value", "told"),
    [(0, "0"), (999, "999"), (999.7, "1.00k"), (1234, "1.23k"), (99_960, "100k"), (999_600, "1.00M"), (3e15, "3.00P")],
)
def test_large_numbers_are_told_in_three_digits(value: float, told: str) -> None:
    assert tables.short(value) == told


def test_a_number_that_is_not_known_is_said_to_be() -> None:
    assert tables.short(None) == tables.short(float("nan")) == "n/a"


def test_without_a_baseline_there_is_no_column_for_it(sweep: list[Path]) -> None:
    found = compare(sweep[:2])
    assert {len(line) for line in tables.cells(found)} == {10}
    assert "independent" not in "\n".join([tables.console(tables.cells(found)), *tables.notes(found)])


def test_one_question_is_shown_without_intervals(tmp_path: Path) -> None:
    one = {"q": [["1", "2"]]}
    found = compare([write_run(tmp_path, one, "dispersed", peers=2), write_run(tmp_path, one, peers=2)])
    assert tables.cells(found)[2][2:5] == ["50.0 [n/a]", "+0.0 [n/a]", "50.0 [n/a]"]
    assert tables.notes(found)[-1] == "n/a: an interval over questions needs more than one question."
    figures.overview(found)


def test_console_columns_are_of_one_width(sweep: list[Path]) -> None:
    lines = tables.console(tables.cells(compare(sweep))).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert len(lines) == 5


HOSTILE = [["run", "n"], ["a|b_c\\d 50% #1 & {x} ~ ^ <b> $y$", "-1.5"]]


def test_markdown_is_escaped() -> None:
    head, rule, row = tables.markdown(HOSTILE).splitlines()
    assert re.fullmatch(r"\|-+\|-+:\|", rule)
    assert len(re.findall(r"(?<!\\)\|", row)) == len(re.findall(r"(?<!\\)\|", head)) == 3
    assert r"a\|b\_c\\d" in row and r"\<b>" in row


def test_latex_is_escaped() -> None:
    text = tables.latex(HOSTILE, ["a note\nin two lines"])
    assert text.startswith("% a note in two lines\n\\begin{tabular}{lr}\n\\toprule\n")
    assert r"a$|$b\_c\textbackslash{}d 50\% \#1 \& \{x\} \textasciitilde{} \textasciicircum{} $<$b$>$ \$y\$" in text
    assert r"$-$1.5 \\" in text
    assert text.endswith("\\bottomrule\n\\end{tabular}")


def test_the_figure_draws_the_values_and_their_intervals(sweep: list[Path]) -> None:
    found = compare(sweep)
    top, bottom = figures.overview(found).axes
    pass1, cons = top.containers
    for drawn, name in ((pass1, "pass@1"), (cons, "cons")):
        assert list(drawn.lines[0].get_xdata()) == pytest.approx([100 * row[name].value for row in found])
        segments = drawn.lines[2][0].get_segments()
        ends = [(100 * row[name].low, 100 * row[name].high) for row in found]  # type: ignore[operator]
        assert [(segment[0][0], segment[1][0]) for segment in segments] == [pytest.approx(end) for end in ends]
    own, received = (container for container in bottom.containers if hasattr(container, "patches"))
    assert [bar.get_width() for bar in own] == [100, 110, 110]
    assert [(bar.get_x(), bar.get_width()) for bar in received] == [(100, 0), (110, 40), (110, 40)]


def test_the_figure_tells_runs_units_and_n(sweep: list[Path]) -> None:
    top, bottom = figures.overview(compare(sweep)).axes
    assert [label.get_text() for label in top.get_yticklabels()] == ["independent", "dispersed k=4", "clustered k=4"]
    assert top.get_xlabel() == "correct (%), 95% intervals, n = 8 questions"
    assert bottom.get_xlabel().startswith("tokens per path")
    assert [text.get_text() for text in top.get_legend().get_texts()] == ["independent", "Pass@1", "Cons@8"]


def test_the_band_is_the_interval_of_the_baseline(sweep: list[Path]) -> None:
    found = compare(sweep)
    (band,) = figures.overview(found).axes[0].patches
    low, high = found[0]["pass@1"].low, found[0]["pass@1"].high
    assert low is not None and high is not None
    assert (band.get_x(), band.get_x() + band.get_width()) == pytest.approx((100 * low, 100 * high))
    assert not figures.overview(found[1:]).axes[0].patches


def test_nothing_in_print_is_smaller_than_seven_points(sweep: list[Path]) -> None:
    figure = figures.overview(compare(sweep))
    assert figure.get_size_inches()[0] == 3.35
    for axes in figure.axes:
        texts = [axes.xaxis.label, *axes.get_xticklabels(), *axes.get_yticklabels(), *axes.get_legend().get_texts()]
        assert min(text.get_fontsize() for text in texts) >= 7


def test_series_differ_by_marker_and_by_lightness(sweep: list[Path]) -> None:
    pass1, cons = figures.overview(compare(sweep)).axes[0].containers
    points = [pass1.lines[0], cons.lines[0]]
    assert len({line.get_marker() for line in points}) == 2
    grey = [np.dot(matplotlib.colors.to_rgb(line.get_color()), (0.299, 0.587, 0.114)) for line in points]
    assert abs(grey[0] - grey[1]) > 0.15


def test_a_value_without_an_interval_is_a_point(sweep: list[Path]) -> None:
    bare = [
        replace(row, estimates={k: Estimate(v.value, None, None, 1) for k, v in row.estimates.items()})
        for row in compare(sweep)
    ]
    pass1 = figures.overview(bare).axes[0].containers[0]
    assert all(segment[0][0] == segment[1][0] for segment in pass1.lines[2][0].get_segments())


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
    assert (dispersed["vs"]["n"], dispersed["vs"]["p"]) == (7, 2 / 2**7)


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


@pytest.mark.parametrize("form", [tables.console, tables.markdown, tables.latex])
def test_a_cell_cannot_break_its_table(form: Any) -> None:
    hostile = "a\n\n| b |\x1b[31m\r\x00\u2028c & d \\\\"
    plain, broken = (form([["run", "x"], [text, "1"], ["z", "2"]]) for text in ("a", hostile))
    assert len(broken.splitlines()) == len(plain.splitlines())
    assert broken.isprintable() or {sign for sign in broken if not sign.isprintable()} == {"\n"}
