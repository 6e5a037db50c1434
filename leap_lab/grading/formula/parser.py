"""A whole answer out of tokens: lists, relations, brackets, matrices, quantities, words."""

from itertools import pairwise

from leap_lab.grading.formula import names, units
from leap_lab.grading.formula.brackets import split_commas
from leap_lab.grading.formula.cursor import CLOSING, Cursor, joins
from leap_lab.grading.formula.quantities import Quantities
from leap_lab.grading.formula.tokens import Token, Unreadable, tokens
from leap_lab.grading.formula.tree import Group, Name, Node, Op, Quantity, Relation

UNNAMED = "?"  # the variable of `\\ge 3`
_MARKS = frozenset(['"', "'", "`", "^", "*"])  # ** is a power, too
_TRAILING = frozenset(".,;:")


def parse(text: str, with_units: bool = True, split: bool = False) -> tuple[Node, bool]:
    """The tree of a text, and whether plain letters were taken for a unit.

    `split` reads the commas of `1,234` as a list's. `Unreadable` or `Foreign` where the text is no formula.
    """
    found = trimmed(tokens(text))
    if split:
        found = split_commas(found)
    parser = Parser(found, with_units)
    node = parser.answer()
    if parser.next.kind != "end":
        raise Unreadable(f"{parser.next.text!r} is left over")
    return node, parser.guessed_units


def trimmed(found: list[Token]) -> list[Token]:
    """Without a full stop or comma at the end, marks and braces around it all, and an `=` before it."""
    start, end = 0, _without_stops(found, len(found))
    while end - start > 2 and _wrapped(found, start, end):
        start, end = start + 1, _without_stops(found, end - 1)
    if start < end and found[start][:2] in (("sign", "="), ("command", "approx"), ("command", "to")):
        start += 1
    return found[start:end]


def _wrapped(found: list[Token], start: int, end: int) -> bool:
    """Whether quotation marks, asterisks or braces stand around all of these tokens."""
    first, last = found[start], found[end - 1]
    if first.kind != "sign" or last.kind != "sign":
        return False
    if first.text == "{":
        return Cursor(found).closes_at(start) == end - 1
    return first.text == last.text and first.text in _MARKS


def _without_stops(found: list[Token], end: int) -> int:
    """Where the tokens end without the stops and row ends behind them."""
    while end:
        kind, text, _ = found[end - 1]
        if kind != "row" and not (kind == "sign" and text in _TRAILING):
            break
        end -= 1
    return end


class Parser(Quantities):
    """Reads a whole answer."""

    def answer(self) -> Node:
        items, join = [self.relation()], ","
        while True:
            separated = bool(self.accept("sign", ",", ";"))
            if word := joins(self.next):
                self.take()
                join = word if join == "," else join
                self.accept("sign", ",")
            elif not separated:
                break
            if self.next.kind == "end" or (self.next.kind == "sign" and self.next.text in CLOSING):
                break
            items.append(self.relation())
        if join == "and" and (total := _compound(items)):
            return total
        return items[0] if len(items) == 1 else Group("", tuple(items), "", join)

    def relation(self) -> Node:
        bare = self.next.text in ("<", ">", "<=", ">=", "le", "ge")
        sides: list[Node] = [Name(UNNAMED) if bare else self.ratio()]
        signs: list[str] = []
        while (token := self.next).kind in ("sign", "command") and token.text in names.RELATIONS:
            self.take()
            signs.append(names.RELATIONS[token.text])
            sides.append(self.ratio())
        node = Relation(tuple(sides), tuple(signs)) if signs else sides[0]
        modulus = self._modulus()
        return Op("mod", (node, modulus)) if modulus is not None else node

    def _modulus(self) -> Node | None:
        """The modulus of `(mod m)` and its like."""
        if self.accept("command", "pmod", "mod") or self.accept("letters", "mod"):
            return self.argument() if self.at("sign", "{") else self.expression()
        ahead = self.ahead()
        if self.at("sign", "(") and ahead.text == "mod" and ahead.kind in ("letters", "roman", "command", "text"):
            self.place += 2
            modulus = self.expression()
            self.expect("sign", ")")
            return modulus
        return None

    def ratio(self) -> Node:
        parts = [self.union()]
        while self.at("sign", ":") and not self.set_builder:
            self.take()
            minutes = self.next.text
            parts.append(self.union())
            if len(parts) == 2 and (time := _time(parts[0], parts[1], minutes)):
                return time
        return parts[0] if len(parts) == 1 else Op("ratio", tuple(parts))

    def union(self) -> Node:
        node = self.quantity()
        while token := self.accept("command", "cup", "cap", "setminus"):
            node = Op(token.text, (node, self.quantity()))
        return node


def _compound(items: list[Node]) -> Node | None:
    """One quantity in units that get smaller, such as `3 hours and 20 minutes`."""
    quantities = [item for item in items if isinstance(item, Quantity)]
    if len(quantities) < len(items) or len({quantity.unit.powers for quantity in quantities}) > 1:
        return None
    factors = [quantity.unit.factor for quantity in quantities]
    return Op("+", tuple(items)) if all(first > second for first, second in pairwise(factors)) else None


def _time(hours: Node, minutes: Node, digits: str) -> Node | None:
    """A time of day, such as `12:05` and `3:30 PM`; None where it is a ratio."""
    if len(digits) != 2 or not digits.isdigit():
        return None
    if isinstance(minutes, Quantity) and minutes.unit in (units.named("am"), units.named("pm")):
        return Quantity(Op("time", (hours, minutes.value)), minutes.unit)
    return Op("time", (hours, minutes)) if digits.startswith("0") else None
