"""Records of paths with known answers, made by hand or at random."""

from collections.abc import Sequence

import numpy as np

from analysis.replay.records import CONFIDENCES, Record, Records

RIGHT = 1  # the answer that is right


def record(
    lengths: Sequence[int],
    answers: Sequence[int | None],
    sure: Sequence[float] | None = None,
    probes: Sequence[Sequence[int | None]] = (),
    step: int | None = None,
    price: float = 4.0,
    question: str = "q",
) -> Record:
    """Paths with these lengths and answers, of which 1 is right; `sure` is every confidence of each."""
    scores = None if sure is None else tuple(sure)
    most = max([0, *(each for own in [answers, *probes] for each in own if each is not None)])
    return Record(
        question=question,
        lengths=tuple(lengths),
        answers=tuple(answers),
        worth=tuple(float(answer == RIGHT) for answer in range(most + 1)),
        scores=dict.fromkeys(CONFIDENCES, scores),
        step=step,
        probes=tuple(tuple(own) for own in probes),
        prices=(price,) * len(lengths),
    )


def at_random(seed: int, paths: int = 12, step: int = 10, question: str = "q") -> Record:
    """Paths of 5 to 300 tokens, of 4 answers or none, with confidences and probes every `step` tokens."""
    rng = np.random.default_rng(seed)
    lengths = [int(length) for length in rng.integers(5, 300, paths)]
    return record(
        lengths,
        [said(rng) for _ in lengths],
        [float(score) for score in rng.uniform(5, 20, paths)],
        [[said(rng) for _ in range((length - 1) // step)] for length in lengths],
        step,
        question=question,
    )


def said(rng: np.random.Generator) -> int | None:
    """An answer by chance: 1 more often than any other; now and then none."""
    return None if rng.random() < 0.1 else int(rng.choice([1, 1, 0, 2, 3]))


def records(*questions: Record) -> Records:
    return Records(("run",), questions)
