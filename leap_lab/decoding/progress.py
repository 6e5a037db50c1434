"""Progress of a run on the console: a bar in a terminal, plain lines at intervals in a log file."""

import sys
import time
from collections.abc import Callable
from typing import Protocol, TextIO

from tqdm import tqdm

LINE_SECONDS = 5.0  # at least, between plain lines


class Progress:
    """Counts finished groups and shows questions done, tokens per second, Pass@1 so far and the time left.

    `questions` and `groups` are the totals of the run; `done` of its groups existed before. Tokens are sampled
    tokens. The rate and the time left depend on what is decoded now, not on what was found.
    """

    def __init__(
        self,
        questions: int,
        groups: int,
        done: int = 0,
        label: str = "",
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._questions, self._groups, self._found, self._done = questions, groups, done, done
        self._tokens = self._correct = self._paths = 0
        self._label, self._clock, self._started = label, clock, clock()
        out = stream or sys.stderr
        self._view: _View = _Bar(self.fraction, out) if out.isatty() else _Lines(out, clock)

    def close(self) -> None:
        """Show the final state, whatever ended the run."""
        self._view.close(self._text(), self._time_left)

    def update(self, *, groups: int = 1, tokens: int = 0, correct: int = 0, paths: int = 0) -> None:
        """Add finished groups, with their sampled tokens, right answers and paths."""
        self._done += groups
        self._tokens += tokens
        self._correct += correct
        self._paths += paths
        self._view.show(self.fraction, self._text(), self._time_left)

    @property
    def fraction(self) -> float:
        """Share of the groups that are done; 1 when there are none."""
        return self._done / self._groups if self._groups else 1.0

    @property
    def tokens_per_second(self) -> float:
        """Sampled tokens per second since the start."""
        return self._tokens / max(self._clock() - self._started, 1e-9)

    @property
    def pass1(self) -> float | None:
        """Share of right paths so far, None before the first."""
        return self._correct / self._paths if self._paths else None

    @property
    def _time_left(self) -> float | None:
        """Seconds, None before the first group."""
        now = self._done - self._found
        return (self._clock() - self._started) / now * (self._groups - self._done) if now else None

    def _text(self) -> str:
        pass1 = "-" if self.pass1 is None else f"{self.pass1:.1%}"
        questions = f"{int(self.fraction * self._questions + 1e-9)}/{self._questions} questions"
        return f"{self._label}{questions}, {self.tokens_per_second:,.0f} tokens/s, Pass@1 {pass1}"


class _View(Protocol):
    def show(self, fraction: float, text: str, time_left: float | None) -> None: ...

    def close(self, text: str, time_left: float | None) -> None: ...


class _Bar:
    def __init__(self, fraction: float, stream: TextIO) -> None:
        layout = "{percentage:3.0f}%|{bar:24}| {desc}"
        self._bar = tqdm(total=1.0, initial=fraction, file=stream, bar_format=layout, dynamic_ncols=True)

    def show(self, fraction: float, text: str, time_left: float | None) -> None:
        self._bar.set_description_str(_with_time(text, time_left), refresh=False)
        self._bar.update(fraction - self._bar.n)

    def close(self, text: str, time_left: float | None) -> None:
        self._bar.set_description_str(_with_time(text, time_left))
        self._bar.close()


class _Lines:
    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        self._stream, self._clock, self._last, self._printed = (stream, clock, clock(), "")

    def show(self, fraction: float, text: str, time_left: float | None) -> None:
        if self._clock() - self._last >= LINE_SECONDS:
            self._print(_with_time(text, time_left))

    def close(self, text: str, time_left: float | None) -> None:
        if _with_time(text, time_left) != self._printed:
            self._print(_with_time(text, time_left))

    def _print(self, line: str) -> None:
        print(line, file=self._stream, flush=True)
        self._last, self._printed = self._clock(), line


def _with_time(text: str, time_left: float | None) -> str:
    return text if time_left is None else f"{text}, {tqdm.format_interval(time_left)} left"
