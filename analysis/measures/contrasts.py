"""Left minus right over the same questions: interval, tests, what became of single questions, and the verdict.

`better` and `worse` are said only where three methods agree: the interval that resamples questions, the permutation
test, and bounds that hold whatever rare questions do (`stats.bounded`). docs/statistics.md says why, and at what cost.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy import stats

from ..stats import again
from ..stats.bounded import ALPHA, Bounds, Support, bounds, detectable, within
from ..stats.intervals import ENOUGH, Estimate, Ragged, paired
from ..stats.significance import holm, permutation_p

EQUAL = 1e-12  # differences below this are none


@dataclass(frozen=True)
class Family:
    """The comparisons that p values are corrected for being among."""

    size: int = 1
    words: str = ""  # what they are, such as "comparisons of this table"; "": p is not corrected

    def __str__(self) -> str:
        """What p is corrected for, in words; empty where there is nothing to correct."""
        return f"corrected for the {self.size} {self.words}" if self.words and self.size > 1 else ""


@dataclass(frozen=True)
class Against:
    """A metric of one run minus that of another, paired over their common questions.

    `difference` has the interval that resamples questions, `p` is by permutation of signs, and `bounds` hold for any
    distribution within `support`. They are None where there are too few questions, or no support.
    """

    difference: Estimate
    p: float | None
    bounds: Bounds | None = None
    family: Family = Family()
    by_question: tuple[float, ...] = field(default=(), repr=False)
    support: Support | None = None
    these: bool = False  # whether it is of these questions asked again, not of questions like these

    @classmethod
    def of(cls, left_QG: Ragged, right_QG: Ragged, support: Support | None = None) -> "Against":
        """Left minus right over the same questions in the same order; `support` is that of the difference."""
        left, right = ([float(np.mean(groups)) for groups in arm] for arm in (left_QG, right_QG))
        values = tuple(float(one) - float(other) for one, other in zip(left, right, strict=True))
        return cls(
            difference=paired(left_QG, right_QG),
            p=permutation_p(left, right),
            bounds=None if support is None else bounds(values, support),
            by_question=values,
            support=support,
        )

    @classmethod
    def of_these(cls, left_QG: Ragged, right_QG: Ragged, support: Support | None = None) -> "Against":
        """The same for these very questions, of which there are independent samples (see `stats.again`)."""
        difference, p = again.paired(left_QG, right_QG, support)
        values = tuple(
            float(np.mean(one)) - float(np.mean(other)) for one, other in zip(left_QG, right_QG, strict=True)
        )
        return cls(difference, p, by_question=values, support=support, these=True)

    @classmethod
    def of_zero(cls, values_QG: Ragged, support: Support | None = None) -> "Against":
        """A quantity that is a difference by itself, such as gains minus losses."""
        return cls.of(values_QG, [[0.0]] * len(values_QG), support)

    @property
    def up(self) -> int:
        """Questions that gained."""
        return sum(value > EQUAL for value in self.by_question)

    @property
    def down(self) -> int:
        """Questions that lost."""
        return sum(value < -EQUAL for value in self.by_question)

    @property
    def same(self) -> int:
        """Questions that stayed."""
        return len(self.by_question) - self.up - self.down

    @property
    def worst(self) -> float:
        """The largest loss of a question, as a negative number; 0 where none lost."""
        return min(0.0, *self.by_question) if self.by_question else 0.0

    @property
    def undecidable(self) -> bool:
        """Whether fewer than `ENOUGH` questions differ, which no test of signs can call other than chance."""
        return self.up + self.down < ENOUGH

    @property
    def verdict(self) -> str:
        """`better` or `worse` where interval, permutation test and bounds agree, and else nothing.

        Of these very questions there is no rare one that was not asked: the interval and its p decide.
        """
        bounded = 0.0 if self.these else 1.0 if self.bounds is None else self.bounds.p
        if self.p is None or max(self.p, bounded) >= ALPHA:
            return ""
        if self.difference.low is not None and not self.difference.excludes_zero:
            return ""
        return "better" if self.difference.value > 0 else "worse"

    @property
    def signs_p(self) -> float:
        """Two-sided p of the exact sign test: as many questions gain as lose. Corrected like the others, by size."""
        decided = self.up + self.down
        plain = float(stats.binomtest(self.up, decided).pvalue) if decided else 1.0
        return min(1.0, self.family.size * plain)

    @cached_property
    def detectable(self) -> float | None:
        """About the true difference that would be called better with 80% power, at the level of the family."""
        if self.support is None or self.these:
            return None
        return detectable(self.by_question, self.support, ALPHA / self.family.size)

    def as_dict(self) -> dict[str, Any]:
        """All of it for JSON, but the differences of single questions."""
        return {
            **self.difference.as_dict(),
            "p": self.p,
            "verdict": self.verdict,
            "bounds": self.bounds and asdict(self.bounds),
            **{name: getattr(self, name) for name in ("up", "same", "down", "worst", "signs_p", "detectable")},
            "family": asdict(self.family),
        }

    def within(self, margin: float) -> bool:
        """Whether the mean is nearer to 0 than `margin`, by two one-sided tests of the bounds, for the whole family."""
        if self.support is None or self.these:
            return False
        p = within(self.by_question, margin, self.support)
        return p is not None and p * self.family.size < ALPHA


def corrected(found: Sequence[Against | None], words: str) -> list[Against | None]:
    """The comparisons with p corrected by Holm's method for being the family that `words` name; None does not count.

    The p of bounds are corrected among themselves. A verdict needs both, so that of all true nulls of the family any is
    called better or worse one time in twenty at most.
    """
    there = [each for each in found if each is not None]
    family = Family(max(1, len(there)), words)
    ps = holm([each.p if each else None for each in found])
    bounded = holm([each.bounds.p if each and each.bounds else None for each in found])
    return [
        each
        and replace(
            each,
            p=p,
            bounds=None if each.bounds is None or q is None else replace(each.bounds, p=q),
            family=family,
        )
        for each, p, q in zip(found, ps, bounded, strict=True)
    ]
