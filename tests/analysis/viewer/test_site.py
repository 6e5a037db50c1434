"""The documents that the pages are made of: the numbers of the report, the groups of the run, and nothing else."""

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from analysis.drawing import tables
from analysis.measures.compare import compare, corrected
from analysis.viewer import live
from analysis.viewer.server import text_of
from analysis.viewer.site import Site
from leap_lab.errors import UserError
from tests.analysis.viewer.traces import HARMED, QUESTIONS, RECOVERED, RIGHT, Trace, group_rows, opened, written


def run_of(site: Site, key: str) -> Any:
    """The grid of a run."""
    files = {run["key"]: run["file"] for run in site.document("sweep")["runs"]}
    return site.document(files[key])


def question_of(site: Site, key: str, question: str) -> Any:
    files = {each["id"]: each["file"] for each in run_of(site, key)["questions"]}
    return site.document(files[question])


def left(folder: Path) -> dict[Path, tuple[int, int]]:
    """All that is in a folder, with times and sizes."""
    return {file: (file.stat().st_mtime_ns, file.stat().st_size) for file in folder.rglob("*")}


def test_the_table_is_that_of_the_report(tmp_path: Path) -> None:
    folders = [written(tmp_path), written(tmp_path, router=None)]
    found = Site(folders).document("sweep")
    rows = corrected(compare(folders))
    assert [found["head"], *(found["rows"][row.run_id]["cells"] for row in rows)] == tables.cells(rows)
    assert found["notes"] == tables.notes(rows)
    assert [run["key"] for run in found["runs"]] == [row.run_id for row in rows]
    for row in rows:
        assert found["rows"][row.run_id]["intervals"]["pass@1"] == row["pass@1"].as_dict()


def test_a_grid_says_of_every_group_what_became_of_it(tmp_path: Path) -> None:
    folder = written(tmp_path)
    grid = run_of(Site([folder]), folder.name)
    assert [question["id"] for question in grid["questions"]] == ["q-2", "q-9", "q-10", "q-11"]
    groups = {question["id"]: question["groups"][0] for question in grid["questions"]}
    assert {name: group["right"] for name, group in groups.items()} == {
        "q-2": "11",
        "q-9": "11",
        "q-10": "10",
        "q-11": "00",
    }
    assert {name: (group["recovered"], group["harmed"]) for name, group in groups.items()} == {
        "q-2": (0, 0),
        "q-9": (1, 0),
        "q-10": (0, 1),
        "q-11": (0, 0),
    }
    assert [group["forced"] for group in groups.values()] == ["00", "00", "01", "00"]
    assert [group["vote"] for group in groups.values()] == [1.0, 1.0, 0.5, 0.0]
    assert grid["status"] == "finished" and grid["asked"] == 4
    assert grid["labels"]["router"] == "dispersed" and grid["labels"]["interval"] == 64


def test_a_question_has_every_word_and_the_number_of_its_tokens(tmp_path: Path) -> None:
    folder = written(tmp_path)
    document = question_of(Site([folder]), folder.name, "q-10")
    [group] = document["groups"]
    first, second = group["paths"]
    kinds = [part[0] for part in first["segments"]]
    assert kinds == ["prompt", "think", "trigger", "summary", "comment", "think", "final"]
    assert [part[3] for part in first["segments"]] == [12, 40, 5, 8, 20, 15, 3]
    assert first["segments"][3] == ["summary", 0, "So far x=1. </summarize>", 8]
    assert first["routes"] == [{"turn": 0, "peers": [1], "similarity": [0.25], "tied": False}]
    assert [probe["answer"] for probe in second["probes"]] == ["1", "2"]
    assert second["finish"] == "forced" and second["counts"]["tokens_forced"] == 3
    assert group["gold"] == "1"


