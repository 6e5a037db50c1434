"""The one error a user is meant to read: a single line that names the key, the value and what is allowed."""

LONGEST = 80  # characters of a value in a line


class UserError(Exception):
    """Bad input. The command line prints it as one line and exits with a non-zero status."""


def brief(value: object, longest: int = LONGEST) -> str:
    """A value as part of a line: on one line, no control characters, cut where it is long."""
    text = " ".join("".join(sign if sign.isprintable() else " " for sign in str(value)[: 2 * longest]).split())
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def one_line(error: BaseException | str, longest: int | None = None) -> str:
    """What an error says, on one line and cut to `longest` characters; the name of its class where it says nothing."""
    return " ".join(str(error).split())[:longest] or type(error).__name__
