"""The process that computes; `leap_lab.grading.checker` starts this file and talks to it in lines of JSON.

It reads `[gold, answer, seconds]` and writes `true` or `false`. A comparison that takes more than its seconds of
processor time ends the process: the timers keep their default action, which stops even a computation in C.
"""

import json
import logging
import os
import resource
import signal
import sys
from importlib.util import find_spec
from pathlib import Path

MEMORY = 4 * 2**30  # bytes of address space: some answers would take all there is
WAITING = 10  # a comparison may last this many times its seconds on a busy machine


def main() -> None:
    """Say `ready`, then answer until the input ends."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    sys.stdout = sys.stderr  # whatever a library prints is no answer
    logging.disable(logging.CRITICAL)
    sys.path.append(str(Path(__file__).resolve().parents[2]))  # leap_lab, where it is not installed
    try:
        equal(r"\sqrt{2}", r"\sqrt{3}", 0)  # loads all that most comparisons load
        if find_spec("math_verify") is None:
            raise ImportError("No module named 'math_verify'")
    except ImportError as error:
        print(" ".join(str(error).split()), file=out, flush=True)
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print("ready", file=out, flush=True)
    for line in sys.stdin:
        print(json.dumps(equal(*json.loads(line))), file=out, flush=True)


def equal(gold: str, answer: str, seconds: float) -> bool:
    """Whether the two are equal; what nobody can read is equal to nothing."""
    from leap_lab.grading.equality import is_foreign, settle
    from leap_lab.grading.formula.agreement import Digits

    _limit(seconds)
    try:
        if (verdict := settle(answer, gold, Digits())) is not None:
            return verdict
        return is_foreign(answer, gold) and by_math_verify(gold, answer, seconds)
    except Exception:  # sympy raises whatever it likes
        return False
    finally:
        _limit(0)


def by_math_verify(gold: str, answer: str, seconds: float) -> bool:
    """Whether math-verify takes the two for equal. To load it takes about a second, once, which does not count."""
    _limit(0)
    from math_verify import LatexExtractionConfig, parse, verify

    _limit(seconds)
    latex = [LatexExtractionConfig(boxed_match_priority=-1)]
    sides = [  # the whole text is one formula: no looking for something readable inside it
        parse(formula(side), latex, extraction_mode="first_match", parsing_timeout=None) for side in (gold, answer)
    ]
    return all(sides) and bool(verify(*sides, float_rounding=15, numeric_precision=50, timeout_seconds=None))


def formula(text: str) -> str:
    """A text in dollar signs; math-verify wants a percent sign after them."""
    plain = text.replace("$", " ").strip()
    if plain.endswith("%"):
        return f"${plain[:-1].removesuffix(chr(92)).rstrip()}$ %"
    return f"${plain}$"


def _limit(seconds: float) -> None:
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, seconds * WAITING)


if __name__ == "__main__":
    main()
