"""Pins: what is fixed at first use stays, is written whole, and is not lost to another command."""

import json
import threading
import time
from pathlib import Path

import pytest

from leap_lab import hub
from leap_lab.errors import UserError
from leap_lab.runs.lock import take
from leap_lab.runs.pins import NAME, Pins

OLD, NEW = "a" * 40, "b" * 40


@pytest.fixture
def head(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What every branch points to now."""
    now = {"commit": OLD}
    monkeypatch.setattr(hub, "commit_of", lambda kind, repository, revision: now["commit"])
    return now


def saved(pins: Pins) -> Pins:
    pins.save()
    return pins


def test_a_commit_stays_although_the_hub_moves_on(tmp_path: Path, head: dict[str, str]) -> None:
    assert saved_commit(tmp_path, "me/m") == OLD
    head["commit"] = NEW
    assert saved_commit(tmp_path, "me/m") == OLD
    assert Pins(tmp_path).commit("model", "me/m", NEW) == NEW, "a commit that is set wins"
    assert Pins(tmp_path).commit("model", "me/m", "main") == NEW, "a branch has a pin of its own"
    assert Pins(tmp_path).commit("dataset", "me/m") == NEW, "a dataset of the same name is another repository"
    assert Pins(tmp_path / "elsewhere").commit("model", "me/m") == NEW


def saved_commit(runs: Path, repository: str) -> str:
    pins = Pins(runs)
    commit = pins.commit("model", repository)
    pins.save()
    return commit


def test_nothing_is_written_before_it_is_saved(tmp_path: Path, head: dict[str, str]) -> None:
    pins = Pins(tmp_path)
    assert pins.commit("model", "me/m") == OLD
    head["commit"] = NEW
    assert pins.commit("model", "me/m") == OLD, "but within a command it stays"
    pins.local(tmp_path / "x.jsonl", ["1"])
    assert list(tmp_path.iterdir()) == []


def test_what_another_command_pinned_meanwhile_is_kept(tmp_path: Path, head: dict[str, str]) -> None:
    mine, other = Pins(tmp_path), Pins(tmp_path)
    assert mine.commit("model", "me/m") == other.commit("model", "me/other") == OLD
    other.save()
    mine.save()
    kept = json.loads((tmp_path / NAME).read_text())
    assert kept["model"] == {"me/m": OLD, "me/other": OLD}


def test_another_commit_in_the_last_moment_is_not_overwritten(tmp_path: Path, head: dict[str, str]) -> None:
    mine, other = Pins(tmp_path), Pins(tmp_path)
    mine.commit("model", "me/m")
    head["commit"] = NEW
    other.commit("model", "me/m")
    other.save()
    with pytest.raises(UserError, match="another command has just pinned me/m; rerun this one"):
        mine.save()
    assert json.loads((tmp_path / NAME).read_text())["model"] == {"me/m": NEW}


def test_saving_waits_for_another_command(tmp_path: Path, head: dict[str, str]) -> None:
    pins, lock = Pins(tmp_path), take(tmp_path / f"{NAME}.lock")
    pins.commit("model", "me/m")
    threading.Timer(0.2, lock.release).start()
    started = time.monotonic()
    pins.save()  # the lock of its own process it gets at once
    assert time.monotonic() - started < 5
    assert (tmp_path / NAME).is_file()


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"model": []}', '{"model": {"a": "main"}}', '{"files": {"x": {}}}', '{"files": {"x": 1}}']
)
def test_a_damaged_file_is_named_and_not_replaced(tmp_path: Path, head: dict[str, str], text: str) -> None:
    (tmp_path / NAME).write_text(text)
    with pytest.raises(UserError, match=r"\.pins\.json: .*remove it to continue"):
        Pins(tmp_path).commit("model", "me/m")
    assert (tmp_path / NAME).read_text() == text


def local(runs: Path, name: str, *questions: str) -> str:
    pins = Pins(runs)
    found = pins.local(runs / name, questions)
    pins.save()
    return found


def test_a_file_that_is_edited_stays_the_same_data_set(tmp_path: Path) -> None:
    first = local(tmp_path, "x.jsonl", "1", "2")
    for questions in (["2", "1"], ["1", "2", "3"], ["3", "1"], ["3", "4", "5"], ["5"]):
        assert local(tmp_path, "x.jsonl", *questions) == first
    assert local(tmp_path, "x.jsonl", "6", "7") != first, "no question is left of it"


def test_unrelated_files_are_different_data_sets(tmp_path: Path) -> None:
    first = local(tmp_path, "x.jsonl", "1", "2")
    assert local(tmp_path, "y.jsonl", "3") != first
    assert local(tmp_path, "z.jsonl", "1", "2", "3") != first, "it shares questions and is another file"
    assert local(tmp_path, "x.jsonl", "1", "2") == first


def test_a_file_that_is_moved_is_known_and_may_then_be_edited(tmp_path: Path) -> None:
    first = local(tmp_path, "x.jsonl", "1", "2")
    assert local(tmp_path, "folder/y.jsonl", "2", "1") == first
    assert local(tmp_path, "folder/y.jsonl", "1", "2", "3") == first


def test_another_file_in_the_place_of_one_takes_it(tmp_path: Path) -> None:
    first = local(tmp_path, "x.jsonl", "1", "2")
    second = local(tmp_path, "x.jsonl", "8", "9")
    assert local(tmp_path, "x.jsonl", "8", "1") == second, "the place is the second one's now"
    assert local(tmp_path, "y.jsonl", "1", "2") == first


def test_the_name_of_a_file_follows_from_its_questions_alone(tmp_path: Path) -> None:
    assert local(tmp_path, "x.jsonl", "1", "2") == Pins(tmp_path / "other").local(tmp_path / "y.jsonl", ["2", "1"])
    assert str(tmp_path) not in (tmp_path / NAME).read_text(), "places are relative to the runs"


def test_copies_that_differ_since_are_data_sets_of_their_own(tmp_path: Path) -> None:
    for name in ("x.jsonl", "y.jsonl"):
        (tmp_path / name).touch()
    first = local(tmp_path, "x.jsonl", "1", "2")
    assert local(tmp_path, "y.jsonl", "1", "2") == first
    assert local(tmp_path, "x.jsonl", "1", "2", "3") == first, "the older one keeps the name"
    second = local(tmp_path, "y.jsonl", "1", "2")
    assert second != first
    assert local(tmp_path, "y.jsonl", "1", "2", "4") == second
    assert local(tmp_path, "x.jsonl", "1") == first


def test_a_moved_project_finds_its_files(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    first = local(tmp_path / "old", "x.jsonl", "1", "2")
    (tmp_path / "old").rename(tmp_path / "new")
    assert local(tmp_path / "new", "x.jsonl", "1", "3") == first
