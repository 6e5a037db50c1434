"""Runs that several rooms of the analysis are tried on."""

from pathlib import Path

import pytest

from tests.known_runs import EASY, HARD, write_run


@pytest.fixture
def sweep(tmp_path: Path) -> list[Path]:
    runs = tmp_path / "runs"
    return [write_run(runs, EASY, "dispersed"), write_run(runs, HARD, "clustered"), write_run(runs, HARD)]
