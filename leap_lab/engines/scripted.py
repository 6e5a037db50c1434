"""A deterministic engine for tests and for programmatic models: a script decides what the model would write.

It follows the rules of a real engine: token ids in and out, stop strings, lengths, the context limit.
"""

import math
from collections.abc import Callable, Sequence
from random import Random

from leap_lab.engines.base import Completion, Request, Tokens, TooLong
from leap_lab.engines.chat import Chat

Script = Callable[[str, Request], str]
Logprobs = Callable[[Request, Sequence[int]], list[list[float]]]


class Characters:
    """One token per character (its code point), for tests that count tokens by hand."""

    close_id: int | None = None

    def __init__(self, form: Chat | None = None) -> None:
        self.form = form or Chat(turn=("[user]", "[assistant]<think>\n"))

    def encode(self, text: str) -> list[int]:
        return [ord(character) for character in text]

    def decode(self, tokens: Sequence[int]) -> str:
        return "".join(map(chr, tokens))

    def chat(self, user: str, begun: str = "") -> list[int]:
        return self.encode(f"[user]{user}[assistant]<think>\n{begun}")

    def plain(self, text: str) -> str:
        return text


def drawn(request: Request, tokens: Sequence[int]) -> list[list[float]]:
    """Log-probabilities for a program that has none: those of a geometric distribution, with p_j a multiple of e^-sj.

    The steepness s is drawn from the seed of the request, between 0.5 and 2, so that paths differ and a repeated
    request does not. It says nothing of the words.
    """
    steepness = Random(request.seed).uniform(0.5, 2.0)
    first = math.log1p(-math.exp(-steepness))
    return [[first - steepness * rank for rank in range(request.top_logprobs)] for _ in tokens]


class ScriptedEngine:
    """`script(text so far, request)` returns everything that the model would write until its end of sequence.

    `logprobs(request, tokens)` returns `Completion.logprobs` for the sampled tokens of a request that asks for them.
    """

    def __init__(
        self,
        script: Script,
        tokens: Tokens | None = None,
        max_model_len: int = 1_000_000,
        logprobs: Logprobs = drawn,
    ) -> None:
        self.script, self.logprobs = script, logprobs
        self.max_model_len = max_model_len
        self.requests: list[Request] = []
        self.tokens: Tokens = tokens or Characters()

    async def generate(self, request: Request) -> Completion:
        if len(request.prompt) + request.max_tokens > self.max_model_len:
            raise TooLong(f"{len(request.prompt)} + {request.max_tokens} tokens exceed {self.max_model_len}")
        self.requests.append(request)
        text = self.script(self.tokens.decode(request.prompt), request)
        tokens, stop = self._stopped(text, request)
        cut = len(tokens) > request.max_tokens or (len(tokens) == request.max_tokens and stop is None)
        tokens = tokens[: request.max_tokens]
        told = self.logprobs(request, tokens) if request.top_logprobs else None
        if cut:
            return Completion(tokens, "length", len(request.prompt), logprobs=told)
        return Completion(tokens, "eos" if stop is None else "stop", len(request.prompt), stop, told)

    def _stopped(self, text: str, request: Request) -> tuple[list[int], str | int | None]:
        """The tokens of the text up to the first stop, and that stop; all of them and None where there is none."""
        hits: list[tuple[int, str | int]] = [
            (len(self.tokens.encode(text[: text.index(stop) + len(stop)])), stop)
            for stop in request.stop
            if stop in text
        ]
        tokens = self.tokens.encode(text)
        hits += [(tokens.index(stop) + 1, stop) for stop in request.stop_ids if stop in tokens]
        if not hits:
            return tokens, None
        end, stop = min(hits, key=lambda hit: hit[0])
        return (
            self.tokens.encode(text[: text.index(stop) + len(stop)]) if isinstance(stop, str) else tokens[:end]
        ), stop

    async def close(self) -> None:
        """Nothing to release."""
