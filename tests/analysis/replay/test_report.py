"""The command `python -m analysis replay`."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.__main__ import main
from tests.analysis.replay.folders import write_probed
from tests.known_runs import EASY, write_run

MINE = "def hasty(group):\n    group.start()\n    group.next_end()\n    return group.votes()\n"


@pytest.fixture
def run(tmp_path: Path) -> str:
    one, two = ("1", 0), ("2", 1)
    paths = [(30 + 5 * index, one if index % 3 else two, [two, one]) for index in range(4)]
    return str(write_probed(tmp_path, {f"q{index}": [paths[index % 2 :] + paths[:2]] for index in range(7)}))


def test_a_replay_is_a_table_and_figures(run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["replay", "all", run, "--out", str(out), "--draws", "4"]) == 0
    shown = capsys.readouterr().out
    assert {file.name for file in out.iterdir()} == {
        *(f"replay.{suffix}" for suffix in ("md", "tex", "csv", "json", "png", "pdf")),
        *(f"replay_critical_path.{suffix}" for suffix in ("png", "pdf")),
    }
    assert "weighted: left out, the runs did not record confidences" in shown
    assert "means over 4 orders" in shown and f"report: {out / 'replay.md'}" in shown
    rows = list(csv.DictReader((out / "replay.csv").open()))
    points = json.loads((out / "replay.json").read_text())["points"]
    assert {row["policy"] for row in rows} == {"majority", "asc", "esc", "short", "parallel_probe", "oracle"}
    assert [float(row["tokens"]) for row in rows] == [point["tokens"] for point in points]
    assert all(float(row["correct_low"]) <= float(row["correct"]) <= float(row["correct_high"]) for row in rows)
    for name in ("replay.md", "replay.tex"):
        assert "parallel" in (out / name).read_text()


def test_what_cannot_be_replayed_ends_with_one_line(
    run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, message in (
        (["deepconf,weighted", run], "error: deepconf: left out, the runs"),
        (["vote", run], "error: policy vote: no such policy"),
        (["majority", str(write_run(tmp_path, EASY, "dispersed"))], "replay needs method=independent"),
        (["majority", str(tmp_path / "nowhere")], "no such folder"),
        (["short:m=0", run], "error: policy short:m=0: question q0, 1 paths: m=0: must be above 0"),
    ):
        assert main(["replay", *arguments, "--out", str(tmp_path / "out")]) == 2
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_orders_are_at_least_one(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["replay", "majority", run, "--draws", "0"])
    assert "--draws: invalid value: 0 (must be an integer >= 1)" in capsys.readouterr().err


def test_a_policy_in_the_working_folder_is_found(run: str, tmp_path: Path) -> None:
    (tmp_path / "my_policies.py").write_text(MINE)
    command = [sys.executable, "-m", "analysis", "replay", "my_policies.hasty", run, "--draws", "2", "--out", "out"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "my_policies.hasty" in (tmp_path / "out" / "replay.md").read_text().replace("\\", "")
