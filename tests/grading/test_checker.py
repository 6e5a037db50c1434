"""The process that computes: it can be stopped, it can die, and it is asked again."""

import concurrent.futures
import os
import pathlib
import signal

import pytest

from leap_lab.grading.checker import WORKER, Checker


@pytest.fixture
def checker():
    checker = Checker(seconds=1.0)
    assert checker.equal(r"\frac{1}{2}", "0.5")
    yield checker
    checker.close()


def workers():
    """Process ids of the workers of this process."""
    running = set()
    for status in pathlib.Path("/proc").glob("[0-9]*/status"):
        try:
            ours = f"PPid:\t{os.getpid()}\n" in status.read_text()
            if ours and str(WORKER).encode() in status.with_name("cmdline").read_bytes():
                running.add(int(status.parent.name))
        except OSError:
            continue
    return running


NEVER_ENDS = [r"\int_0^1 9^{9^{9^9}} dx", r"\sum_{k=1}^{99999} \sum_{n=1}^{99999} \sqrt{k n}"]


@pytest.mark.parametrize("hostile", ["9^{9^{9^9}}", "25!!", "(" * 2_000 + ")" * 2_000, *NEVER_ENDS])
def test_a_comparison_that_never_ends_is_not_equal_and_the_next_one_works(checker, hostile):
    assert not checker.equal(hostile, "5")
    assert checker.equal(r"\frac{1}{4}", "0.25")


def test_a_worker_that_was_killed_from_outside_is_asked_again():
    others = workers()
    checker = Checker()
    assert checker.equal("x+1", "1+x")
    (worker,) = workers() - others
    os.kill(worker, signal.SIGKILL)
    assert checker.equal("x+1", "1+x")
    checker.close()
    assert workers() <= others


def test_a_reply_that_nobody_waited_for_meets_no_other_question(checker):
    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with pytest.raises(KeyboardInterrupt):
            checker.equal(NEVER_ENDS[1], "5")
    finally:
        signal.signal(signal.SIGALRM, before)
    assert checker.equal("x+1", "1+x")


def test_many_threads_can_ask_at_once(checker):
    cases = [("x+1", "1+x", True), ("x+1", "2x+1", False)] * 8
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda case: checker.equal(*case[:2]), cases))
    assert replies == [case[2] for case in cases]
