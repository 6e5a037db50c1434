"""A deterministic engine for tests and for programmatic models: a script decides what the model would write.

It follows the rules of a real engine: token ids in and out, stop strings, lengths, the context limit.
"""

from collections.abc import Callable, Sequence

from leap_lab.engines.base import Completion, Request, Tokens, TooLong
from leap_lab.engines.chat import Chat

Script = Callable[[str, Request], str]


class Characters:
    """One token per character (its code point), for tests that count tokens by hand."""

    close_id: int | None = None

    def __init__(self, form: Chat | None = None) -> None:
        self.form = form or Chat(turn=("[user]", "[assistant]<think>\n"))

    def encode(self, text: str) -> list[int]:
        return [ord(character) for character in text]

    def decode(self, tokens: Sequence[int]) -> str:
        return "".join(map(chr, tokens))

    def chat(self, user: str, begun: str = "", earlier: Sequence[tuple[str, str]] = ()) -> list[int]:
        before = "".join(f"[user]{asked}[assistant]{reply}" for asked, reply in earlier)
        return self.encode(f"{before}[user]{user}[assistant]<think>\n{begun}")

    def plain(self, text: str) -> str:
        return text


class ScriptedEngine:
    """`script(text so far, request)` returns everything that the model would write until its end of sequence."""

    def __init__(self, script: Script, tokens: Tokens | None = None, max_model_len: int = 1_000_000) -> None:
        self.script = script
        self.max_model_len = max_model_len
        self.requests: list[Request] = []
        self.tokens: Tokens = tokens or Characters()

    async def generate(self, request: Request) -> Completion:
        if len(request.prompt) + request.max_tokens > self.max_model_len:
            raise TooLong(f"{len(request.prompt)} + {request.max_tokens} tokens exceed {self.max_model_len}")
        self.requests.append(request)
        text = self.script(self.tokens.decode(request.prompt), request)
        tokens, stop = self._stopped(text, request)
        if len(tokens) > request.max_tokens or (len(tokens) == request.max_tokens and stop is None):
            return Completion(tokens[: request.max_tokens], "length", len(request.prompt))
        return Completion(tokens, "eos" if stop is None else "stop", len(request.prompt), stop)

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
