"""The run folder that tests write to."""

from pathlib import Path as FilePath

import pytest

from leap_lab.runs.folder import RunFolder
from tests.runs.doubles import IDENTITY


@pytest.fixture
def folder(tmp_path: FilePath) -> RunFolder:
    return RunFolder.open(tmp_path / "runs", IDENTITY, {"peers": 2})
