"""Commands in the environments that users have: locales, matplotlib, W&B and folders of their own."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import leap_lab
from leap_lab.cli import COMMANDS

ROOT = Path(__file__).parents[1]
SMALL = ["engine=scripted", "limit=2", "peers=2", "router.top_k=1"]
RUN = ["-m", "leap_lab.run", *SMALL]
OURS = ("MPL", "WANDB", "LC_", "LANG", "PYTHONIOENCODING", "PYTHONUTF8", "PYTHONCOERCECLOCALE", "NETRC")


def call(home: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    """A command as a user runs it in a folder of their own, which is also their home."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(OURS)}
    kept |= {"HOME": str(home), "PYTHONPATH": str(ROOT)} | environment
    return subprocess.run([sys.executable, *arguments], cwd=home, env=kept, capture_output=True, check=False)


LOCALES = [
    {"LC_ALL": "C"},
    {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0"},
    {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    {"PYTHONIOENCODING": "latin-1"},
    {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
]


@pytest.mark.parametrize("locale", LOCALES, ids=str)
def test_no_locale_breaks_a_run_or_its_table(tmp_path, locale):
    (tmp_path / "q.jsonl").write_text('{"problem": "a=20+31\\nWhat is a? Café 数", "answer": "51"}\n', "utf-8")
    for questions in ([], ["dataset=local", "dataset.path=q.jsonl"]):
        done = call(tmp_path, *RUN, "tracking=none", *questions, **locale)
        assert done.returncode == 0, done.stderr
        assert b"Pass@1 %" in done.stdout and b"Look next at " in done.stdout and b"Traceback" not in done.stderr
    runs = [str(file.parent.relative_to(tmp_path)) for file in tmp_path.glob("runs/*/run.json")]
    done = call(tmp_path, "-m", "analysis", "report", *runs[:2], **locale)
    assert done.returncode == 0 and b"Pass@1 %" in done.stdout, done.stderr
    for command in COMMANDS if locale == LOCALES[-1] else ():
        assert call(tmp_path, "-m", "leap_lab.cli", *command.split(), "--help", **locale).returncode == 0, command


def leaves_the_encoding_open(call: ast.Call) -> bool:
    """Whether a call opens, reads or writes a text file without a word about its encoding."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    given = [ast.unparse(each) for each in (*call.args, *(keyword.value for keyword in call.keywords))]
    if any("utf-8" in each for each in given):
        return False
    modes = [each.strip("'") for each in given if each.startswith("'")]
    text = isinstance(call.func, ast.Name) or any(set(mode) <= set("rwax+t") for mode in modes)
    return name in ("read_text", "write_text") or (name in ("open", "fdopen") and text)


@pytest.mark.parametrize("file", [*(ROOT / "leap_lab").rglob("*.py"), *(ROOT / "analysis").rglob("*.py")], ids=str)
def test_every_text_file_is_opened_in_an_encoding_that_is_named(file):
    calls = [node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call)]
    assert not [f"line {call.lineno}: {ast.unparse(call)}" for call in calls if leaves_the_encoding_open(call)]


@pytest.mark.parametrize("backend", ["module://matplotlib_inline.backend_inline", "nothing like a backend"])
def test_what_a_notebook_left_behind_costs_no_figure(tmp_path, backend):
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\nbackend: qtagg\n")
    done = call(tmp_path, *RUN, "tracking=none", MPLBACKEND=backend)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("runs/reports/*/figure.pdf"))


def test_a_figure_that_fails_is_one_line_after_the_table(tmp_path):
    broken = tmp_path / "broken" / "matplotlib"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('a library is missing')\n")
    places = {"PYTHONPATH": f"{broken.parent}{os.pathsep}{ROOT}"}
    done = call(tmp_path, *RUN, "tracking=none", **places)
    assert done.returncode == 1 and b"Pass@1 %" in done.stdout and b"table.md" in done.stdout
    assert done.stderr.count(b"failed: figure figure: ImportError: a library is missing\n") == 1
    assert b"Traceback" not in done.stderr
    runs = [str(file.parent) for file in tmp_path.glob("runs/*/run.json")]
    for command in (["report"], ["main_table"]):
        done = call(tmp_path, "-m", "analysis", *command, *runs, **places)
        assert done.returncode == 1 and b"Pass@1 %" in done.stdout and b".md\n" in done.stdout, done.stderr
        assert done.stderr.count(b"failed: figure ") == done.stderr.count(b"\n") == 1


def test_wandb_online_without_a_key_is_one_line_before_the_engine_starts(tmp_path):
    for arguments, environment in ((["tracking.mode=online"], {}), ([], {"WANDB_MODE": "online"})):
        done = call(tmp_path, *RUN, *arguments, **environment)
        assert done.returncode == 2 and done.stderr.count(b"\n") == 1, done.stderr
        assert b"there is no key for W&B" in done.stderr and not done.stdout
    assert not list(tmp_path.glob("runs/*/run.json"))


def test_wandbs_own_variables_reach_wandb(tmp_path):
    told = {"PROJECT": "their-project", "ENTITY": "their-team", "NAME": "their-name", "RUN_GROUP": "their-group"}
    told |= {"TAGS": "their-tag,other", "DIR": str(tmp_path / "tracked")}
    variables = {f"WANDB_{name}": value for name, value in told.items()}
    done = call(tmp_path, *RUN, "baseline=false", "tracking.entity=our-team", **variables)
    assert done.returncode == 0, done.stderr
    [log] = (tmp_path / "tracked").glob("wandb/offline-run-*/run-*.wandb")
    recorded = log.read_bytes()
    for value in ("their-project", "our-team", "their-name", "their-group", "their-tag"):
        assert value.encode() in recorded, value
    assert b"their-team" not in recorded
    done = call(tmp_path, *RUN, "runs_dir=other", WANDB_DISABLED="true")
    assert done.returncode == 0 and not list(tmp_path.glob("other/wandb*"))


def test_a_home_folder_may_stand_in_every_argument(tmp_path):
    (tmp_path / "q.jsonl").write_text('{"problem": "a=20+31\\nWhat is a?", "answer": "51"}\n')
    local = ["tracking=none", "dataset=local", "dataset.path=~/q.jsonl", "runs_dir=~/mine"]
    done = call(tmp_path, *RUN, *local)
    assert done.returncode == 0, done.stderr
    runs = [f"~/mine/{file.parent.name}" for file in tmp_path.glob("mine/*/run.json")]
    done = call(tmp_path, "-m", "analysis", "report", *runs, "--out=~/figures")
    assert done.returncode == 0 and (tmp_path / "figures" / "table.md").is_file(), done.stderr
    done = call(tmp_path, "-c", f"import leap_lab; print(len(leap_lab.load({runs!r})))")
    assert done.stdout.split() == [b"4"], done.stderr
    assert not (tmp_path / "~").exists()


def test_hydras_own_settings_work_at_the_command_line(tmp_path):
    (tmp_path / "q.jsonl").write_text('{"problem": "a=20+31\\nWhat is a?", "answer": "51"}\n')
    local = ["tracking=none", "dataset=local", "dataset.path=${hydra:runtime.cwd}/q.jsonl"]
    done = call(tmp_path, *RUN, *local)
    assert done.returncode == 0, done.stderr


def test_a_report_of_all_runs_passes_over_what_is_no_run(tmp_path):
    assert call(tmp_path, *RUN, WANDB_MODE="offline").returncode == 0
    places = sorted(str(place.relative_to(tmp_path)) for place in (tmp_path / "runs").iterdir())
    assert {"runs/reports", "runs/wandb"} <= {*places}
    places += ["runs/.pins.json", "runs/.pins.json.lock", "runs/.hydra", "runs/benchmarks.json", "runs/leap_t"]
    table = call(tmp_path, "-m", "analysis", "report", *places)
    assert table.returncode == 0 and not table.stderr, table.stderr
    assert call(tmp_path, "-m", "analysis", "main_table", *places).returncode == 0
    done = call(tmp_path, "-c", f"import leap_lab; print(len(leap_lab.load({places!r})))")
    assert done.stdout.split() == [b"8"], done.stderr
    for wrong in ("runs/nowhere", "runs/notes"):
        (tmp_path / "runs" / "notes").mkdir(exist_ok=True)
        done = call(tmp_path, "-m", "analysis", "report", *places, wrong)
        assert done.returncode == 2 and done.stderr.startswith(f"error: {wrong}: ".encode()), done.stderr
    done = call(tmp_path, "-m", "analysis", "report", "runs/reports")
    assert (
        done.returncode == 2
        and done.stderr.startswith(b"error: runs/reports: no run; ")
        and done.stderr.count(b"\n") == 1
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_prints_our_version(tmp_path, command):
    module = COMMANDS[command][0].removesuffix(".__main__")
    for asked in (["-m", "leap_lab.cli", *command.split(), "--version"], ["-m", module, "--version"]):
        done = call(tmp_path, *asked)
        assert (done.returncode, done.stdout.decode()) == (0, f"leap_lab {leap_lab.__version__}\n"), done.stderr
