"""Every exhibit on folders that hold little or nothing, and the report of several."""

import re
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.report import paper
from leap_lab.errors import UserError
from tests.known_runs import EASY, HARD, write_run


@pytest.mark.parametrize("name", list(paper.EXHIBITS))
def test_a_folder_without_a_run_is_one_line(name: str, tmp_path: Path) -> None:
    for folder in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(UserError) as told:
            paper.EXHIBITS[name]([folder])
        assert "\n" not in str(told.value) and str(folder) in str(told.value)
    with pytest.raises(UserError):
        paper.EXHIBITS[name]([])


@pytest.mark.parametrize("name", list(paper.EXHIBITS))
def test_a_run_of_one_question_decides_nothing(name: str, tmp_path: Path) -> None:
    one = {"q4": EASY["q4"]}
    runs = [write_run(tmp_path, one), write_run(tmp_path, one, "dispersed")]
    made = paper.write({name: runs}, tmp_path / "out")
    assert len(made.problems) + len(made.tables) == 1, "an exhibit, or one line that says why there is none"
    assert "holds: " not in made.table and "does not hold: " not in made.table
    assert not any("\n" in problem for problem in made.problems)


def test_the_report_sorts_claims_by_what_the_data_say(tmp_path: Path) -> None:
    runs = [write_run(tmp_path, HARD), *(write_run(tmp_path, EASY, "dispersed", k) for k in (1, 4))]
    made = paper.write({"main_table": runs, "top_k": runs}, tmp_path / "out")
    assert made.problems == [] and made.look.name == "report.html"
    holds, _, rest = made.table.partition("Do not hold here (0):")
    assert holds.startswith("Hold here (2):") and "Peers raise Pass@1 (dispersed k=1)." in holds
    assert "Hearing four peers is better than hearing one." in rest
    text = (tmp_path / "out" / "report.md").read_text()
    assert text.index("### Hold here: 2") < text.index("### Do not hold here: 0\n\nNone.") < text.index("## Routers")
    assert all((tmp_path / "out" / f"{stem}.png").is_file() and f"({stem}.png)" in text for stem in made.figures)
    assert list(made.tables) == ["main_table", "top_k"]


def test_text_of_runs_cannot_become_markup(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    runs = [write_run(tmp_path, HARD), write_run(tmp_path, EASY, hostile, 1), write_run(tmp_path, EASY, hostile, 4)]
    paper.write({"main_table": runs, "top_k": runs}, tmp_path / "out")
    assert "<script" not in (tmp_path / "out" / "report.html").read_text()
    assert not re.search(r"(?<!\\)<script", (tmp_path / "out" / "report.md").read_text()), "in Markdown \\< is a sign"


def test_every_experiment_is_a_command_of_the_analysis(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [write_run(tmp_path, HARD), write_run(tmp_path, EASY, "dispersed", 4)]
    assert main(["main_table", *map(str, runs), "--out", str(tmp_path / "out")]) == 0
    assert "holds: Peers raise Pass@1 (dispersed k=4)." in capsys.readouterr().out
    assert (tmp_path / "out" / "main_table.pdf").is_file()
    for name in paper.EXHIBITS:
        assert main([name, str(tmp_path / "nowhere")]) == 2
        assert capsys.readouterr().err.startswith(f"error: experiment={name}: ")


def test_runs_of_several_seeds_or_models_are_not_judged_together(tmp_path: Path) -> None:
    one, other = (write_run(tmp_path, EASY, "dispersed", seed=seed) for seed in (0, 1))
    made = paper.write({"main_table": [one, other]}, tmp_path / "out")
    assert made.problems == ["experiment=main_table: runs of several seed (0, 1): name those of one"]
    third = write_run(tmp_path, EASY, "dispersed", model={"name": "other", "path": "another"})
    [problem] = paper.write({"main_table": [one, third]}, tmp_path / "out").problems
    assert "runs of several model.path (another, builtin:tiny)" in problem
