"""What decoding methods ask of an engine: continue these token ids.

Token ids go in and come out; a path is never decoded to text and tokenized again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from leap_lab.engines.chat import Chat

if TYPE_CHECKING:
    from leap_lab.engines.models import Model

Stopped = Literal["stop", "eos", "length"]


@dataclass(frozen=True)
class Sampling:
    """Sampling parameters, with vLLM's names and meanings; `top_k=-1` and `min_p=0` switch these filters off."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = -1
    min_p: float = 0.0


GREEDY = Sampling(temperature=0.0)


@dataclass(frozen=True)
class Purpose:
    """What a request is for: the `phase` (think, summary, final, answer) of a path at a turn.

    `path` is its index in the group. `probe` is set for a copy that only shows what the path would answer, `before` its
    summary or `after` its comments.
    """

    path: int
    turn: int
    phase: str
    probe: str | None = None


@dataclass(frozen=True)
class Request:
    """One continuation to sample.

    `stop` strings are matched on text that keeps special tokens; they and `stop_ids` stay in the completion. A lower
    `priority` is served first. Requests with the same `affinity` go to the same data-parallel rank, where their prefix
    is cached. With `ignore_eos` all of `max_tokens` are sampled, which only benchmarks use. `purpose` does not affect
    what is sampled: journals, tests and scripted engines read it. `top_logprobs`: how many of the most likely tokens to
    tell the log-probabilities of, at each sampled token.
    """

    prompt: Sequence[int]
    max_tokens: int
    seed: int
    sampling: Sampling = field(default_factory=Sampling)
    stop: tuple[str, ...] = ()
    stop_ids: tuple[int, ...] = ()
    priority: int = 0
    affinity: int = 0
    ignore_eos: bool = False
    purpose: Purpose | None = None
    top_logprobs: int = 0


@dataclass(frozen=True)
class Completion:
    """What was sampled.

    `tokens` are all sampled ids, without an end-of-sequence token. A stop string can end inside a token, so their text
    may run past it. `prefilled` counts the prompt tokens that were computed, without cache hits; None where the engine
    does not report it. `logprobs` are for each of `tokens` the log-probabilities of the most likely tokens there, as
    many as were asked for, in descending order; None where none were.
    """

    tokens: list[int]
    stopped: Stopped
    prefilled: int | None
    stop: str | int | None = None  # the string or id that stopped it
    logprobs: list[list[float]] | None = None


class TooLong(ValueError):
    """A prompt, and what is to be sampled, that do not fit `max_model_len`: the question's fault, not the engine's."""


class EngineDied(RuntimeError):
    """The engine is gone, and no further request can succeed."""


class Tokens(Protocol):
    """A model's tokenizer and chat template, which every engine of that model shares."""

    form: Chat
    """How the model takes turns and thinks."""

    @property
    def close_id(self) -> int | None:
        """The one token that ends thinking; None where it takes several, or where the model does not think."""
        ...

    def encode(self, text: str) -> list[int]:
        """Token ids of runtime text; tags become tokens of their own, nothing is added at either end."""
        ...

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of token ids, special tokens included."""
        ...

    def chat(self, user: str, begun: str = "") -> list[int]:
        """The chat template around one user message, with the model's turn opened, and `begun` of its own words."""
        ...

    def plain(self, text: str) -> str:
        """A text of others without anything that this model would read as a control token or a command."""
        ...


class Engine(Protocol):
    """An inference engine, and the tokens of its model. `max_model_len` counts prompt and completion, in tokens."""

    tokens: Tokens
    max_model_len: int

    async def generate(self, request: Request) -> Completion:
        """Sample one continuation. `TooLong` when prompt and `max_tokens` do not fit `max_model_len`."""
        ...

    async def close(self) -> None:
        """Release the engine. No request may follow."""
        ...


class EngineSettings(Protocol):
    """An engine that is not started yet: what `engine=NAME` makes. It describes itself; nothing depends on its name.

    `uses_model` says whether the weights of `model.path` decode; False where a script does.
    """

    uses_model: bool

    def check(self, model: "Model") -> None:
        """`UserError` for a setting that the engine does not have, or a model that it cannot load; loads nothing."""
        ...

    def identity(self) -> Mapping[str, Any]:
        """The settings that affect what is sampled, not only where or how fast: part of a run's identity."""
        ...

    async def start(self, model: "Model") -> Engine:
        """Load the model; `UserError` where that fails."""
        ...


class EngineWrapper:
    """An engine around another one, the same but for what a subclass changes."""

    def __init__(self, inner: Engine) -> None:
        self.inner, self.tokens, self.max_model_len = inner, inner.tokens, inner.max_model_len
        self.dtype: str | None = getattr(inner, "dtype", None)  # of the weights as loaded, where the engine knows it

    async def generate(self, request: Request) -> Completion:
        return await self.inner.generate(request)

    async def close(self) -> None:
        await self.inner.close()
