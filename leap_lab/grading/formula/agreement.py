"""Whether two expressions agree, by as many digits as it takes.

Digits are added until they reach below the smallest part of either value, so that e^-100 is not taken for 0.
Expressions with variables are compared at points: at positive ones, at whole ones, at negative ones, each where both
sides are real.
"""

from collections.abc import Iterator
from fractions import Fraction
from random import Random

import mpmath
from mpmath import mp

from leap_lab.grading.formula import exact
from leap_lab.grading.formula.exact import Inexact, Undefined
from leap_lab.grading.formula.numeric import Evaluation, Number, Outside
from leap_lab.grading.formula.tree import Name, Node, Op, variables, walk

SPARE = 60  # digits below the smallest part
MOST_DIGITS = 6_000
UNKNOWN = (Inexact, ValueError, OverflowError, TypeError, mpmath.libmp.ComplexResult, mpmath.libmp.NoConvergence)


def equal(left: Node, right: Node) -> bool | None:
    """Whether two expressions are equal; None where that is unknown."""
    bases = (False, True) if _has("log", left, right) else (False,)
    verdicts = [_equal(left, right, common) for common in bases]
    return True if True in verdicts else None if None in verdicts else False


def _equal(left: Node, right: Node, common: bool) -> bool | None:
    names = sorted(variables(left, right))
    if not names:
        return at_point(left, right, {}, real=False, common=common)
    real = not any(Name("i") in walk(side) for side in (left, right))
    strict = _has("abs", left, right)
    agreed = 0
    for point in points(names):
        verdict = at_point(left, right, point, real, common, strict)
        if verdict is False:
            return False
        agreed += verdict is True
    return True if agreed >= 3 else None


def at_point(
    left: Node, right: Node, point: dict[str, Fraction], real: bool, common: bool = False, strict: bool = False
) -> bool | None:
    """Whether two values agree; None where one is unknown. `strict`: a value on one side only is a difference."""
    digits = SPARE
    while digits <= MOST_DIGITS:
        with mp.workdps(digits + 15):
            sides = [Evaluation(digits, point, real, common) for _ in range(2)]
            try:
                a, b = (_value(side, node) for side, node in zip(sides, (left, right), strict=True))
            except UNKNOWN:
                return None
            if a is None or b is None:
                return False if strict and (a is None) != (b is None) else None
            if not (mpmath.isfinite(a) and mpmath.isfinite(b)):
                return bool(a == b)
            most = max(side.scale.most for side in sides)
            if abs(a - b) > mp.mpf(10) ** (most - digits + 10):
                return False
        needed = SPARE + most - min(side.scale.least for side in sides)
        if digits >= needed:
            return True
        digits = needed
    return None


def _value(side: Evaluation, node: Node) -> Number | None:
    """The value; None where there is none at this point."""
    try:
        return side.value(node)
    except (Outside, Undefined, ZeroDivisionError):
        return None


def real_value(node: Node) -> Number | None:
    """The real value of a node without variables, with many digits; None where it has none."""
    with mp.workdps(2 * SPARE):
        try:
            number = Evaluation(2 * SPARE, {}, real=True).value(node)
        except (Outside, Undefined, ZeroDivisionError, *UNKNOWN):
            return None
        return None if isinstance(number, mpmath.mpc) else number


def points(names: list[str]) -> Iterator[dict[str, Fraction]]:
    """Values of variables at which two expressions are compared, always the same."""
    random = Random(20250101)

    def fraction(low: int, high: int) -> Fraction:
        return Fraction(random.randint(low * 1009, high * 1009), 1009)

    for _ in range(3):
        yield {name: fraction(1, 6) for name in names}
    for size in (4, 7, 12, 13):
        yield {name: Fraction(size + random.randint(0, 3) + index % 2) for index, name in enumerate(names)}
    for _ in range(3):
        yield {name: -fraction(1, 6) for name in names}
    for _ in range(2):
        yield {name: fraction(0, 1) / 2 for name in names}
    for _ in range(4):
        yield {name: random.choice((-1, 1)) * fraction(0, 4) for name in names}


def _has(name: str, *nodes: Node) -> bool:
    return any(isinstance(part, Op) and part.name == name for node in nodes for part in walk(node))


class Digits:
    """The oracle that computes."""

    def __init__(self) -> None:
        mp.dps = 2 * SPARE

    def equal(self, left: Node, right: Node) -> bool | None:
        verdict = exact.equal(left, right)
        return equal(left, right) if verdict is None else verdict

    def real(self, node: Node) -> Number | None:
        return real_value(node)
