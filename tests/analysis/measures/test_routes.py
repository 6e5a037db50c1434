"""Ties at the cut and echoes, on run folders whose routes are known."""

from pathlib import Path

from analysis.exhibits import communication
from analysis.measures.routes import Routes, routes_of, told
from analysis.report import sweep as report
from leap_lab.grading.grade import Grade
from leap_lab.path import Route
from leap_lab.runs import groupfile
from leap_lab.runs.folder import RunFolder
from leap_lab.runs.rows import rows
from leap_lab.tasks.problem import Problem
from tests.known_runs import LEAP, config_of, reasoning_path, write_exchanges, write_run

ROUTES = [  # of three paths
    [Route(0, (1, 2), (1.0, 0.5), True), Route(1, (1,), (1.0,), False)],
    [Route(0, (0, 2), (1.0, 0.25), False)],
    [Route(0, (), (), None)],
]


def write(runs: Path, questions: int = 2) -> Path:
    folder = RunFolder.open(runs, {"of": "routes"}, config_of(LEAP, {"name": "clustered", "top_k": 2}))
    for question in range(questions):
        paths = [reasoning_path(index, True) for index in range(3)]
        for path, routes in zip(paths, ROUTES, strict=True):
            path.routes = routes
        problem = Problem(f"q{question}", "?", "1")
        folder.write_group(rows(folder.run_id, problem, 0, paths, [Grade("1", True)] * 3, [0] * 3))
    return folder.path


def test_ties_and_echoes_are_counted(tmp_path: Path) -> None:
    folder = write(tmp_path)
    assert routes_of(folder) == Routes(ranked=6, tied=2, heard=10, echoes=6)
    assert routes_of(folder, ["q1"]) == Routes(ranked=3, tied=1, heard=5, echoes=3)


def test_the_report_says_both_of_every_run_that_heard_something(tmp_path: Path) -> None:
    folder, alone = write(tmp_path), write_run(tmp_path, {"q0": [["1"] * 8]})
    made = report.write([folder, alone], tmp_path / "out", questions=["q0"])
    line = "clustered k=2: 1 of 3 routes tied (33.3%); 3 of 5 summaries heard were echoes (60.0%)."
    assert line in made.table.splitlines() and line in (tmp_path / "out" / "table.md").read_text().replace("\\", "")
    assert "echoes" not in report.write([alone], tmp_path / "out").table


def test_of_runs_that_did_not_record_ties_only_echoes_are_told(tmp_path: Path) -> None:
    folder = write(tmp_path)
    for file in (folder / "groups").glob("*.parquet"):
        made = [{**row, "route_ties": None} for row in groupfile.read(file, None).to_pylist()]
        groupfile.write(folder / "groups", made)
    assert routes_of(folder) == Routes(ranked=0, tied=0, heard=10, echoes=6)
    assert told(["run"], [folder])[1] == "run: 6 of 10 summaries heard were echoes (60.0%)."


def test_the_types_of_communication_come_with_it(tmp_path: Path) -> None:
    folder = write_exchanges(tmp_path, {"q": [[[("1", "1", [1])], [("1", "1", [0])]]]})
    notes = communication.exhibit([folder]).notes
    assert any("0 of 2 summaries heard were echoes (0.0%)" in note for note in notes)
