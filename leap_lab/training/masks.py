"""A path as a training sequence: token ids, and for each token the kind of its segment.

The kinds are those of `leap_lab.path`: a loss mask depends on who wrote a token and never searches the text.
"""

from collections.abc import Collection, Sequence

from leap_lab.builtin.corpus import IGNORED
from leap_lab.path import SAMPLED, Kind, Segment

KINDS = tuple(Kind)  # a training set stores a kind as its index here


def sequence(segments: Sequence[Segment], end: int | None) -> tuple[list[int], list[int]]:
    """Token ids and the indices of their kinds in `KINDS`, both as long as the path.

    `end` is the end-of-sequence token, which no segment holds: the model sampled it, as part of what it wrote last.
    None where the model did not end the path.
    """
    tokens = [token for segment in segments for token in segment.tokens]
    kinds = [KINDS.index(segment.kind) for segment in segments for _ in segment.tokens]
    if end is None:
        return tokens, kinds
    last = segments[-1].kind
    return [*tokens, end], [*kinds, KINDS.index(last if last in SAMPLED else Kind.FINAL)]


def labels(tokens: Sequence[int], kinds: Sequence[int], learned: Collection[Kind]) -> list[int]:
    """The tokens of the learned kinds, and `IGNORED` for all others."""
    indices = {KINDS.index(kind) for kind in learned}
    return [token if kind in indices else IGNORED for token, kind in zip(tokens, kinds, strict=True)]
