"""Reports over several seeds, data sets and models, and against the control."""

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from analysis.drawing import several
from analysis.measures.compare import Row, compare, corrected
from analysis.measures.means import means
from analysis.measures.standings import standings
from analysis.report import sweep as report
from tests.known_runs import EASY, HARD, LEAP, copies, write_run

OTHER = {"name": "elsewhere", "seed": 0, "limit": 30}
LARGE = {"name": "large", "path": "hub/large"}


def seeds(runs: Path, *found: int, **more: Any) -> list[Path]:
    """LeaP and independent sampling of each seed; with an odd seed LeaP has the answers of independent sampling."""
    return [
        write_run(runs, answers, router, seed=seed, **more)
        for seed in found
        for answers, router in ((HARD if seed % 2 else EASY, "dispersed"), (HARD, None))
    ]


def told(folders: list[Path], out: Path, **more: Any) -> tuple[str, list[dict[str, Any]]]:
    made = report.write(folders, out, **more)
    rows: list[dict[str, Any]] = json.loads((out / "table.json").read_text())["rows"]
    return made.table, rows


def test_runs_of_several_seeds_are_one_row_with_questions_as_units(tmp_path: Path) -> None:
    table, (alone, heard) = told(seeds(tmp_path, 0, 1), tmp_path / "out")
    assert (alone["name"], heard["name"]) == ("independent", "dispersed k=4"), "the seed is in no name"
    assert (heard["questions"], heard["groups"], heard["paths"], heard["found"], heard["asked"]) == (8, 2, 8, 16, 16)
    assert (heard["seeds"], len(heard["run_ids"]), len(heard["ledgers"])) == ([0, 1], 2, 2)
    assert heard["metrics"]["pass@1"]["n"] == heard["vs"]["n"] == 8
    assert heard["metrics"]["pass@1"]["value"] == pytest.approx((36 + 16) / 128)
    assert heard["vs"]["value"] == pytest.approx(20 / 64 / 2), "half of the seeds gain"
    assert "questions are the units. Every row has 2 seeds (0, 1)." in table
    assert "dispersed k=4 seed=0" in (tmp_path / "out" / "table.md").read_text(), "what each cost"


def test_each_seed_can_have_a_row_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [str(folder) for folder in seeds(tmp_path, 0, 1)]
    assert main(["report", *folders, "--out", str(tmp_path / "out"), "--seeds", "apart"]) == 0
    said = capsys.readouterr().out
    assert "dispersed k=4 seed=1" in said and "are one row" not in said
    rows = json.loads((tmp_path / "out" / "table.json").read_text())["rows"]
    assert [row["vs"] and row["vs"]["value"] for row in rows] == [None, None, pytest.approx(20 / 64), 0]
    assert main(["report", *folders, "--out", str(tmp_path / "out")]) == 0
    assert "Every row has 2 seeds (0, 1)." in capsys.readouterr().out


def test_a_difference_is_over_the_seeds_that_both_have(tmp_path: Path) -> None:
    folders = seeds(tmp_path, 0, 1)[:3]  # independent sampling of seed 0 alone
    table, (alone, heard) = told(folders, tmp_path / "out")
    assert (alone["seeds"], heard["seeds"]) == ([0], [0, 1])
    assert heard["vs"]["value"] == pytest.approx(20 / 64), "seed 1, which gains nothing, has no partner"
    assert "Differences are over the seeds that both rows have." in table
    assert "independent: 1 seed (0)." in table and "dispersed k=4: 2 seeds (0, 1)." in table
    table, (_, heard) = told(folders[1:], tmp_path / "none")
    assert heard["vs"] is None and "no independent run with the same" in table


