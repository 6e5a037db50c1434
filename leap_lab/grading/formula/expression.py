"""Sums, products, powers and functions out of tokens, in LaTeX or as people type them."""

from leap_lab.grading.formula import names, units
from leap_lab.grading.formula.factors import Factors, looks_like_product
from leap_lab.grading.formula.tokens import Token, Unreadable
from leap_lab.grading.formula.tree import Matrix, Name, Node, Num, Op, Text

_NO_FACTORS = frozenset(["ldots", "to", "pm", "mp", "over", "choose", "div", "times", "cdot"])
_ROMAN_NAMES = frozenset(["e", "i", "d", "j"])
_TIGHT_UNITS = frozenset(["cm", "mm", "km", "kg", "ft"])  # that may touch their number though they look like a product


class Expressions(Factors):
    """The part of the parser that knows no lists and no relations."""

    def __init__(self, found: list[Token], with_units: bool = True) -> None:
        super().__init__(found)
        self.with_units = with_units
        self.guessed_units = False  # whether plain letters were taken for a unit
        self.reversed = False  # inside ]a, b[

    def expression(self) -> Node:
        """A sum."""
        parts = [self.term()]
        while self.at("sign", "+", "-") or self.at("command", "pm", "mp"):
            sign = self.take().text
            part = self.term()
            if sign in ("pm", "mp"):
                parts = [Op(sign, (_sum(parts), part))]
            else:
                parts.append(Op("neg", (part,)) if sign == "-" else part)
        return _sum(parts)

    def term(self) -> Node:
        """A product with its sign."""
        if sign := self.accept("sign", "-", "+"):
            if self.at("sign", "-", "+") and not self.next.spaced:
                raise Unreadable("two signs")  # a dash in TeX, or a slip
            inner = self.term()
            return Op("neg", (inner,)) if sign.text == "-" else inner
        if sign := self.accept("command", "pm", "mp"):
            return Op(sign.text, (self.term(),))
        start = self.place
        factors = [self.power()]
        while True:
            if self.at("sign", "*") or self.at("command", "times", "cdot") or self._scientific():
                self.take()
                factors.append(self._signed_power())
            elif self.at("sign", "/") or self.at("command", "div"):
                self.take()
                factors = [Op("/", (_product(factors), self._signed_power()))]
            elif self.at("command", "over", "choose") or not self._goes_on(start):
                return _product(factors)
            else:
                factors.append(self.power())

    def _signed_power(self) -> Node:
        if self.accept("sign", "-"):
            return Op("neg", (self._signed_power(),))
        self.accept("sign", "+")
        return self.power()

    def _scientific(self) -> bool:
        """Whether the next token is the x of `6 x 10^23`."""
        before = self.found[self.place - 1] if self.place else None
        after, power = self.ahead(), self.ahead(2)
        return (
            self.at("letters", "x", "X")
            and before is not None
            and before.kind == "number"
            and (after.kind, after.text, power.text) == ("number", "10", "^")
        )

    def _goes_on(self, start: int) -> bool:
        """Whether another factor follows without a sign."""
        token = self.next
        if token.kind == "number":
            before = self.found[self.place - 1]
            if before.kind in ("number", "letters", "roman"):
                raise Unreadable("two numbers side by side")
            return True
        if token.kind == "command":
            return token.text not in _NO_FACTORS and not self.ends(token)
        if token.kind == "sign":
            if token.text == "|":
                return self.bars == 0
            if token.text == "(" and self.ahead().text == "mod":
                return False
            return token.text in ("(", "{", "{.") or (token.text == "[" and not self.reversed)
        if token.kind == "letters":
            return not self.ends(token) and not self._is_unit(token, start)
        return token.kind == "roman" and not self.ends(token) and self._is_math_roman(token, start)

    def _is_math_roman(self, token: Token, start: int) -> bool:
        """Whether upright letters are a function, a constant or a symbol among symbols, not a unit."""
        if token.text in names.WORDS or token.text in _ROMAN_NAMES or not self.with_units:
            return True
        return len(token.text) == 1 and any(
            part.kind in ("letters", "roman") for part in self.found[start : self.place]
        )

    def _is_unit(self, token: Token, start: int) -> bool:
        """Whether plain letters behind a number are a unit."""
        word = token.text
        if not self.with_units or (word in names.WORDS and not (word == "min" and self.ahead().text != "(")):
            return False
        before = self.found[start : self.place]
        if any(part.kind == "letters" and part.text not in names.WORDS for part in before):
            return False
        if len(word) == 1:
            is_unit = word in units.SINGLE and token.spaced and self._unit_ends_well()
        elif units.known(word):
            is_unit = token.spaced or word in _TIGHT_UNITS or not looks_like_product(word)
        else:
            is_unit = len(word) >= 4 or (token.spaced and not looks_like_product(word))
        self.guessed_units |= is_unit
        return is_unit

    def _unit_ends_well(self) -> bool:
        """Whether only a unit's signs follow a single letter."""
        token = self.ahead()
        if self.ends(token) or token.text in ("/", "^"):
            return True
        return token.kind in ("letters", "text", "roman") and units.known(token.text)

    def power(self) -> Node:
        """A factor with its exponents, indices, factorials and degrees."""
        base = self.primary()
        while True:
            if self.at("sign", "^"):
                base = self._raised(base)
            elif self.at("sign", "_"):
                base = self._indexed(base)
            elif self.at("sign", "!") or (self.at("sign", "!=") and not self.next.spaced and isinstance(base, Num)):
                base = self._factorial(base)
            elif self.at("sign", "%"):
                self.take()
                base = Op("pct", (base,))
            elif self.at("sign", "'") and isinstance(base, Name):
                self.take()
                base = Name(base.name + "'")
            else:
                return base

    def _factorial(self, base: Node) -> Node:
        if self.at("sign", "!="):
            self.found[self.place] = Token("sign", "=")
            return Op("fact", (base,))
        self.take()
        if self.at("sign", "!") and not self.next.spaced:
            self.take()
            return Op("dfact", (base,))
        return Op("fact", (base,))

    def _raised(self, base: Node) -> Node:
        self.take()
        if self._accept_alone("command", "circ") or self._accept_alone("sign", "°"):
            return Op("deg", (base,))
        if isinstance(base, Num) and self._accept_ordinal():
            return base
        if isinstance(base, Matrix) and (self._accept_alone("letters", "T", "t") or self._accept_alone("command", "T")):
            return Op("transpose", (base,))
        if self._accept_alone("sign", "*") or self._accept_alone("sign", "+"):
            raise Unreadable("a star or a plus as exponent")
        if self._accept_alone("sign", "'") and isinstance(base, Name):
            return Name(base.name + "'")
        exponent = self.exponent()
        if self.at("sign", "^"):
            exponent = self._raised(exponent)
        return Op("^", (base, exponent))

    def exponent(self) -> Node:
        """What is raised: one argument with its sign; a number is taken whole."""
        if self.accept("sign", "-"):
            return Op("neg", (self.exponent(),))
        self.accept("sign", "+")
        if self.at("number"):
            return self._number(self.take())
        return self.primary() if self.at("sign", "(") else self.argument()

    def _accept_alone(self, kind: str, *texts: str) -> bool:
        """Take a token of these, or one in braces of its own."""
        if self.accept(kind, *texts):
            return True
        ahead = self.ahead()
        if self.at("sign", "{") and ahead.kind == kind and ahead.text in texts and self.ahead(2).text == "}":
            self.place += 3
            return True
        return False

    def _accept_ordinal(self) -> bool:
        endings = ("st", "nd", "rd", "th")
        return any(self._accept_alone(kind, *endings) for kind in ("letters", "roman", "text"))

    def _indexed(self, base: Node) -> Node:
        self.take()
        index = self._index_text()
        if isinstance(base, Name):
            return Name(f"{base.name}_{index}")
        if isinstance(base, Text):
            return Name(f"{base.words}_{index}")
        if isinstance(base, Num):
            return self._in_base(base, index)
        raise Unreadable("an index without a name")


def _sum(parts: list[Node]) -> Node:
    return parts[0] if len(parts) == 1 else Op("+", tuple(parts))


def _product(factors: list[Node]) -> Node:
    return factors[0] if len(factors) == 1 else Op("*", tuple(factors))
