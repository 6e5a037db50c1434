"""A deterministic engine for tests and for programmatic models: a script decides what the model would write.

It follows the rules of a real engine: token ids in and out, stop strings, lengths, the context limit.
"""

from collections.abc import Callable, Sequence

from leap_lab.engines.base import Completion, Request, Tokens

Script = Callable[[str, Request], str]


class Characters:
    """One token per character (its code point), for tests that count tokens by hand."""

    def encode(self, text: str) -> list[int]:
        return [ord(character) for character in text]

    def decode(self, tokens: Sequence[int]) -> str:
        return "".join(map(chr, tokens))

    def chat(self, user: str) -> list[int]:
        return self.encode(f"[user]{user}[assistant]<think>\n")


class ScriptedEngine:
    """`script(text so far, request)` returns everything that the model would write until its end of sequence."""

    def __init__(self, script: Script, tokens: Tokens | None = None, max_model_len: int = 1_000_000) -> None:
        self.script = script
        self.max_model_len = max_model_len
        self.requests: list[Request] = []
        self.tokens: Tokens = tokens or Characters()

    async def generate(self, request: Request) -> Completion:
        if len(request.prompt) + request.max_tokens > self.max_model_len:
            raise ValueError(f"{len(request.prompt)} + {request.max_tokens} tokens exceed {self.max_model_len}")
        self.requests.append(request)
        text = self.script(self.tokens.decode(request.prompt), request)
        hits = [(text.index(stop) + len(stop), stop) for stop in request.stop if stop in text]
        end, stop = min(hits) if hits else (len(text), None)
        tokens = self.tokens.encode(text[:end])
        if len(tokens) > request.max_tokens or (len(tokens) == request.max_tokens and not stop):
            return Completion(tokens[: request.max_tokens], "length", len(request.prompt))
        return Completion(tokens, "stop" if stop else "eos", len(request.prompt), stop)

    async def close(self) -> None:
        """Nothing to release."""