def test_what_differs_in_more_than_the_seed_is_not_pooled(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path, EASY, "dispersed"),
        write_run(tmp_path, EASY, "dispersed", seed=1, sampling={"temperature": 0.5}),
        write_run(tmp_path, EASY, "dispersed", k=2, seed=2),
        write_run(tmp_path, EASY, "dispersed", seed=3, method={**LEAP, "interval": 32}),
        write_run(tmp_path, EASY, "dispersed", seed=4, model=LARGE),
        write_run(tmp_path, EASY, "dispersed", seed=5, engine={"name": "scripted"}),
    ]
    assert [row.seeds for row in compare(runs, seeds_pooled=True)] == [(0,), (1,), (2,), (3,), (4,), (5,)]
    runs.append(write_run(tmp_path, HARD, "dispersed", engine={"name": "other"}, limit=3))
    assert len(compare(runs, seeds_pooled=True)) == 7, "of one seed on two engines"


def test_a_run_that_lacks_a_metric_takes_it_from_the_row(tmp_path: Path) -> None:
    runs = [write_run(tmp_path, EASY, "dispersed"), write_run(tmp_path, EASY, "dispersed", seed=1, reports=False)]
    [row] = compare(runs, seeds_pooled=True)
    assert "tokens_prefilled" not in row.estimates and row["tokens_own"].value == 110


def test_two_seeds_are_two_samples_of_these_very_questions(tmp_path: Path) -> None:
    _, (_, heard) = told(seeds(tmp_path, 0, 1), tmp_path / "out", these=True)
    assert heard["metrics"]["pass@1"]["low"] is not None
    _, (_, heard) = told(seeds(tmp_path, 0, 1)[:2], tmp_path / "one", these=True)
    assert heard["metrics"]["pass@1"]["low"] is None


def test_several_data_sets_have_a_row_each_and_a_mean(tmp_path: Path) -> None:
    """Of 8 and of 48 questions: each set counts half."""
    small = [write_run(tmp_path, EASY, "dispersed"), write_run(tmp_path, HARD)]
    large = [
        write_run(tmp_path, copies(answers, 6), router, dataset=OTHER)
        for answers, router in (
            (EASY, "dispersed"),
            (EASY, None),
        )
    ]
    table, rows = told([*small, *large], tmp_path / "out")
    assert [row["name"] for row in rows[-2:]] == [
        "independent, mean of 2 data sets",
        "dispersed k=4, mean of 2 data sets",
    ]
    assert [row["name"] for row in rows[:2]] == ["independent dataset=arithmetic", "independent dataset=elsewhere"]
    mean = rows[-1]
    assert mean["data_sets"] == ["arithmetic", "elsewhere"] and mean["questions"] == 56
    assert mean["vs"]["value"] == pytest.approx((20 / 64 + 0) / 2)
    assert mean["metrics"]["pass@1"]["low"] < 36 / 64 < mean["metrics"]["pass@1"]["high"]
    assert (mean["vs"]["bounds"], mean["vs"]["verdict"]) == (None, "")
    assert mean["vs"]["family"]["size"] == 3, "the mean is one comparison more"
    assert "same weight" in table and "mean of 2 data sets: arithmetic, elsewhere." in table
    assert "80% power" not in "".join(line for line in table.splitlines() if line.startswith("dispersed k=4, mean"))


def test_settings_of_one_data_set_or_twice_of_one_have_no_mean(sweep: list[Path], tmp_path: Path) -> None:
    assert means(compare(sweep)) == []
    alone = [write_run(tmp_path, HARD, seed=seed) for seed in (0, 1)]
    assert means(compare([*alone, write_run(tmp_path, HARD, dataset=OTHER)])) == [], "seeds that are not pooled"
    limited = [write_run(tmp_path, HARD, dataset={"name": "a", "limit": limit}, limit=limit) for limit in (3, 4)]
    assert means(compare(limited)) == [], "one data set, of which more is asked for"


