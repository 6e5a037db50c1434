"""The policies that come with leap_lab. A policy acts on a `view.Group` and returns votes: a weight by answer.

Its settings have defaults; `short:m=1` on the command line sets one. Sources name what each default comes from; where a
paper leaves something open, the docstring says what is done here.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cache

from scipy.special import betainc

from .view import Group, Policy, Votes


def majority(group: Group) -> Votes:
    """Self-consistency (Wang et al. 2022): every path to its end, one vote each."""
    group.start()
    group.finish()
    return group.votes()


def weighted(group: Group, score: str = "mean") -> Votes:
    """Votes weighted by confidence (DeepConf, Fu et al. 2025, Section 3.2)."""
    return _weighed(group, _answered(group), score)


def deepconf(group: Group, keep: float = 0.1, score: str = "tail") -> Votes:
    """DeepConf offline (Section 3.2): only the surest tenth of the answered paths votes, weighted by confidence.

    The surest are those at or above the percentile, so one path at least.
    """
    _above_zero(keep=keep)
    answered = _answered(group)
    sure = sorted(group.confidence(path, score) for path in answered)
    place = max(0, math.ceil((1 - keep) * (len(sure) - 1) - 1e-9))
    return _weighed(group, [path for path in answered if group.confidence(path, score) >= sure[place]], score)


def self_certainty(group: Group) -> Votes:
    """The answer of the surest path (Kang et al. 2025): self-certainty, taken over the likeliest tokens alone.

    Over the whole vocabulary it would be the mean confidence plus a constant.
    """
    surest = sorted(_answered(group), key=lambda path: group.confidence(path, "mean"))[-1:]
    return {answer: 1.0 for path in surest if (answer := group.answer(path)) is not None}


def borda(group: Group, power: float = 1.0) -> Votes:
    """Votes by rank of self-certainty (Kang et al. 2025): the r-th of n answered paths has (n - r + 1) ** power."""
    answered = _answered(group)
    votes = defaultdict[int, float](float)
    for rank, path in enumerate(sorted(answered, key=lambda path: group.confidence(path, "mean")), start=1):
        if (answer := group.answer(path)) is not None:
            votes[answer] += rank**power
    return votes


def asc(group: Group, threshold: float = 0.95) -> Votes:
    """Adaptive consistency (Aggarwal et al. 2023): one path after another, until the leader is likely to stay ahead.

    That is judged by the two most frequent answers alone, with a uniform prior (the Beta criterion).
    """
    votes: Counter[int] = Counter()
    while group.start(1):
        path = group.next_end()
        if path is not None and (answer := group.answer(path)) is not None:
            votes[answer] += 1
            first, second = [*(count for _, count in votes.most_common(2)), 0][:2]
            if _leads(first, second) > threshold:
                break
    return votes


def esc(group: Group, window: int = 5) -> Votes:
    """Early-stopping self-consistency (Li et al. 2024): windows of paths, until all of one window agree.

    The paths of a window go side by side, windows one after another. All paths vote.
    """
    _above_zero(window=window)
    while new := group.start(window):
        group.finish()
        said = {group.answer(path) for path in new}
        if len(new) == window and len(said) == 1 and None not in said:
            break
    return group.votes()


def short(group: Group, m: int = 3) -> Votes:
    """short-m@k (Hassid et al. 2025): all paths at once, stopped when m have ended; these vote, ties to the shortest.

    A path ends with its answer here, not with its thinking.
    """
    _above_zero(m=m)
    group.start()
    while len(group.ended) < m and group.next_end() is not None:
        pass
    votes = group.votes()
    most = max(votes.values(), default=0)
    tied = [answer for path in group.ended if (answer := group.answer(path)) is not None and votes[answer] == most]
    return Counter(tied[:1])


def parallel_probe(
    group: Group, warmup: int = 10, patience: int = 3, share: float = 0.5, least: int = 3, stable: int = 18
) -> Votes:
    """Parallel-Probe (2602.03845): paths that keep disagreeing are dropped, and all stop when the majority is stable.

    At every probe all paths say what they would answer. After `warmup` probes a path that was against the majority
    `patience` times in a row is dropped, while the majority has `share` of the votes and `least` paths stay. All stop
    when the majority was the same `stable` times in a row. A tie leaves the majority as it was; paths that have ended
    keep their vote.
    """
    group.start()
    leader, same, step = None, 0, 0
    against = Counter[int]()
    said: dict[int, int | None] = {}
    while group.running and same < stable:
        group.advance(group.step)
        step += 1
        said = group.poll()
        votes = Counter(answer for answer in said.values() if answer is not None)
        if not votes:
            continue
        most = max(votes.values())
        if leader is None or votes[leader] < most:
            leader, same = max(votes, key=votes.__getitem__), 0
        same += 1
        sure = step > warmup and most >= share * votes.total()
        for path in list(group.running):
            against[path] = 0 if said[path] == leader else against[path] + 1
            if sure and against[path] >= patience and len(said) > least:
                group.stop(path)
                del said[path]
    return Counter(answer for answer in said.values() if answer is not None)


def oracle(group: Group) -> Votes:
    """A bound, not a policy: right where any path is. It is judged by the best of the answers that were given."""
    return majority(group)


ALL: tuple[Policy, ...] = (
    *(majority, weighted, deepconf, self_certainty, borda),
    *(asc, esc, short, parallel_probe, oracle),
)


def _answered(group: Group) -> list[int]:
    """All paths that have an answer when all have ended."""
    group.start()
    return [path for path in group.finish() if group.answer(path) is not None]


def _weighed(group: Group, paths: Sequence[int], score: str) -> Votes:
    votes = defaultdict[int, float](float)
    for path in paths:
        if (answer := group.answer(path)) is not None:
            votes[answer] += group.confidence(path, score)
    return votes


@cache
def _leads(first: int, second: int) -> float:
    """The chance that an answer with `first` votes is more frequent than one with `second`."""
    return float(1 - betainc(first + 1, second + 1, 0.5))


def _above_zero(**settings: float) -> None:
    for name, value in settings.items():
        if value <= 0:
            raise ValueError(f"{name}={value:g}: must be above 0")
