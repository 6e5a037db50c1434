"""Who hears whom: similarity of summaries (Eq. 4) and the routers (Section 3.2), pure functions of the summaries."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from leap_lab.errors import UserError

Similarity = NDArray[np.float64]
Heard = list[tuple[int, float]]
METRICS = ("levenshtein", "indel")


def similarity_matrix(summaries: Sequence[str], metric: str = "levenshtein") -> Similarity:
    """Pairwise similarity, shape (n, n), in [0, 1]; two empty summaries are alike.

    `levenshtein` is the paper's Eq. 4, 1 - Levenshtein(s_i, s_j) / max(|s_i|, |s_j|), in characters. `indel` is what
    its released code computes: 1 - Indel(s_i, s_j) / (|s_i| + |s_j|).
    """
    from rapidfuzz.distance import Indel, Levenshtein
    from rapidfuzz.process import cdist

    if metric not in METRICS:
        raise UserError(f"router.similarity={metric}: allowed are {', '.join(METRICS)}")
    scorer = Levenshtein if metric == "levenshtein" else Indel
    return cdist(summaries, summaries, scorer=scorer.normalized_similarity, dtype=np.float64)


class Router(Protocol):
    """Picks the peers of every path among the live paths of its group."""

    def route(self, summaries: Sequence[str], rng: Random) -> list[Heard]:
        """For each summary the peers its path hears: (index into `summaries`, similarity), best choice first."""
        ...


@dataclass(frozen=True)
class _Ranked:
    """A router that orders the other paths and keeps the first `top_k`, or as many as there are."""

    top_k: int = 4
    similarity: str = "levenshtein"

    def __post_init__(self) -> None:
        if isinstance(self.top_k, bool) or not isinstance(self.top_k, int) or self.top_k < 1:
            raise UserError(f"router.top_k={self.top_k}: a whole number of at least 1 is needed")
        if self.similarity not in METRICS:
            raise UserError(f"router.similarity={self.similarity}: allowed are {', '.join(METRICS)}")

    def route(self, summaries: Sequence[str], rng: Random) -> list[Heard]:
        matrix = similarity_matrix(summaries, self.similarity)
        count = len(summaries)
        # Ties go to the next path around the circle, so that equal summaries do not all hear the first paths.
        circles = [[(path + step) % count for step in range(1, count)] for path in range(count)]
        chosen = [self.choose(circle, matrix[path], rng) for path, circle in enumerate(circles)]
        return [[(peer, float(matrix[path, peer])) for peer in peers] for path, peers in enumerate(chosen)]

    def choose(self, others: list[int], similarity: Similarity, rng: Random) -> list[int]:
        """The peers of one path among `others`; `similarity` is the path's row of the matrix."""
        raise NotImplementedError


class Clustered(_Ranked):
    """The k most similar."""

    def choose(self, others: list[int], similarity: Similarity, rng: Random) -> list[int]:
        return sorted(others, key=lambda peer: -similarity[peer])[: self.top_k]


class Dispersed(_Ranked):
    """The k least similar."""

    def choose(self, others: list[int], similarity: Similarity, rng: Random) -> list[int]:
        return sorted(others, key=lambda peer: similarity[peer])[: self.top_k]


class Hybrid(_Ranked):
    """Half of the k most similar, half least similar, no peer twice; with an odd k the most similar have one more."""

    def choose(self, others: list[int], similarity: Similarity, rng: Random) -> list[int]:
        by_similarity = sorted(others, key=lambda peer: -similarity[peer])
        k = min(self.top_k, len(others))
        similar = by_similarity[: (k + 1) // 2]
        rest = [peer for peer in others if peer not in similar]
        return similar + sorted(rest, key=lambda peer: similarity[peer])[: k - len(similar)]


class Randomly(_Ranked):
    """Any k, drawn with the group's seed."""

    def choose(self, others: list[int], similarity: Similarity, rng: Random) -> list[int]:
        return rng.sample(others, min(self.top_k, len(others)))


@dataclass(frozen=True)
class Everybody(_Ranked):
    """All other live paths, in the order of the circle."""

    top_k: int = 0

    def __post_init__(self) -> None:
        """`top_k` has no say here."""

    def choose(self, others: list[int], similarity: Similarity, rng: Random) -> list[int]:
        return others


@dataclass(frozen=True)
class Nobody(Everybody):
    """No peers at all: the control that summarizes but hears nothing."""

    def choose(self, others: list[int], similarity: Similarity, rng: Random) -> list[int]:
        return []
