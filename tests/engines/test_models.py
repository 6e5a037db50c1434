"""What `model.path` names, and what tells a model's weights from others."""

import os
import pathlib
import subprocess
import sys

import pytest

from leap_lab.engines.models import WHOLE_BYTES, fingerprint, hub_revision, located
from leap_lab.errors import UserError

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def model(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "tokenizer.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def test_a_model_is_its_bytes_wherever_they_lie(model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    first = fingerprint(str(model))
    (model / "README.md").write_text("a card changes nothing")
    assert fingerprint(str(model.rename(tmp_path / "elsewhere"))) == first


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "chat_template.jinja", "model.safetensors"])
def test_each_file_that_matters_changes_it(model: pathlib.Path, name: str) -> None:
    first = fingerprint(str(model))
    (model / name).write_text("other")
    assert fingerprint(str(model)) != first


@pytest.mark.parametrize("place", [0, WHOLE_BYTES // 2, WHOLE_BYTES + 10**6 - 1])
def test_a_large_file_is_told_apart_by_pieces_all_over_it(model: pathlib.Path, place: int) -> None:
    weights = model / "model.safetensors"
    with weights.open("wb") as out:
        out.truncate(WHOLE_BYTES + 10**6)
    first = fingerprint(str(model))
    with weights.open("r+b") as out:
        # as a fine-tuning does, change more than one weight: here a stretch of a megabyte around the place
        out.seek(max(0, min(place, WHOLE_BYTES) - 500_000))
        out.write(b"\1" * 10**6)
        out.seek(place)
        out.write(b"\1")
    assert fingerprint(str(model)) != first
    assert weights.stat().st_size == WHOLE_BYTES + 10**6


def test_a_hub_id_stays_the_same_before_and_after_its_download(tmp_path: pathlib.Path) -> None:
    assert fingerprint("Org/Model-7B") == "Org/Model-7B"
    cache = tmp_path / "models--Org--Model-7B"
    snapshot = cache / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text(COMMIT)
    code = "from leap_lab.engines.models import *; print(fingerprint(M), hub_revision(M), hub_revision('.'))"
    result = subprocess.run(
        [sys.executable, "-c", code.replace("M)", "'Org/Model-7B')")],
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
        located(path)


def test_a_folder_without_a_model_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(UserError, match=r"holds no config\.json"):
        located(str(tmp_path))
