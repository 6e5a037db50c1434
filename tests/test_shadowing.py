"""Commands work in a folder that holds modules of the user's own with the names of ours."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SMALL = ["engine=scripted", "tracking=none", "limit=2", "peers=2", "router.top_k=1"]
DECOYS = {
    "packages": [f"{name}/__init__.py" for name in ("analysis", "conf", "datasets", "wandb")],
    "modules": [f"{name}.py" for name in ("analysis", "conf", "datasets", "wandb")],
    "folders": ["analysis/notes.txt", "conf/config.yaml", "conf/router/random.yaml"],
}
SCRIPT = """
import leap_lab
runs = leap_lab.run("engine=scripted", "tracking=none", "limit=2", "peers=2", "router.top_k=1")
print(len(leap_lab.load(runs)))
"""


@pytest.fixture(params=DECOYS)
def home(request, tmp_path: Path) -> Path:
    """A folder of a user's own, whose modules end every process that imports them."""
    for name in DECOYS[request.param]:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("import os\nos._exit(77)\n" if file.suffix == ".py" else "mine: true\n")
    return tmp_path


def call(*command: str, cwd: Path) -> str:
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run([sys.executable, *command], cwd=cwd, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.returncode, done.stderr)
    return done.stdout


def test_decoding_and_reports_are_ours(home):
    assert "Look next at " in call("-m", "leap_lab.run", *SMALL, cwd=home)
    runs = [str(file.parent) for file in home.glob("runs/*/run.json")]
    assert len(runs) == 2
    assert "Pass@1" in call("-m", "leap_lab.cli", "analysis", "report", *runs, cwd=home)
    assert "Pass@1" in call("-m", "leap_lab.cli", "run", *SMALL, cwd=home)


def test_the_api_leaves_the_users_modules_alone(home):
    (home / "script.py").write_text(SCRIPT)
    assert call("script.py", cwd=home).split() == ["8"]


def test_a_module_of_the_users_own_stays_importable(tmp_path):
    (tmp_path / "analysis.py").write_text("mine = 42\n")
    (tmp_path / "script.py").write_text(f"{SCRIPT}import analysis\nprint(analysis.mine)\n")
    assert call("script.py", cwd=tmp_path).split() == ["8", "42"]


@pytest.mark.parametrize("command", ["train sft", "train traces", "train leap-t", "bench"])
def test_help_of_every_command_is_ours(home, command):
    assert "leap_lab" in call("-m", "leap_lab.cli", *command.split(), "--help", cwd=home)
