"""Equations and inequalities: the same up to what may stand on which side, and up to a factor."""

from fractions import Fraction
from typing import Any

from leap_lab.grading.formula import exact
from leap_lab.grading.formula.shapes import plain_value
from leap_lab.grading.formula.tree import Name, Node, Num, Op, Relation, number, rebuilt, variables
from leap_lab.grading.formula.verdicts import NOT_MINE, Parts, Verdict, both

FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "!=": "!=", "=": "="}


class Relations(Parts):
    """The part of the comparison that knows relations."""

    def _relations(self, a: Node, b: Node) -> Any:
        if not isinstance(a, Relation) and not isinstance(b, Relation):
            return NOT_MINE
        return self.same_relation(a, b)

    def same_relation(self, a: Node, b: Node) -> Verdict:
        if not (isinstance(a, Relation) and isinstance(b, Relation)):
            return False
        same_signs = a.signs == b.signs
        if same_signs and (verdict := both(map(self._side, a.sides, b.sides))) is not False:
            return verdict
        flipped = tuple(FLIPPED.get(sign, sign) for sign in reversed(b.signs))
        if a.signs == flipped and both(map(self._side, a.sides, reversed(b.sides))):
            return True
        if len(a.signs) != 1 or len(b.signs) != 1 or {a.signs[0], b.signs[0]} - FLIPPED.keys():
            return False
        return self._proportional(a, b)

    def _side(self, a: Node, b: Node) -> Verdict:
        return True if a == b else self.same_value(a, b) if plain_value(a) and plain_value(b) else False

    def _proportional(self, a: Relation, b: Relation) -> Verdict:
        """Whether one relation is a multiple of the other: `x + y < 5` and `2y < 10 - 2x`."""
        names = variables(a, b)
        if not names or variables(a) != variables(b) or not all(plain_value(side) for side in (*a.sides, *b.sides)):
            return False
        left, right = (fraction(Op("+", (side.sides[0], Op("neg", (side.sides[1],))))) for side in (a, b))
        signs = (a.signs[0], b.signs[0])
        if "=" not in signs and (left[1] != number(1) or right[1] != number(1)):
            return False
        f, g = left[0], right[0]
        point = {name: Fraction(1000 + 77 * place, 7 + place) for place, name in enumerate(sorted(names))}
        f_there, g_there = (_at(side, point) for side in (f, g))
        if exact.constant(f_there) == 0 or exact.constant(g_there) == 0:
            return False
        verdict = self.oracle.equal(Op("*", (f, g_there)), Op("*", (g, f_there)))
        if verdict is not True or signs[0] == signs[1] in ("=", "!="):
            return verdict
        ratio = self.oracle.real(Op("/", (f_there, g_there)))
        if ratio is None:
            return None
        return signs[0] == (signs[1] if ratio > 0 else FLIPPED[signs[1]])


def fraction(node: Node) -> tuple[Node, Node]:
    """An expression as one fraction, not reduced: numerator and denominator."""
    one = number(1)
    match node:
        case Op("neg", (inside,)):
            above, below = fraction(inside)
            return Op("neg", (above,)), below
        case Op("/", (first, second)):
            (a, b), (c, d) = fraction(first), fraction(second)
            return _times(a, d), _times(b, c)
        case Op("*", args):
            parts = [fraction(arg) for arg in args]
            return _times(*(above for above, _ in parts)), _times(*(below for _, below in parts))
        case Op("+", args):
            parts = [fraction(arg) for arg in args]
            below = _times(*(part for _, part in parts))
            terms = [
                _times(part, *(other for at, (_, other) in enumerate(parts) if at != place))
                for place, (part, _) in enumerate(parts)
            ]
            return Op("+", tuple(terms)), below
    return node, one


def _times(*factors: Node) -> Node:
    kept = [factor for factor in factors if factor != number(1)]
    return kept[0] if len(kept) == 1 else Op("*", tuple(kept)) if kept else number(1)


def _at(node: Node, point: dict[str, Fraction]) -> Node:
    """The node with values in place of its variables."""
    if isinstance(node, Name) and node.name in point:
        return Num(point[node.name])
    return rebuilt(node, lambda part: _at(part, point))
