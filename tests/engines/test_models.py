"""What `model.path` names, and what tells a model's weights from others."""

import pathlib

import pytest

from leap_lab.engines.models import WHOLE_BYTES, fingerprint, located
from leap_lab.errors import UserError


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


def test_a_hub_id_stays_the_same_before_and_after_its_download() -> None:
    assert fingerprint("Org/Model-7B") == "Org/Model-7B"


@pytest.mark.parametrize("path", ["/no/such/model", "./model", "~/model", "a/b/c", " "])
def test_a_path_to_nothing_is_refused(path: str) -> None:
    with pytest.raises(UserError, match=r"model\.path=.*no such folder"):
        located(path)


def test_a_folder_without_a_model_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(UserError, match=r"holds no config\.json"):
        located(str(tmp_path))
