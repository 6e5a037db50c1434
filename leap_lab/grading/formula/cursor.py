"""A place in a list of tokens."""

from leap_lab.grading.formula import names
from leap_lab.grading.formula.tokens import DEEPEST, Token, Unreadable

END = Token("end", "")
OPENING = {"(": ")", "[": "]", "{": "}", "{.": ".}"}
CLOSING = frozenset(OPENING.values())
_ENDING_SIGNS = frozenset([*",;:&|", "and", "or"])
_ENDING_COMMANDS = frozenset(["end", "pmod", "mod", "rangle", "rfloor", "rceil", "cup", "cap", "setminus"])
_ENDING_SIGNS = frozenset([*",;:&|", "and", "or"])
_ENDING_COMMANDS = frozenset(["end", "pmod", "mod", "rangle", "rfloor", "rceil", "cup", "cap", "setminus"])


class Cursor:
    """Reads tokens one after another."""

    def __init__(self, found: list[Token]) -> None:
        self.found = found
        self.place = 0
        self.depth = 0

    @property
    def next(self) -> Token:
        """The token that comes next; `END` after the last."""
        return self.found[self.place] if self.place < len(self.found) else END

    def ahead(self, count: int = 1) -> Token:
        """The token so many places after the next one."""
        place = self.place + count
        return self.found[place] if place < len(self.found) else END

    def take(self) -> Token:
        """The next token, which is then behind."""
        token = self.next
        self.place += 1
        return token

    def at(self, kind: str, *texts: str) -> bool:
        """Whether the next token is of this kind and has one of these texts."""
        return self.next.kind == kind and (not texts or self.next.text in texts)

    def accept(self, kind: str, *texts: str) -> Token | None:
        """Take the next token if it is such."""
        return self.take() if self.at(kind, *texts) else None

    def expect(self, kind: str, *texts: str) -> Token:
        """Take the next token, which must be such."""
        if not self.at(kind, *texts):
            raise Unreadable(f"{self.next.text!r} where {' or '.join(texts)} should be")
        return self.take()

    def enter(self) -> None:
        """Go one group deeper; `Unreadable` where that is too deep."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise Unreadable("too deep")

    def leave(self) -> None:
        """Leave a group."""
        self.depth -= 1

    def ends(self, token: Token) -> bool:
        """Whether a token ends an item of an answer: a separator, a relation, a closing bracket, the end."""
        if token.kind in ("end", "row"):
            return True
        if token.kind == "sign":
            return token.text in CLOSING or token.text in _ENDING_SIGNS or token.text in names.RELATIONS
        if token.kind == "command":
            return token.text in _ENDING_COMMANDS or token.text in names.RELATIONS
        return joins(token) is not None

    def closes_at(self, place: int) -> int | None:
        """Where the bracket that opens at this place is closed; any of `)` and `]` closes `(` and `[`."""
        braces = self.found[place].text == "{"  # which `]0,1[` does not concern
        opening, closing = ({"{"}, {"}"}) if braces else (OPENING.keys(), CLOSING)
        depth = 0
        for index in range(place, len(self.found)):
            kind, text, _ = self.found[index]
            if kind == "sign":
                depth += text in opening
                depth -= text in closing
                if depth == 0:
                    return index
        return None


def joins(token: Token) -> str | None:
    """`and` or `or` where a token joins two items in words."""
    if token.kind in ("letters", "roman", "text"):
        word = token.text.strip(" ,").lower()
        return word if word in ("and", "or") else None
    return token.text if token.kind == "sign" and token.text in ("and", "or") else None