def test_groups_that_are_added_replaced_and_removed_are_seen(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    site = Site([folder.path])
    assert run_of(site, folder.run_id)["questions"] == []
    assert site.document("sweep")["rows"] == {}
    file = folder.write_group(group_rows(folder.run_id, "q", 0, [RIGHT, HARMED]))
    folder.write_group(group_rows(folder.run_id, "other", 0, [RIGHT, RIGHT]))
    before = site.document("state")["runs"][folder.run_id]["version"]
    grid = run_of(site, folder.run_id)
    assert [(each["id"], each["groups"][0]["right"]) for each in grid["questions"]] == [("other", "11"), ("q", "10")]
    folder.write_group(group_rows(folder.run_id, "q", 0, [RIGHT, RECOVERED]))
    again = run_of(site, folder.run_id)
    assert [each["groups"][0]["right"] for each in again["questions"]] == ["11", "11"]
    versions = [{each["id"]: each["version"] for each in found["questions"]} for found in (grid, again)]
    assert versions[0]["q"] != versions[1]["q"] and versions[0]["other"] == versions[1]["other"]
    file.unlink()
    assert [each["id"] for each in run_of(site, folder.run_id)["questions"]] == ["other"]
    assert site.document("state")["runs"][folder.run_id]["version"] != before


def test_a_run_is_running_while_its_lock_is_held_and_looking_leaves_no_trace(tmp_path: Path) -> None:
    folder = opened(tmp_path, limit=6)
    folder.write_group(group_rows(folder.run_id, "q", 0, [RIGHT, HARMED]))
    before = left(tmp_path)
    site = Site([folder.path])
    state = site.document("state")["runs"][folder.run_id]
    assert (state["status"], state["groups"], state["asked"]) == ("running", 1, 6)
    for name in site.names():
        site.document(name)
    assert left(tmp_path) == before
    folder.close()
    assert site.document("state")["runs"][folder.run_id]["status"] == "unfinished"
    assert left(tmp_path) == before


def test_tokens_per_second_are_those_of_the_last_minute_or_of_the_last_session(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    recent = group_rows(folder.run_id, "q", 0, [RIGHT, HARMED])
    now = live.time.time()
    folder.write_group([{**row, "started_s": now - 10, "finished_s": now} for row in recent])
    site = Site([folder.path])
    sampled = sum(row["tokens_think"] + row["tokens_summary"] for row in recent)
    assert site.document("state")["runs"][folder.run_id]["rate"] == pytest.approx(sampled / 10, rel=0.1)
    folder.write_run({"status": "finished", "sessions": [{"tokens_per_second": 321.0}]})
    folder.close()
    assert site.document("state")["runs"][folder.run_id]["rate"] == 321.0


def test_the_table_of_a_run_in_progress_takes_a_hundredth_of_the_time(tmp_path: Path, monkeypatch: Any) -> None:
    clock = [100.0]
    monkeypatch.setattr("analysis.viewer.site.time.monotonic", lambda: clock[0])
    made = []

    def slow(folders: Any) -> dict[str, Any]:
        made.append(folders)
        clock[0] += 2
        return {"head": [], "notes": [], "rows": {}}

    monkeypatch.setattr("analysis.viewer.site.sweep", slow)
    folder = opened(tmp_path)
    site = Site([folder.path])
    for number in range(5):
        folder.write_group(group_rows(folder.run_id, f"q{number}", 0, [RIGHT, HARMED]))
        site.document("sweep")
        clock[0] += 60
    assert len(made) == 2
    clock[0] += 200
    folder.write_group(group_rows(folder.run_id, "last", 0, [RIGHT, HARMED]))
    site.document("sweep")
    assert len(made) == 3
    clock[0] += 1000
    site.document("sweep")
    assert len(made) == 3, "nothing has changed"


def test_a_page_asks_as_often_as_reading_what_is_new_allows(tmp_path: Path, monkeypatch: Any) -> None:
    clock, cost = [50.0], [0.05]

    def tick() -> float:
        clock[0] += cost[0]
        return clock[0]

    folder = opened(tmp_path)
    site = Site([folder.path])
    assert site.document("state")["every_s"] == 2
    monkeypatch.setattr("analysis.viewer.site.time.process_time", tick)
    for number, (taken, expected) in enumerate([(0.05, 5), (0.001, 2), (9, 30)]):
        cost[0] = taken
        folder.write_group(group_rows(folder.run_id, f"q{number}", 0, [RIGHT, HARMED]))
        assert site.document("state")["every_s"] == pytest.approx(expected)
        assert site.document("state")["every_s"] == pytest.approx(expected), "nothing has changed"


def test_a_damaged_file_is_left_out_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = written(tmp_path)
    next(iter(folder.glob("groups/q-10*"))).write_bytes(b"PAR1 nothing")
    with caplog.at_level(logging.WARNING):
        grid = run_of(Site([folder]), folder.name)
    assert [question["id"] for question in grid["questions"]] == ["q-2", "q-9", "q-11"]
    assert "q-10-0.parquet is not a whole Parquet file: left out" in caplog.text


def test_independent_runs_and_paths_without_an_answer_have_documents_too(tmp_path: Path) -> None:
    folder = written(tmp_path, {"q": [[Trace(None), RIGHT]]}, router=None)
    site = Site([folder])
    [question] = run_of(site, folder.name)["questions"]
    assert question["groups"][0]["probed"] is False and question["groups"][0]["right"] == "01"
    [group] = question_of(site, folder.name, "q")["groups"]
    assert group["paths"][0]["answer"] is None and group["paths"][0]["routes"] == []


def test_no_name_of_a_document_is_anything_that_a_run_chose(tmp_path: Path) -> None:
    groups = {"../../<b>\u202e": [[RIGHT, HARMED]], "q/2?#": [[RIGHT, HARMED]]}
    site = Site([written(tmp_path, groups)])
    names = list(site.names())
    assert len(set(names)) == 4
    assert all(re.fullmatch(r"sweep|(run|question)-[0-9a-f]{20}", name) for name in names)
    for name in names:
        assert text_of(site.document(name)).isascii()
        json.loads(text_of(site.document(name)))


def test_what_is_no_run_and_two_runs_of_one_name_are_refused(tmp_path: Path) -> None:
    folder = written(tmp_path / "a")
    twin = written(tmp_path / "b", {"q": QUESTIONS["q-2"]})
    with pytest.raises(UserError, match="nowhere: no such folder"):
        Site([tmp_path / "nowhere"])
    with pytest.raises(UserError, match=f"a second run called {folder.name}; rename"):
        Site([folder, twin])
    assert len(list(Site([folder, folder]).document("sweep")["runs"])) == 1
