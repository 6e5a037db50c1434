"""Brackets, sets and environments."""

from leap_lab.grading.formula.commands import Commands
from leap_lab.grading.formula.cursor import CLOSING
from leap_lab.grading.formula.tokens import Foreign, Token, Unreadable
from leap_lab.grading.formula.tree import Group, Matrix, Name, Node, Op, Text

MATRICES = frozenset(["pmatrix", "bmatrix", "matrix", "Bmatrix", "smallmatrix", "array", "psmallmatrix"])
SYSTEMS = frozenset(["cases", "aligned", "gathered", "align", "split"])
_LEADING_TEXT = frozenset(["if", "for", "when", "where", "otherwise"])


class Brackets(Commands):
    """The part of the parser that reads what stands between two signs."""

    set_builder = False  # inside { ... : ... }, where a colon is no ratio

    def bracket(self) -> Node:
        """A group of brackets: a value, a tuple, an interval, a set."""
        self.enter()
        open_ = self.take().text
        close = self._matching(open_)
        self._separate(close)
        before = self.bars, self.reversed
        self.bars, self.reversed = 0, open_ == "]"
        try:
            return self._empty(open_) or self._filled(open_)
        finally:
            self.bars, self.reversed = before
            self.leave()

    def _matching(self, open_: str) -> int:
        if open_ == "]":  # ]0,1[
            for place in range(self.place, len(self.found)):
                if self.found[place].text in ("[", "]") and self.found[place].kind == "sign":
                    return place
            raise Unreadable("a bracket is not closed")
        close = self.closes_at(self.place - 1)
        if close is None:
            raise Unreadable("a bracket is not closed")
        return close

    def _separate(self, close: int) -> None:
        """In brackets the bare commas of `1,234` separate, unless others do."""
        inside = self.found[self.place : close]
        if any("," in token.text and token.kind == "number" for token in inside) and not any(
            token.kind == "sign" and token.text in (",", ";") for token in inside
        ):
            self.found[self.place : close] = split_commas(inside)

    def _empty(self, open_: str) -> Node | None:
        token = self.accept("sign", *CLOSING)
        if token is None:
            return None
        if open_ == "{.":
            return Name("emptyset")
        raise Unreadable("empty brackets")

    def _filled(self, open_: str) -> Node:
        if open_ == "{.":
            return self._set()
        node = self.answer()
        token = self.next
        self.take()
        text = token.text if token.kind == "sign" else ""
        if open_ == "{":
            if text != "}":
                raise Unreadable("a brace is not closed")
            return node
        if text not in (")", "]") and not (text == "[" and open_ == "]"):
            raise Unreadable("a bracket is not closed")
        if isinstance(node, Group) and not node.open:
            return Group(open_, node.items, text)
        if (open_, text) in (("(", ")"), ("[", "]")):
            return node
        raise Unreadable("brackets that do not match around one value")

    def _set(self) -> Node:
        """The items of a set, or the condition of its members."""
        self.bars, before = 1, self.set_builder
        self.set_builder = True
        node = self.answer()
        self.set_builder = before
        if self.accept("sign", "|", ":"):
            self.bars = 0
            condition = self.answer()
            self.expect("sign", ".}")
            return Op("builder", (node, condition))
        self.expect("sign", ".}")
        items = node.items if isinstance(node, Group) and not node.open else (node,)
        return Group("{", items, "}")

    def environment(self) -> Node:
        """A matrix, cases or a system."""
        name = self._environment_name()
        if name == "array" and self.at("sign", "{"):
            self.place = (self.closes_at(self.place) or self.place) + 1
        rows = self._rows()
        if self._environment_name() != name or not rows:
            raise Unreadable("an environment is not closed")
        if name in MATRICES:
            return Matrix(rows)
        if name == "vmatrix":
            return determinant(rows)
        if name in SYSTEMS:
            if all(len(row) == 1 for row in rows):
                return Group("", tuple(row[0] for row in rows), "", "and") if len(rows) > 1 else rows[0][0]
            return Matrix(rows, cases=True)
        raise Unreadable(f"the environment {name}")

    def _environment_name(self) -> str:
        self.expect("sign", "{")
        name = self.expect("letters").text
        self.accept("sign", "*", "^")
        self.expect("sign", "}")
        return name

    def _rows(self) -> tuple[tuple[Node, ...], ...]:
        rows: list[tuple[Node, ...]] = []
        cells: list[Node] = []
        while True:
            if not self.at("command", "end") or cells:
                cells.append(self._cell())
            if self.accept("sign", "&"):
                continue
            if cells:
                rows.append(tuple(cells))
                cells = []
            if self.accept("row"):
                continue
            self.expect("command", "end")
            return tuple(rows)

    def _cell(self) -> Node:
        while self.next.kind in ("text", "letters", "roman") and self.next.text.lower().strip(" ,:") in _LEADING_TEXT:
            token = self.take()
            if self.at("row") or self.at("command", "end"):
                return Text(token.text)
        cell = self.answer()
        self.accept("sign", ".", ",")
        return cell


def split_commas(found: list[Token]) -> list[Token]:
    """With the bare commas of numbers as separators."""
    made: list[Token] = []
    for token in found:
        if token.kind == "number" and "," in token.text:
            pieces = token.text.split(",")
            made.append(token._replace(text=pieces[0]))
            for piece in pieces[1:]:
                made += [Token("sign", ","), Token("number", piece)]
        else:
            made.append(token)
    return made


def determinant(rows: tuple[tuple[Node, ...], ...]) -> Node:
    """The determinant of a small square matrix, written out along its first row."""
    if not 1 <= len(rows) <= 4 or any(len(row) != len(rows) for row in rows):
        raise Foreign("a determinant")
    if len(rows) == 1:
        return rows[0][0]
    terms: list[Node] = []
    for place, entry in enumerate(rows[0]):
        minor = determinant(tuple(row[:place] + row[place + 1 :] for row in rows[1:]))
        term = Op("*", (entry, minor))
        terms.append(Op("neg", (term,)) if place % 2 else term)
    return Op("+", tuple(terms))
