"""The one error a user is meant to read: a single line that names the key, the value and what is allowed."""

LONGEST = 80  # characters of a value in a message


class UserError(Exception):
    """Bad input. The command line prints it as one line and exits with a non-zero status."""


def brief(value: object, longest: int = LONGEST) -> str:
    """A value as part of a message: on one line, without control characters, cut where it is long."""
    text = " ".join(
        "".join(character if character.isprintable() else " " for character in str(value)[: 2 * longest]).split()
    )
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def one_line(error: BaseException | str, longest: int | None = None) -> str:
    """The message of an error on one line, cut to `longest` characters; the name of its class if it has none."""
    return " ".join(str(error).split())[:longest] or type(error).__name__
