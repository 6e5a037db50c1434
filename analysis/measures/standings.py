"""The rows of a table ranked by Pass@1: those of one data set, over the questions that all of them have."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..stats.ranks import Rank, ranks
from .compare import Row
from .means import data_set

FEWEST = 3  # two rows are a difference, which has a test of its own


@dataclass(frozen=True)
class Standing:
    """Rows of one data set with their ranks, over so many questions."""

    rows: Sequence[Row]
    ranks: Sequence[Rank]
    questions: int


def standings(rows: Sequence[Row]) -> list[Standing]:
    """One for each data set with three rows or more that have a question in common."""
    by_set: dict[str, list[Row]] = {}
    for row in rows:
        if row.right:  # a mean over data sets has none
            by_set.setdefault(data_set(row), []).append(row)
    found = list[Standing]()
    for own in by_set.values():
        shared = sorted(set(own[0].right).intersection(*(row.right for row in own)))
        if len(own) >= FEWEST and shared:
            values_MQ = np.array([[row.right[question] for question in shared] for row in own])
            found.append(Standing(own, ranks(values_MQ), len(shared)))
    return found
