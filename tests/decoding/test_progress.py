"""Progress on a terminal and in a log."""

import io
from contextlib import closing

import pytest

from leap_lab.decoding.progress import Progress


class Clock:
    """Time that goes on when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_progress_in_a_log_is_a_line_now_and_then_and_a_last_one() -> None:
    out, clock = io.StringIO(), Clock()
    with closing(Progress(questions=3, groups=6, done=2, label="leap: ", stream=out, clock=clock)) as progress:
        for _ in range(4):
            clock.now += 3
            progress.update(tokens=600, correct=1, paths=4)
    assert out.getvalue().splitlines() == [
        "leap: 2/3 questions, 200 tokens/s, Pass@1 25.0%, 00:06 left",
        "leap: 3/3 questions, 200 tokens/s, Pass@1 25.0%, 00:00 left",
    ]
    assert (progress.tokens_per_second, progress.pass1, progress.fraction) == (200.0, 0.25, 1.0)


def test_progress_without_a_group_says_how_it_stands_and_guesses_nothing() -> None:
    out = io.StringIO()
    with closing(Progress(questions=2, groups=2, done=2, stream=out, clock=Clock())):
        pass
    assert out.getvalue() == "2/2 questions, 0 tokens/s, Pass@1 -\n"
    with closing(Progress(questions=0, groups=0, stream=out, clock=Clock())) as nothing:
        assert nothing.fraction == 1.0


def interrupted(progress: Progress, clock: Clock) -> None:
    with closing(progress):
        clock.now += 1
        progress.update(tokens=10, correct=1, paths=1)
        raise KeyboardInterrupt


def test_an_interrupted_run_still_gets_its_last_line() -> None:
    out, clock = io.StringIO(), Clock()
    with pytest.raises(KeyboardInterrupt):
        interrupted(Progress(questions=2, groups=2, stream=out, clock=clock), clock)
    assert out.getvalue() == "1/2 questions, 10 tokens/s, Pass@1 100.0%, 00:01 left\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_on_a_terminal_is_a_bar() -> None:
    out, clock = Terminal(), Clock()
    with closing(Progress(questions=4, groups=4, stream=out, clock=clock)) as progress:
        for _ in range(4):
            clock.now += 1
            progress.update(tokens=100, correct=1, paths=2)
    last = out.getvalue().split("\r")[-1]
    assert last.startswith("100%|")
    assert last.rstrip().endswith("4/4 questions, 100 tokens/s, Pass@1 50.0%, 00:00 left")
