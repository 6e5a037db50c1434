"""Values with their units, and words."""

import re

from leap_lab.grading.formula import names, units
from leap_lab.grading.formula.brackets import Brackets
from leap_lab.grading.formula.factors import looks_like_product
from leap_lab.grading.formula.literals import in_base
from leap_lab.grading.formula.tokens import Token, Unreadable
from leap_lab.grading.formula.tree import Name, Node, Num, Op, Quantity, Text, number

_LETTERS = frozenset(["letters", "roman", "text"])
_LETTER_RUN = re.compile(r"[A-Za-z]|\W")
_LETTER_SUM = re.compile(r"[A-Za-z]|[A-Z]{1,3}|\W")  # AB - CD
_IN_WORDS = frozenset(["-", "'", '"', "!", "?"])


class Quantities(Brackets):
    """The part of the parser that reads one item: words, or an expression with its unit."""

    def quantity(self) -> Node:
        """An expression with its unit, or words."""
        if (words := self._words()) is not None:
            return words
        if self.at("sign", "-") and self.ahead().kind == "currency":
            self.take()
            return Op("neg", (self.quantity(),))
        currency = self.accept("currency")
        node = self._digits_in_base() or self.expression()
        if self.at("command", "over", "choose"):
            name = "/" if self.take().text == "over" else "binom"
            node = Op(name, (node, self.expression()))
        node = self._with_unit(node)
        if currency and not isinstance(node, Quantity):
            return Quantity(node, units.named(names.CURRENCIES[currency.text]))
        return node

    def _words(self) -> Node | None:
        """The words that an item consists of; None where it is no text."""
        place = self.place
        while place < len(self.found) and not self.ends(self.found[place]):
            place += 1
        item = self.found[self.place : place]
        if not item or not self._are_words(item):
            return None
        self.place = place
        text = "".join((" " if token.spaced or token.kind == "text" else "") + token.text for token in item).strip()
        if name := names.IN_WORDS.get(text.lower()):
            return Name(name)
        value = names.number_word(text)
        return Text(text) if value is None else number(value)

    def _are_words(self, item: list[Token]) -> bool:
        """Whether tokens are words and no product of letters, no function and no unit."""
        if not all(token.kind in _LETTERS or token.text in _IN_WORDS for token in item):
            return False
        if len(item) > 1:
            if any(token.kind == "text" for token in item):
                return True
            if any(token.text in names.WORDS and token.text not in ("max", "min") for token in item):
                return False
            formula = _LETTER_SUM if any(token.text == "-" for token in item) else _LETTER_RUN
            return not all(formula.fullmatch(token.text) or looks_like_product(token.text) for token in item)
        kind, run, _ = item[0]
        if kind == "text":
            return True
        if len(run) == 1 or run in names.WORDS:
            return False
        return kind == "roman" or not (looks_like_product(run) or (self.arguments and len(run) < 4))

    def _digits_in_base(self) -> Node | None:
        """A number with letters among its digits, in a base that it names."""
        place, digits = self.place, ""
        while (
            place < len(self.found)
            and self.found[place].kind in ("number", "letters")
            and (place == self.place or not self.found[place].spaced)
        ):
            digits += self.found[place].text
            place += 1
        mixed = any(sign.isdigit() for sign in digits) and any(sign.isalpha() for sign in digits)
        if not (mixed or (digits.isupper() and len(digits) > 1)) or not digits.isalnum():
            return None
        before, self.place = self.place, place
        if self.accept("sign", "_"):
            index = self._index_text().strip("()")
            if index.isdigit() and (mixed or index == "16"):
                return in_base(digits, int(index))
        self.place = before
        return None

    def _with_unit(self, node: Node) -> Node:
        """The node with the unit behind it, and with further quantities as in `2 hours 30 minutes`."""
        based = self._named_base(node)
        if based is not None:
            return based
        made = self._one_unit(node)
        if made is None:
            return node
        while self.next.kind == "number" and isinstance(made, Quantity):
            more = self._one_unit(self.expression())
            if not isinstance(more, Quantity):
                raise Unreadable("a number behind a unit")
            made = Op("+", (*(made.args if isinstance(made, Op) else (made,)), more))
            if self.next.kind != "number":
                return made
        return made

    def _named_base(self, node: Node) -> Node | None:
        """The value of `2516 base 8`."""
        words = self.next.text.lower().strip("() ").split() if self.next.kind in ("text", "letters") else []
        if not words or words[0] != "base" or not isinstance(node, Num):
            return None
        self.take()
        base = words[1] if len(words) > 1 else self.take().text
        return in_base(str(node.value), int(base) if base.isdigit() else names.number_word(base))

    def _one_unit(self, node: Node) -> Node | None:
        """The quantity of a node and the unit that follows it; None where none does."""
        deg = isinstance(node, Op) and node.name == "deg"
        text = self._phrase()
        if not text:
            return None
        if deg:
            return self._degrees(node, text)
        if text.lower() in ("percent", "per cent", "percentage", "pct"):
            return Op("pct", (node,))
        found = units.read(text)
        if found is None:
            raise Unreadable(f"{text!r} is no unit")
        times, unit = found
        if times != 1:
            node = Op("*", (number(times), node))
        return node if unit is None else Quantity(node, unit)

    def _phrase(self) -> str:
        """The words and signs of a unit, as text."""
        phrase: list[str] = []
        while not self.ends(self.next) and self.next.kind != "number":
            token = self.take()
            if token.text == "^" and phrase:
                phrase.append("^" + self._index_text())
            elif token.kind in ("letters", "roman", "text", "currency") or (phrase and token.text in "/*.-('"):
                phrase.append(token.text)
                if token.text == "(":
                    phrase += [self._phrase(), self.expect("sign", ")").text]
            elif phrase and token.text in ("cdot", "times"):
                phrase.append("*")
            else:
                self.place -= 1
                break
        return " ".join(phrase)

    def _degrees(self, node: Node, text: str) -> Node:
        scale = {"c": "celsius", "celsius": "celsius", "f": "fahrenheit", "fahrenheit": "fahrenheit"}.get(text.lower())
        assert isinstance(node, Op)
        if scale is None:
            raise Unreadable(f"degrees with {text!r}")
        return Quantity(node.args[0], units.named(scale))
