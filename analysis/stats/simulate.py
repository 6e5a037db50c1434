"""How often a verdict is wrong: ways to tell two methods apart, tried on questions of which the true mean is known.

`python -m analysis.stats.simulate` prints the tables of docs/statistics.md. Every case gives differences within [-1, 1]
between two methods, a number per question, with a true mean of 0 (or, in the last case, of 10 points). The size of a
test is how often it says better or worse where the mean is 0; the coverage of an interval how often it holds the mean.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from leap_lab import console

from .bounded import ALPHA, Support
from .intervals import DIFFERENCE, ENOUGH, Floats, differing, levels

SIZES = (10, 16, 24, 30, 60, 120)
SETS, BATCH, DRAWS = 4000, 500, 2000
LARGEST_SIZE, LEAST_COVERAGE = 0.06, 0.93  # what a method has to keep in every case to be relied on
Rng = np.random.Generator


@dataclass(frozen=True)
class Case:
    """Questions: `draw` gives sets of differences, shape (sets, questions)."""

    words: str
    draw: Callable[[Rng, tuple[int, int]], Floats]
    mean: float = 0.0


@dataclass(frozen=True)
class Said:
    """What a method says of S sets: 1 better, -1 worse, 0 nothing; and its intervals, where it has any."""

    sign_S: NDArray[np.int64]
    low_S: Floats | None = None
    high_S: Floats | None = None


def mixture(*parts: tuple[float, float]) -> Callable[[Rng, tuple[int, int]], Floats]:
    """Differences of these shares and values; all others are 0."""
    shares, values = zip(*parts, strict=True)
    return lambda rng, shape: rng.choice([*values, 0.0], shape, p=[*shares, 1 - sum(shares)])


def paths(count: int, gain: float = 0.0) -> Callable[[Rng, tuple[int, int]], Floats]:
    """Pass@1 of so many paths, each right more often by `gain`, minus that of as many others, question by question."""

    def draw(rng: Rng, shape: tuple[int, int]) -> Floats:
        solved = (1 - gain) * rng.beta(0.7, 0.6, shape)
        return np.asarray((rng.binomial(count, solved + gain, shape) - rng.binomial(count, solved, shape)) / count)

    return draw


CASES = (
    Case("alike: normal, 15 points", lambda rng, shape: np.clip(rng.normal(0, 0.15, shape), -1, 1)),
    Case("rare large harm: 5% lose 90, 45% gain 10", mixture((0.05, -0.9), (0.45, 0.1))),
    Case("rarer harm: 2% lose 90, 18% gain 10", mixture((0.02, -0.9), (0.18, 0.1))),
    Case("harm: 10% lose 60, 30% gain 20", mixture((0.1, -0.6), (0.3, 0.2))),
    Case("skewed: 10 minus an exponential", lambda rng, shape: np.clip(0.1 - rng.exponential(0.1, shape), -1, 1)),
    Case("few paths: 4 against 4", paths(4)),
    Case("many paths: 16 against 16", paths(16)),
    Case("votes: 10% won, 10% lost", mixture((0.1, 1.0), (0.1, -1.0))),
    Case("few differ: 6% gain 25, 6% lose 25", mixture((0.06, 0.25), (0.06, -0.25))),
)
GAIN = Case("a gain of 10 points, 16 paths", paths(16, 0.1), 0.1)


def sign_flips(values_SQ: Floats, rng: Rng) -> Said:
    """The permutation test of the mean: signs of the differences flipped at random."""
    signs = rng.choice([-1.0, 1.0], (DRAWS, values_SQ.shape[1]))
    seen = np.abs(values_SQ.sum(axis=1))
    p = (1 + (np.abs(signs @ values_SQ.T) >= seen - 1e-9).sum(axis=0)) / (DRAWS + 1)
    return Said(_signs(values_SQ, p < ALPHA))


def sign_test(values_SQ: Floats, rng: Rng) -> Said:
    """The exact sign test: as many questions gain as lose. It says nothing of the mean."""
    up, down = (values_SQ > 0).sum(axis=1), (values_SQ < 0).sum(axis=1)
    p = np.minimum(1, 2 * stats.binom.cdf(np.minimum(up, down), up + down, 0.5))
    return Said(np.where(p < ALPHA, np.sign(up - down), 0))


def bootstrap(values_SQ: Floats, rng: Rng) -> Said:
    """The expanded percentile interval and the permutation test agree; Gaffke's interval where too few differ."""
    count = values_SQ.shape[1]
    drawn = rng.multinomial(count, np.full(count, 1 / count), DRAWS) @ values_SQ.T / count
    low, high = np.quantile(drawn, levels(count), axis=0)
    few = np.array([differing(values) < ENOUGH for values in values_SQ])
    lowest, highest = gaffke_ends(values_SQ, rng)
    low, high = np.where(few, lowest, low), np.where(few, highest, high)
    agreed = ((low > 0) | (high < 0)) & (sign_flips(values_SQ, rng).sign_S != 0)
    return Said(_signs(values_SQ, agreed), low, high)


