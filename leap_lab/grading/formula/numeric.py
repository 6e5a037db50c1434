r"""Values with so many digits: an answer such as `\sqrt{5+2\sqrt{6}}` is computed, not simplified."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
from mpmath import mp

from leap_lab.grading.formula import exact
from leap_lab.grading.formula.exact import Inexact, Undefined
from leap_lab.grading.formula.tree import Name, Node, Num, Op, variables

MOST_TERMS = 100_000  # of a sum or product
LARGEST_EXPONENT = 2**70  # of e: beyond, a value is unknown
Number = Any  # of mpmath


class Outside(ArithmeticError):
    """The value is not real."""


class Scale:
    """The largest and the smallest part of a computation, as powers of ten."""

    def __init__(self) -> None:
        self.most, self.least = 1, 0

    def see(self, number: Number) -> Number:
        """Count a part in; the number itself."""
        if number and mpmath.isfinite(number):
            size = int(mp.mag(number) * 0.30103)
            self.most, self.least = max(self.most, size + 1), min(self.least, size - 1)
        return number


class Evaluation:
    """Computes with so many digits; `real` raises `Outside` where a part of a value is not real."""

    def __init__(self, digits: int, at: dict[str, Fraction], real: bool, common_logarithms: bool = False) -> None:
        self.digits, self.at, self.real, self.base_ten = digits, at, real, common_logarithms
        self.scale = Scale()

    def value(self, node: Node) -> Number:
        """The value of a node; `Inexact` where there is none that we know."""
        return self.scale.see(self._value(node))

    def _value(self, node: Node) -> Number:
        match node:
            case Num(number):
                return self._exactly(number)
            case Name(name):
                return self._name(name)
            case Op("sum" | "prod", args):
                return self._range(node.name == "sum", *args)
            case Op("+", args):
                return self._sum([self.value(arg) for arg in args])
            case Op(name, args):
                if (whole := exact_or_none(node)) is not None:
                    return self._exactly(whole)
                operate = getattr(self, f"_{_METHODS.get(name, name)}", None) or FUNCTIONS.get(name)
                if operate is None:
                    raise Inexact(name)
                return self._checked(operate(*(self.value(arg) for arg in args)))
        raise Inexact("no number")

    def _exactly(self, number: Fraction) -> Number:
        """A fraction, whose denominator says how small its parts can be."""
        self.scale.see(mp.mpf(1) / number.denominator)
        return _quotient(number)

    def _checked(self, number: Number) -> Number:
        if isinstance(number, mpmath.mpc):
            size = abs(number)
            if abs(number.imag) <= size * mp.mpf(10) ** (20 - self.digits):
                number = number.real
            elif self.real:
                raise Outside
        if mpmath.isnan(number):
            raise Undefined("no number")
        return number

    def _name(self, name: str) -> Number:
        if name in self.at:  # even the i of a sum
            return _quotient(self.at[name])
        constant = {"pi": mp.pi, "e": mp.e, "i": mp.j, "infty": mp.inf}.get(name)
        if constant is None:
            raise Inexact(name)
        return +constant

    def _sum(self, parts: list[Number]) -> Number:
        """A sum that is 0 where nothing but rounding is left of it."""
        total = mp.fsum(parts)
        largest = max(abs(part) for part in parts)
        return mp.zero if abs(total) <= largest * mp.mpf(10) ** (10 - self.digits) else self._checked(total)

    def _range(self, is_sum: bool, index: Node, first: Node, last: Node, term: Node) -> Number:
        assert isinstance(index, Name)
        start, stop = (self._whole(self.value(end)) for end in (first, last))
        if stop - start > MOST_TERMS:
            raise Inexact("too many terms")
        before = self.at
        total = mp.mpf(0 if is_sum else 1)
        for count in range(start, stop + 1):
            self.at = {**before, index.name: Fraction(count)}
            part = self.value(term)
            total = total + part if is_sum else total * part
        self.at = before
        return total

    def _whole(self, number: Number) -> int:
        if isinstance(number, mpmath.mpc) or not mpmath.isfinite(number):
            raise Outside
        near = int(mp.nint(number))
        if abs(number - near) > mp.mpf(10) ** (10 - self.digits) * max(1, abs(near)):
            raise Outside  # such as the n of a sum at a point that is no whole number
        return near

    def _power(self, base: Number, exponent: Number) -> Number:
        if base == 0:
            if isinstance(exponent, mpmath.mpc) or exponent <= 0:
                raise Undefined("a power of zero")
            return base
        finite = mpmath.isfinite(base) and mpmath.isfinite(exponent)
        if finite and abs(exponent) * (abs(mp.mag(base)) + 1) > LARGEST_EXPONENT:
            raise Inexact("too large")
        real = not isinstance(base, mpmath.mpc) and not isinstance(exponent, mpmath.mpc)
        root = self._odd_root(base, exponent) if real and base < 0 else None
        return mp.power(base, exponent) if root is None else root

    def _odd_root(self, base: Number, exponent: Number) -> Number | None:
        """The real value of (-8)^(1/3) and its like."""
        for below in (1, 3, 5, 7, 9):
            above = exponent * below
            near = mp.nint(above)
            if abs(above - near) <= mp.mpf(10) ** (10 - self.digits) * (1 + abs(near)):
                size = mp.power(-base, exponent)
                return -size if int(near) % 2 else size
        return None

    def _root(self, degree: Number, base: Number) -> Number:
        if degree == 0:
            raise Undefined("a zeroth root")
        return self._power(base, 1 / degree)

    def _divided(self, above: Number, below: Number) -> Number:
        if below == 0:
            raise Undefined("division by zero")
        return above / below

    def _logarithm(self, number: Number) -> Number:
        if number == 0:
            raise Undefined("the logarithm of zero")
        return mp.log(number)

    def _log(self, number: Number) -> Number:
        return self._logarithm(number) / (mp.log(10) if self.base_ten else 1)

    def _logb(self, base: Number, number: Number) -> Number:
        return self._divided(self._logarithm(number), self._logarithm(base))

    def _exponential(self, number: Number) -> Number:
        if mpmath.isfinite(number) and abs(number) > LARGEST_EXPONENT:
            raise Inexact("too large")
        return mp.exp(number)

    def _factorial(self, number: Number) -> Number:
        if not isinstance(number, mpmath.mpc) and number < 0:
            raise Outside
        return mp.factorial(number)

    def _floor(self, number: Number) -> Number:
        return self._rounded(number, mp.floor)

    def _ceil(self, number: Number) -> Number:
        return self._rounded(number, mp.ceil)

    def _rounded(self, number: Number, rounding: Callable[[Number], Number]) -> Number:
        try:
            return mp.mpf(self._whole(number))
        except Outside:
            if isinstance(number, mpmath.mpc):
                raise
            return rounding(number)


_METHODS = {"^": "power", "/": "divided", "ln": "logarithm", "exp": "exponential", "fact": "factorial"}


def _refuse_complex(function: Callable[..., Number]) -> Callable[..., Number]:
    def real_only(*numbers: Number) -> Number:
        if any(isinstance(number, mpmath.mpc) for number in numbers):
            raise Outside
        return function(*numbers)

    return real_only


def _product(*factors: Number) -> Number:
    made = factors[0]
    for factor in factors[1:]:
        made = made * factor
    return made


FUNCTIONS: dict[str, Callable[..., Number]] = {
    "*": _product,
    "apply": _product,
    "neg": lambda number: -number,
    "pct": lambda number: number / 100,
    "deg": lambda number: number * mp.pi / 180,
    "sqrt": mp.sqrt,
    "abs": abs,
    "max": _refuse_complex(max),
    "min": _refuse_complex(min),
    "lg": mp.log10,
    "Re": lambda number: mp.re(number),
    "Im": lambda number: mp.im(number),
    "conj": mp.conj,
    "arg": mp.arg,
    "cis": lambda number: mp.expj(number),
    "sign": _refuse_complex(mp.sign),
    "binom": lambda n, k: mp.binomial(n, k),
    **{name: getattr(mp, name) for name in ["sin", "cos", "tan", "cot", "sec", "csc"]},
    **{name: getattr(mp, name) for name in ["asin", "acos", "atan", "acot", "asec", "acsc"]},
    **{name: getattr(mp, name) for name in ["sinh", "cosh", "tanh", "coth", "asinh", "acosh", "atanh"]},
}


def exact_or_none(node: Node) -> Fraction | None:
    """The exact value where the node has one; a large one is worth its digits."""
    return None if variables(node) else exact.constant(node)


def _quotient(number: Fraction) -> Number:
    return mp.mpf(number.numerator) / number.denominator
