"""The command line of the analysis: a command for every experiment, quick to explain itself."""

import subprocess
import sys
from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.load import load
from leap_lab.settings.experiments import names
from tests.known_runs import EASY, HARD, copies, write_run

MINE = """# @package _global_
experiment:
  name: mine
  exhibit: {_target_: analysis.exhibits.sensitivity.exhibit, axis: top_k}
  grids: [{}]
"""


@pytest.fixture
def runs(tmp_path: Path) -> list[str]:
    easy, hard = copies(EASY, 6), copies(HARD, 6)  # 48 questions: enough to decide
    return [str(write_run(tmp_path, hard)), str(write_run(tmp_path, easy, "dispersed", 4))]


def test_every_experiment_is_a_command(runs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["main_table", *runs, "--out", str(tmp_path / "out")]) == 0
    assert "holds: Peers raise Pass@1 (dispersed k=4)." in capsys.readouterr().out
    assert (tmp_path / "out" / "main_table.pdf").is_file()
    for name in names():
        assert main([name, str(tmp_path / "nowhere")]) == 2
        assert capsys.readouterr().err.startswith(f"error: experiment={name}: ")


def test_an_unknown_command_exits_with_2_and_names_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["tarp", "runs/x"])
    error = capsys.readouterr().err
    assert "invalid choice: 'tarp'" in error and all(f"'{name}'" in error for name in ["report", *names()])


def test_a_budget_is_offered_where_the_exhibit_has_one(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("report", *names()):
        with pytest.raises(SystemExit, match="0"):
            main([name, "--help"])
        assert ("--budget" in capsys.readouterr().out) == (name in ("efficiency", "scaling"))


def test_experiments_of_the_users_own_are_commands_too(
    runs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text(MINE)
    out = ["--out", str(tmp_path / "out")]
    for arguments in (["--config-dir", str(tmp_path), "mine", *runs], ["mine", *runs, f"--config-dir={tmp_path}"]):
        assert main([*arguments, *out]) == 0
        assert "How many peers a path hears" in capsys.readouterr().out
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        f"mine.{suffix}" for suffix in ("md", "tex", "json", "png", "pdf")
    }
    assert main(["mine", *runs, f"--config-dir={tmp_path / 'nowhere'}"]) == 2
    assert capsys.readouterr().err == f"error: --config-dir={tmp_path / 'nowhere'}: no such folder\n"


@pytest.mark.parametrize("arguments", [["--help"], ["trap", "--help"], ["scaling", "--help"], ["tarp"]])
def test_help_and_usage_errors_wait_for_nothing_heavy(arguments: list[str]) -> None:
    code = (
        f"import sys; from analysis.__main__ import main; sys.argv[1:] = {arguments!r}\n"
        "try: main()\n"
        "except SystemExit: sys.exit(str({'pandas', 'scipy', 'matplotlib'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stderr.endswith("set()\n"), ran.stderr


def test_all_that_is_in_a_folder_of_runs_may_be_named(
    runs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beside = ["reports", "wandb", ".hydra", "leap_t", "evaluation", ".pins.json", ".pins.json.lock", "benchmarks.json"]
    for name in beside:
        (tmp_path / name).touch() if name.endswith((".json", ".lock")) else (tmp_path / name).mkdir()
    named = sorted([*runs, *(str(tmp_path / name) for name in beside)])
    out = ["--out", str(tmp_path / "out")]
    for command in ("report", "main_table"):
        assert main([command, *named, *out]) == 0
        assert "dispersed k=4" in capsys.readouterr().out
    assert len(load(named)) == len(load(runs))
    (tmp_path / "notes").mkdir()
    for wrong in ("nowhere", "notes"):
        assert main(["report", *named, str(tmp_path / wrong), *out]) == 2
        assert capsys.readouterr().err.startswith(f"error: {tmp_path / wrong}: no ")
    assert main(["report", str(tmp_path / "reports"), *out]) == 2
    assert capsys.readouterr().err == (
        f"error: {tmp_path / 'reports'}: no run; name the folder of a run, such as runs/<run_id>\n"
    )
