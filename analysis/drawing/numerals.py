"""Numbers as tables show them: shares, differences, counts, and p."""

import math

from ..measures.contrasts import Against
from ..stats.intervals import Estimate

UNITS = (("E", 1e18), ("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3))
COUNTS = "a/b/c: questions that gained, stayed the same, lost; worst: the largest loss of one."


def percent(share: Estimate) -> str:
    """A share in percent with its interval; n/a where there is nothing to count."""
    if share.value != share.value:
        return "n/a"
    return f"{100 * share.value:.1f} {_interval(share, '.1f')}"


def signed(difference: Estimate) -> str:
    """A difference of shares in points with its interval."""
    return f"{100 * difference.value:+.1f} {_interval(difference, '+.1f')}"


def number(found: Estimate, form: str = ".2f") -> str:
    """An estimate that is no share, with its interval."""
    if found.low is None or found.high is None:
        return f"{found.value:{form}} [n/a]"
    return f"{found.value:{form}} [{found.low:{form}}, {found.high:{form}}]"


def points(against: Against | None) -> str:
    """A difference in points with its interval, p and, where it is sure, the verdict."""
    if against is None:
        return "n/a"
    difference = signed(against.difference)
    p = "" if against.p is None else f" {p_value(against.p)}"
    return f"{difference}{p} {against.verdict}".rstrip()


def p_value(p: float) -> str:
    """To three digits."""
    return f"p={p:.3f}" if p >= 0.001 else "p<0.001"


def counted(against: Against | None, scale: float = 100, form: str = "+.1f") -> str:
    """`points`, and how many questions gained, stayed and lost, and the largest loss (see `COUNTS`)."""
    return "n/a" if against is None else f"{points(against)} {counts(against, scale, form)}"


def words(against: Against) -> str:
    """How many questions gained, stayed and lost, and the largest loss, in words."""
    told = f"{against.up} up, {against.same} same, {against.down} down"
    return f"{told}, the worst by {-100 * against.worst:.1f}" if against.down else told


def counts(against: Against, scale: float = 100, form: str = "+.1f") -> str:
    """How many questions gained, stayed and lost, and the largest loss of one, such as `15/8/1, worst -6.2`."""
    told = f"{against.up}/{against.same}/{against.down}"
    return f"{told}, worst {scale * against.worst:{form}}" if against.down else told


def _interval(value: Estimate, form: str) -> str:
    if value.low is None or value.high is None:
        return "[n/a]"
    return f"[{100 * value.low:{form}}, {100 * value.high:{form}}]"


def short(value: float | None) -> str:
    """A count to three digits, large ones with k, M, G, T, P or E; n/a where it is not known."""
    if value is None or value != value:
        return "n/a"
    for unit, size in UNITS:
        if abs(value) >= 0.9995 * size:
            scaled = value / size
            return f"{scaled:.{2 - int(math.log10(max(1.0, abs(scaled) * 1.0005)))}f}{unit}"
    return f"{value:.0f}"
