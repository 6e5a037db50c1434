"""The process that asks math-verify; `leap_lab.grading.checker` starts this file and talks to it in lines of JSON.

It reads `[gold, answer, seconds]` and writes `true` or `false`. A comparison that takes more than its seconds of
processor time ends the process: the timers keep their default action, which stops even a computation in C.
"""

import json
import logging
import os
import resource
import signal
import sys

MEMORY = 4 * 2**30  # bytes of address space: `25!!` would take all there is
WAITING = 10  # a comparison may last this many times its seconds on a busy machine


def main() -> None:
    """Say `ready`, then answer until the input ends."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    sys.stdout = sys.stderr  # whatever a library prints is no answer
    logging.disable(logging.CRITICAL)
    try:
        equal(r"\frac{1}{2}", "x^2", 0)  # loads all that the first comparison loads
    except ImportError as error:
        print(" ".join(str(error).split()), file=out, flush=True)
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print("ready", file=out, flush=True)
    for line in sys.stdin:
        print(json.dumps(equal(*json.loads(line))), file=out, flush=True)


def equal(gold: str, answer: str, seconds: float) -> bool:
    """Whether math-verify takes the two for equal; what it cannot read is equal to nothing."""
    from math_verify import LatexExtractionConfig, parse, verify

    latex = [LatexExtractionConfig(boxed_match_priority=-1)]
    _limit(seconds)
    try:  # the whole text is one formula: no looking for something readable inside it
        sides = [
            parse(_formula(side), latex, extraction_mode="first_match", parsing_timeout=None) for side in (gold, answer)
        ]
        return all(sides) and bool(verify(*sides, timeout_seconds=None))
    except Exception:  # sympy raises whatever it likes
        return False
    finally:
        _limit(0)


def _formula(text: str) -> str:
    """In dollar signs; math-verify wants a percent sign after them."""
    if text.endswith("%"):
        return f"${text[:-1].removesuffix(chr(92)).rstrip()}$ %"
    return f"${text}$"


def _limit(seconds: float) -> None:
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, seconds * WAITING)


if __name__ == "__main__":
    main()
