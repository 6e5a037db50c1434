"""Sets of real numbers: intervals, inequalities, unions; compared point by point.

All ends of both sets cut the line into points and gaps. Two sets are the same where they agree on every one of them.
"""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

from leap_lab.grading.formula.shapes import infinity
from leap_lab.grading.formula.tree import Group, Name, Node, Num, Op, Relation, rebuilt, variables

TOLERANCE = 10**-40  # between two ends with many digits
ORDER = frozenset(["<", ">", "<=", ">=", "!="])


class Sets:
    """Compares sets of real numbers; `real` gives the value of an end, None where it is unknown."""

    def __init__(self, real: Callable[[Node], Any]) -> None:
        self.real = real

    def is_set(self, node: Node) -> bool:
        """Whether a node can only be a set of real numbers: an inequality, a union, the real numbers."""
        match node:
            case Relation(_, signs):
                return bool(set(signs) & ORDER) and set(signs) <= ORDER | {"in"}
            case Op("cup" | "cap" | "setminus", _):
                return True
            case Op("builder", (Name(), _)):
                return True
            case Name("Reals"):
                return True
            case Group("", items, _, join):
                return all(self.is_set(item) and (join != "," or isinstance(item, Relation)) for item in items)
            case Group(open_, items, close, _):
                return len(items) == 2 and (close == "[" or open_ == "]" or any(infinity(item) for item in items))
        return False

    def could_be(self, node: Node) -> bool:
        """Whether a node can be read as a set of real numbers."""
        match node:
            case Group("{", _, _, _) | Name("emptyset"):
                return True
            case Group(open_, items, _, _) if open_:
                return len(items) == 2
            case Op("cup" | "cap" | "setminus", args):
                return all(self.could_be(arg) for arg in args)
            case Op("builder", (_, condition)):
                return self.is_set(condition)
            case Relation():
                return self.is_set(node) and len(variables(node)) == 1
        return self.is_set(node)

    def same(self, a: Node, b: Node) -> bool | None:
        """Whether two sets are the same; None where an end is unknown. Two inequalities need the same variable."""
        names = _bound(a) | _bound(b)
        if len(names - {"?"}) > 1:
            return False
        try:
            first, second = self._read(a), self._read(b)
        except _Unknown:
            return None
        except _NoSet:
            return False
        ends = sorted({*first.ends, *second.ends}, key=_Key)
        kept: list[Any] = []
        for end in ends:
            if not kept or not _close(kept[-1], end):
                kept.append(end)
        return all(first.holds(point) == second.holds(point) for point in _points(kept))

    def _read(self, node: Node) -> "_Set":
        match node:
            case Name("Reals"):
                return _Set([], lambda _: True)
            case Name("emptyset"):
                return _Set([], lambda _: False)
            case Group("{", items, _, _):
                values = [self._end(item) for item in items]
                return _Set(values, lambda x: any(_close(x, value) for value in values))
            case Group("", items, _, join):
                return _listed([self._read(item) for item in items], join)
            case Group(open_, (low, high), close, _):
                return self._interval(low, open_ == "[", high, close == "]")
            case Op("cup", args):
                return _joined([self._read(arg) for arg in args], any)
            case Op("cap", args):
                return _joined([self._read(arg) for arg in args], all)
            case Op("setminus", (whole, part)):
                first, second = self._read(whole), self._read(part)
                return _Set(first.ends + second.ends, lambda x: first.holds(x) and not second.holds(x))
            case Op("builder", (_, condition)):
                return self._read(condition)
            case Relation():
                return self._relation(node)
        raise _NoSet

    def _end(self, node: Node) -> Any:
        if sign := infinity(node):
            return sign * float("inf")
        if variables(node):
            raise _NoSet
        value = self.real(node)
        if value is None:
            raise _Unknown
        return value

    def _interval(self, low: Node, with_low: bool, high: Node, with_high: bool) -> "_Set":
        first, last = self._end(low), self._end(high)

        def holds(x: Any) -> bool:
            above = with_low if _close(x, first) else x > first
            return above and (with_high if _close(x, last) else x < last)

        return _Set([end for end in (first, last) if abs(end) != float("inf")], holds)

    def _relation(self, node: Relation) -> "_Set":
        if "in" in node.signs:
            if node.signs == ("in",):
                return self._read(node.sides[1])
            raise _NoSet
        parts = [
            self._inequality(left, sign, right)
            for left, sign, right in zip(node.sides, node.signs, node.sides[1:], strict=False)
        ]
        return _joined(parts, all)

    def _inequality(self, left: Node, sign: str, right: Node) -> "_Set":
        names = variables(left, right)
        if len(names) != 1:
            raise _NoSet
        (name,) = names
        for one, other, way in ((left, right, 1), (right, left, -1)):
            if isinstance(one, Op) and one.name == "abs" and not variables(other):
                return self._distance(one.args[0], sign if way == 1 else _FLIPPED[sign], other, name)
        return self._linear(Op("+", (left, Op("neg", (right,)))), sign, name)

    def _distance(self, inside: Node, sign: str, size: Node, name: str) -> "_Set":
        """`|f| < c` as `-c < f < c`."""
        upper = self._linear(Op("+", (inside, Op("neg", (size,)))), sign, name)
        lower = self._linear(Op("+", (inside, size)), _FLIPPED[sign], name)
        return _joined([upper, lower], all if sign in ("<", "<=", "!=") else any)

    def _linear(self, node: Node, sign: str, name: str) -> "_Set":
        """What solves `node sign 0`, where the node is linear in the variable."""
        if (end := _alone(node, name)) is not None:
            return _half_line(self._end(end[0]), sign if end[1] else _FLIPPED[sign])
        at = [self._end(_with(node, name, Fraction(x))) for x in (0, 1, 2, -5)]
        slope = at[1] - at[0]
        if slope == 0 or not (_close(at[2] - at[1], slope) and _close(at[0] - at[3], 5 * slope)):
            raise _NoSet
        return _half_line(-at[0] / slope, sign if slope > 0 else _FLIPPED[sign])


