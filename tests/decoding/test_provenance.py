"""What ran: a checkout or none, nothing private, and fingerprints that follow the model's bytes."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from leap_lab.decoding import provenance
from leap_lab.decoding.provenance import WHOLE_BYTES, collect, hub_revision, model_fingerprint
from leap_lab.errors import UserError

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


@pytest.fixture
def model(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "tokenizer.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
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


def test_a_model_is_its_bytes_wherever_they_lie(model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    first = model_fingerprint(str(model))
    (model / "README.md").write_text("a card changes nothing")
    assert model_fingerprint(str(model.rename(tmp_path / "elsewhere"))) == first


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "chat_template.jinja", "model.safetensors"])
def test_each_file_that_matters_changes_it(model: pathlib.Path, name: str) -> None:
    first = model_fingerprint(str(model))
    (model / name).write_text("other")
    assert model_fingerprint(str(model)) != first


@pytest.mark.parametrize("place", [0, WHOLE_BYTES // 2, WHOLE_BYTES + 10**6 - 1])
def test_a_large_file_is_told_apart_by_pieces_all_over_it(model: pathlib.Path, place: int) -> None:
    weights = model / "model.safetensors"
    with weights.open("wb") as out:
        out.truncate(WHOLE_BYTES + 10**6)
    first = model_fingerprint(str(model))
    with weights.open("r+b") as out:
        # as a fine-tuning does, change more than one weight: here a stretch of a megabyte around the place
        out.seek(max(0, min(place, WHOLE_BYTES) - 500_000))
        out.write(b"\1" * 10**6)
        out.seek(place)
        out.write(b"\1")
    assert model_fingerprint(str(model)) != first
    assert weights.stat().st_size == WHOLE_BYTES + 10**6


def test_a_hub_id_stays_the_same_before_and_after_its_download(tmp_path: pathlib.Path) -> None:
    assert model_fingerprint("Org/Model-7B") == "Org/Model-7B"
    cache = tmp_path / "models--Org--Model-7B"
    snapshot = cache / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text(COMMIT)
    command = (
        "from leap_lab.decoding.provenance import *; print(model_fingerprint(M), hub_revision(M), hub_revision('.'))"
    )
    result = subprocess.run(
        [sys.executable, "-c", command.replace("M)", "'Org/Model-7B')")],
        env=os.environ | {"HF_HUB_CACHE": str(tmp_path), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.split() == ["Org/Model-7B", COMMIT, "None"]


def test_an_uncached_model_has_no_revision() -> None:
    assert hub_revision("Org/surely-not-in-any-cache") is None


@pytest.mark.parametrize("path", ["/no/such/model", "./model", "~/model", "a/b/c", " "])
def test_a_path_to_nothing_is_refused(path: str) -> None:
    with pytest.raises(UserError, match=r"model\.path=.*no such folder"):
        model_fingerprint(path)


def test_a_folder_without_a_model_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(UserError, match=r"no config\.json there"):
        model_fingerprint(str(tmp_path))
