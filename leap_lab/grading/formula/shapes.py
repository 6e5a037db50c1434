"""What kind of answer a tree is: a definition, a list, a tuple, a matrix, a value with a unit."""

from collections.abc import Sequence
from typing import Any

from leap_lab.grading.formula import units, words
from leap_lab.grading.formula.tree import (
    CONSTANTS,
    Group,
    Matrix,
    Name,
    Node,
    Num,
    Op,
    Quantity,
    Relation,
    Text,
    number,
    rebuilt,
    walk,
)
from leap_lab.grading.formula.unit_table import Unit

RADIAN, DEGREE = units.named("radian"), units.named("degree")


class Equation:
    """A name, where an equation is the definition of one, its value, and what else stands in the chain."""

    def __init__(self, name: Node | None, value: Node, rest: Sequence[Node]) -> None:
        self.name, self.value, self.rest = name, value, rest


def equation(node: Node) -> Equation | None:
    """A relation as name and value, such as `x = 5`, `5 = x`, `x = 4/2 = 2` and `x in S`; None where it is none."""
    if not isinstance(node, Relation) or set(node.signs) - {"=", "~", "in"}:
        return None
    sides = list(node.sides)
    if any(isinstance(side, Text) and any(map(units.stops, side.words.split())) for side in sides):
        return None  # not = 5
    if "in" in node.signs and (len(sides) != 2 or not is_name(sides[0])):
        return None
    if len(sides) == 2 and not is_name(sides[0]) and is_name(sides[1]):
        sides.reverse()
    if "in" in node.signs:
        return Equation(sides[0], _interval(sides[1]), ())
    name = bare_name(sides[0]) if is_name(sides[0]) else None
    rest = sides[1:] if name is not None else sides
    last = len(rest) - 1
    if "~" in node.signs:  # what stands before the first approximation is exact
        last = max(0, node.signs.index("~") - (name is not None))
        rest = rest[: last + 1]
    return Equation(name, rest[last], rest[:last])


def _interval(node: Node) -> Node:
    """A pair as the open interval that it is where something is said to be in it."""
    match node:
        case Group("(", (low, high), ")", _):
            return Group("]", (low, high), "[")
    return node


def is_name(node: Node) -> bool:
    """Whether a side of an equation is what the other side is the value of: `x`, `f(x)`, `|AB|`, `dy/dx`, words."""
    match node:
        case Name(name):
            return name not in CONSTANTS or name in ("e", "i")
        case Text():
            return True
        case Op("apply", (Name(), *_)):
            return True
        case Op("abs", (inside,)):
            letters = inside.args if isinstance(inside, Op) and inside.name == "*" else (inside,)
            return isinstance(inside, Text) or all(isinstance(arg, Name) for arg in letters)
        case Op("/", (Op("*", (Name(above), *_)), Op("*", (Name(below), *_)))):
            return above[:1] == below[:1] == "d"
        case Group("(", items, ")", _):
            return all(isinstance(item, Name) for item in items)
    return False


def bare_name(node: Node) -> Node:
    """A name in one spelling."""
    return Text(words.normal(node.words)) if isinstance(node, Text) else node


def spread(node: Node) -> Node:
    """The node with a list in place of each plus-minus, and of `(x, y) = (1, 2)` the list `x = 1, y = 2`."""
    match node:
        case Relation((Group("(", left, _, _) as name, Group("(", right, _, _)), ("=",)):
            if is_name(name) and len(left) == len(right):
                return Group("", tuple(Relation(pair, ("=",)) for pair in zip(left, right, strict=True)), "")
    if isinstance(node, Group) and node.open in ("", "{"):
        items: list[Node] = []
        for item in node.items:
            wide = spread(item)
            items.extend(wide.items if isinstance(wide, Group) and not wide.open and wide.join == "or" else [wide])
        return Group(node.open, tuple(items), node.close, node.join)
    if any(isinstance(part, Op) and part.name in ("pm", "mp") for part in walk(node)):
        return Group("", (_signed(node, True), _signed(node, False)), "", "or")
    return node


def _signed(node: Node, upper: bool) -> Node:
    """The node with the upper or the lower signs."""
    if isinstance(node, Op) and node.name in ("pm", "mp"):
        *before, last = (_signed(arg, upper) for arg in node.args)
        if (node.name == "pm") != upper:
            last = Op("neg", (last,))
        return Op("+", (*before, last)) if before else last
    return rebuilt(node, lambda part: _signed(part, upper))


def modulus(node: Node) -> tuple[Node, Node] | None:
    """What is taken modulo what, without the name in `n \\equiv 7 (mod 10)`."""
    if not isinstance(node, Op) or node.name != "mod":
        return None
    rest = node.args[0]
    named = equation(rest)
    return (named.value if named else rest), node.args[1]