def studentized(values_SQ: Floats, rng: Rng) -> Said:
    """The bootstrap of Student's t. A resample without spread has no t and is left out."""
    count = values_SQ.shape[1]
    drawn = rng.multinomial(count, np.full(count, 1 / count), DRAWS) / count
    means, squares = drawn @ values_SQ.T, drawn @ (values_SQ**2).T
    mean, error = values_SQ.mean(axis=1), values_SQ.std(axis=1)
    spread = np.sqrt(np.maximum(squares - means**2, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(spread > 1e-9, (means - mean) / spread, np.nan)
    t = np.where(np.isnan(t).all(axis=0), 0.0, t)  # a set without any spread
    upper, lower = np.nanquantile(t, (1 - ALPHA / 2, ALPHA / 2), axis=0)
    low, high = mean - upper * error, mean - lower * error
    return Said(_signs(values_SQ, (low > 0) | (high < 0)), low, high)


def bounded(values_SQ: Floats, rng: Rng) -> Said:
    """Gaffke's interval for bounded means, as `bounded.bounds` has it."""
    low, high = gaffke_ends(values_SQ, rng)
    return Said(_signs(values_SQ, (low > 0) | (high < 0)), low, high)


def gaffke_ends(values_SQ: Floats, rng: Rng, support: Support = DIFFERENCE) -> tuple[Floats, Floats]:
    """The two ends of Gaffke's interval of each set."""
    weights = rng.standard_exponential((DRAWS, values_SQ.shape[1] + 1))
    weights /= weights.sum(axis=1, keepdims=True)
    inner, extra = weights[:, :-1] @ values_SQ.T, weights[:, -1:]
    low = np.quantile(inner + support[0] * extra, ALPHA / 2, axis=0)
    return low, np.quantile(inner + support[1] * extra, 1 - ALPHA / 2, axis=0)


def mean_and_signs(values_SQ: Floats, rng: Rng) -> Said:
    """The bootstrap's interval, the permutation test and the sign test agree."""
    mean, signs = bootstrap(values_SQ, rng), sign_test(values_SQ, rng)
    return Said(np.where(mean.sign_S == signs.sign_S, mean.sign_S, 0), mean.low_S, mean.high_S)


def all_agree(values_SQ: Floats, rng: Rng) -> Said:
    """What leap_lab does: the bootstrap's interval, the permutation test and Gaffke's interval agree."""
    mean, sure = bootstrap(values_SQ, rng), bounded(values_SQ, rng)
    return Said(np.where(mean.sign_S == sure.sign_S, mean.sign_S, 0), sure.low_S, sure.high_S)


METHODS: dict[str, Callable[[Floats, Rng], Said]] = {
    "sign flips": sign_flips,
    "sign test": sign_test,
    "bootstrap and flips": bootstrap,
    "studentized": studentized,
    "bootstrap, flips, signs": mean_and_signs,
    "bounds": bounded,
    "bootstrap, flips, bounds": all_agree,
}


@dataclass(frozen=True)
class Rates:
    """Of one method in one case: how often it decides, how often with the wrong sign, and covers the mean."""

    decided: float
    wrong: float
    covered: float | None


def rates(case: Case, method: Callable[[Floats, Rng], Said], questions: int, sets: int = SETS, seed: int = 0) -> Rates:
    """Tried on `sets` sets of so many questions."""
    rng = np.random.default_rng(seed)
    found = []
    for start in range(0, sets, BATCH):
        said = method(case.draw(rng, (min(BATCH, sets - start), questions)), rng)
        covers = np.full(len(said.sign_S), np.nan)
        if said.low_S is not None and said.high_S is not None:
            covers = ((said.low_S <= case.mean + 1e-9) & (case.mean - 1e-9 <= said.high_S)).astype(float)
        wrong = said.sign_S * np.sign(case.mean) < 0 if case.mean else said.sign_S != 0
        found.append(np.stack([said.sign_S != 0, wrong, covers], axis=1))
    decided, wrong_S, covered = np.concatenate(found).mean(axis=0)
    return Rates(float(decided), float(wrong_S), None if np.isnan(covered) else float(covered))


def _signs(values_SQ: Floats, decided_S: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.where(decided_S, np.sign(values_SQ.mean(axis=1)), 0).astype(np.int64)


def tables(sizes: Sequence[int] = SIZES, sets: int = SETS) -> str:
    """Size, coverage and power as Markdown, in percent; a * where a method fails."""
    found = {
        (case.words, questions, name): rates(case, method, questions, sets)
        for case in (*CASES, GAIN)
        for questions in sizes
        for name, method in METHODS.items()
    }
    head = [f"| questions | {' | '.join(METHODS)} |", f"|---:|{'---:|' * len(METHODS)}"]
    parts = []
    for case in (*CASES, GAIN):
        lines = [
            f"| {questions} | {' | '.join(_cell(found[case.words, questions, name], case) for name in METHODS)} |"
            for questions in sizes
        ]
        parts.append("\n".join([f"**{case.words[0].upper()}{case.words[1:]}**", "", *head, *lines]))
    return "\n\n".join(parts)


def _cell(rate: Rates, case: Case) -> str:
    """How often it decides, then its coverage; a * marks what it may not be where the mean is 0."""
    decided = f"{100 * rate.decided:.1f}" + ("*" if rate.wrong > LARGEST_SIZE else "")
    if rate.covered is None:
        return decided
    return f"{decided}, {100 * rate.covered:.1f}" + ("*" if rate.covered < LEAST_COVERAGE else "")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; exit status 2 for a bad argument."""
    parser = argparse.ArgumentParser(prog="python -m analysis.stats.simulate", description=__doc__, allow_abbrev=False)
    parser.add_argument("--sets", type=int, default=SETS, metavar="S", help=f"sets of questions (default: {SETS})")
    options = parser.parse_args(arguments)
    if options.sets < 1:
        parser.error(f"--sets={options.sets}: must be an integer >= 1")

    def command() -> int:
        print(tables(sets=options.sets))
        return 0

    return console.run(command, "run it again")


if __name__ == "__main__":
    sys.exit(main())
