"""The tree of a formula."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from leap_lab.grading.formula.unit_table import Unit


@dataclass(frozen=True, slots=True)
class Num:
    """An exact number."""

    value: Fraction


@dataclass(frozen=True, slots=True)
class Name:
    """A symbol, with its index: a variable, or one of the constants pi, e, i, infty and the sets such as Reals."""

    name: str


@dataclass(frozen=True, slots=True)
class Op:
    """An operation or a function: `+ * / ^ neg pm mp sqrt root sin log fact binom deg pct mod cup ...`."""

    name: str
    args: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Text:
    """Words."""

    words: str


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value and its unit."""

    value: "Node"
    unit: Unit


@dataclass(frozen=True, slots=True)
class Group:
    """Items between brackets; between none (`open` is empty) they are a list, joined by `,` or `or` or `and`."""

    open: str
    items: tuple["Node", ...]
    close: str
    join: str = ","


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows of entries."""

    rows: tuple[tuple["Node", ...], ...]
    cases: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """Sides with a sign between each two: `= ~ < > <= >= != in`."""

    sides: tuple["Node", ...]
    signs: tuple[str, ...]


Node = Num | Name | Op | Text | Quantity | Group | Matrix | Relation
CONSTANTS = frozenset(["pi", "e", "i", "infty", "Reals", "Integers", "Naturals", "Rationals", "Complexes", "emptyset"])


def number(value: int | Fraction) -> Num:
    """A number as a node."""
    return Num(Fraction(value))


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly inside."""
    match node:
        case Op(_, args):
            return args
        case Quantity(value, _):
            return (value,)
        case Group(_, items, _, _):
            return items
        case Matrix(rows, _):
            return tuple(entry for row in rows for entry in row)
        case Relation(sides, _):
            return sides
    return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and all inside it."""
    waiting = [node]
    while waiting:
        yield (here := waiting.pop())
        waiting.extend(children(here))


def rebuilt(node: Node, change: Callable[[Node], Node]) -> Node:
    """The node with every child changed."""
    match node:
        case Op(name, args):
            return Op(name, tuple(map(change, args)))
        case Quantity(value, unit):
            return Quantity(change(value), unit)
        case Group(open_, items, close, join):
            return Group(open_, tuple(map(change, items)), close, join)
        case Matrix(rows, cases):
            return Matrix(tuple(tuple(map(change, row)) for row in rows), cases)
        case Relation(sides, signs):
            return Relation(tuple(map(change, sides)), signs)
    return node


def variables(*nodes: Node) -> frozenset[str]:
    """The names of the variables inside."""
    found: set[str] = set()
    for node in nodes:
        inside = list(walk(node))
        ranges = [part.args[0] for part in inside if isinstance(part, Op) and part.name in ("sum", "prod")]
        bound = {index.name for index in ranges if isinstance(index, Name)}
        found |= {part.name for part in inside if isinstance(part, Name)} - CONSTANTS - bound
    return frozenset(found)
