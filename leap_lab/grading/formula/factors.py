"""Single factors: letters, words that mean functions, groups, and what commands take."""

import re

from leap_lab.grading.formula import names
from leap_lab.grading.formula.literals import Literals
from leap_lab.grading.formula.tokens import Token, Unreadable
from leap_lab.grading.formula.tree import Group, Name, Node, Op, number

_LOWER = re.compile(r"[a-z]{1,4}")
_CLUSTERS = ("abcd", "xyzwtuvkmn")  # variables that people write side by side


def looks_like_product(run: str) -> bool:
    """Whether plain letters side by side are a product of variables, such as `xy` and `abc`, and no word."""
    if not _LOWER.fullmatch(run):
        return False
    if any(set(run) <= set(cluster) for cluster in _CLUSTERS):
        return True
    return not set(run) & set("aeiouy")


class Factors(Literals):
    """The part of the parser that reads one factor."""

    def __init__(self, found: list[Token]) -> None:
        super().__init__(found)
        self.bars = 0  # open |
        self.arguments = 0  # of commands, inside which we are

    def answer(self) -> Node:
        """A list, a relation or an expression."""
        raise NotImplementedError

    def expression(self) -> Node:
        """A sum."""
        raise NotImplementedError

    def bracket(self) -> Node:
        """What stands in brackets."""
        raise NotImplementedError

    def environment(self) -> Node:
        r"""What stands between `\begin` and `\end`."""
        raise NotImplementedError

    def function_argument(self) -> Node:
        """What a function takes, in brackets or without."""
        raise NotImplementedError

    def argument(self) -> Node:
        """What a command takes, as in TeX: a group, or a single digit, letter or command."""
        if self.at("sign", "{"):
            self.arguments += 1
            try:
                return self.primary()
            finally:
                self.arguments -= 1
        if self.at("number"):
            token = self.take()
            if not token.text[:1].isdigit():
                raise Unreadable("a decimal point as an argument")
            if len(token.text) > 1:
                self._give_back(token, token.text[1:])
            return number(int(token.text[0]))
        if self.at("letters") and self.next.text not in names.WORDS and len(self.next.text) > 1:
            token = self.take()
            self._give_back(token, token.text[1:])
            return Name(token.text[0])
        return self.primary()

    def primary(self) -> Node:
        """A number, a name, a function with its argument, or a group."""
        self.enter()
        try:
            return self._primary()
        finally:
            self.leave()

    def _primary(self) -> Node:
        token = self.next
        if token.kind == "number":
            return self._mixed(self._number(self.take()))
        if token.kind == "letters":
            return self._letters()
        if token.kind == "roman":
            self.take()
            return self._word(token.text) if token.text in names.WORDS else Name(token.text)
        if token.kind == "text" and " " not in token.text and token.text in names.WORDS:
            self.take()
            return self._word(token.text)
        if token.kind == "command":
            self.take()
            return self.command(token.text)
        if token.kind == "sign" and token.text == "|":
            return self._between_bars()
        if token.kind == "sign" and token.text in ("(", "[", "{", "{.", "]"):
            return self.bracket()
        raise Unreadable(f"{token.text!r} where a value should be")

    def _between_bars(self) -> Node:
        self.take()
        self.bars, before = 1, self.bars
        inside = self.expression()
        self.expect("sign", "|")
        self.bars = before
        return Op("abs", (inside,))

    def _letters(self) -> Node:
        token = self.take()
        run = token.text
        if run in names.WORDS:
            return self._word(run)
        for function in names.FUNCTIONS | {"sqrt"}:
            if run.startswith(function) and len(run) == len(function) + 1:
                self._give_back(token, run[-1])
                return self._word(function)
        if len(run) > 3 and not looks_like_product(run):
            return Name(run)
        if len(run) > 1 and re.fullmatch("[fghFGHP]", run[0]) and self.at("sign", "("):
            raise Unreadable("letters before a bracket")
        first, rest = run[0], run[1:]
        if not rest and self.at("number") and self.next.text.isdigit() and not self.next.spaced:
            return Name(f"{first}_{self.take().text}")
        if rest:
            self._give_back(token, rest)
            return Name(first)
        return self._applied(Name(first))

    def _applied(self, name: Name) -> Node:
        """A name with what it is applied to, such as `f(x)`; a bracket with more than a name may be a factor."""
        if not self.at("sign", "(") or self.next.spaced:
            return name
        close = self.closes_at(self.place)
        if close is None or self.found[close].text != ")":
            return name
        inside = self.found[self.place + 1 : close]
        single = len(inside) == 1 and inside[0].kind in ("letters", "number", "command")
        if not single and name.name not in ("f", "g", "h"):
            return name
        if len(inside) == 0:
            raise Unreadable("empty brackets")
        group = self.bracket()
        arguments = group.items if isinstance(group, Group) else (group,)
        return Op("apply", (name, *arguments))

    def _word(self, run: str) -> Node:
        meaning = names.WORDS[run]
        if meaning == "log2":
            return Op("logb", (number(2), self.function_argument()))
        if meaning in ("abs", "floor", "ceil"):
            return Op(meaning, (self._bracketed(),))
        if meaning == "factorial":
            return Op("fact", (self._bracketed(),))
        return self.command(meaning)

    def _bracketed(self) -> Node:
        if not self.at("sign", "(", "{", "|"):
            raise Unreadable("a function without brackets")
        return self.primary()