def plain_value(node: Node) -> bool:
    """Whether a node is an expression: numbers, names and operations alone."""
    return all(
        isinstance(part, Num | Name) or (isinstance(part, Op) and part.name not in _NO_VALUES) for part in walk(node)
    )


SETS = frozenset(["Reals", "Integers", "Naturals", "Rationals", "Complexes", "emptyset"])
_NO_VALUES = frozenset(["ratio", "time", "builder", "cup", "cap", "setminus", "mod", "transpose", "pm", "mp"])


def has_value(node: Node) -> bool:
    """Whether a node with a matrix inside is an expression all the same."""
    return not isinstance(node, Matrix) and all(isinstance(part, Num | Name | Op | Matrix) for part in walk(node))


def is_set(node: Node) -> bool:
    """Whether a node is a set of items in braces."""
    return isinstance(node, Group) and node.open == "{"


def list_like(node: Node) -> tuple[Node, ...]:
    """The items of a list without brackets or of a set."""
    return node.items if isinstance(node, Group) and node.open in ("", "{") else ()


def names_of(node: Node) -> set[str]:
    """The variables that the items of a list give values to, their indices left out."""
    found = [equation(item) for item in list_like(node)]
    return {str(item.name).partition("_")[0] for item in found if item and item.name is not None}


def entries(node: Node) -> tuple[Node, ...] | None:
    """What a tuple or a matrix of one column or row holds, in order."""
    if isinstance(node, Group):
        return None if node.open in ("", "{") else node.items
    if isinstance(node, Matrix) and not node.cases:
        if all(len(row) == 1 for row in node.rows):
            return tuple(row[0] for row in node.rows)
        if len(node.rows) == 1:
            return node.rows[0]
    return None


def ends(node: Group) -> tuple[str, str]:
    """The brackets of a pair, `]0,1[` as `(0,1)`."""
    return {"]": "("}.get(node.open, node.open), {"[": ")"}.get(node.close, node.close)


def grid(node: Node) -> Matrix | None:
    """The matrix that a list of lists is."""
    if not isinstance(node, Group) or node.open != "[":
        return None
    rows = [item.items for item in node.items if isinstance(item, Group) and item.open == "["]
    return Matrix(tuple(rows)) if len(rows) == len(node.items) else None


def matrix(node: Node) -> Matrix | None:
    """A matrix with what stands before it multiplied in."""
    match node:
        case Matrix():
            return node
        case Op("neg", (inside,)):
            return _scaled(number(-1), matrix(inside))
        case Op("transpose", (Matrix(rows, _),)):
            return Matrix(tuple(zip(*rows, strict=False)))
        case Op("*", args):
            matrices = [arg for arg in args if matrix(arg)]
            others = [arg for arg in args if not matrix(arg)]
            if len(matrices) == 1 and all(plain_value(other) for other in others):
                made = matrix(matrices[0])
                return _scaled(Op("*", tuple(others)), made) if others else made
        case Op("/", (above, below)) if plain_value(below):
            return _scaled(Op("/", (number(1), below)), matrix(above))
        case Op("+", args):
            parts = [matrix(arg) for arg in args]
            if all(parts):
                return _total([part for part in parts if part])
    return None


def _scaled(factor: Node, matrix: Matrix | None) -> Matrix | None:
    if matrix is None:
        return None
    return Matrix(tuple(tuple(Op("*", (factor, entry)) for entry in row) for row in matrix.rows))


def _total(parts: list[Matrix]) -> Matrix | None:
    shapes = {tuple(len(row) for row in part.rows) for part in parts}
    if len(shapes) != 1:
        return None
    rows = zip(*(part.rows for part in parts), strict=True)
    return Matrix(tuple(tuple(Op("+", entries) for entries in zip(*row, strict=True)) for row in rows))


def infinity(node: Node) -> int:
    """1 or -1 for infinity and its negative, else 0."""
    if node == Name("infty"):
        return 1
    if isinstance(node, Op) and node.name == "neg":
        return -infinity(node.args[0])
    return 0


def measured(node: Node) -> list[tuple[Node, Any]] | None:
    """The readings of a value with a unit, a percentage or degrees; None where there is none."""
    match node:
        case Quantity(value, unit):
            return [(value, unit), (value, None)] if unit == RADIAN else [(value, unit)]
        case Op("pct", (value,)):
            return [(value, units.named("percent")), (node, None)]
        case Op("deg", (value,)):
            return [(value, units.named("degree")), (node, None)]
        case Op("neg", (inside,)):
            found = measured(inside)
            return [(Op("neg", (value,)), unit) for value, unit in found] if found else None
        case Op("+", args) if all(isinstance(arg, Quantity) for arg in args):
            quantities = [arg for arg in args if isinstance(arg, Quantity)]
            if len({quantity.unit.powers for quantity in quantities}) == 1:
                total = Op("+", tuple(Op("*", (number(part.unit.factor), part.value)) for part in quantities))
                return [(total, Unit(quantities[0].unit.powers))]
    return None
