"""What a run id depends on, and runs of an earlier schema: they are read, and no command extends them."""

import importlib
import json
import shutil
import sys
from hashlib import sha256
from pathlib import Path
from types import ModuleType

import pytest

from analysis.load import load
from leap_lab.run import main
from leap_lab.settings import compose
from leap_lab.settings.arguments import Arguments
from leap_lab.settings.cell import Cell
from tests.commands import ALONE

EARLIER = {version: Path(__file__).parents[1] / "data" / f"schema_{version}" for version in (2, 3)}
THE_SAME = ["engine=scripted", "tracking=none", "limit=2", "peers=3", "method.max_tokens=160"]


def cell(*overrides: str) -> Cell:
    return compose.cell(Arguments.read(overrides))


def moved(node, home: ModuleType):
    """The configuration with every class in this module instead of its own."""
    if not isinstance(node, dict):
        return node
    node = {key: moved(value, home) for key, value in node.items()}
    if "_target_" in node:
        module, _, name = node["_target_"].removesuffix(".start").rpartition(".")
        setattr(home, name, getattr(importlib.import_module(module), name))
        node["_target_"] = node["_target_"].replace(module, home.__name__, 1)
    return node


@pytest.mark.parametrize("dataset", ["arithmetic", "aime_2024", "gpqa_diamond"])
def test_moving_a_class_changes_no_id(dataset, monkeypatch):
    home = ModuleType("another_home")
    monkeypatch.setitem(sys.modules, home.__name__, home)
    pin = [] if dataset == "arithmetic" else [f"dataset.revision={'a' * 40}"]
    here = cell(f"dataset={dataset}", *pin, "prefix=bad")
    there = Cell(moved(here.config, home))
    assert there.config["dataset"]["_target_"] != here.config["dataset"]["_target_"]
    assert there.run_id == here.run_id


def test_an_id_holds_no_address():
    assert "_target_" not in repr(cell("prefix=bad").identity)
    assert "leap_lab." not in repr(cell("prefix=bad").identity)


@pytest.mark.parametrize("change", ["router=clustered", "router.top_k=3", "method=leap_s", "dataset.seed=4", "seed=3"])
def test_a_setting_changes_the_id(change):
    assert cell(change).run_id != cell().run_id


@pytest.mark.parametrize("version", EARLIER)
def test_runs_of_an_earlier_schema_are_read(version):
    paths = load(sorted(EARLIER[version].iterdir()))
    assert sorted(paths.groupby("method")["run_id"].count().items()) == [("independent", 6), ("leap", 6)]


@pytest.mark.parametrize("version", EARLIER)
@pytest.mark.parametrize("more", [["limit=3"], []])
def test_runs_of_an_earlier_schema_are_not_extended(tmp_path, capsys, more, version):
    runs = shutil.copytree(EARLIER[version], tmp_path / "runs")
    before = sorted(runs.rglob("*"))
    assert main([*THE_SAME, *more, f"runs_dir={runs}"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert told[0].startswith(f"error: {runs}/") and f"version {version} of the schema" in told[0]
    assert sorted(runs.rglob("*")) == before


@pytest.mark.parametrize("version", EARLIER)
def test_other_settings_are_decoded_beside_runs_of_an_earlier_schema(tmp_path, capsys, version):
    runs = shutil.copytree(EARLIER[version], tmp_path / "runs")
    assert main([*THE_SAME, "seed=1", f"runs_dir={runs}"]) == 0, capsys.readouterr().err


def test_a_local_file_that_an_earlier_schema_decoded_is_known_by_its_bytes(tmp_path, capsys):
    """Up to schema 3 an id held a hash of the whole file, and now it does not."""
    questions, runs = tmp_path / "questions.jsonl", tmp_path / "runs"
    questions.write_text('{"problem": "a=20+31\\nWhat is a?", "answer": "51"}\n')
    command = [*ALONE, "dataset=local", f"dataset.path={questions}", f"runs_dir={runs}"]
    now = cell(*command).identity
    before = {**now, "schema": 3, "dataset": {**now["dataset"], "path": sha256(questions.read_bytes()).hexdigest()}}
    (runs / "earlier").mkdir(parents=True)
    (runs / "earlier" / "identity.json").write_text(json.dumps(before))
    assert main(command) == 2
    assert "version 3 of the schema" in capsys.readouterr().err
    questions.write_text('{"problem": "a=20+32\\nWhat is a?", "answer": "52"}\n')
    assert main(command) == 0, "another file"
