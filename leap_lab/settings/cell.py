"""A cell of a sweep: one value for every setting, and the identity that names its run."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from leap_lab.confidence import OFF, Recording
from leap_lab.engines import adapters
from leap_lab.engines.base import EngineSettings, Sampling
from leap_lab.engines.models import Model, fingerprint, located
from leap_lab.errors import UserError
from leap_lab.methods.base import Method
from leap_lab.methods.independent import Independent
from leap_lab.prompts import ASKED, unexplained
from leap_lab.runs.groupfile import SCHEMA_VERSION
from leap_lab.runs.identity import run_id_of
from leap_lab.settings import context
from leap_lab.settings.chat import chat_identity, chat_settings
from leap_lab.settings.datasets import Datasets, commit
from leap_lab.settings.objects import class_of, instantiate, without_addresses
from leap_lab.tasks.problem import Problem

NO_PREFIX = {"name": "none", "fraction": 0.0, "good_ratio": 0.0, "per_path": False}
PARTS = ("sampling", "peers", "seed")  # of an identity, besides model, engine, prompts, method, router and dataset


@dataclass(frozen=True)
class Cell:
    """A checked configuration as plain values (`rules.validate`). `UserError` where the method rejects its settings."""

    config: Mapping[str, Any]
    datasets: Datasets = field(default_factory=Datasets, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.engine().uses_model:
            context.check(self.config)
        self._check_logprobs()
        self.method().check(self.config["peers"], self.config["engine"]["max_model_len"])

    def but(self, **changes: Any) -> "Cell":
        """A cell with other values for some keys."""
        return Cell({**self.config, **changes}, self.datasets)

    def baseline(self) -> "Cell":
        """Independent sampling with everything else the same, and what the method shares with it (its budget)."""
        method = self.config["method"]
        address = f"{Independent.__module__}.{Independent.__qualname__}"
        alone = {
            "_target_": address,
            "name": "independent",
            "max_tokens": self.config["model"]["max_tokens"],
            "explain": False,
        }
        alone |= {"answer_tokens": method["answer_tokens"]}
        return self.but(method=alone | {key: method[key] for key in self._method.shares})

    def reference(self) -> "Cell":
        """The run that buckets and beginnings come from; it has the model's own sampling and budget."""
        reference, model = self.config["reference"], self.config["model"]
        baseline = self.baseline()
        method = {**baseline.config["method"], "max_tokens": model["max_tokens"]}
        own = {"peers": reference["responses"], "seed": reference["seed"], "groups": 1, "sampling": model["sampling"]}
        own["confidence"] = asdict(OFF)
        return baseline.but(difficulty={"name": "all"}, prefix=NO_PREFIX, method=method, **own)

    @property
    def needs_reference(self) -> bool:
        """Whether questions or beginnings of this cell come from a reference run."""
        return self._sets("difficulty") or self._sets("prefix")

    @property
    def shows_reference(self) -> bool:
        """Whether its experiment also shows the reference run."""
        return bool(self.config["experiment"] and self.config["experiment"].get("reference"))

    @property
    def wants_baseline(self) -> bool:
        """Whether independent sampling is decoded for comparison."""
        return bool(self.config["baseline"]) and (self._method is not Independent or self.method().explained)

    @property
    def runs(self) -> "list[Cell]":
        """Every run that this cell needs: its reference run, its baseline, itself."""
        reference = [self.reference()] if self.needs_reference or self.shows_reference else []
        return [*reference, *([self.baseline()] if self.wants_baseline else []), self]

    @property
    def label(self) -> str:
        """The cell in a few words, for progress bars."""
        router = self._router
        k = f"-{router['top_k']}" if router and "top_k" in router else ""
        words = [self.config["method"]["name"], *([router["name"] + k] if router else [])]
        words += [f"{key}={self.config[key]['name']}" for key in ("difficulty", "prefix") if self._sets(key)]
        return " ".join(words)

    @cached_property
    def model_path(self) -> str:
        """Where the model is: a folder or a hub id."""
        return located(str(self.config["model"]["path"]))

    @property
    def lora(self) -> str | None:
        """The folder or hub id of the model's adapter, if it has one."""
        lora: str | None = self.config["model"].get("lora")
        return lora

    @cached_property
    def model(self) -> Model:
        """The model as engines load it."""
        config = self.config["model"]
        return Model(self.model_path, self._revision, self.lora, self._lora_revision, chat_settings(config))

    @cached_property
    def dataset(self) -> dict[str, Any]:
        """The settings of the dataset, one on the hub with its commit."""
        return self.datasets.pinned(self.config["dataset"], self.config["runs_dir"])

    @cached_property
    def run_id(self) -> str:
        return run_id_of(self.identity)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What determines the result: not where it runs, how it is tracked, or how much of it was requested.

        It holds no address of a class (`_target_`): a choice is identified by its name and its settings.
        """
        parts = {"dataset": self.datasets.identity(self.dataset, self.config["runs_dir"])}
        reference = {"reference": self.reference().run_id} if self.needs_reference else {}
        commits = {"revision": self._revision, "lora_revision": self._lora_revision}
        known = {key: commit for key, commit in commits.items() if commit and self.engine().uses_model}
        return {**self.settled, **known, **reference, **parts}

    @cached_property
    def settled(self) -> dict[str, Any]:
        """The identity without what has to be read or asked for: the questions, and the commits of hub repositories."""
        config, engine, recorded = self.config, self.engine(), self.method().records(self.recording)
        selected = {key: config[key] for key in ("difficulty", "prefix") if self.needs_reference}
        return {
            **selected,
            **({"confidence": asdict(recorded)} if recorded.top_logprobs else {}),
            **({"probes": {"tokens": config["probe_tokens"], "sampled": True}} if self._probed else {}),
            "schema": SCHEMA_VERSION,
            "model": fingerprint(self.model_path) if engine.uses_model else "none",
            **({"lora": adapters.fingerprint(self.lora)} if engine.uses_model and self.lora else {}),
            **({"chat": chat_identity(chat_settings(self.config["model"]))} if engine.uses_model else {}),
            "engine": engine.identity(),
            "method": without_addresses(self.config["method"]),
            **{key: without_addresses(config[key]) for key in PARTS},
            "prompts": self._prompts,
            "router": without_addresses(self._router),
        }

    @cached_property
    def recorded(self) -> dict[str, Any]:
        """The configuration as the run folder keeps it: without a router where the method has none.

        `comparison` says what the analysis has to know of the method: see `Method`.
        """
        model = {**self.config["model"], "revision": self._revision, "lora_revision": self._lora_revision}
        comparison = {"budget": self._method.budget, "shares": list(self._method.shares)}
        own = {"model": model, "dataset": self.dataset, "router": self._router, "probes": self._probed}
        return {**self.config, **own, "comparison": comparison}

    def method(self) -> Method:
        """The decoding method, with its prompts, sampling and, where it has one, router."""
        config = self.config
        parts: dict[str, Any] = {
            "prompts": instantiate(config["prompts"]),
            "sampling": Sampling(**config["sampling"]),
        }
        if self._method.routed:
            parts["router"] = instantiate(config["router"])
        if self._probed:
            parts["probe_tokens"] = config["probe_tokens"]
        method: Method = instantiate(config["method"], **parts)
        return method

    @property
    def recording(self) -> Recording:
        """Which log-probabilities are to be kept; a method may need others (`Method.records`)."""
        return Recording(**self.config["confidence"])

    def engine(self) -> EngineSettings:
        """The engine, not started."""
        settings: EngineSettings = instantiate(self.config["engine"])
        return settings

    def questions(self) -> list[Problem]:
        """All questions of the dataset; `UserError` when there are none."""
        return self.datasets.problems(self.dataset)

    def problems(self) -> list[Problem]:
        """The first `limit` questions, of those that `dataset.ids` and `dataset.offset` leave."""
        return self.datasets.selected(self.dataset, self.config["limit"])

    @property
    def _router(self) -> Any:
        return self.config["router"] if self._method.routed else None

    @cached_property
    def _revision(self) -> str | None:
        """The commit of a hub model; as it was set where a program is in the model's place."""
        model, pins = self.config["model"], self.datasets.pins(self.config["runs_dir"])
        if not self.engine().uses_model:
            return None if model.get("revision") is None else str(model["revision"])
        return commit(pins, "model", "path", self.model_path, model.get("revision"))

    @cached_property
    def _lora_revision(self) -> str | None:
        """The commit of an adapter on the hub; as it was set where no adapter is loaded."""
        model, pins = self.config["model"], self.datasets.pins(self.config["runs_dir"])
        if not self.engine().uses_model or not self.lora:
            return None if model.get("lora_revision") is None else str(model["lora_revision"])
        place = adapters.located(self.lora)
        return commit(pins, "model", "lora", place, model.get("lora_revision"), "model.lora_revision")

    def _check_logprobs(self) -> None:
        """`UserError` where more log-probabilities of a token are needed than the engine is known to tell."""
        needed, most = self.method().records(self.recording).top_logprobs, getattr(self.engine(), "max_logprobs", None)
        if isinstance(most, int) and 0 <= most < needed:
            group = "confidence" if needed == self.recording.top_logprobs else "method"
            raise UserError(f"{group}.top_logprobs={needed}: must be <= engine.max_logprobs={most}; set both")

    def _sets(self, key: str) -> bool:
        return self.config[key]["name"] not in ("all", "none")

    @property
    def _prompts(self) -> dict[str, Any]:
        """The prompt set, or the part of it that the method reads: the same for every set that asks the same."""
        prompts: dict[str, Any] = without_addresses(self.config["prompts"])
        if self.method().explained:
            return prompts
        return {key: unexplained(str(prompts[key])) for key in ASKED if key in prompts}

    @property
    def _probed(self) -> bool:
        return bool(self.config["probes"]) and self._method.probed

    @cached_property
    def _method(self) -> type[Method]:
        method: type[Method] = class_of("method", self.config["method"], Method)
        return method
