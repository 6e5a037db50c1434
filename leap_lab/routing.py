"""Who hears whom: similarity of summaries (Eq. 4) and the routers (Section 3.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from leap_lab import checks
from leap_lab.path import Path

Similarity = NDArray[np.float64]
PeerChoice = list[tuple[int, float]]  # the peers that a path hears: (index into the speakers, similarity)
METRICS = ("levenshtein", "indel")


def similarity_matrix(summaries: Sequence[str], metric: str = "levenshtein") -> Similarity:
    """Pairwise similarity, shape (n, n), in [0, 1]; two empty summaries have similarity 1.

    `levenshtein` is the paper's Eq. 4, 1 - Levenshtein(s_i, s_j) / max(|s_i|, |s_j|), in characters. `indel` is what
    its released code computes: 1 - Indel(s_i, s_j) / (|s_i| + |s_j|).
    """
    checks.one_of("router.similarity", metric, METRICS)
    return _matrix(tuple(summaries), metric)


@lru_cache(maxsize=1)  # a block is routed, then its ties are counted
def _matrix(summaries: tuple[str, ...], metric: str) -> Similarity:
    from rapidfuzz.distance import Indel, Levenshtein
    from rapidfuzz.process import cdist

    scorer = Levenshtein if metric == "levenshtein" else Indel
    found: Similarity = cdist(summaries, summaries, scorer=scorer.normalized_similarity, dtype=np.float64)
    found.flags.writeable = False
    return found


@dataclass(frozen=True)
class Speaker:
    """A live path at a block: its `summary`, and the `path` behind it, up to and including that summary."""

    summary: str
    path: Path


class Router(Protocol):
    """Picks the peers of every path among the live paths of its group."""

    def route(self, speakers: Sequence[Speaker], rng: Random) -> list[PeerChoice]:
        """For each speaker the peers it hears: (index into `speakers`, similarity), best choice first.

        `rng` is seeded for this block; a router must use no other source of randomness. It must not change the paths.
        """
        ...


@dataclass(frozen=True)
class Ranked:
    """A router that orders the other paths and keeps the first `top_k`, or as many as there are."""

    top_k: int = 4
    similarity: str = "levenshtein"

    def __post_init__(self) -> None:
        checks.integer("router.top_k", self.top_k, 1)
        checks.one_of("router.similarity", self.similarity, METRICS)

    def route(self, speakers: Sequence[Speaker], rng: Random) -> list[PeerChoice]:
        matrix = similarity_matrix([speaker.summary for speaker in speakers], self.similarity)
        count = len(speakers)
        # Ties go to the next path around the circle; otherwise equal summaries would all be routed to the first paths.
        circles = [[(path + step) % count for step in range(1, count)] for path in range(count)]
        chosen = [self.choose(circle, matrix[path], rng) for path, circle in enumerate(circles)]
        return [[(peer, float(matrix[path, peer])) for peer in peers] for path, peers in enumerate(chosen)]

    def choose(self, others: list[int], similarity: Similarity, rng: Random) -> list[int]:
        """The peers of one path among `others`; `similarity` is the path's row of the matrix."""
        raise NotImplementedError


class Clustered(Ranked):
    """The k most similar."""

    def choose(self, others: list[int], similarity: Similarity, rng: Random) -> list[int]:
        return sorted(others, key=lambda peer: -similarity[peer])[: self.top_k]


class Dispersed(Ranked):
    """The k least similar."""

    def choose(self, others: list[int], similarity: Similarity, rng: Random) -> list[int]:
        return sorted(others, key=lambda peer: similarity[peer])[: self.top_k]


class Hybrid(Ranked):
    """Half of the k most similar, half least similar, no peer twice; with an odd k the most similar have one more."""

    def choose(self, others: list[int], similarity: Similarity, rng: Random) -> list[int]:
        by_similarity = sorted(others, key=lambda peer: -similarity[peer])
        k = min(self.top_k, len(others))
        similar = by_similarity[: (k + 1) // 2]
        rest = [peer for peer in others if peer not in similar]
        return similar + sorted(rest, key=lambda peer: similarity[peer])[: k - len(similar)]


class RandomPeers(Ranked):
    """Any k, drawn with the group's seed."""

    def choose(self, others: list[int], similarity: Similarity, rng: Random) -> list[int]:
        return rng.sample(others, min(self.top_k, len(others)))


@dataclass(frozen=True)
class AllPeers(Ranked):
    """All other live paths, in the order of the circle."""

    top_k: int = 0

    def __post_init__(self) -> None:
        """`top_k` is not used."""

    def choose(self, others: list[int], similarity: Similarity, rng: Random) -> list[int]:
        return others


@dataclass(frozen=True)
class NoPeers(AllPeers):
    """No peers at all: the control that summarizes but hears nothing."""

    def choose(self, others: list[int], similarity: Similarity, rng: Random) -> list[int]:
        return []


def ties(router: Router, speakers: Sequence[Speaker], choices: Sequence[PeerChoice]) -> list[bool | None]:
    """Of each speaker's choice, whether it leaves out a peer that is as similar as one that it takes.

    The order of the paths then decided between them, and not what they wrote. None for routers that do not choose by
    similarity.
    """
    if not isinstance(router, Clustered | Dispersed | Hybrid):
        return [None] * len(speakers)
    matrix = similarity_matrix([speaker.summary for speaker in speakers], router.similarity)
    found: list[bool | None] = []
    for path, choice in enumerate(choices):
        taken = {peer for peer, _ in choice}
        left_out = [peer for peer in range(len(speakers)) if peer not in taken and peer != path]
        found.append(bool({*matrix[path, sorted(taken)]} & {*matrix[path, left_out]}))
    return found
