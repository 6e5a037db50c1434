"""Budgets that methods are matched at: sampled tokens, operations, or the critical path.

Tokens and operations add up over the paths of a group, helpers and earlier layers included; probes are left out, they
only look. The critical path is the longest row of tokens that had to be sampled one after another: of paths that go
side by side the longest counts. What n of M independent paths cost, on average over all ways to draw them, is exact.
"""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import pandas as pd

from leap_lab.errors import UserError
from leap_lab.runs.ledger import USAGE

from ..stats.intervals import Floats
from .metrics import SAMPLED

COLUMNS = ("critical_path", *USAGE, *SAMPLED)  # what `costs` needs
SLACK = 1e-9  # relative: sums of floats that should be equal may differ by less


class Budget(StrEnum):
    """What is held equal; also the names of the columns of `costs`."""

    TOKENS = "tokens"
    FLOPS = "flops"
    CRITICAL_PATH = "critical_path"

    @classmethod
    def named(cls, name: str | None) -> "Budget | None":
        """The budget of this name, None where none is named; `UserError` for any other name."""
        if name is not None and name not in list(cls):
            raise UserError(f"budget={name}: no such budget; choose from {', '.join(cls)}")
        return None if name is None else cls(name)

    @property
    def words(self) -> str:
        """As a reader is told."""
        return {"tokens": "sampled tokens", "flops": "FLOPs", "critical_path": "critical path"}[self]

    def drawn(self, costs: Floats) -> Floats:
        """What n of these independent paths cost together, on average, for n from 1 to all of them."""
        if self is Budget.CRITICAL_PATH:
            return expected_maximum(costs)
        return np.asarray(np.arange(1, len(costs) + 1) * costs.mean())


def costs(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of `load` with what each costs by every budget."""
    return rows.assign(tokens=rows[SAMPLED].sum(axis=1).astype(float))


def of_groups(rows: pd.DataFrame) -> pd.DataFrame:
    """What each group costs by every budget, by question and group; NaN where that of one of its paths is unknown."""
    grouped = costs(rows).groupby(["question_id", "group"])
    budgets = [Budget.TOKENS, Budget.FLOPS]
    sums = grouped[budgets].sum().where(grouped[budgets].count().eq(grouped.size(), axis=0))
    return sums.assign(critical_path=grouped["critical_path"].max().astype(float))


def expected_maximum(values: Floats) -> Floats:
    """The mean maximum of n of M values drawn without replacement, for n from 1 to M."""
    chance = none_beyond(len(values))  # of n drawn, that all are among the k smallest
    return np.asarray(np.diff(chance, axis=1, prepend=0.0) @ np.sort(values))


def none_beyond(total: int) -> Floats:
    """The chance C(k, n) / C(M, n) that n of M drawn are all among k of them; shape (M, M), n and k from 1 to M."""
    k, n = np.arange(1, total + 1), np.arange(total)
    return np.asarray(np.cumprod(np.maximum(0, k[None, :] - n[:, None]) / (total - n)[:, None], axis=0))


def bought(prices: Sequence[float] | Floats, cost: float) -> float:
    """How many paths this much buys, between whole numbers by a straight line; `prices` are of 1, 2, ... paths.

    Where the price of more paths is the same it buys the most of them. `ValueError` below the first price and beyond
    the last: what was not measured is not made up.
    """
    slack = SLACK * cost
    if not prices[0] - slack <= cost <= prices[-1] + slack:
        raise ValueError(f"{cost:g} is outside of what was measured, {prices[0]:g} to {prices[-1]:g}")
    whole = max(index for index, price in enumerate(prices) if price <= cost + slack)
    if whole == len(prices) - 1:
        return float(len(prices))
    share = (cost - prices[whole]) / (prices[whole + 1] - prices[whole])
    return whole + 1 + max(0.0, float(share))
