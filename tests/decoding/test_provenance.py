"""What ran: a checkout or none, nothing private, and fingerprints that follow the model's bytes."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from leap_lab.decoding import provenance
from leap_lab.decoding.provenance import collect

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def git(folder: pathlib.Path, *arguments: str) -> str:
    settings = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    command = ["git", "-C", str(folder), *settings, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()


@pytest.fixture
def checkout(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "checkout"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "file").write_text("a")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def test_it_is_plain_json_and_names_versions() -> None:
    found = collect()
    assert json.loads(json.dumps(found)) == found
    assert {"numpy", "pyarrow", "hydra-core"} <= set(found["packages"])
    assert found["python"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")


def test_nothing_private_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("A_SECRET", "secret-value")
    monkeypatch.setattr(sys, "argv", ["/home/somebody/run.py", "model.path=/home/somebody/m", "x=/home/somebodyelse"])
    found = collect()
    assert found["argv"] == ["run.py", "model.path=~/m", "x=/home/somebodyelse"]
    assert "secret-value" not in json.dumps(found)


def test_a_checkout_has_a_commit_and_may_be_dirty(checkout: pathlib.Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    assert provenance._git(checkout) == {"commit": commit, "dirty": False}
    (checkout / "new").write_text("b")
    assert provenance._git(checkout) == {"commit": commit, "dirty": True}


def test_a_package_inside_another_repository_is_no_checkout(checkout: pathlib.Path, tmp_path: pathlib.Path) -> None:
    assert provenance._git(checkout / "inner") is None
    assert provenance._git(tmp_path) is None


def test_a_hook_does_not_point_to_another_repository(checkout: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert provenance._git(checkout) is not None
