"""Whether two trees are the same answer: True, False, or None where only more digits or math-verify can tell."""

from typing import Any

from leap_lab.grading.formula import exact, words
from leap_lab.grading.formula.lists import Lists
from leap_lab.grading.formula.reals import Sets
from leap_lab.grading.formula.relations import Relations
from leap_lab.grading.formula.shapes import (
    DEGREE,
    RADIAN,
    SETS,
    Equation,
    equation,
    infinity,
    measured,
    modulus,
    plain_value,
    spread,
)
from leap_lab.grading.formula.tree import Group, Name, Node, Op, Relation, Text, children, number, variables
from leap_lab.grading.formula.unit_table import Unit
from leap_lab.grading.formula.verdicts import NOT_MINE, Oracle, Verdict, both, either


class Comparison(Relations, Lists):
    """Compares by the kinds of answers: equations, lists, sets, tuples, intervals, matrices, quantities, values."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self.sets = Sets(oracle.real)

    def same(self, answer: Node, gold: Node) -> Verdict:
        """Whether an answer is the gold; who names a variable or unit that the other leaves out is not wrong."""
        answer, gold = spread(answer), spread(gold)
        if answer == gold:
            return True
        named, asked = equation(answer), equation(gold)
        if named and asked:
            return either([self._same_equation(named, asked), self.same_relation(answer, gold)])
        if named:
            return self._without_name(named, gold)
        if asked:
            return self.same(answer, asked.value) if asked.name is not None else False
        return self.same_value(answer, gold)

    def _same_equation(self, left: Equation, right: Equation) -> Verdict:
        if left.name is None or right.name is None or left.name != right.name:
            return False
        return both([self._consistent(left), self._consistent(right), self.same(left.value, right.value)])

    def _without_name(self, answer: Equation, gold: Node) -> Verdict:
        return both([self._consistent(answer), self.same(answer.value, gold)])

    def _consistent(self, equation: Equation) -> Verdict:
        """Whether the sides of a chain such as `2+3 = 5` agree, where they hold no variables."""
        sides = [side for side in equation.rest if not variables(side) and not isinstance(side, Text)]
        return both(self.same(side, equation.value) for side in sides)

    def same_value(self, a: Node, b: Node) -> Verdict:
        for compare in (
            self._texts,
            self._moduli,
            self._real_sets,
            self._relations,
            self._lists,
            self._tuples,
            self._matrices,
            self._quantities,
            self._ratios,
            self._builders,
        ):
            if (verdict := compare(a, b)) is not NOT_MINE:
                return bool(verdict) if verdict is not None else None
        return self.expressions(a, b)

    def _texts(self, a: Node, b: Node) -> Any:
        if not isinstance(a, Text) and not isinstance(b, Text):
            return NOT_MINE
        if isinstance(a, Text) and isinstance(b, Text):
            return words.same(a.words, b.words)
        text, other = (a, b) if isinstance(a, Text) else (b, a)
        assert isinstance(text, Text)
        if isinstance(other, Name):
            return words.same(text.words, other.name)
        if isinstance(other, Group) and len(other.items) == 1:
            return self.same(text, other.items[0])
        return False

    def _moduli(self, a: Node, b: Node) -> Any:
        left, right = modulus(a), modulus(b)
        if left is None and right is None:
            return NOT_MINE
        if left and right:
            equal = self.expressions(left[1], right[1])
            if equal is not True:
                return equal
            remainders = exact.constant(left[0]), exact.constant(right[0])
            size = exact.constant(left[1])
            if None not in remainders and size:
                return (remainders[0] - remainders[1]) % size == 0  # type: ignore[operator]
            return self.same(left[0], right[0])
        return self.same(left[0] if left else a, right[0] if right else b)

    def _real_sets(self, a: Node, b: Node) -> Any:
        if not (self.sets.is_set(a) or self.sets.is_set(b)):
            return NOT_MINE
        if isinstance(a, Op) and isinstance(b, Op) and a.name == b.name in ("cup", "cap") and not self.sets.could_be(a):
            return self.matched(_operands(a), _operands(b))
        verdict = self.sets.same(a, b) if self.sets.could_be(a) and self.sets.could_be(b) else False
        relations = isinstance(a, Relation) and isinstance(b, Relation)
        return NOT_MINE if relations and verdict is False else verdict

    def _quantities(self, a: Node, b: Node) -> Any:
        left, right = measured(a), measured(b)
        if left is None and right is None:
            return NOT_MINE
        if any(map(_is_percentage, (a, b))) and not all((left, right)):
            bare = self.oracle.real(b if left else a)
            if bare is not None and abs(bare) <= 1:  # 0.5 is half, not 0.5%
                return self.expressions(a, b)
        if left and right:  # 25% is not 0.25%: a reading without its unit meets none with one
            return either(self._measures(x, y) for x in left for y in right if (x[1] is None) == (y[1] is None))
        return either(self._measures(x, y) for x in left or [(a, None)] for y in right or [(b, None)])

    def _measures(self, a: tuple[Node, Any], b: tuple[Node, Any]) -> Verdict:
        """Two values with their units, of which either may be None."""
        (left, unit), (right, other) = a, b
        if unit is None or other is None or unit == other or unit.generic != other.generic:
            times = [side for side in (left, right) if isinstance(side, Op) and side.name == "time"]
            return bool(self._ratios(left, right)) if times else self.expressions(left, right)
        if {unit, other} == {RADIAN, DEGREE}:
            left, right = (_in_radians(*side) for side in (a, b))
            return self.expressions(left, right)
        if unit.powers != other.powers:
            return False
        return self.expressions(Op("*", (number(unit.factor), left)), Op("*", (number(other.factor), right)))

    def _ratios(self, a: Node, b: Node) -> Any:
        if any(isinstance(side, Op) and side.name == "time" for side in (a, b)):
            both_clocks = all(isinstance(side, Op) and side.name in ("time", "ratio") for side in (a, b))
            return both_clocks and children(a) == children(b)
        left, right = (side.args if isinstance(side, Op) and side.name == "ratio" else None for side in (a, b))
        if left is None and right is None:
            return NOT_MINE
        if left and right:
            if len(left) != len(right):
                return False
            return both(
                self.expressions(Op("*", (left[0], y)), Op("*", (right[0], x)))
                for x, y in zip(left[1:], right[1:], strict=True)
            )
        parts, other = (left, b) if left else (right, a)
        assert parts is not None
        return self.expressions(Op("/", parts), other) if len(parts) == 2 else False

    def _builders(self, a: Node, b: Node) -> Any:
        if not any(isinstance(side, Op) and side.name == "builder" for side in (a, b)):
            return NOT_MINE
        if not (isinstance(a, Op) and isinstance(b, Op) and a.name == b.name):
            return False
        return both(self.same_value(x, y) for x, y in zip(a.args, b.args, strict=True))

    def expressions(self, a: Node, b: Node) -> Verdict:
        if not (plain_value(a) and plain_value(b)):
            return a == b
        if any(isinstance(side, Name) and side.name in SETS for side in (a, b)):
            return a == b
        if infinity(a) or infinity(b):
            return infinity(a) == infinity(b)
        return self.oracle.equal(a, b)


def _is_percentage(node: Node) -> bool:
    while isinstance(node, Op) and node.name == "neg":
        node = node.args[0]
    return isinstance(node, Op) and node.name == "pct"


def _in_radians(value: Node, unit: Unit) -> Node:
    return Op("deg", (value,)) if unit == DEGREE else value


def _operands(node: Node) -> list[Node]:
    """What a union of unions joins."""
    assert isinstance(node, Op)
    parts = [_operands(arg) if isinstance(arg, Op) and arg.name == node.name else [arg] for arg in node.args]
    return [operand for part in parts for operand in part]
