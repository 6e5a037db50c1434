"""Values as exact fractions; what has none, or takes too long, is left to `leap_lab.grading.formula.numeric`."""

import hashlib
import math
from collections.abc import Callable, Mapping
from fractions import Fraction

from leap_lab.grading.formula.tree import Name, Node, Num, Op, variables

MOST_BITS = 200_000  # of a numerator and its denominator
MOST_WORK = 200_000  # in squares of 1,000 bits: about a quarter of a second
LARGEST_FACTORIAL = 8_000
POINTS = 3  # random points at which two rational functions are compared

Values = Mapping[str, Fraction]


class Inexact(ArithmeticError):
    """The value is no fraction, or too large a one."""


class Undefined(ArithmeticError):
    """There is no value, such as that of 1/0."""


class Evaluation:
    """Computes with these values of the variables; `Inexact` where that takes too long."""

    def __init__(self, at: Values | None = None) -> None:
        self.at = at or {}
        self.work = 0

    def value(self, node: Node) -> Fraction:
        """The value of a node; `Inexact` or `Undefined` where it has none."""
        match node:
            case Num(number):
                return number
            case Name(name):
                if name not in self.at:
                    raise Inexact(name)
                return self.at[name]
            case Op(name, args):
                operate = OPERATIONS.get(name)
                if operate is None or (self.at and name in UNSOUND_AT_POINTS and variables(node)):
                    raise Inexact(name)
                values = [self.value(arg) for arg in args]
                if name in ("+", "*"):  # one after another, so that the work is counted
                    return self._folded(operate, values)
                return self._counted(operate(*values))
        raise Inexact("no number")

    def _folded(self, operate: Callable[..., Fraction], values: list[Fraction]) -> Fraction:
        total = values[0]
        for number in values[1:]:
            total = self._counted(operate(total, number))
        return total

    def _counted(self, number: Fraction) -> Fraction:
        bits = number.numerator.bit_length() + number.denominator.bit_length()
        self.work += (bits // 1000) ** 2
        if bits > MOST_BITS or self.work > MOST_WORK:
            raise Inexact("too large")
        return number


def constant(node: Node) -> Fraction | None:
    """The exact value of a node without variables; None where it has none that we know."""
    try:
        return Evaluation().value(node)
    except (Inexact, Undefined):
        return None


def equal(left: Node, right: Node) -> bool | None:
    """Whether two expressions have the same value, as rational functions where there are variables; None: unknown."""
    if left == right:
        return True
    names = variables(left, right)
    try:
        for trial in range(POINTS if names else 1):
            evaluation = Evaluation({name: _random(name, trial) for name in names})
            if evaluation.value(left) != evaluation.value(right):
                return False
    except Undefined:
        return None if names else False
    except (Inexact, OverflowError, ValueError):
        return None
    return True


def _random(name: str, trial: int) -> Fraction:
    """A fraction with a large numerator, always the same for a name and a trial; the last one is negative."""
    digest = hashlib.blake2b(f"{name} {trial}".encode(), digest_size=8).digest()
    size = Fraction(10**6 + int.from_bytes(digest[:4], "big"), 997 + digest[4])
    return -size if trial == POINTS - 1 else size


def _divided(above: Fraction, below: Fraction) -> Fraction:
    if below == 0:
        raise Undefined("division by zero")
    return above / below


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1:
        return _root_power(base, exponent)
    if base == 0 and exponent <= 0:
        raise Undefined("a power of zero")
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if base not in (0, 1, -1) and bits * abs(exponent) > MOST_BITS:
        raise Inexact("too large")
    if base in (1, -1):
        return base if exponent % 2 else Fraction(1)
    return Fraction(base**exponent)


def _root_power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator > 64:
        raise Inexact("a root")
    return _power(_root(Fraction(exponent.denominator), base), Fraction(exponent.numerator))


def _root(degree: Fraction, base: Fraction) -> Fraction:
    """The real root where it is a fraction."""
    if degree.denominator != 1 or not 1 <= degree <= 64:
        raise Inexact("a root")
    n = int(degree)
    if base < 0 and n % 2 == 0:
        raise Inexact("a root of a negative number")
    above, below = _integer_root(abs(base.numerator), n), _integer_root(base.denominator, n)
    return Fraction(-above if base < 0 else above, below)


def _integer_root(number: int, degree: int) -> int:
    if degree == 1:
        return number
    if number.bit_length() > 20_000:
        raise Inexact("too large a root")
    root = math.isqrt(number) if degree == 2 else _newton(number, degree)
    if root**degree != number:
        raise Inexact("an irrational root")
    return root


def _newton(number: int, degree: int) -> int:
    if number < 2:
        return number
    root = 1 << -(-number.bit_length() // degree)
    while True:
        better = ((degree - 1) * root + number // root ** (degree - 1)) // degree
        if better >= root:
            return root
        root = better


def _whole(number: Fraction, least: int = 0) -> int:
    if number.denominator != 1:
        raise Inexact("not a whole number")
    if number < least:
        raise Undefined("a negative number")
    return int(number)


def _factorial(number: Fraction) -> Fraction:
    if (n := _whole(number)) > LARGEST_FACTORIAL:
        raise Inexact("too large")
    return Fraction(math.factorial(n))


def _double_factorial(number: Fraction) -> Fraction:
    if (n := _whole(number)) > LARGEST_FACTORIAL:
        raise Inexact("too large")
    return Fraction(math.prod(range(n, 0, -2)))


def _binomial(n: Fraction, k: Fraction) -> Fraction:
    above, below = _whole(n), _whole(k)
    if above > LARGEST_FACTORIAL:
        raise Inexact("too large")
    return Fraction(math.comb(above, below))


def _logarithm(base: Fraction, number: Fraction) -> Fraction:
    """A logarithm where it is a whole number."""
    whole = number if number >= 1 else 1 / number if number > 0 else Fraction(0)
    if base <= 1 or base.denominator != 1 or whole.denominator != 1 or whole < 1:
        raise Inexact("a logarithm")
    power = round(math.log(int(whole)) / math.log(int(base)))
    if int(base) ** power != whole:
        raise Inexact("a logarithm")
    return Fraction(power if number >= 1 else -power)


OPERATIONS: dict[str, Callable[..., Fraction]] = {
    "+": lambda first, second: first + second,
    "*": lambda first, second: first * second,
    "apply": lambda *factors: math.prod(factors, start=Fraction(1)),
    "/": _divided,
    "^": _power,
    "neg": lambda number: -number,
    "pct": lambda number: number / 100,
    "sqrt": lambda number: _root(Fraction(2), number),
    "root": _root,
    "abs": abs,
    "floor": lambda number: Fraction(math.floor(number)),
    "ceil": lambda number: Fraction(math.ceil(number)),
    "fact": _factorial,
    "dfact": _double_factorial,
    "binom": _binomial,
    "gcd": lambda *numbers: Fraction(math.gcd(*(_whole(abs(number)) for number in numbers))),
    "lcm": lambda *numbers: Fraction(math.lcm(*(_whole(abs(number)) for number in numbers))),
    "max": max,
    "min": min,
    "logb": _logarithm,
}
# A few points do not tell these from others: sqrt(x^2) is x at every positive one.
UNSOUND_AT_POINTS = frozenset(["sqrt", "root", "abs", "floor", "ceil", "gcd", "lcm", "max", "min", "logb"])
