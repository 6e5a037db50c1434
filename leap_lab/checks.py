"""Checks of single settings: a `UserError` names the key, the value and what is allowed."""

import sys
from collections.abc import Collection
from typing import Any

from leap_lab.errors import UserError, brief

LARGEST = sys.float_info.max


def integer(key: str, value: Any, least: int = 0, most: int | None = None, optional: bool = False) -> None:
    """An integer from `least` to `most` (None: no bound); with `optional` also null."""
    if value is None and optional:
        return
    if isinstance(value, bool) or not isinstance(value, int) or value < least or (most is not None and value > most):
        bounds = f">= {least}" if most is None else f"from {least} to {most}"
        raise UserError(f"{key}={shown(value)}: must be an integer {bounds}{' or null' if optional else ''}")


def number(key: str, value: Any, allowed: str, least: float, most: float = LARGEST, open_at: str = "") -> None:
    """A finite number from `least` to `most`; a bound named in `open_at` ("least", "most") is itself excluded."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not least <= value <= most
        or ("least" in open_at and value == least)
        or ("most" in open_at and value == most)
    ):
        raise UserError(f"{key}={shown(value)}: must be {allowed}")


def boolean(key: str, value: Any) -> None:
    """True or false."""
    if not isinstance(value, bool):
        raise UserError(f"{key}={shown(value)}: must be true or false")


def text(key: str, value: Any, allowed: str) -> None:
    """Text that is not empty."""
    if not isinstance(value, str) or not value:
        raise UserError(f"{key}={shown(value)}: must be {allowed}")


def texts(key: str, value: Any) -> None:
    """A list of texts or whole numbers, each once, or null."""
    if value is None:
        return
    whole = isinstance(value, list) and all(
        isinstance(each, str | int) and not isinstance(each, bool) for each in value
    )
    if not whole or not value or len({str(each) for each in value}) < len(value):
        raise UserError(f"{key}={shown(value)}: must be a list of different ids, as in {key}=[a,b], or null")


def one_of(key: str, value: Any, allowed: Collection[str]) -> None:
    """One of these words."""
    if value not in allowed:
        raise UserError(f"{key}={shown(value)}: must be {' or '.join(allowed)}")


def shown(value: Any) -> str:
    """A value as a user would write it on the command line."""
    return "null" if value is None else brief(value)
