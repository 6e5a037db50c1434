"""Numbers as people write them: thousands, `1e6`, repeating decimals, mixed numbers, other bases."""

import re
from fractions import Fraction

from leap_lab.grading.formula import names
from leap_lab.grading.formula.cursor import Cursor
from leap_lab.grading.formula.tokens import Token, Unreadable
from leap_lab.grading.formula.tree import Node, Num, Op, number

LONGEST_EXPONENT = 4000  # of 1e4000
_REPEATS = re.compile(r"\.[0-9]*?(?:([0-9])\1{2,}|([0-9]{2,}?)\2+)\Z")


class Literals(Cursor):
    """The part of the parser that reads numbers."""

    def command(self, name: str) -> Node:
        """A command with its arguments; `Foreign` where we do not know it."""
        raise NotImplementedError

    def _number(self, token: Token) -> Node:
        """A number with its exponent and what repeats in it."""
        text = token.text
        if "," in text:
            text = text.replace(",", "")
        if repeating := self._repeating(text):
            return repeating
        value = Fraction(text.rstrip(".") or "0") if text != "." else None
        if value is None:
            raise Unreadable("a point")
        exponent = self._e_notation()
        if self.at("letters", "st", "nd", "rd", "th") and not self.next.spaced and text.isdigit():
            self.take()
        return Num(value * Fraction(10) ** exponent if exponent else value)

    def _e_notation(self) -> int:
        """The exponent of `1e6`, `1E-05`; 0 where there is none."""
        if not self.at("letters", "e", "E") or self.next.spaced:
            return 0
        sign = self.ahead()
        signed = sign.kind == "sign" and sign.text in "+-"
        digits = self.ahead(2) if signed else sign
        whole = digits.kind == "number" and digits.text.isdigit() and not digits.spaced and not sign.spaced
        if not whole or int(digits.text[:6]) > LONGEST_EXPONENT:
            return 0
        self.place += 3 if signed else 2
        return -int(digits.text) if sign.text == "-" else int(digits.text)

    def _repeating(self, text: str) -> Node | None:
        r"""A decimal with a part that repeats: `0.1\overline{6}`, `0.1(6)`, `0.333...`."""
        if "." not in text:
            return None
        if self.at("command", "overline", "bar", "dot"):
            block = self._marked_block()
            return Num(repeating(text, block)) if block else None
        if self.at("sign", "(") and not self.next.spaced and self.ahead(2).text == ")":
            block = self.ahead().text
            if self.ahead().kind != "number" or not block.isdigit():
                return None
            self.place += 3
            return Num(repeating(text, block))
        if self.accept("command", "ldots"):
            found = _REPEATS.search(text)
            if found is None:
                raise Unreadable("digits that go on")
            block = found[1] or found[2]
            return Num(repeating(text[: len(text) - len(block)], block))
        return None

    def _marked_block(self) -> str:
        r"""The digits under a bar, or from a dot to a dot; empty where what is marked is no number."""
        start, block = self.place, ""
        while self.accept("command", "overline", "bar", "dot"):
            braced = self.accept("sign", "{")
            token = self.expect("number")
            if braced:
                self.expect("sign", "}")
            elif len(token.text) > 1:
                self._give_back(token, token.text[1:])
                token = token._replace(text=token.text[0])
            block += token.text
            if self.at("number") and self.ahead().text == "dot":
                block += self.take().text
        if not block.isdigit():
            self.place = start
            return ""
        return block

    def _mixed(self, whole: Node) -> Node:
        r"""A whole number with a fraction behind it, such as `1\frac{1}{2}` and `1 1/2`: their sum."""
        if not isinstance(whole, Num) or whole.value.denominator != 1 or not self.found[self.place - 1].text.isdigit():
            return whole
        start = self.place
        fraction = None
        if self.at("command", "frac"):
            self.take()
            fraction = self.command("frac")
        elif self.at("number") and self.next.spaced and self.ahead().text == "/" and self.ahead(2).kind == "number":
            fraction = Op("/", (self._number(self.take()), self._number(self._after_slash())))
        if fraction is not None:
            above, below = fraction.args if isinstance(fraction, Op) and fraction.name == "/" else (None, None)
            if isinstance(above, Num) and isinstance(below, Num) and 0 < above.value < below.value:
                return Op("+", (whole, fraction))
        self.place = start
        return whole

    def _after_slash(self) -> Token:
        self.take()
        return self.take()

    def _give_back(self, token: Token, rest: str) -> None:
        """Put the rest of a token before the next one."""
        self.found.insert(self.place, Token(token.kind, rest))

    def _in_base(self, digits: Num, index: str) -> Node:
        index = index.strip("()").lower().removeprefix("base").strip()
        base = int(index) if index.isdigit() and len(index) < 3 else names.number_word(index)
        text = str(digits.value) if digits.value.denominator == 1 else ""
        return in_base(text, base)

    def _index_text(self) -> str:
        """An index as text, in one spelling."""
        if not self.at("sign", "{"):
            token = self.take()
            if token.kind not in ("number", "letters", "roman", "text", "command"):
                raise Unreadable("an empty index")
            if token.kind == "letters" and len(token.text) > 1:
                self._give_back(token, token.text[1:])
                return token.text[0]
            return token.text
        close = self.closes_at(self.place)
        if close is None:
            raise Unreadable("an index is not closed")
        inside = self.found[self.place + 1 : close]
        self.place = close + 1
        return "".join(token.text for token in inside if token.text not in ("{", "}"))


def in_base(digits: str, base: int | None) -> Node:
    """A number written in a base from 2 to 36; `Unreadable` where a digit does not belong to the base."""
    if base is None or not 2 <= base <= 36 or not digits:
        raise Unreadable("a number with an index")
    try:
        value = int(digits, base)
    except ValueError as error:
        raise Unreadable("a digit that its base lacks") from error
    return number(value)


def repeating(text: str, block: str) -> Fraction:
    """The value of a decimal such as `0.1` whose digits go on with a block for ever."""
    places = len(text.partition(".")[2])
    return Fraction(text.rstrip(".") or "0") + Fraction(int(block), (10 ** len(block) - 1) * 10**places)