def test_several_models_stand_side_by_side(tmp_path: Path) -> None:
    """Each model has a T of its own, which does not part its runs from those of the other."""
    folders = [
        write_run(tmp_path, EASY, "dispersed"),
        write_run(tmp_path, HARD),
        write_run(tmp_path, HARD, "dispersed", model=LARGE, method={**LEAP, "interval": 2048}),
        write_run(tmp_path, EASY, model=LARGE),
        write_run(tmp_path, EASY, "clustered", model=LARGE, method={**LEAP, "interval": 2048}),
    ]
    head, *lines = several.side_by_side(corrected(compare(folders)))
    assert head == ["run", "tiny %", "vs independent", "large %", "vs independent"]
    found = {line[0]: line[1:] for line in lines}
    assert set(found) == {"independent", "dispersed k=4", "clustered k=4"}
    assert found["dispersed k=4"][0].startswith("56.2 [") and found["dispersed k=4"][2].startswith("25.0 [")
    assert found["dispersed k=4"][3].startswith("-31.2 [") and found["clustered k=4"][:2] == ["", ""]
    text = (told(folders, tmp_path / "out"), (tmp_path / "out" / "table.md").read_text())[1]
    assert "## Models side by side" in text
    assert several.side_by_side(compare(folders[:2])) == [["run"]]


def test_models_of_one_name_go_by_their_paths(tmp_path: Path) -> None:
    local = [{"name": "local", "path": path} for path in ("a/one", "b/two")]
    runs = [write_run(tmp_path, EASY, model=model) for model in local]
    assert several.side_by_side(compare(runs))[0][1::2] == ["a/one %", "b/two %"]


def test_three_rows_have_ranks_within_their_data_set(sweep: list[Path], tmp_path: Path) -> None:
    table, _ = told(sweep, tmp_path / "out")
    assert several.RANKS in table and "(Bonferroni)" in table
    [standing] = standings(compare(sweep))
    assert standing.questions == 8
    shown = {line[0]: line[2:] for line in several.ranks([standing])[1:]}
    assert shown == {"dispersed k=4": ["1 of 3", "[1, 1]"], "independent": ["2 of 3", "[2, 3]"]} | {
        "clustered k=4": ["2 of 3", "[2, 3]"]
    }
    assert several.RANKS not in told(sweep[:2], tmp_path / "two")[0]
    elsewhere = write_run(tmp_path, EASY, "random", dataset=OTHER)
    assert standings(compare([*sweep[:2], elsewhere])) == [], "of two data sets there is no order"
    assert several.RANKS not in told(sweep, tmp_path / "these", these=True)[0]


def test_the_control_has_a_table_of_its_own(tmp_path: Path) -> None:
    folders = [
        write_run(tmp_path, copies(HARD, 6)),
        write_run(tmp_path, copies(HARD, 6), "none", None),
        write_run(tmp_path, copies(EASY, 6), "dispersed"),
        write_run(tmp_path, copies(EASY, 6), "clustered"),
        write_run(tmp_path, copies(EASY, 6), "random", method={**LEAP, "interval": 32}),
    ]
    table, rows = told(folders, tmp_path / "out")
    by_name = {row["name"]: row for row in rows}
    pair = [row for name, row in by_name.items() if name.startswith(("dispersed", "clustered"))]
    assert [row["vs_control"]["pass@1"]["verdict"] for row in pair] == ["better", "better"]
    assert pair[0]["vs_control"]["pass@1"]["family"] == {
        "size": 2,
        "words": "comparisons with the control in this table",
    }
    assert [row["name"] for row in rows if not row["vs_control"]] == [row["name"] for row in rows if row not in pair], (
        "another T is no control, and the control has none itself"
    )
    assert "Differences to the control (router=none)" in table
    assert "corrected for the 2 comparisons with the control in this table" in table


def test_a_row_is_one_run_where_nothing_is_to_be_pooled(sweep: list[Path]) -> None:
    apart: list[Row] = compare(sweep)
    assert compare(sweep, seeds_pooled=True) == apart and all(len(row.run_ids) == 1 for row in apart)
    assert several.seeds_told(apart) == several.means_told(apart) == []
