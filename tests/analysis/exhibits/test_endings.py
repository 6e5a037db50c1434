"""How paths ended stands in every table where it is not 0, and nowhere else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.drawing.tables import cells, notes
from analysis.exhibits import (
    difficulty,
    efficiency,
    error_tolerance,
    fair_share,
    main_table,
    scaling,
    sensitivity,
    trap,
)
from analysis.exhibits.base import Exhibit
from analysis.measures.compare import compare
from leap_lab.runs import groupfile
from tests.analysis.exhibits import (
    test_difficulty,
    test_efficiency,
    test_fair_share,
    test_scaling,
    test_sensitivity,
    test_trap,
)
from tests.known_runs import EASY, HARD, write_run

Made = tuple[list[Path], Callable[[], Exhibit]]  # runs, and what shows them
FORCED, OWN = "forced %", "own blocks %"


def ended(folder: Path, **columns: object) -> Path:
    """The run with these values in the first path of every group."""
    for file in (folder / "groups").glob("*.parquet"):
        first, *rest = groupfile.read(file, None).to_pylist()
        groupfile.write(folder / "groups", [{**first, **columns}, *rest])
    return folder


def the_trap(runs: Path) -> Made:
    folders = test_trap.repaired(runs)
    return folders, lambda: trap.exhibit(folders)


def the_tolerance(runs: Path) -> Made:
    prefix = {"name": "mixed", "fraction": 0.3, "good_ratio": 0.0, "per_path": True}
    folders = [write_run(runs, EASY, router, prefix=prefix) for router in ("dispersed", None)]
    return folders, lambda: error_tolerance.exhibit(folders)


def the_difficulty(runs: Path) -> Made:
    right = {"very_easy": 8, "medium": 4, "very_hard": 0}
    shown = [test_difficulty.write(runs, right, router) for router in ("dispersed", None)]
    folders = [*shown, test_difficulty.write_reference(runs)]
    return folders, lambda: difficulty.exhibit(folders)


def the_efficiency(runs: Path) -> Made:
    folders = [test_efficiency.write_leap(runs, 3), test_efficiency.write_alone(runs, 3)]
    return folders, lambda: efficiency.exhibit(folders)


def the_scaling(runs: Path) -> Made:
    folders = [test_scaling.write_leap(runs, 4, True), test_scaling.write_alone(runs)]
    return folders, lambda: scaling.exhibit(folders)


def the_fair_share(runs: Path) -> Made:
    folders = [test_fair_share.write(runs, router, 4, 2) for router in ("dispersed", "none")]
    folders.append(test_fair_share.alone(runs))
    return folders, lambda: fair_share.exhibit(folders)


def the_granularity(runs: Path) -> Made:
    folders = test_sensitivity.by_interval(runs)
    return folders, lambda: sensitivity.exhibit(folders, "granularity")


def the_main_table(runs: Path) -> Made:
    folders = [write_run(runs, EASY), write_run(runs, HARD, "clustered")]
    return folders, lambda: main_table.exhibit(folders)


@pytest.mark.parametrize(
    "made",
    [
        *(the_trap, the_tolerance, the_difficulty, the_efficiency, the_scaling, the_fair_share),
        *(the_granularity, the_main_table),
    ],
)
def test_endings_stand_in_every_table_where_they_are_not_0(tmp_path: Path, made: Callable[[Path], Made]) -> None:
    folders, show = made(tmp_path)
    bare = show()
    for folder in folders:
        ended(folder, finish="forced")
    forced = show()
    columns = [column for column in forced.table[0] if column.startswith(FORCED)]
    assert columns and not [column for column in bare.table[0] if column.startswith((FORCED, OWN))]
    assert not [column for column in forced.table[0] if column.startswith(OWN)]
    place = forced.table[0].index(columns[0])
    assert {float(line[place].split(" ")[0]) for line in forced.table[1:] if line[place] != "n/a"} - {0.0}
    assert any(note.startswith(f"{FORCED}: paths whose budget") for note in forced.notes)
    for folder in folders:
        ended(folder, own_blocks=1)
    assert [column for column in show().table[0] if column.startswith(OWN)]


def test_each_row_has_its_own_share(tmp_path: Path) -> None:
    alone, heard = write_run(tmp_path, EASY), ended(write_run(tmp_path, HARD, "clustered"), finish="context_full")
    table = cells(compare([alone, heard]))
    assert [line[-1].split(" ")[0] for line in table] == ["forced", "0.0", "12.5"], "one path of eight"


def test_the_control_is_called_so_and_claims_nothing(tmp_path: Path) -> None:
    runs = [write_run(tmp_path, HARD), write_run(tmp_path, EASY, "none", None), write_run(tmp_path, EASY, "dispersed")]
    told = [note for note in notes(compare(runs)) if "the control" in note]
    assert len(told) == 1 and told[0].startswith("router none: the control.") and "hear nobody" in told[0]
    claims = main_table.exhibit(runs).claims
    assert [claim.text for claim in claims] == ["Peers raise Pass@1 (dispersed k=4)."]
    spent = efficiency.exhibit(runs)
    assert spent.claims and not [claim for claim in spent.claims if "router none" in claim.text]


@pytest.mark.parametrize(("note", "heading"), [("recovered", "recovered %"), ("none", "no answer %")])
def test_where_answers_stood_is_counted_where_not_all_are_clean(tmp_path: Path, note: str, heading: str) -> None:
    runs = [write_run(tmp_path, EASY), write_run(tmp_path, HARD, "clustered")]
    assert heading not in cells(compare(runs))[0]
    ended(runs[1], extraction=note)
    table = cells(compare(runs))
    assert [line[-1].split(" ")[0] for line in table] == [heading.split(" ")[0], "0.0", "12.5"], "one of eight"
    assert any(told.startswith(f"{heading}: paths ") for told in notes(compare(runs)))
    ended(runs[1], extraction=None)
    assert heading not in cells(compare(runs))[0], "an older run that recorded no notes"


@pytest.mark.parametrize("made", [the_difficulty, the_efficiency])
def test_where_answers_stood_is_counted_in_the_tables_of_exhibits(tmp_path: Path, made: Callable[[Path], Made]) -> None:
    folders, show = made(tmp_path)
    for folder in folders:
        ended(folder, extraction="recovered")
    assert [column for column in show().table[0] if column.startswith("recovered %")]
