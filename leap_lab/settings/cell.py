"""A cell of a sweep: one setting of everything that determines a result, and the identity that names its run."""

import hashlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hydra.utils import get_class, instantiate

from leap_lab.engines.base import Sampling
from leap_lab.engines.models import fingerprint, located
from leap_lab.errors import UserError
from leap_lab.methods.base import Method
from leap_lab.runs.groupfile import SCHEMA_VERSION
from leap_lab.runs.identity import run_id_of
from leap_lab.tasks.problem import Problem

NO_PREFIX = {"name": "none", "fraction": 0.0, "good_ratio": 0.0, "per_path": False}
LABELS = ("name", "limit", "few")  # of a config node: what `run.py` reads, no arguments of the target
PARTS = ("method", "router", "prompts", "sampling", "peers", "seed")  # of an identity, beside model, engine and dataset
# Fields of the engine that change what is sampled, not only where or how fast.
SAMPLING_FIELDS = ("max_model_len", "dtype", "quantization", "kv_cache_dtype", "revision", "tokenizer", "hf_overrides")


@dataclass(frozen=True)
class Cell:
    """A validated configuration as plain values (`schema.validate`)."""

    config: Mapping[str, Any]

    def __post_init__(self) -> None:
        self.method()  # refuses what the schema cannot see, such as a broken prompt set

    def baseline(self) -> "Cell":
        """Independent sampling with everything else the same, budget included."""
        method = self.config["method"]
        alone = {
            "_target_": "leap_lab.methods.independent.Independent",
            "name": "independent",
            "max_tokens": method["max_tokens"],
            "answer_tokens": method["answer_tokens"],
        }
        return Cell({**self.config, "method": alone})

    def reference(self) -> "Cell":
        """The run that buckets and beginnings come from: the model's own sampling and budget, whatever is swept."""
        asked, model = self.config["reference"], self.config["model"]
        whole = {**self.baseline().config, "difficulty": {"name": "all"}, "prefix": NO_PREFIX}
        method = {**whole["method"], "max_tokens": model["max_tokens"]}
        own = {"peers": asked["responses"], "seed": asked["seed"], "groups": 1, "sampling": model["sampling"]}
        return Cell({**whole, **own, "method": method})

    @property
    def needs_reference(self) -> bool:
        """Whether questions or beginnings of this cell come from a reference run."""
        return self._sets("difficulty") or self._sets("prefix")

    @property
    def shows_reference(self) -> bool:
        """Whether its experiment looks at the reference run itself."""
        return bool(self.config["experiment"] and self.config["experiment"].get("reference"))

    @property
    def wants_baseline(self) -> bool:
        return bool(self.config["baseline"]) and self.config["method"]["name"] != "independent"

    @property
    def label(self) -> str:
        """The cell in a few words, for progress bars."""
        router = self.recorded["router"]
        k = f"-{router['top_k']}" if router and "top_k" in router else ""
        words = [self.config["method"]["name"], *([router["name"] + k] if router else [])]
        words += [f"{key}={self.config[key]['name']}" for key in ("difficulty", "prefix") if self._sets(key)]
        return " ".join(words)

    @property
    def model_path(self) -> str:
        """Where the model is: a folder or a hub id."""
        return located(str(self.config["model"]["path"]))

    @cached_property
    def run_id(self) -> str:
        return run_id_of(self.identity)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What determines the result: not where it runs, how it is tracked, or how much of it was asked for."""
        config = self.recorded
        engine = config["engine"]
        selected = {key: config[key] for key in ("difficulty", "prefix") if self.needs_reference}
        return {
            **selected,
            **({"probes": {"tokens": config["probe_tokens"], "sampled": True}} if self._probed else {}),
            **({"reference": self.reference().run_id} if self.needs_reference else {}),
            "schema": SCHEMA_VERSION,
            "model": "none" if engine["name"] == "scripted" else fingerprint(self.model_path),
            "engine": {key: engine[key] for key in SAMPLING_FIELDS if key in engine},
            **{key: without_addresses(config[key]) for key in PARTS},
            "dataset": without_addresses(_dataset_identity(config["dataset"])),
        }

    @cached_property
    def recorded(self) -> dict[str, Any]:
        """The configuration as the run folder keeps it: a method without a router has none."""
        router = self.config["router"] if self._takes("router") else None
        return {**self.config, "router": router, "probes": self._probed}

    def method(self) -> Method:
        """The decoding method, with its prompts, sampling and, where it has one, router."""
        config = self.config
        parts: dict[str, Any] = {
            "prompts": made(config["prompts"]),
            "sampling": Sampling(**config["sampling"]),
        }
        if self._takes("router"):
            parts["router"] = made(config["router"])
        if self._probed:
            parts["probe_tokens"] = config["probe_tokens"]
        method: Method = made(config["method"], **parts)
        return method

    def problems(self) -> list[Problem]:
        """The first `limit` questions of the dataset; `UserError` when there are none."""
        dataset = self.config["dataset"]
        found: list[Problem] = made(dataset).load()
        if not found:
            raise UserError(f"dataset={dataset['name']}: it holds no questions")
        return found[: self.config["limit"]]

    def _sets(self, key: str) -> bool:
        return self.config[key]["name"] not in ("all", "none")

    @property
    def _probed(self) -> bool:
        return bool(self.config["probes"]) and self._takes("probe_tokens")

    def _takes(self, argument: str) -> bool:
        """Whether the method has such an argument."""
        return argument in inspect.signature(get_class(self.config["method"]["_target_"])).parameters


def made(node: Mapping[str, Any], **more: Any) -> Any:
    """The object that a config node describes; `more` are arguments that are objects already."""
    return instantiate(arguments(node), _convert_="all", _partial_=True)(**more)


def without_addresses(value: Any) -> Any:
    """A config node without `_target_`, at any depth: where the code of a choice lies determines no result."""
    if isinstance(value, Mapping):
        return {key: without_addresses(item) for key, item in value.items() if key != "_target_"}
    return [without_addresses(item) for item in value] if isinstance(value, list | tuple) else value


def arguments(node: Mapping[str, Any]) -> dict[str, Any]:
    """A config node without its labels: what `instantiate` may pass on."""
    return {key: value for key, value in node.items() if key not in LABELS}


def _dataset_identity(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """The dataset's settings; of local files their content, not their path."""
    settings = {key: value for key, value in dataset.items() if key not in ("limit", "few")}
    for key in ("path", "hub_id"):
        if dataset.get(key) and (content := _content(Path(str(dataset[key])).expanduser())):
            settings[key] = content
    return settings


def _content(path: Path) -> str | None:
    """A hash of a file, or of the files in a folder by name; None for what is neither."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    if not path.is_dir():
        return None
    files_in = sorted(file for file in path.rglob("*") if file.is_file())
    listed = "".join(f"{file.relative_to(path)} {_content(file)}\n" for file in files_in)
    return hashlib.sha256(listed.encode()).hexdigest()
