"""What a request chooses for itself, as a cell: composed and checked as a command line is."""

import re
import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from leap_lab.errors import UserError, brief
from leap_lab.settings import compose
from leap_lab.settings.arguments import Arguments, quoted
from leap_lab.settings.cell import Cell

CHOICE = re.compile(r"method|router|prompts")
VALUE = re.compile(r"peers|(method|router|sampling)(\.[a-z]\w*)+")
OWN = ("method", "router")  # choices whose keys on the command line are of that choice alone
MOST_CELLS = 256  # that are remembered


class Cells:
    """The cells of requests, made from the command line of the endpoint; `method.max_tokens` there is the most."""

    def __init__(self, base: Arguments, most_peers: int) -> None:
        self._base, self._most_peers = base, most_peers
        self._lock = threading.Lock()
        self._composed = lru_cache(MOST_CELLS)(self._compose)
        self.own = self.of({})
        if self.own.needs_reference:
            raise UserError("difficulty and prefix need a reference run on a dataset; an endpoint has none")

    def of(self, chosen: Mapping[str, Any]) -> Cell:
        """The cell of a request that chose these; `UserError` names the first that cannot be. Call it in a thread."""
        lines = tuple(_line(key, value) for key, value in chosen.items())
        with self._lock:  # Hydra composes one configuration at a time
            cell = self._composed(lines)
        if (peers := cell.config["peers"]) > self._most_peers:
            raise UserError(f"peers={peers}: must be at most {self._most_peers}, the serve.most_peers of this endpoint")
        return cell

    def _compose(self, lines: Sequence[str]) -> Cell:
        changed = {line.partition("=")[0] for line in lines} & {*OWN}
        base = [line for line in self._base.overrides if line.lstrip("+").partition(".")[0] not in changed]
        return compose.cell(Arguments((*base, *lines), search=self._base.search))


def _line(key: str, value: Any) -> str:
    """An override. A text stands for itself: what a client writes is never read as a setting of the machine."""
    if CHOICE.fullmatch(key):
        if not isinstance(value, str) or not re.fullmatch(r"\w+", value):
            raise UserError(f"{key}={brief(value)}: must be the name of a choice")
        return f"{key}={value}"
    if not VALUE.fullmatch(key):
        raise UserError(
            f"{brief(key)}: cannot be chosen by a request; allowed are method, router, prompts, peers, "
            "and keys of method, router and sampling"
        )
    if value is None or isinstance(value, bool):
        return f"{key}={ {None: 'null', True: 'true', False: 'false'}[value] }"
    if isinstance(value, int | float):
        return f"{key}={value}"
    if not isinstance(value, str) or "${" in value:
        raise UserError(f"{key}={brief(value)}: must be a number, true, false, null or text without ${{")
    return f"{key}={quoted(value)}"
