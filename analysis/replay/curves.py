"""Policies replayed with more and more paths: how often they are right, and what they cost.

Orders. Which of the recorded paths a policy gets, and in which order, is drawn: of each question some random orders,
and of each order its rotations. With as many rotations as paths every path stands in every place equally often.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np

from leap_lab.errors import UserError, one_line
from leap_lab.seeds import derive_seed

from ..measures.budget import bought
from ..measures.contrasts import Against, corrected
from ..measures.independent_pool import votes
from ..stats.intervals import DIFFERENCE, SHARE, Estimate, Floats, estimate
from .chosen import Chosen
from .policies import majority
from .records import Record, Records
from .view import NotRecorded, Outcome, play

DRAWS = 16  # orders of each question's paths, unless told otherwise
OUTCOMES = ("right", "tokens", "probes", "critical_path")
Drawn = tuple[Record, list[list[int]]]  # a question and the orders of its paths
VOTES = 400  # orders of each question's paths for the majority that policies are compared with
FAMILY = "comparisons with the majority at equal tokens in this table"


@dataclass(frozen=True)
class Point:
    """A policy with at most `size` paths: means over questions with their intervals, tokens and time per question."""

    policy: str
    size: int
    right: Estimate
    tokens: Estimate  # sampled, those of the probes that were read included
    probes: Estimate  # of these, by probes
    critical_path: Estimate
    by_question: tuple[float, ...]  # how often right, in the order of the records
    against: Against | None = None  # minus the majority of as many paths as cost the same


@dataclass(frozen=True)
class Replay:
    """The curves of policies, and of those that were left out the reason."""

    records: Records
    draws: int
    points: list[Point]
    left_out: list[str]

    @property
    def curves(self) -> dict[str, list[Point]]:
        """The points of each policy."""
        names = dict.fromkeys(point.policy for point in self.points)
        return {name: [point for point in self.points if point.policy == name] for name in names}


def replay(policies: Sequence[Chosen], records: Records, draws: int = DRAWS) -> Replay:
    """All policies with 1, 2, 4, ... paths and with as many as every question has.

    A policy that needs what was not recorded is left out; `UserError` where none is left, or where one fails.
    """
    points, left_out = list[Point](), list[str]()
    drawn = [(record, list(orders(record, draws))) for record in records.questions]
    prices, alone = _majority(records)
    for policy in policies:
        try:
            found = [_point(policy, size, drawn) for size in sizes(records.size)]
        except NotRecorded as error:
            left_out.append(f"{policy.name}: left out, the runs did not record {error}.")
            continue
        compared = policy.decide is not majority and not policy.best
        points += [replace(point, against=_against(point, prices, alone)) if compared else point for point in found]
    if not points:
        raise UserError("; ".join(left_out).rstrip("."))
    family = corrected([point.against for point in points], FAMILY)
    points = [replace(point, against=against) for point, against in zip(points, family, strict=True)]
    return Replay(records, draws, points, left_out)


def sizes(most: int) -> list[int]:
    """1, 2, 4, ... and the most there are."""
    return [*(2**power for power in range(most.bit_length()) if 2**power < most), most]


def orders(record: Record, draws: int) -> Iterator[list[int]]:
    """`draws` orders of all paths: rotations of as few random orders as it takes, as far apart as they can be."""
    count = len(record)
    rng = np.random.default_rng(derive_seed("replay", record.question))
    for start in range(0, draws, count):
        order, rotations = [int(path) for path in rng.permutation(count)], min(count, draws - start)
        for rotation in range(rotations):
            place = rotation * count // rotations
            yield order[place:] + order[:place]


def _point(policy: Chosen, size: int, drawn: Sequence[Drawn]) -> Point:
    means = np.array([_means(policy, size, record, own) for record, own in drawn])
    right, tokens, probes, critical_path = means.T
    return Point(
        policy=policy.name,
        size=size,
        right=estimate(right[:, None], SHARE),
        tokens=estimate(tokens[:, None]),
        probes=estimate(probes[:, None]),
        critical_path=estimate(critical_path[:, None]),
        by_question=tuple(right),
    )


def _means(policy: Chosen, size: int, record: Record, drawn: Sequence[Sequence[int]]) -> list[float]:
    """Of one question: right, tokens, those of probes, critical path; means over orders."""
    found = [_played(policy, record, order, size) for order in drawn]
    return [fmean(getattr(each, name) for each in found) for name in OUTCOMES]


def _played(policy: Chosen, record: Record, order: Sequence[int], size: int) -> Outcome:
    try:
        return play(policy.decide, record, order, size, policy.best)
    except NotRecorded:
        raise
    except Exception as error:  # a user's policy may raise anything
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        raise UserError(
            f"policy {policy.name}: question {record.question}, {size} paths: {kind}{one_line(error, 300)}"
        ) from error


def _majority(records: Records) -> tuple[Floats, Floats]:
    """What 1, 2, ... paths cost per question, and how often their vote is right: shape (question, paths)."""
    alone = []
    for record in records.questions:
        names = [None if answer is None else str(answer) for answer in record.answers]
        right = [0.0 if answer is None else record.worth[answer] for answer in record.answers]
        alone.append(votes(names, right, VOTES, derive_seed("votes", record.question))[: records.size])
    cost = float(np.mean([np.mean(record.lengths) for record in records.questions]))
    return np.asarray(cost * np.arange(1, records.size + 1), float), np.array(alone)


def _against(point: Point, prices: Floats, alone: Floats) -> Against | None:
    """A policy minus the majority of as many paths as its tokens buy; None with one path, and beyond what there is."""
    if point.size == 1:
        return None
    try:
        count = bought(prices, point.tokens.value)
    except ValueError:
        return None
    below = int(count) - 1
    share = count - int(count)
    vote = alone[:, below] if not share else (1 - share) * alone[:, below] + share * alone[:, below + 1]
    return Against.of([[right] for right in point.by_question], [[float(right)] for right in vote], DIFFERENCE)
