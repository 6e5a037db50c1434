"""Commands and functions with their arguments."""

from leap_lab.grading.formula import names
from leap_lab.grading.formula.expression import Expressions
from leap_lab.grading.formula.tokens import Foreign, Token, Unreadable
from leap_lab.grading.formula.tree import Group, Name, Node, Num, Op, Text, number

SINGLE_NAMES = frozenset(["pi", "infty", "emptyset", "Reals"])
LEFT_RIGHT = {"lfloor": ("rfloor", "floor"), "lceil": ("rceil", "ceil")}


class Commands(Expressions):
    """The part of the parser that knows what commands take."""

    def command(self, name: str) -> Node:
        if name in SINGLE_NAMES or name in names.GREEK:
            return Name(name)
        if name in names.FUNCTIONS:
            return self._function(name)
        if name in LEFT_RIGHT:
            close, meaning = LEFT_RIGHT[name]
            inside = self.expression()
            self.expect("command", close)
            return Op(meaning, (inside,))
        if name in names.OF_SEVERAL:
            return self._of_several(name)
        if name in names.MARKS:
            marked = self._marked()
            segment = marked.isalpha() and marked.isupper() and name in ("overline", "vec") and len(marked) > 1
            return Text(marked) if segment else Name(f"{name} {marked}")
        if name == "ang":
            return Op("deg", (self.argument(),))
        reader = getattr(self, f"_{name}", None) if name in READERS else None
        if reader is None:
            raise (Foreign if name in names.FOREIGN else Unreadable)(f"the command {name}")
        node: Node = reader()
        return node

    def _frac(self) -> Node:
        return Op("/", (self.argument(), self.argument()))

    def _binom(self) -> Node:
        if self.at("sign", "("):
            group = self.bracket()
            if isinstance(group, Group) and len(group.items) == 2:
                return Op("binom", group.items)
            raise Unreadable("a binomial of other than two")
        return Op("binom", (self.argument(), self.argument()))

    def _sqrt(self) -> Node:
        if self.at("sign", "["):
            close = self.closes_at(self.place)
            if close is None:
                raise Unreadable("a root is not closed")
            self.take()
            degree = self.expression()
            self.expect("sign", "]")
            return Op("root", (degree, self.argument()))
        typed = self.found[self.place - 1].kind == "letters"  # `sqrt 23`, without a backslash
        if typed and self.at("number"):
            return Op("sqrt", (self._number(self.take()),))
        return Op("sqrt", (self.argument(),))

    def _radic(self) -> Node:
        return Op("sqrt", (self._whole_argument(),))

    def _cuberoot(self) -> Node:
        return Op("root", (number(3), self._whole_argument()))

    def _fourthroot(self) -> Node:
        return Op("root", (number(4), self._whole_argument()))

    def _whole_argument(self) -> Node:
        """What a root sign that is typed stands before: a whole number, a letter or a group."""
        return self._number(self.take()) if self.at("number") else self.argument()

    def _mathbb(self) -> Node:
        letter = self._only_letter()
        known = names.SET_NAMES.get(letter)
        if known is None:
            return Name(f"mathbb {letter}")
        mark = ""
        while self.at("sign", "^", "_"):
            self.take()
            mark += self._index_text()
        if mark.isdigit():
            raise Foreign("a power of a set of numbers")
        return Name(known + mark)

    def _only_letter(self) -> str:
        braced = self.accept("sign", "{")
        token = self.expect("letters")
        if braced:
            self.expect("sign", "}")
        return token.text

    def _langle(self) -> Node:
        inside = self.answer()
        self.expect("command", "rangle")
        items = inside.items if isinstance(inside, Group) and not inside.open else (inside,)
        return Group("(", items, ")")

    def _begin(self) -> Node:
        return self.environment()

    def _sum(self) -> Node:
        return self._of_a_range("sum")

    def _prod(self) -> Node:
        return self._of_a_range("prod")

    def _of_a_range(self, name: str) -> Node:
        """A sum or product from a first to a last value of an index."""
        first = last = None
        for _ in range(2):
            if self.accept("sign", "_"):
                self.expect("sign", "{")
                index = self._letters()
                self.expect("sign", "=")
                first = (index, self.expression())
                self.expect("sign", "}")
            elif self.accept("sign", "^"):
                last = self.argument() if not self.at("number") else self._number(self.take())
        if first is None or last is None or not isinstance(first[0], Name) or last == Name("infty"):
            raise Foreign(f"a {name} without a range")
        return Op(name, (first[0], first[1], last, self.term()))

    def _function(self, name: str) -> Node:
        power: Node | None = None
        base: Node | None = None
        while self.at("sign", "^", "_"):
            if self.take().text == "^":
                power = self.exponent()
            else:
                base = self._log_base() if name == "log" else self._refused_index()
        typed = self.at("number", "2", "10") and not self.next.spaced and self.ahead().text == "("
        if name == "log" and base is None and typed:  # log2(8)
            base = self._number(self.take())
        if power == Op("neg", (number(1),)) and name in names.INVERSE:
            name, power = names.INVERSE[name], None
        argument = self.function_argument()
        made = Op("logb", (base, argument)) if base is not None else Op(name, (argument,))
        return Op("^", (made, power)) if power is not None else made

    def _refused_index(self) -> Node:
        raise Unreadable("a function with an index")

    def _log_base(self) -> Node:
        r"""The base of a logarithm: in `\log_23` the 2, in `\log_10 100` the 10."""
        more = not self.ends(self.ahead()) and self.ahead().text not in ("+", "-", "*", "/")
        if self.at("number") and len(self.next.text) > 1 and more:
            return self._number(self.take())
        return self.argument()

    def function_argument(self) -> Node:
        """One in brackets, or factors up to the next sign or function."""
        if self.at("sign", "(", "{", "["):
            argument = self.primary()
            if isinstance(argument, Group):
                raise Unreadable("a function of several arguments")
            if self.found[self.place - 1].text == "}" and not self.at("sign", "("):
                return self._postfix(argument)
            return argument
        if self.accept("sign", "-"):
            return Op("neg", (self.function_argument(),))
        start = self.place
        factors = [self.power()]
        while not self.at("sign", "(") and not self._at_function() and self._goes_on(start):
            factors.append(self.power())
        inside: Node = factors[0] if len(factors) == 1 else Op("*", tuple(factors))
        if self.at("sign", "/") and self.ahead().kind == "number" and _constant_angle(factors):
            self.take()
            inside = Op("/", (inside, self._number(self.take())))
        return inside

    def _at_function(self) -> bool:
        return self.next.kind in ("command", "letters") and self.next.text in names.FUNCTIONS

    def _postfix(self, base: Node) -> Node:
        while self.at("sign", "^") and (self.ahead().text == "circ" or self.ahead(2).text == "circ"):
            base = self._raised(base)
        return base

    def _of_several(self, name: str) -> Node:
        if not self.at("sign", "(", "{", "{."):
            raise Unreadable(f"{name} without brackets")
        group = self.bracket()
        items = group.items if isinstance(group, Group) else (group,)
        return Op(name, items)

    def _marked(self) -> str:
        """What stands under a mark such as an arrow, as text."""
        if self.at("sign", "{"):
            return self._index_text()
        token: Token = self.take()
        if token.kind not in ("letters", "roman", "command", "number"):
            raise Unreadable("a mark over nothing")
        return token.text


READERS = frozenset(
    ["frac", "binom", "sqrt", "radic", "cuberoot", "fourthroot", "mathbb", "langle", "begin", "sum", "prod"]
)


def _constant_angle(factors: list[Node]) -> bool:
    return all(isinstance(factor, Num) or factor == Name("pi") for factor in factors) and Name("pi") in factors
