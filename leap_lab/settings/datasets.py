"""The questions of a command: every dataset is read once, however many cells use it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from leap_lab import checks, home, hub
from leap_lab.errors import UserError, brief
from leap_lab.grading import golds
from leap_lab.grading.grade import check_golds
from leap_lab.runs.pins import Pins
from leap_lab.settings.objects import instantiate, is_a, without_addresses
from leap_lab.tasks.problem import Problem
from leap_lab.tasks.sources import Hub

SELECTING = ("limit", "few", "ids", "offset")  # which questions are decoded, of those that there are
READING = ("answer", "encoding", "separator")  # how files are read: what they hold is known question by question


@dataclass
class Datasets:
    """What was read so far, by the settings of the dataset, and the pins of every folder of runs."""

    _problems: dict[str, list[Problem]] = field(default_factory=dict)
    _pins: dict[str, Pins] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)  # what a user should know of the questions, one line each

    def pins(self, runs_dir: str) -> Pins:
        """What is fixed for the runs in this folder."""
        return self._pins.setdefault(runs_dir, Pins(runs_dir))

    def save(self) -> None:
        """Write the pins of all folders of runs."""
        for pins in self._pins.values():
            pins.save()

    def pinned(self, dataset: Mapping[str, Any], runs_dir: str) -> dict[str, Any]:
        """The settings of a dataset, one on the hub with its commit.

        `UserError` where the commit cannot be known, and for a revision of local data.
        """
        revision, repository = dataset.get("revision"), dataset.get("hub_id")
        if repository is None or not ("revision" in dataset or is_a("dataset", dataset, Hub)):
            return dict(dataset)
        return {**dataset, "revision": commit(self.pins(runs_dir), "dataset", "hub_id", str(repository), revision)}

    def problems(self, dataset: Mapping[str, Any]) -> list[Problem]:
        """All questions of a pinned dataset; `UserError` when there are none, or when a row is wrong."""
        key = repr(dataset)
        if key not in self._problems:
            given: list[Problem] = instantiate(dataset).load()
            if not given:
                raise UserError(f"dataset={dataset['name']}: holds no questions")
            self._problems[key] = self._with_golds(dataset, given)
        return self._problems[key]

    def _with_golds(self, dataset: Mapping[str, Any], given: list[Problem]) -> list[Problem]:
        """Problems with right answers that an answer can equal; a dataset that makes its own is taken at its word."""
        if "answer" not in dataset:
            return given
        checks.one_of("dataset.answer", dataset["answer"], ("auto", "as_is"))
        source = next(f"dataset.{key}={dataset[key]}" for key in ("path", "hub_id", "name") if dataset.get(key))
        taken = golds.extracted(given) if dataset["answer"] == "auto" else given
        if remark := golds.remark(given, taken, source):
            self.remarks.append(remark)
        check_golds(taken, source)
        return taken

    def selected(self, dataset: Mapping[str, Any], limit: int | None) -> list[Problem]:
        """The questions that `dataset.ids`, `dataset.offset` and `limit` leave; `UserError` where none are left."""
        problems, ids, offset = self.problems(dataset), dataset.get("ids"), dataset.get("offset") or 0
        if ids is not None:
            by_id = {problem.id: problem for problem in problems}
            if unknown := [str(each) for each in ids if str(each) not in by_id]:
                near = ", ".join(list(by_id)[:3])
                raise UserError(f"dataset.ids={brief(unknown[0])}: no such question; there are {near}, ...")
            problems = [by_id[str(each)] for each in ids]
        if not problems[offset:]:
            raise UserError(f"dataset.offset={offset}: must be less than {len(problems)}, the number of questions")
        return problems[offset:][:limit]

    def identity(self, dataset: Mapping[str, Any], runs_dir: str) -> dict[str, Any]:
        """The settings that determine the questions; a local file or folder as it is named in the pins of `runs_dir`.

        Its questions are not part of it: every group says which question it is of.
        """
        settings = _settings(dataset)
        for key, place in _places(dataset).items():
            questions = [problem.content for problem in self.problems(dataset)]
            settings[key] = self.pins(runs_dir).local(place, questions)
        return settings


def commit(pins: Pins, kind: hub.Kind, key: str, place: str, revision: Any, group: str = "") -> str | None:
    """The commit of what `model.path`, `model.lora` or `dataset.hub_id` names; None for a file or folder.

    `group` is the key of `revision`.

    `UserError` where it cannot be known: a run that does not know what it decodes could not be told from another.
    """
    group = group or f"{kind}.revision"
    if revision is not None:
        checks.text(group, revision, "a commit, branch or tag")
    if home.path(place).exists():
        if revision is not None:
            raise UserError(f"{group}={revision}: only for the hub; {kind}.{key}={place} is a file or folder")
        return None
    try:
        return pins.commit(kind, place, revision)
    except hub.UnknownCommit as error:
        known = "set its commit" if revision is None else "must be a commit, branch or tag"
        raise UserError(
            f"{group}={checks.shown(revision)}: neither the hub nor the local cache says which commit of {place} this "
            f"is ({error}); {known}, or set {kind}.{key} to a local copy"
        ) from error


def by_content(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a run's identity that a dataset was up to schema 3: local files by a hash of their bytes."""
    return {**_settings(dataset), **{key: content(place) for key, place in _places(dataset).items()}}


def content(path: Path) -> str:
    """A hash of a file, or of the files in a folder by name."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    files = sorted(file for file in path.rglob("*") if file.is_file())
    listed = "".join(f"{file.relative_to(path)} {content(file)}\n" for file in files)
    return hashlib.sha256(listed.encode()).hexdigest()


def _settings(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that decide which questions there are; right answers and kinds belong to each question."""
    labels = (*SELECTING, *READING, *(["revision"] if dataset.get("revision") is None else []))
    settings: dict[str, Any] = without_addresses({key: dataset[key] for key in dataset if key not in labels})
    if "columns" in settings:
        settings["columns"] = {key: name for key, name in settings["columns"].items() if key != "kind"}
    return settings


def _places(dataset: Mapping[str, Any]) -> dict[str, Path]:
    """The local files and folders that a dataset is read from, by key."""
    places = {key: home.path(str(dataset[key])) for key in ("path", "hub_id") if dataset.get(key)}
    return {key: place for key, place in places.items() if place.exists()}


def of_run(folder: Path, datasets: Datasets) -> list[Problem]:
    """The questions of the data set of a run, as it is now; `UserError` for a folder that is no run."""
    try:
        config: Mapping[str, Any] = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
        return datasets.problems(config["dataset"])
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError) as error:
        raise UserError(
            f"{folder}: no readable config.yaml; name the folder of a run, such as runs/<run_id>"
        ) from error
