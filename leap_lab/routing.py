"""Who hears whom: similarity of summaries (Eq. 4) and the routers (Section 3.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from leap_lab import checks, embedding
from leap_lab.errors import UserError
from leap_lab.path import Path
from leap_lab.similarity import METRICS, Closeness, EditCloseness, MeaningCloseness
from leap_lab.similarity import Similarity as Similarity
from leap_lab.similarity import similarity_matrix as similarity_matrix

PeerChoice = list[tuple[int, float]]  # the peers that a path hears: (index into the speakers, similarity)


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

    @property
    def closeness(self) -> Closeness:
        """How alike two summaries are."""
        return EditCloseness(self.similarity)

    def route(self, speakers: Sequence[Speaker], rng: Random) -> list[PeerChoice]:
        matrix = self.closeness.matrix([speaker.summary for speaker in speakers])
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


ORDERS = {"clustered": Clustered, "dispersed": Dispersed, "hybrid": Hybrid}


@dataclass(frozen=True)
class Semantic(Ranked):
    """Clustered, dispersed or hybrid (`order`), with summaries compared by meaning and not letter by letter.

    `embedding` is a folder with a model of model2vec; `similarity` is not used.
    """

    order: str = "dispersed"
    embedding: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.one_of("router.order", self.order, ORDERS)
        embedding.check("router.embedding", self.embedding)

    @property
    def closeness(self) -> Closeness:
        return MeaningCloseness(self.embedding)

    def choose(self, others: list[int], similarity: Similarity, rng: Random) -> list[int]:
        return ORDERS[self.order](self.top_k).choose(others, similarity, rng)


@dataclass(frozen=True)
class Pooled:
    """No peers, but a pool: what paths told so far without duplicates, of which every path hears `draw` entries.

    They are drawn at random, anew for each path, among those that others wrote. The pool holds at most `cap` entries,
    and one more puts a random one out. Duplicates are at least `same` alike (`methods.exchange.pool`): by `embedding`,
    a folder with a model of model2vec, or with null by edit distance.
    """

    draw: int = 4
    cap: int = 10_000
    same: float = 0.75
    embedding: str | None = None

    def check(self, group: str) -> None:
        """`UserError` for settings that cannot be, by the keys of this group of settings."""
        checks.integer(f"{group}.draw", self.draw, 1)
        checks.integer(f"{group}.cap", self.cap, 1)
        checks.number(f"{group}.same", self.same, "a number > 0 and <= 1", 0, 1, open_at="least")
        if self.embedding is not None:
            embedding.check(f"{group}.embedding", self.embedding)

    @property
    def closeness(self) -> Closeness:
        """How alike two texts are."""
        return EditCloseness() if self.embedding is None else MeaningCloseness(self.embedding)

    def route(self, speakers: Sequence[Speaker], rng: Random) -> list[PeerChoice]:
        """Methods that know no pool cannot use it."""
        raise UserError("router=pool: this method has no pool; choose another router")


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
    if not isinstance(router, Clustered | Dispersed | Hybrid | Semantic):
        return [None] * len(speakers)
    matrix = router.closeness.matrix([speaker.summary for speaker in speakers])
    found: list[bool | None] = []
    for path, choice in enumerate(choices):
        taken = {peer for peer, _ in choice}
        left_out = [peer for peer in range(len(speakers)) if peer not in taken and peer != path]
        found.append(bool({*matrix[path, sorted(taken)]} & {*matrix[path, left_out]}))
    return found
