"""What runs cost, side by side: seconds and tokens per second where they are known, and n/a with a reason elsewhere."""

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.report import ledgers
from leap_lab.run import main
from tests.known_runs import EASY, write_run

TIMES = ("wall-clock s", "tokens/s")


def decoded(runs: Path, *arguments: str) -> tuple[Path, dict[str, Any]]:
    """A run of the scripted engine, and its run.json."""
    settings = ["engine=scripted", "tracking=none", "peers=4", "baseline=false", f"runs_dir={runs}"]
    assert main([*settings, *arguments]) == 0
    [file] = runs.glob("*/run.json")
    return file.parent, json.loads(file.read_text())


def times(folder: Path) -> list[str]:
    head, line = ledgers.cells(["it"], ledgers.of_runs([folder]))
    return [line[head.index(name)] for name in TIMES]


def test_a_run_of_one_session_has_its_seconds_and_its_rate(tmp_path: Path) -> None:
    folder, run = decoded(tmp_path, "limit=2")
    [session] = run["sessions"]
    [each] = ledgers.of_runs([folder])
    assert each["tokens_per_second"] == session["tokens_per_second"] > 0
    assert session["sampled_tokens"] == each["sampled"], "the rate is of what the table calls sampled"
    assert times(folder) == [f"{session['wall_s']:.0f}", f"{session['tokens_per_second']:.0f}"]


def test_a_run_that_was_extended_has_seconds_and_no_rate(tmp_path: Path) -> None:
    decoded(tmp_path, "limit=1")
    folder, run = decoded(tmp_path, "limit=2")
    assert len(run["sessions"]) == 2
    assert times(folder) == [f"{sum(each['wall_s'] for each in run['sessions']):.0f}", "n/a"]
    for words in ("resumed or extended", "times overlap", "one session"):
        assert words in ledgers.NOTE


@pytest.mark.parametrize("run", [{}, {"ledger": {}}, {"ledger": {"groups": 9}, "sessions": []}])
def test_what_a_run_did_not_record_is_not_known(tmp_path: Path, run: dict[str, Any]) -> None:
    folder = write_run(tmp_path, EASY)
    (folder / "run.json").write_text(json.dumps(run))
    assert times(folder) == ["n/a", "n/a"]


def test_a_session_that_left_groups_to_another_folder_has_no_rate(tmp_path: Path) -> None:
    """Groups that were brought in from elsewhere are no work of the session."""
    folder = write_run(tmp_path, EASY)
    sessions = [{"groups": 7, "wall_s": 2.0, "tokens_per_second": 50.0}]
    (folder / "run.json").write_text(json.dumps({"ledger": {"groups": 8, "wall_s": 2.0}, "sessions": sessions}))
    assert times(folder) == ["2", "n/a"]