class _NoSet(Exception):
    """The node is no set of real numbers that we can read."""


class _Unknown(Exception):
    """An end has no value that we know."""


class _Set:
    """The ends of a set, and whether a number is in it."""

    def __init__(self, ends: list[Any], holds: Callable[[Any], bool]) -> None:
        self.ends, self.holds = ends, holds


class _Key:
    """Sorts numbers of different types."""

    def __init__(self, number: Any) -> None:
        self.number = number

    def __lt__(self, other: "_Key") -> bool:
        return bool(self.number < other.number)


_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "!=": "!="}


def _half_line(end: Any, sign: str) -> _Set:
    if abs(end) == float("inf"):
        return _Set([], lambda _: (end > 0) == (sign in ("<", "<=")) or sign == "!=")

    def holds(x: Any) -> bool:
        if _close(x, end):
            return sign in ("<=", ">=")
        return bool(x < end) if sign in ("<", "<=") else bool(x > end) if sign in (">", ">=") else True

    return _Set([end], holds)


def _joined(parts: list[_Set], how: Callable[[Any], bool]) -> _Set:
    return _Set([end for part in parts for end in part.ends], lambda x: how(part.holds(x) for part in parts))


def _listed(parts: list[_Set], join: str) -> _Set:
    """Inequalities joined by a word; joined by a comma, all hold, unless that is impossible."""
    together = _joined(parts, all)
    possible = join == "," and any(map(together.holds, _points(sorted(together.ends, key=_Key))))
    return together if join == "and" or possible else _joined(parts, any)


def _points(ends: list[Any]) -> list[Any]:
    """Every end, and a number in every gap."""
    if not ends:
        return [Fraction(0)]
    between = [(low + high) / 2 for low, high in pairwise(ends)]
    return [ends[0] - 1, *ends, *between, ends[-1] + 1]


def _close(a: Any, b: Any) -> bool:
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a == b
    if abs(a) == float("inf") or abs(b) == float("inf"):
        return bool(a == b)
    return bool(abs(a - b) <= max(abs(a), abs(b)) * TOLERANCE)


def _alone(node: Node, name: str) -> tuple[Node, bool] | None:
    """The other side of a difference of which the variable is one side, and whether it is the left one."""
    match node:
        case Op("+", (Name(left), Op("neg", (right,)))) if left == name and not variables(right):
            return right, True
        case Op("+", (left_side, Op("neg", (Name(right_name),)))) if right_name == name and not variables(left_side):
            return left_side, False
    return None


def _bound(node: Node) -> frozenset[str]:
    """The variable of an inequality; that of a set-builder is its own."""
    match node:
        case Relation():
            return variables(node) if "in" not in node.signs else frozenset()
        case Group(_, items, _, _):
            return frozenset().union(*map(_bound, items))
    return frozenset()


def _with(node: Node, name: str, value: Fraction) -> Node:
    if node == Name(name):
        return Num(value)
    return rebuilt(node, lambda part: _with(part, name, value))
