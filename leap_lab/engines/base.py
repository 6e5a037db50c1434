"""What a decoding method may ask of an engine: continue these token ids.

Token ids go in and come out; a path is never decoded to text and tokenized again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

Stopped = Literal["stop", "eos", "length"]


@dataclass(frozen=True)
class Sampling:
    """Sampling parameters, with vLLM's names and meanings; `top_k=-1` and `min_p=0` switch those two off."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = -1
    min_p: float = 0.0


GREEDY = Sampling(temperature=0.0)


@dataclass(frozen=True)
class Request:
    """One continuation to sample.

    `stop` strings are matched on text that keeps special tokens, and stay in the completion. A lower `priority` is
    served first. Requests with the same `pin` go to the same data-parallel rank, where their prefix is cached. With
    `ignore_eos` all of `max_tokens` are sampled, which only measurements want.
    """

    prompt: Sequence[int]
    max_tokens: int
    seed: int
    sampling: Sampling = field(default_factory=Sampling)
    stop: tuple[str, ...] = ()
    priority: int = 0
    pin: int = 0
    ignore_eos: bool = False


@dataclass(frozen=True)
class Completion:
    """What was sampled.

    `tokens` are all sampled ids, an end-of-sequence token left out. A stop string can end inside a token, so their text
    may run past it. `prefilled` counts the prompt tokens that were computed, cache hits left out.
    """

    tokens: list[int]
    stopped: Stopped
    prefilled: int
    stop: str | None = None


class EngineDied(RuntimeError):
    """The engine is gone, and no further request can succeed."""


class Engine(Protocol):
    """An inference engine with the model's tokenizer and chat template."""

    max_model_len: int

    def encode(self, text: str) -> list[int]:
        """Token ids of runtime text; tags become their own tokens, nothing is added at either end."""
        ...

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of token ids, special tokens included."""
        ...

    def chat(self, user: str) -> list[int]:
        """The chat template applied once to one user turn, with the opening of the assistant's turn."""
        ...

    async def generate(self, request: Request) -> Completion:
        """Sample one continuation. `ValueError` when prompt and `max_tokens` do not fit `max_model_len`."""
        ...

    async def close(self) -> None:
        """Release the engine. No request may follow."""
        ...


class Around:
    """An engine around another one, the same but for what a subclass changes."""

    def __init__(self, inner: Engine) -> None:
        self.inner = inner
        self.max_model_len = inner.max_model_len
        self.encode, self.decode, self.chat = inner.encode, inner.decode, inner.chat

    async def generate(self, request: Request) -> Completion:
        return await self.inner.generate(request)

    async def close(self) -> None:
        await self.inner.close()


class Tokens(Protocol):
    """A tokenizer with a chat template."""

    def encode(self, text: str) -> list[int]: ...

    def decode(self, tokens: Sequence[int]) -> str: ...

    def chat(self, user: str) -> list[int]: ...
