"""A router of your own: every path hears the k peers that have sampled least so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from leap_lab import checks
from leap_lab.routing import PeerChoice, Speaker, similarity_matrix


@dataclass(frozen=True)
class Quickest:
    """A speaker has its `summary` and the `path` behind it, so that a router may go by either."""

    top_k: int

    def __post_init__(self) -> None:
        checks.integer("router.top_k", self.top_k, 1)

    def route(self, speakers: Sequence[Speaker], rng: Random) -> list[PeerChoice]:
        """For each speaker the peers it hears, as (index, similarity), best choice first; ties by chance."""
        similarity = similarity_matrix([speaker.summary for speaker in speakers])
        order = sorted(range(len(speakers)), key=lambda index: (speakers[index].path.sampled, rng.random()))
        chosen = [[peer for peer in order if peer != path][: self.top_k] for path in range(len(speakers))]
        return [[(peer, float(similarity[path, peer])) for peer in peers] for path, peers in enumerate(chosen)]
