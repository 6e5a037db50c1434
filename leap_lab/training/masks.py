"""A path as a training sequence: token ids, and of each token the kind of segment it is in.

The kinds are those of `leap_lab.path`: a loss mask asks who wrote a token and never searches the text.
"""

from collections.abc import Collection, Sequence

from leap_lab.builtin.corpus import IGNORED
from leap_lab.path import SAMPLED, Kind, Segment

KINDS = tuple(Kind)  # a training set stores a kind as its place in here


def sequence(segments: Sequence[Segment], end: int | None) -> tuple[list[int], list[int]]:
    """Token ids and the place of their kinds in `KINDS`, as long as the path.

    `end` is the token that ended the model's turn, which no segment holds: the model sampled it, as part of what it
    wrote last. None where the runtime ended the turn.
    """
    tokens = [token for segment in segments for token in segment.tokens]
    kinds = [KINDS.index(segment.kind) for segment in segments for _ in segment.tokens]
    if end is None:
        return tokens, kinds
    last = segments[-1].kind
    return [*tokens, end], [*kinds, KINDS.index(last if last in SAMPLED else Kind.FINAL)]


def labels(tokens: Sequence[int], kinds: Sequence[int], learned: Collection[Kind]) -> list[int]:
    """The tokens of the learned kinds, `IGNORED` in the place of all others."""
    places = {KINDS.index(kind) for kind in learned}
    return [token if kind in places else IGNORED for token, kind in zip(tokens, kinds, strict=True)]
