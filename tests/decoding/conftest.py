"""A run folder, and an environment in which W&B finds nothing."""

import os
import pathlib

import pytest

VARIABLES = [f"WANDB_{name}" for name in ("DATA_DIR", "CACHE_DIR", "DISABLE_WEAVE", "SILENT")]  # that leap_lab sets


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "runs" / "abc123"
    (folder / "groups").mkdir(parents=True)
    (folder / "groups" / "q-0.parquet").write_bytes(b"paths")
    (folder / "metrics.json").write_text("{}")
    (folder / ".run.json.1a.unfinished").write_text("{")
    return folder


@pytest.fixture
def no_key_and_no_home(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """W&B finds nothing of this machine, and the variables the tracker sets are taken back."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in {*VARIABLES, *(name for name in os.environ if name.startswith("WANDB_"))}:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.delenv("NETRC", raising=False)
