"""What the engine computed for a path's requests: the part of its cost that sampled tokens do not show."""

from dataclasses import dataclass

from leap_lab.engines.base import Completion, Request


@dataclass(frozen=True)
class Usage:
    """A sum over requests, in tokens.

    `prefilled` and `cached` are prompt tokens, computed or found in the prefix cache; together all prompts. `decoded`
    are sampled tokens that were fed back to the model: all but the last of each request. `attended` sums, over all
    tokens computed, the positions that each attends to, itself included. What an engine does not report for one
    request (None) is None in the sum.
    """

    requests: int = 0
    prefilled: int | None = 0
    cached: int | None = 0
    decoded: int = 0
    attended: int | None = 0

    @classmethod
    def of(cls, request: Request, done: Completion) -> "Usage":
        """One request. Its end-of-sequence token was sampled too, although it is not among the tokens."""
        length = len(request.prompt)
        decoded = max(0, len(done.tokens) + (done.stopped == "eos") - 1)
        if done.prefilled is None:
            return cls(1, None, None, decoded, None)
        cached = length - done.prefilled
        return cls(1, done.prefilled, cached, decoded, _triangle(length + decoded) - _triangle(cached))

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.requests + other.requests,
            total(self.prefilled, other.prefilled),
            total(self.cached, other.cached),
            self.decoded + other.decoded,
            total(self.attended, other.attended),
        )


@dataclass(frozen=True)
class Bounds:
    """What requests would compute of their prompts with a perfect prefix cache (`least`) and with none (`most`).

    What an engine measures lies between the two for a group by itself, and depends on what else it decodes. Perfect
    is a cache that finds all that the same path, or the beginning that it shares with its group, has put through the
    model before; the last token of a prompt is always computed. `attended` is as in `Usage`, sampled tokens included.
    """

    prefilled_least: int = 0
    prefilled_most: int = 0
    attended_least: int = 0
    attended_most: int = 0

    @classmethod
    def of(cls, request: Request, done: Completion, computed: int) -> "Bounds":
        """One request, of which the first `computed` tokens went through the model before."""
        length, found = len(request.prompt), min(computed, len(request.prompt) - 1)
        ends = _triangle(length + Usage.of(request, done).decoded)
        return cls(length - found, length, ends - _triangle(found), ends)

    def __add__(self, other: "Bounds") -> "Bounds":
        return Bounds(
            self.prefilled_least + other.prefilled_least,
            self.prefilled_most + other.prefilled_most,
            self.attended_least + other.attended_least,
            self.attended_most + other.attended_most,
        )


def total(*parts: int | None) -> int | None:
    """The sum; None where a part is None."""
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _triangle(count: int) -> int:
    """Positions that the first `count` tokens of a sequence attend to: 1 + 2 + ... + count."""
    return count * (count + 1) // 2
