"""The paths of run folders as candidates for training, with the tokenizer that their ids belong to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from leap_lab.engines.models import Model, expanded
from leap_lab.engines.tokens import ModelTokens
from leap_lab.errors import UserError
from leap_lab.files import read_json
from leap_lab.path import Kind, Segment
from leap_lab.runs.reading import read_groups, settings
from leap_lab.settings.chat import chat_settings
from leap_lab.settings.objects import instantiate
from leap_lab.tasks.problem import Problem

METHODS = ("leap", "leap_s", "independent")  # a mixture of agents has another prompt in each layer
COLUMNS = ("run_id", "question_id", "group", "path", "correct", "finish", "blocks", "segments", "probes")


@dataclass(frozen=True)
class Candidate:
    """One path of a run."""

    run_id: str
    question_id: str
    group: int
    path: int
    correct: bool
    finish: str
    blocks: int
    segments: tuple[Segment, ...]
    summary_limit: int | None  # tokens; None where the run asks for no summaries
    probed: bool  # whether the run has probes
    probes: tuple[tuple[int, str, bool], ...] = ()  # turn, phase, whether right

    @property
    def own(self) -> tuple[tuple[int, ...], ...]:
        """Everything but the prompt, to recognize duplicates."""
        return tuple(segment.tokens for segment in self.segments if segment.kind is not Kind.PROMPT)

    @cached_property
    def summaries(self) -> list[tuple[int, bool]]:
        """For each summary its number of tokens, and whether the model closed it: the runtime closes with a trigger."""
        following = [*self.segments[1:], None]
        return [
            (len(part.tokens), after is None or (after.kind, after.turn) != (Kind.TRIGGER, part.turn))
            for part, after in zip(self.segments, following, strict=True)
            if part.kind is Kind.SUMMARY
        ]

    @property
    def recovered(self) -> bool:
        """Whether a block turned it from wrong to right, by its probes."""
        right = {(turn, phase): correct for turn, phase, correct in self.probes}
        return any(
            not right[turn, "before"] and right.get((turn, "after"), False)
            for turn, phase in right
            if phase == "before"
        )


@dataclass(frozen=True)
class SourceRun:
    """A run folder to take paths from."""

    folder: Path
    config: Mapping[str, Any] = field(repr=False)

    @classmethod
    def open(cls, folder: Path) -> "SourceRun":
        """`UserError` for a folder that is not a run, or whose method has no traces to learn from."""
        method = settings(folder).get("method.name")
        if method not in METHODS:
            raise UserError(f"{folder}: method={method}; allowed are runs of {', '.join(METHODS)}")
        return cls(folder, yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8")))

    @cached_property
    def run_id(self) -> str:
        """The id recorded in the run: the folder may have been renamed since."""
        return str(read_json(self.folder / "run.json").get("run_id", self.folder.name))

    @property
    def independent(self) -> bool:
        return bool(self.config["method"]["name"] == "independent")

    @property
    def model(self) -> str:
        """The folder or hub id of the model that decoded it."""
        return expanded(str(self.config["model"]["path"]))

    @property
    def decoder(self) -> Model:
        """The model that decoded it, with its commit on the hub and the chat settings that its prompts have."""
        settings = self.config["model"]
        return Model(self.model, settings.get("revision"), chat=chat_settings(settings))

    @cached_property
    def problems(self) -> dict[str, Problem]:
        """Its whole dataset by question id, not only the part that was decoded."""
        return {problem.id: problem for problem in instantiate(self.config["dataset"]).load()}

    def candidates(self) -> Iterator[Candidate]:
        """Every path of the run, by question, group and path."""
        limit, probed = self.config["method"].get("summary_tokens"), bool(self.config.get("probes"))
        for row in read_groups(self.folder, COLUMNS).to_dict("records"):
            parts, probes = row.pop("segments"), row.pop("probes")
            if any(part["kind"] == Kind.AGAIN for part in parts):
                raise UserError(f"{self.folder}: its model does not think, so its paths have no tags to learn from")
            yield Candidate(
                **{str(name): value for name, value in row.items()},
                segments=tuple(_segment(part) for part in parts),
                probes=tuple((probe["turn"], probe["phase"], bool(probe["correct"])) for probe in probes),
                summary_limit=limit,
                probed=probed,
            )


def tokens_of(sources: Sequence[SourceRun], model: str | None = None) -> ModelTokens:
    """The one tokenizer of these runs, or of `model` in its place; `UserError` where they have several."""
    models = [Model(model)] if model else [source.decoder for source in sources]
    tokenizers = [ModelTokens.of(each) for index, each in enumerate(models) if each not in models[:index]]
    first = tokenizers[0]
    if other := next((each for each in tokenizers if each.fingerprint != first.fingerprint), None):
        raise UserError(
            f"mixed tokenizers: that of {other.model.path} ({other.fingerprint}) is not that of {first.model.path} "
            f"({first.fingerprint}); the models of all runs must share one"
        )
    return first


def _segment(part: Mapping[str, Any]) -> Segment:
    return Segment(Kind(part["kind"]), part["turn"], tuple(map(int, part["tokens"])), part["text"])
