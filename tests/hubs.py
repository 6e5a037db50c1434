"""A hub cache on disk with commits that tests make: models as snapshots, data sets as `datasets` prepares them."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

OLD, NEW = "a" * 40, "b" * 40


class Cache:
    """The caches of huggingface_hub and datasets in one folder, without a network."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home, self.hub, self.datasets = home, home / "hub", home / "datasets"
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(self.hub))
        monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
        monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", self.datasets)

    def model(self, repository: str, *commits: str, folder: Path | None = None) -> None:
        """A model with these commits; `folder` is copied into each."""
        for commit in commits:
            snapshot = self._of("models", repository) / "snapshots" / commit
            if folder:
                shutil.copytree(folder, snapshot)
            else:
                snapshot.mkdir(parents=True)
                (snapshot / "config.json").write_text("{}")

    def points(self, kind: str, repository: str, commit: str, branch: str = "main") -> None:
        """Let a branch of `models` or `datasets` point to this commit, as it was when the hub was last asked."""
        refs = self._of(kind, repository) / "refs"
        refs.mkdir(parents=True, exist_ok=True)
        (refs / branch).write_text(commit)

    def dataset(self, repository: str, commits: Mapping[str, Sequence[Mapping[str, str]]]) -> None:
        """A dataset with these rows at each commit, the last one prepared last."""
        import datasets

        for commit, rows in commits.items():
            file = self.home / f"{commit}.jsonl"
            file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
            made = datasets.load_dataset("json", data_files=str(file), split="train", cache_dir=str(self.home / "made"))
            [source] = {Path(each["filename"]).parent for each in made.cache_files}
            name = repository.split("/")[-1]
            place = self.datasets / repository.replace("/", "___") / "default" / "0.0.0" / commit
            place.mkdir(parents=True)
            shutil.copy(source / "json-train.arrow", place / f"{name}-train.arrow")
            info = json.loads((source / "dataset_info.json").read_text())
            info |= {"dataset_name": name, "config_name": "default"}
            (place / "dataset_info.json").write_text(json.dumps(info))

    def _of(self, kind: str, repository: str) -> Path:
        return self.hub / "--".join([kind, *repository.split("/")])
