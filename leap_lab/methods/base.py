"""The base class of decoding methods: a method turns one question into a group of N paths."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

from leap_lab import checks
from leap_lab.confidence import Recording
from leap_lab.engines.base import Engine, Sampling
from leap_lab.errors import UserError
from leap_lab.methods.job import Job
from leap_lab.methods.writer import Writer
from leap_lab.path import Path
from leap_lab.prompts import Prompts


@dataclass(frozen=True)
class Method(ABC):
    """A way to spend tokens on a question. Its fields are the keys of its YAML, in conf/method or your own folder.

    `max_tokens` is a path's own budget (see `budget`), `answer_tokens` the room for a forced answer. Every method gets
    `sampling` and `prompts`; methods with these fields also get a `router` and `probe_tokens`.
    """

    max_tokens: int
    answer_tokens: int
    sampling: Sampling
    prompts: Prompts

    budget: ClassVar[Literal["path", "rounds"]] = "path"
    """What `max_tokens` bounds: the own tokens of one path, or of an agent over all its rounds."""
    shares: ClassVar[tuple[str, ...]] = ("max_tokens", "answer_tokens")
    """The settings that its baseline, independent sampling, shares with it."""
    routed: ClassVar[bool] = False
    """Whether it has a field `router`."""
    probed: ClassVar[bool] = False
    """Whether it has a field `probe_tokens`: at each block its paths can be asked what they would answer."""

    @abstractmethod
    async def solve(self, job: Job, engine: Engine) -> list[Path]:
        """Decode a group; every returned path has a `finish`."""

    def check(self, peers: int, context: int) -> None:
        """`UserError` for settings that cannot work with N `peers` in a `context` of so many tokens.

        A subclass adds its own rules and calls this one first.
        """
        checks.integer("method.max_tokens", self.max_tokens, 1)
        checks.integer("method.answer_tokens", self.answer_tokens, 1)
        if self.max_tokens + self.answer_tokens >= context:
            raise UserError(
                f"method.max_tokens={self.max_tokens}: with method.answer_tokens={self.answer_tokens} and a prompt it "
                f"does not fit engine.max_model_len={context}"
            )

    @property
    def explained(self) -> bool:
        """Whether its prompt speaks of the exchange, where the prompt set has something to say of it."""
        return self.routed

    def records(self, asked: Recording) -> Recording:
        """The log-probabilities that its paths keep: those `asked` for, unless it needs others to decide by."""
        return asked

    def writer(self, job: Job, engine: Engine) -> Writer:
        """The writer for the paths of a group."""
        budgets = self.max_tokens, self.answer_tokens
        recording = self.records(job.recording)
        return Writer(job, engine, self.prompts, self.sampling, *budgets, self.explained, recording)
