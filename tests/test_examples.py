"""The examples, run as a user would run them: copied elsewhere, in a process of their own."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

EXAMPLES = Path(__file__).parents[1] / "examples"
SMALL = ["engine=scripted", "tracking=none", "limit=2", "peers=4"]


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__")))


def call(*command: str, cwd: Path) -> str:
    """The output of a command of this Python that ends well; nothing but the installed package is on its path."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run([sys.executable, *command], cwd=cwd, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_group_is_solved(examples, tmp_path):
    out = call(str(examples / "one_group.py"), "engine=scripted", cwd=tmp_path)
    answers = re.match(r"with peers: \[(.*)\]  alone: \[(.*)\]", out)
    assert answers and all(re.fullmatch(r"'\d+'(, '\d+'){3}", found) for found in answers.groups()), out
    assert "[think 0]" in out and "block 0: heard paths [" in out


def test_runs_become_a_figure(examples, tmp_path):
    out = call(str(examples / "from_runs_to_figure.py"), "engine=scripted", cwd=tmp_path)
    assert "clustered" in out and (tmp_path / "tokens.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("folder", "choice"),
    [("my_router", "router=quickest"), ("my_method", "method=refine"), ("my_dataset", "dataset=doubles")],
)
@pytest.mark.parametrize("command", [["-m", "leap_lab.run"], ["-m", "leap_lab.cli", "run"]])
def test_an_extension_of_ones_own_runs(examples, folder, choice, command):
    out = call(*command, "--config-dir=conf", choice, *SMALL, cwd=examples / folder)
    assert "Pass@1" in out and "Look next at " in out
    [folder] = [file.parent for file in (examples / folder).glob("runs/*/run.json") if choice_of(file, choice)][:1]
    assert len(list((folder / "groups").glob("*.parquet"))) == 2


def choice_of(run: Path, choice: str) -> bool:
    group, _, name = choice.partition("=")
    node = yaml.safe_load((run.parent / "config.yaml").read_text())[group]
    return bool(node) and node["name"] == name


def test_the_quickest_are_heard(examples):
    call(
        "-m",
        "leap_lab.run",
        "--config-dir=conf",
        "router=quickest",
        "router.top_k=1",
        *SMALL,
        cwd=examples / "my_router",
    )
    files = sorted((examples / "my_router").glob("runs/*/groups/*.parquet"))
    paths = pd.concat(map(pd.read_parquet, files))
    routes = [route for row in paths["routes"] for route in row]
    assert routes and all(len(route["peers"]) == 1 for route in routes)


def test_both_rounds_of_refine_are_paid_for(examples):
    call(
        "-m", "leap_lab.run", "--config-dir=conf", "method=refine", "baseline=false", *SMALL, cwd=examples / "my_method"
    )
    [run] = (examples / "my_method").glob("runs/*/run.json")
    config = yaml.safe_load((run.parent / "config.yaml").read_text())
    assert config["comparison"]["budget"] == "rounds" and config["router"] is None
    paths = pd.concat(map(pd.read_parquet, (run.parent / "groups").iterdir()))
    assert (paths["requests"] >= 4).all(), "thinking and an answer, twice"
    assert (paths["tokens_comment"] > 0).all(), "what it wrote before is not its own words now"


@pytest.mark.parametrize(
    ("yaml_text", "message"),
    [
        ("_target_: my_router.Nothing\nname: mine\n", "router"),
        ("_target_: my_router.Quickest\nname: dispersed\ntop_k: 1\n", "router=dispersed: the name belongs to leap_lab"),
        ("_target_: my_router.Quickest\ntop_k: 1\n", "router="),
    ],
)
def test_a_wrong_extension_is_one_line(examples, yaml_text, message):
    home = examples / "my_router"
    (home / "conf" / "router" / "mine.yaml").write_text(yaml_text)
    command = [sys.executable, "-m", "leap_lab.run", "--config-dir=conf", "router=mine", *SMALL]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("error: ") and message in done.stderr
    assert not list(home.glob("runs/*/groups"))
