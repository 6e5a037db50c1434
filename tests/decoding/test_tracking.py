"""Tracking: real W&B offline once, and a W&B that fails at every stage."""

import json
import logging
import pathlib
from typing import Any

import pytest

from leap_lab.decoding import tracking
from leap_lab.decoding.tracking import TABLE_CHARACTERS, TABLE_ROWS, NullTracker, WandbTracker
from leap_lab.decoding.wandb_settings import mode_of
from leap_lab.errors import UserError
from tests.decoding.trackers import FakeWandb, row, tell_everything

pytestmark = pytest.mark.usefixtures("no_key_and_no_home")


def test_a_report_is_a_run_of_its_own_in_the_group_of_its_sweep(folder: pathlib.Path) -> None:
    wandb = FakeWandb()
    tables = {"trap": [["run", "gap"], ["leap", "-8"]]}
    tracker = WandbTracker(project="p", connect=wandb)
    tracker.report("s1", folder.parent, tables, {"trap": folder / "trap.png"})
    told = wandb.told["init"]
    assert (told["id"], told["group"], told["job_type"]) == ("s1-report", "s1", "report")
    assert wandb.told["log"] == {"trap": [{"run": "leap", "gap": "-8"}], "figure/trap": "image trap.png"}
    assert wandb.told["exit_code"] == 0


@pytest.mark.parametrize("fails", ["import", "init", "table", "log", "finish"])
def test_a_report_that_wandb_refuses_costs_nothing(folder: pathlib.Path, fails: str, caplog: Any) -> None:
    tracker = WandbTracker(connect=FakeWandb(fails))
    tracker.report("s1", folder.parent, {"trap": [["run"], ["leap"]]}, {})
    assert f"report failed: no {fails} today" in caplog.text


def test_real_wandb_offline(folder: pathlib.Path, capfd: pytest.CaptureFixture[str]) -> None:
    tell_everything(WandbTracker(), folder)
    tracking._import_wandb().teardown()  # as at the end of a process: waits for what is being written
    (run,) = (folder.parent / "wandb").glob("offline-run-*-abc123")
    (table,) = run.rglob("paths_*.table.json")
    assert json.loads(table.read_text())["data"][0][-1] == "[prompt 0]\nso 4\n[think 0]\nso 4"
    log = (run / "run-abc123.wandb").read_bytes()
    for text in (b"pass1", b"s1", b"leap-lab", b"q-0.parquet", b"metrics.json"):
        assert text in log
    assert capfd.readouterr() == ("", "")
    assert {found.name for found in folder.parent.parent.iterdir()} == {"runs"}


def test_wandb_is_told_what_the_run_is(folder: pathlib.Path) -> None:
    wandb = FakeWandb()
    tell_everything(WandbTracker(project="p", entity="e", connect=wandb), folder)
    told = wandb.told["init"]
    assert (told["project"], told["entity"], told["id"], told["group"]) == ("p", "e", "abc123", "s1")
    assert (told["resume"], told["mode"], told["dir"]) == ("allow", "offline", str(folder.parent.resolve()))
    assert told["config"] == {"peers": 2, "provenance": {"python": "3"}}
    assert (told["settings"]["silent"], told["settings"]["console"]) == (True, "off")
    assert wandb.told["artifact"] == {
        "name": "run-abc123",
        "type": "run",
        "groups/q-0.parquet": "immutable",
        "metrics.json": "mutable",
    }
    assert wandb.summary["pass1/value"] == 0.5
    assert (wandb.summary["status"], wandb.told["exit_code"]) == ("finished", 0)


def test_an_interrupted_run_is_no_success(folder: pathlib.Path) -> None:
    wandb = FakeWandb()
    tell_everything(WandbTracker(connect=wandb), folder, status="interrupted")
    assert (wandb.summary["status"], wandb.told["exit_code"]) == ("interrupted", 1)


def test_the_table_is_bounded_and_says_so(folder: pathlib.Path) -> None:
    wandb = FakeWandb()
    tracker = WandbTracker(connect=wandb)
    tracker.start(run_id="abc123", sweep=None, config={}, folder=folder, provenance={})
    tracker.paths([row(0, "x" * TABLE_CHARACTERS), *(row(index) for index in range(1, 200))])
    tracker.paths([row(index) for index in range(200, 300)])
    tracker.paths([row(300)])
    tracker.finish({}, {"accuracy": pathlib.Path("a.png"), "print": pathlib.Path("a.pdf")}, "finished")
    table = wandb.told["log"]["paths"]
    assert [line["path"] for line in table] == list(range(TABLE_ROWS))
    assert [line["clipped"] for line in table[:2]] == [True, False]
    assert len(table[0]["transcript"]) == TABLE_CHARACTERS
    assert wandb.summary["paths_left_out"] == 301 - TABLE_ROWS
    assert wandb.told["log"]["accuracy"] == "image a.png"
    assert "print" not in wandb.told["log"]


@pytest.mark.parametrize("stage", ["import", "init", "log", "table", "artifact", "finish"])
def test_a_failure_costs_one_warning_and_the_rest_of_the_tracking(
    folder: pathlib.Path, caplog: pytest.LogCaptureFixture, stage: str
) -> None:
    wandb = FakeWandb(fails=stage)
    tracker = WandbTracker(connect=wandb)
    tell_everything(tracker, folder)
    (warning,) = caplog.records
    assert warning.levelno == logging.WARNING
    assert f"no {stage} today" in warning.getMessage()
    assert wandb.calls[-1] == stage
    wandb.fails = ""
    tell_everything(tracker, folder)
    assert wandb.calls[-1] == "finish"
    assert len(caplog.records) == 1


def test_a_folder_that_cannot_be_written_is_no_matter(tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    tell_everything(WandbTracker(connect=FakeWandb()), tmp_path / "file" / "abc123")
    assert len(caplog.records) == 1


def test_auto_goes_online_only_with_a_key(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    assert mode_of("auto") == "offline"
    (tmp_path / ".netrc").write_text("machine other.example.org login a password b\n")
    assert mode_of("auto") == "offline"
    (tmp_path / ".netrc").write_text("machine api.wandb.ai login user password key\n")
    assert mode_of("auto") == "online"
    (tmp_path / ".netrc").write_text("not a netrc")
    assert mode_of("auto") == "offline"
    monkeypatch.setenv("WANDB_API_KEY", "key")
    assert mode_of("auto") == "online"
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert mode_of("auto") == "offline"


@pytest.mark.parametrize("mode", ["online", "offline"])
def test_a_mode_that_is_asked_for_is_taken(folder: pathlib.Path, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "key")
    wandb = FakeWandb()
    tell_everything(WandbTracker(mode=mode, dir=str(folder), connect=wandb), folder)
    assert (wandb.told["init"]["mode"], wandb.told["init"]["dir"]) == (mode, str(folder.resolve()))


def test_another_mode_is_refused() -> None:
    with pytest.raises(UserError, match=r"tracking\.mode=of: must be one of auto, online, offline"):
        WandbTracker(mode="of")


def test_the_null_tracker_takes_everything_and_leaves_nothing(folder: pathlib.Path) -> None:
    before = sorted(folder.parent.rglob("*"))
    tell_everything(NullTracker(), folder)
    assert sorted(folder.parent.rglob("*")) == before
