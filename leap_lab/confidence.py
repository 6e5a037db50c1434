"""How sure a model was of what it sampled, by its log-probabilities (DeepConf, arXiv 2508.15260, Section 3).

The confidence of a token is minus the mean log-probability of the k most likely tokens in its place: high where one of
them has nearly all the probability. The token that was sampled counts only if it is one of the k.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True)
class Recording:
    """What a run keeps of its log-probabilities.

    `top_logprobs` is k, the most likely tokens that are asked for at every place; 0: none, and no confidences. `window`
    is the length of a window, in tokens. With `per_token` the group file has the confidence of every token.
    """

    top_logprobs: int = 0
    window: int = 2048
    per_token: bool = False


OFF = Recording()


@dataclass(frozen=True)
class Confidence:
    """The confidence of a whole path: over all its tokens, its last window, its lowest window, its lowest tenth.

    Windows slide by one token. A path that is shorter than a window has one, which is all of it. `bottom` is the mean
    of the lowest tenth of the windows, rounded down, and at least of one.
    """

    mean: float
    tail: float
    lowest: float
    bottom: float

    @classmethod
    def of(cls, confidences: Sequence[float], window: int) -> "Confidence":
        """By the confidence of each token; `ValueError` where there is none."""
        found = sorted(windows(confidences, window))
        lowest = found[: max(1, len(found) // 10)]
        return cls(mean(confidences), mean(confidences[-window:]), found[0], mean(lowest))


def of_tokens(logprobs: Sequence[Sequence[float]]) -> list[float]:
    """The confidence of each token, from the log-probabilities of the most likely tokens in its place."""
    return [-mean(place) for place in logprobs]


def windows(confidences: Sequence[float], window: int) -> list[float]:
    """The means of all windows, in order; of all tokens where they are fewer than a window."""
    if len(confidences) <= window:
        return [mean(confidences)]
    sums = [0.0, *accumulate(confidences)]
    return [(end - start) / window for start, end in zip(sums, sums[window:], strict=False)]


def self_certainty(confidence: float, top_logprobs: int) -> float:
    """Self-certainty (arXiv 2502.18581, Eq. 5) of a path from its mean confidence.

    It is the mean divergence from the uniform distribution to the prediction, over all V tokens of the vocabulary:
    -(1/nV) sum log(V p). An engine tells the k most likely tokens only, so the sum and V are of these k. This makes it
    the mean confidence minus log k: it ranks paths as their mean confidence does.
    """
    return confidence - math.log(top_logprobs)


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which `percent` of the values lie, interpolated linearly between the nearest two."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def mean(values: Sequence[float]) -> float:
    """The mean; `ValueError` where there is none."""
    if not values:
        raise ValueError("no log-probabilities: the mean of nothing")
    return math.fsum(values) / len(values)
