r"""A text as tokens, without the dress that changes nothing: colours, fonts, sizes, spacing, dollar signs.

`\text{...}` becomes one token where it holds words, and what stands in it where it holds a formula.
"""

import re
from typing import NamedTuple

from leap_lab.grading.formula import names
from leap_lab.grading.formula.signs import plain


class Token(NamedTuple):
    """A piece of a text.

    `kind` is number, letters, roman (one word in upright type), text (words), command (its name, no backslash), row
    (the end of a matrix row), currency, or sign.
    """

    kind: str
    text: str
    spaced: bool = False  # white space stands before it


class Unreadable(ValueError):
    """The text is no formula."""


class Foreign(Unreadable):
    """The text is a formula of a kind that only math-verify may know, such as an integral."""


DEEPEST = 60  # groups inside one another
_BETWEEN = (  # what may separate thousands
    r"(?:,(?:\\!)*|(?:\\!)+,(?:\\!)*|,\s?(?:\\!)+\s?|\{,\}(?:\\!)*|\{\\[,;:]\}|\\[,;:]|\\?\ |~|[\u00a0\u2009\u202f]"
    r"|\\thinspace\ ?)"
)
_AFTER_POINT = r"\s*(?:\\(?:overline|bar|dot)(?![a-z])|\([0-9]|[,;)\]}])"  # of `0.\overline{3}`, `0.(3)`, `(1., 2.)`
_LEXER = re.compile(
    rf"""(?P<row>\\\\(?:\s*\[-?[0-9.]+\s*[a-z]{{2}}\])?|\\(?:newline|cr|tabularnewline)(?![A-Za-z]))
    |(?P<thousands>(?<![0-9.])[0-9]{{1,3}}(?:{_BETWEEN}[0-9]{{3}})+
        (?![0-9]|,[0-9]|\{{,\}}[0-9]|\s*/)(?:\.[0-9]+)?)
    |(?P<number>[0-9]+\{{,\}}[0-9]+|[0-9]+(?:\.[0-9]+|\.(?={_AFTER_POINT}))?|\.[0-9]+)
    |(?P<dots>\.(?:\s?\.){{2,}}|\\[lcdi]?dots[bcimo]?(?![A-Za-z]))
    |(?P<space>(?:\s|~|\\[,;:!\s]|\\(?:quad|qquad|thinspace|medspace|thickspace|enspace|negthinspace)(?![A-Za-z]))+)
    |\\(?P<command>[A-Za-z]+)(?:\*(?=\s*\{{))?
    |\\(?P<escaped>.)
    |(?P<letters>[A-Za-z]+)
    |(?P<pair>\*\*|<=|>=|!=|==|&&|<>)
    |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_PAIRS = {"**": "^", "==": "=", "<>": "!=", "&&": "and"}
_UPRIGHT = (names.FUNCTIONS | {"gcd", "lcm", "arcsin", "arccos", "arctan"}) - {"sec", "sign", "arg", "Re", "Im"}
_SEPARATOR = re.compile(r"([,;]|\b(?:and|or)\b)")
_WORDS = re.compile(r"[A-Za-z]+")
_COMMANDS = re.compile(r"\\(?:[A-Za-z]+|.)")


def tokens(text: str, depth: int = 0) -> list[Token]:
    r"""The tokens of a text; `Unreadable` where a `\text{` or the like is never closed."""
    if depth > DEEPEST:
        raise Unreadable("too deep")
    source = text if depth else plain(text)
    found: list[Token] = []
    place, spaced = 0, False
    while match := _LEXER.match(source, place):
        kind, place = match.lastgroup or "", match.end()
        if kind == "space":
            spaced = True
            continue
        if kind == "command":
            place = _command(match["command"], source, place, spaced, found, depth)
        else:
            found.extend(_simple(kind, match, spaced))
        spaced = False
    return found if depth else _without_dollars(found)


def argument(source: str, place: int) -> tuple[str | None, int]:
    """What stands in the braces that open at this place, and the place after them; None where none open."""
    while source[place : place + 1].isspace():
        place += 1
    if source[place : place + 1] != "{":
        return None, place
    depth = 0
    for brace in _BRACE.finditer(source, place):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth == 0:
            return source[place + 1 : brace.start()], brace.end()
    raise Unreadable("a brace is not closed")


def _simple(kind: str, match: re.Match[str], spaced: bool) -> list[Token]:
    """The token of anything but a command."""
    value = match[0]
    if kind == "thousands":
        whole, dot, decimals = value.partition(".")
        bare = not whole.replace(",", "").isdigit()  # with bare commas it may be a list: the parser decides
        return [Token("number", _digits(whole) + dot + decimals if bare else value, spaced)]
    if kind == "number":
        return [Token("number", value.replace("{,}", "."), spaced)]
    if kind == "dots":
        return [Token("command", "ldots", spaced)]
    if kind == "pair":
        return [Token("sign", _PAIRS.get(value, value), spaced)]
    if kind == "escaped":
        value = names.ESCAPED.get(match["escaped"], match["escaped"])
        if value == "||":
            return [Token("sign", "|", spaced), Token("sign", "|")]
        kind = "currency" if value == "$" else "sign"
        return [Token(kind, value, spaced)] if value else []
    if kind == "sign":
        kind = "dollar" if value == "$" else "currency" if value in names.CURRENCIES else "sign"
    return [Token(kind, value, spaced)]


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isdigit())


def _command(name: str, source: str, place: int, spaced: bool, found: list[Token], depth: int) -> int:
    """Add the tokens of a command; where the source goes on after it."""
    if name in names.TEXTS:
        content, place = argument(source, place)
        if content is not None:
            found.extend(_text(name, content, spaced, depth))
        return place
    if name in names.WITH_ARGUMENTS:
        for _ in range(names.WITH_ARGUMENTS[name]):
            _, place = argument(source, place)
        return place
    if name in names.FONTS:
        return place + 1 if name in ("left", "right") and source.startswith(".", place) else place
    name = names.SAME.get(name, name)
    if name in ("||", "|"):
        found.extend(Token("sign", "|", spaced) for _ in name)
    elif name == "degree":
        found.extend([Token("sign", "^", spaced), Token("command", "circ")])
    elif name in names.CURRENCIES:
        found.append(Token("currency", name, spaced))
    elif not name.isalpha() or name in ("and", "or"):
        found.append(Token("sign", name, spaced))
    else:
        found.append(Token("letters" if name in ("i", "j") else "command", name, spaced))
    return place


def _text(name: str, content: str, spaced: bool, depth: int) -> list[Token]:
    r"""The tokens of `\text{content}`: one text where it holds words, a formula's otherwise."""
    inner = content.strip()
    spaced = spaced or inner != content
    if re.fullmatch(r"[A-Za-z]+", inner) and (name in ("mathrm", "operatorname") or len(inner) == 1):
        return [Token("roman", inner, spaced)]
    if inner in _UPRIGHT:
        return [Token("letters", inner, spaced)]
    plain_inner = inner.replace("$", " ").replace("\\ ", " ").replace("\\,", " ").replace("~", " ").replace("\\%", "%")
    has_words = any(len(word) > 1 for word in _WORDS.findall(plain_inner))
    if has_words and not _COMMANDS.search(plain_inner) and not _formula(plain_inner):
        return _listed(" ".join(plain_inner.split()), spaced)
    made = tokens(inner, depth + 1)
    if depth == 0:
        made = _without_dollars(made)
    return [made[0]._replace(spaced=spaced), *made[1:]] if made else []


def _listed(text: str, spaced: bool) -> list[Token]:
    """Words, in pieces where they are a list."""
    pieces = [piece.strip() for piece in _SEPARATOR.split(text)]
    kinds = {",": "sign", ";": "sign"}
    return [Token(kinds.get(piece, "text"), piece, spaced or place > 0) for place, piece in enumerate(pieces) if piece]


def _formula(text: str) -> bool:
    """Whether the words of an upright text belong to a formula with digits, such as `5 cm` or `x = 5 or x = 7`."""
    return any(sign.isdigit() or sign in "=<>" for sign in text)


def _without_dollars(found: list[Token]) -> list[Token]:
    """Without the dollar signs of `$...$`; of an odd number, the one before a number is a currency."""
    dollars = [index for index, token in enumerate(found) if token.kind == "dollar"]
    if len(dollars) % 2:
        for index in dollars:
            if index + 1 < len(found) and found[index + 1].kind == "number":
                found[index] = found[index]._replace(kind="currency")
                break
    made: list[Token] = []
    spaced = False
    for token in found:
        if token.kind == "dollar":
            spaced = spaced or token.spaced
        else:
            made.append(token._replace(spaced=token.spaced or spaced))
            spaced = False
    return made
