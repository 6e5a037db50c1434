"""When paths hear each other: at every block, or in the phases of CPT, by how much new they still tell."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from leap_lab import checks
from leap_lab.errors import UserError

Phase = Literal["probe", "broadcast", "finish"]
WINDOW = 3  # blocks over which novelty is averaged


class Schedule(Protocol):
    """What follows each block of one group."""

    def after(self, new: int, interval: int) -> Phase:
        """The phase after a block at which so many `new` texts came; every path thought `interval` tokens for it.

        `probe`: nobody hears anything, and all think on. `broadcast`: all hear. `finish`: all go on alone.
        """
        ...


class EveryBlock:
    """All hear at every block, as in LeaP."""

    def after(self, new: int, interval: int) -> Phase:
        return "broadcast"


@dataclass
class Novelty:
    """CPT's phases (arXiv 2605.27030): probe, then broadcast, then finish.

    The novelty of block t is g_t = new texts / interval, and A_t the mean of the last three. From the fourth block on
    D_t = A_t / A_3 is what is left of it: below `start` the broadcast begins, below `stop` it ends. A block takes at
    most one step, so there is at least one broadcast. Where the first three blocks bring nothing new, D_t is 0.
    """

    start: float
    stop: float
    gains: list[float] = field(default_factory=list)
    phase: Phase = "probe"

    def after(self, new: int, interval: int) -> Phase:
        self.gains.append(new / interval)
        if len(self.gains) > WINDOW:
            left = self.left
            if self.phase == "probe" and left < self.start:
                self.phase = "broadcast"
            elif self.phase == "broadcast" and left < self.stop:
                self.phase = "finish"
        return self.phase

    @property
    def left(self) -> float:
        """D_t of the last block."""
        first, last = sum(self.gains[:WINDOW]), sum(self.gains[-WINDOW:])
        return last / first if first else 0.0


def check_novelty(start: float, stop: float) -> None:
    """`UserError` unless the two shares can be told apart."""
    checks.number("method.novelty_start", start, "a number > 0 and <= 1", 0, 1, open_at="least")
    checks.number("method.novelty_stop", stop, "a number >= 0 and <= 1", 0, 1)
    if stop > start:
        raise UserError(f"method.novelty_stop={stop}: must be <= method.novelty_start={start}")
