"""How long until something happens, where not all are seen to the end: the Kaplan-Meier curve (1958).

Its usual interval (Greenwood's) takes every path for an observation of its own, which paths of one question are not:
here whole questions are resampled.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from .intervals import ENOUGH, RESAMPLES, Estimate, Floats, Integers, pooled


@dataclass(frozen=True)
class Step:
    """One time of the curve."""

    time: float
    at_risk: int  # seen up to this time, and without the event before it
    events: int
    surviving: Estimate  # the share still without the event after this time, in [0, 1]


def survival(
    times: Sequence[float] | Floats,
    happened: Sequence[bool] | NDArray[np.bool_],
    questions: Sequence[str] | Integers,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> list[Step]:
    """The Kaplan-Meier curve at every time that is among `times`; empty without times.

    `times`: when the event came, or else (`happened` false: censored) up to when it was waited for in vain; an event
    comes before a censoring of the same time. `questions`: whose observation it is. The 95% intervals hold for each
    time by itself, not for the curve as a whole; there is none where fewer than `ENOUGH` questions are still at risk
    or differ. The curve takes it that who is censored would have gone on like those who are not.
    """
    when, event = np.asarray(times, float), np.asarray(happened, bool)
    if not len(when):
        return []
    curve = stats.ecdf(stats.CensoredData(uncensored=when[event], right=when[~event])).sf
    places = np.asarray(curve.quantiles, float)
    events_QT, at_risk_QT = _counts(when, event, np.unique(questions, return_inverse=True)[1], places)
    return [
        Step(
            float(time),
            int(at_risk_QT[:, index].sum()),
            int(events_QT[:, index].sum()),
            _surviving(float(curve.probabilities[index]), events_QT, at_risk_QT, index, seed, resamples),
        )
        for index, time in enumerate(places)
    ]


def _counts(when: Floats, event: NDArray[np.bool_], question: Integers, places: Floats) -> tuple[Floats, Floats]:
    """Events at, and observations at risk just before, every time; shape (questions, times)."""
    shape = (int(question.max()) + 1, len(places))
    events, at_risk = np.zeros(shape), np.zeros(shape)
    np.add.at(events, question, (when[:, None] == places) & event[:, None])
    np.add.at(at_risk, question, when[:, None] >= places)
    return events, at_risk


def _surviving(value: float, events_QT: Floats, at_risk_QT: Floats, index: int, seed: int, resamples: int) -> Estimate:
    """The curve's `value` at one time with its interval."""
    waiting = int((at_risk_QT[:, index] > 0).sum())
    if waiting < ENOUGH:
        return Estimate(value, None, None, waiting, f"fewer than {ENOUGH} questions are still at risk")
    sums = np.concatenate([events_QT[:, : index + 1], at_risk_QT[:, : index + 1]], axis=1)
    found = pooled(sums, _product_limit(index + 1), seed, resamples)
    return Estimate(value, found.low, found.high, waiting, found.why)


def _product_limit(count: int) -> Callable[[Floats], Floats]:
    """From sums of events and of those at risk at `count` times to the share that is left after the last of them.

    A time with nobody at risk, as a resample can have it, leaves the curve where it is.
    """

    def left(sums: Floats) -> Floats:
        events, at_risk = sums[..., :count], sums[..., count:]
        kept = np.where(at_risk > 0, 1 - events / np.where(at_risk > 0, at_risk, 1), 1.0)
        return np.asarray(kept.prod(axis=-1))

    return left
