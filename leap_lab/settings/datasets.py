"""The questions of a command: every dataset is read once, however many cells use it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leap_lab.errors import UserError
from leap_lab.settings.objects import instantiate, without_addresses
from leap_lab.tasks.problem import Problem


@dataclass
class Datasets:
    """What was read so far, by the settings of the dataset."""

    _problems: dict[str, list[Problem]] = field(default_factory=dict)
    _contents: dict[Path, str | None] = field(default_factory=dict)

    def problems(self, dataset: Mapping[str, Any]) -> list[Problem]:
        """All questions; `UserError` when there are none, or when a row is wrong."""
        key = repr(dataset)
        if key not in self._problems:
            problems: list[Problem] = instantiate(dataset).load()
            if not problems:
                raise UserError(f"dataset={dataset['name']}: holds no questions")
            self._problems[key] = problems
        return self._problems[key]

    def identity(self, dataset: Mapping[str, Any]) -> dict[str, Any]:
        """The settings that determine the questions; for local files their content instead of their path."""
        settings: dict[str, Any] = without_addresses({k: v for k, v in dataset.items() if k not in ("limit", "few")})
        for key in ("path", "hub_id"):
            if dataset.get(key) and (content := self._content(Path(str(dataset[key])).expanduser())):
                settings[key] = content
        return settings

    def _content(self, path: Path) -> str | None:
        if path not in self._contents:
            self._contents[path] = content(path)
        return self._contents[path]


def content(path: Path) -> str | None:
    """A hash of a file, or of the files in a folder by name; None for anything else."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    if not path.is_dir():
        return None
    files = sorted(file for file in path.rglob("*") if file.is_file())
    listed = "".join(f"{file.relative_to(path)} {content(file)}\n" for file in files)
    return hashlib.sha256(listed.encode()).hexdigest()
