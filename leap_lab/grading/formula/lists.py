"""Lists in any order, sets as sets, tuples in order, matrices by entry."""

from collections.abc import Sequence
from typing import Any

from leap_lab.grading.formula.shapes import ends, entries, grid, has_value, is_set, list_like, matrix, names_of
from leap_lab.grading.formula.tree import Group, Matrix, Node, walk
from leap_lab.grading.formula.verdicts import NOT_MINE, Parts, Verdict, both, either


class Lists(Parts):
    """The part of the comparison that knows several values at once."""

    def _lists(self, a: Node, b: Node) -> Any:
        left, right = list_like(a), list_like(b)
        if not left and not right:
            return NOT_MINE
        if left and right:
            if is_set(a) and is_set(b):
                return self._as_sets(left, right)
            if not is_set(a) and not is_set(b):
                return self._as_lists(a, b)
            bare = a if is_set(b) else b
            return False if len(names_of(bare)) > 1 else self._as_sets(left, right)
        group, items, other = (a, left, b) if left else (b, right, a)
        if isinstance(other, Group | Matrix) and not is_set(group):
            return self._in_order(group, other, group is a)
        if len(items) == 1:
            return self.same(items[0], other) if group is a else self.same(other, items[0])
        return False

    def _as_lists(self, a: Node, b: Node) -> Verdict:
        """Several answers in any order; the values of several variables by their names or in order."""
        assert isinstance(a, Group)
        assert isinstance(b, Group)
        if len(names_of(a)) != len(names_of(b)) and max(len(names_of(a)), len(names_of(b))) > 1:
            return self._ordered(a.items, b.items)
        return self.matched(a.items, b.items)

    def _in_order(self, group: Node, other: Node, first: bool) -> Verdict:
        """A list without brackets beside a tuple."""
        assert isinstance(group, Group)
        inside = entries(other)
        if inside is None or group.join == "or":
            return False
        return self._ordered(group.items, inside) if first else self._ordered(inside, group.items)

    def _as_sets(self, left: Sequence[Node], right: Sequence[Node]) -> Verdict:
        """Whether each item of one is in the other."""
        there = both(either(self.same(one, other) for other in right) for one in left)
        back = both(either(self.same(other, one) for other in left) for one in right)
        return both((there, back))

    def matched(self, left: Sequence[Node], right: Sequence[Node]) -> Verdict:
        """Whether the items can be paired; equality is an equivalence, so the first that fits will do."""
        if len(left) != len(right):
            return False
        waiting, unknown = list(right), False
        for item in left:
            verdicts = [self.same(item, other) for other in waiting]
            if True in verdicts:
                waiting.pop(verdicts.index(True))
            elif None in verdicts:
                unknown = True
            else:
                return False
        return None if unknown else True

    def _ordered(self, left: Sequence[Node], right: Sequence[Node]) -> Verdict:
        if len(left) != len(right):
            return False
        return both(self.same(x, y) for x, y in zip(left, right, strict=True))

    def _tuples(self, a: Node, b: Node) -> Any:
        if not isinstance(a, Group) and not isinstance(b, Group):
            return NOT_MINE
        if (rows := grid(a)) and isinstance(b, Matrix):
            return self._matrices(rows, b)
        if (rows := grid(b)) and isinstance(a, Matrix):
            return self._matrices(a, rows)
        left, right = entries(a), entries(b)
        if left is None or right is None:
            return False
        if isinstance(a, Group) and isinstance(b, Group) and len(left) == 2 and ends(a) != ends(b):
            return False
        return self._ordered(left, right)

    def _matrices(self, a: Node, b: Node) -> Any:
        if not any(isinstance(part, Matrix) for side in (a, b) for part in walk(side)):
            return NOT_MINE
        left, right = matrix(a), matrix(b)
        if left is None or right is None:
            return NOT_MINE if has_value(a) and has_value(b) else False
        if [len(row) for row in left.rows] != [len(row) for row in right.rows]:
            return False
        return both(map(self._ordered, left.rows, right.rows))
