"""The exhibit of every experiment on folders that hold little or nothing, and the report of several."""

import json
import re
from functools import partial
from pathlib import Path

import pytest

from analysis.exhibits.base import Exhibit
from analysis.measures.budget import Budget
from analysis.report import paper
from leap_lab.errors import UserError
from leap_lab.settings.experiments import exhibit_of, names
from tests.known_runs import EASY, HARD, copies, write_run


@pytest.mark.parametrize("name", names())
def test_a_folder_without_a_run_is_one_line(name: str, tmp_path: Path) -> None:
    exhibit = exhibit_of(name)
    for folder in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(UserError) as error:
            exhibit([folder])
        assert "\n" not in str(error.value) and str(folder) in str(error.value)
    with pytest.raises(UserError):
        exhibit([])


@pytest.mark.parametrize("name", names())
def test_a_run_of_one_question_decides_nothing(name: str, tmp_path: Path) -> None:
    one = {"q4": EASY["q4"]}
    runs = [write_run(tmp_path, one), write_run(tmp_path, one, "dispersed")]
    made = paper.write({name: runs}, tmp_path / "out")
    assert len(made.problems) + len(made.tables) == 1, "an exhibit, or one line that says why there is none"
    assert "holds: " not in made.table and "does not hold: " not in made.table
    assert not any("\n" in problem for problem in made.problems)


def test_the_report_sorts_claims_by_what_the_data_say(tmp_path: Path) -> None:
    easy, hard = copies(EASY, 6), copies(HARD, 6)  # 48 questions: enough to decide
    runs = [write_run(tmp_path, hard), *(write_run(tmp_path, easy, "dispersed", k) for k in (1, 4))]
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


def test_experiments_stand_in_the_order_of_the_contents_and_others_behind_as_they_were_named(tmp_path: Path) -> None:
    def exhibit(folders: object, name: str) -> Exhibit:
        return Exhibit(name, name, "Figure 0", [["run"]])

    assert sorted(paper.CONTENTS) == names(), "the report of `make paper` has a place for each"
    named = ["zebra", "transitions", "trap seed=1", "antelope", "main_table", "trap seed=0"]
    runs: dict[str, list[str | Path]] = {name: [] for name in named}
    exhibits = {name: partial(exhibit, name=name.partition(" ")[0]) for name in named}
    made = paper.write(runs, tmp_path, exhibits=exhibits)
    assert list(made.tables) == ["trap_seed_1", "trap_seed_0", "main_table", "transitions", "zebra", "antelope"]


def test_experiments_that_share_an_exhibit_have_files_of_their_own(tmp_path: Path) -> None:
    runs = [write_run(tmp_path, HARD), write_run(tmp_path, EASY, "dispersed", 4)]
    exhibits = {"main_table": exhibit_of("main_table"), "mine": exhibit_of("main_table")}
    made = paper.write(dict.fromkeys(exhibits, runs), tmp_path / "out", exhibits=exhibits)
    assert list(made.tables) == ["main_table", "mine"] and {"main_table", "mine"} == set(made.figures)
    assert (tmp_path / "out" / "mine.json").is_file()


def test_runs_of_several_seeds_or_models_are_not_judged_together(tmp_path: Path) -> None:
    one, other = (write_run(tmp_path, EASY, "dispersed", seed=seed) for seed in (0, 1))
    made = paper.write({"main_table": [one, other]}, tmp_path / "out")
    assert made.problems == ["experiment=main_table: runs of several seed (0, 1): name those of one"]
    third = write_run(tmp_path, EASY, "dispersed", model={"name": "other", "path": "another"})
    [problem] = paper.write({"main_table": [one, third]}, tmp_path / "out").problems
    assert "runs of several model.path (another, builtin:tiny)" in problem


@pytest.mark.parametrize("name", ["main_table", "efficiency", "scaling", "top_k"])
def test_an_engine_that_does_not_report_its_prompts_changes_no_verdict(name: str, tmp_path: Path) -> None:
    made = {}
    for reports in (True, False):
        runs = [write_run(tmp_path / str(reports), HARD, reports=reports)]
        runs += [write_run(tmp_path / str(reports), EASY, "dispersed", k, reports=reports) for k in (1, 4)]
        made[reports] = paper.write({name: runs}, tmp_path / f"out {reports}")
    assert made[False].problems == []
    claims = [json.loads((tmp_path / f"out {reports}" / f"{name}.json").read_text())["claims"] for reports in made]
    assert claims[0] == claims[1] and claims[0]


def test_operations_of_an_engine_that_does_not_report_its_prompts_buy_nothing(tmp_path: Path) -> None:
    per = {"computed": 2, "sampled": 3, "attended": 5}
    runs = [write_run(tmp_path, HARD, flops_per=per), write_run(tmp_path, EASY, "all", flops_per=per, reports=False)]
    made = paper.write({"efficiency": runs}, tmp_path / "out", Budget.FLOPS)
    assert "n/a" in made.tables["efficiency"][2][8] and made.problems == []
    assert "There is no difference at equal FLOPs: the FLOPs of these runs are not known." in made.table
    [problem] = paper.write({"scaling": runs}, tmp_path / "out", Budget.FLOPS).problems
    assert problem.startswith("experiment=scaling: --budget=flops: the FLOPs of these runs are not known")
