"""What the engine computed for a path's requests: the part of its bill that sampled tokens do not tell."""

from dataclasses import astuple, dataclass

from leap_lab.engines.base import Completion, Request


@dataclass(frozen=True)
class Usage:
    """A sum over requests.

    `prefilled` and `cached` are prompt tokens, computed or found in the prefix cache: together all prompts. `decoded`
    are sampled tokens that went through the model again, all but the last of each request. `attended` sums, over all
    tokens computed, the positions that each attends to, itself included.
    """

    requests: int = 0
    prefilled: int = 0
    cached: int = 0
    decoded: int = 0
    attended: int = 0

    @classmethod
    def of(cls, request: Request, done: Completion) -> "Usage":
        """One request. Its end-of-sequence token was sampled, too, though it is not among the tokens."""
        length = len(request.prompt)
        cached = length - done.prefilled
        decoded = max(0, len(done.tokens) + (done.stopped == "eos") - 1)
        return cls(1, done.prefilled, cached, decoded, _triangle(length + decoded) - _triangle(cached))

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(*(one + more for one, more in zip(astuple(self), astuple(other), strict=True)))


def _triangle(count: int) -> int:
    """Positions that the first `count` tokens of a sequence attend to: 1 + 2 + ... + count."""
    return count * (count + 1) // 2
