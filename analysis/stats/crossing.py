"""Where a curve passes a baseline: the place from which on it is no longer below, with an interval over questions."""

from collections.abc import Sequence

import numpy as np

from .intervals import ENOUGH, RESAMPLES, Estimate, Floats, differing, levels


def crossing(places: Sequence[float], gains_QP: Floats, seed: int = 0, resamples: int = RESAMPLES) -> Estimate:
    """The place from which on a curve is no longer below its baseline, by straight lines between those measured.

    `gains_QP`: curve minus baseline by question and place, places ascending. -inf: the curve is nowhere below; inf: it
    still is at the last place. The interval resamples questions, all points of the curve together; there is none where
    a bound would lie outside the places.
    """
    count = len(gains_QP)
    value = float(_crossings(places, gains_QP.mean(axis=0, keepdims=True))[0])
    patterns = np.unique(gains_QP.round(12), axis=0, return_inverse=True)[1].ravel()
    if count < ENOUGH or differing(patterns.astype(float)) < ENOUGH:
        return Estimate(value, None, None, count, f"fewer than {ENOUGH} questions differ: too few to resample")
    drawn_RQ = np.random.default_rng(seed).multinomial(count, [1 / count] * count, resamples)
    crossings_R = _crossings(places, drawn_RQ @ gains_QP / count)
    low, high = np.quantile(crossings_R, levels(count), method="inverted_cdf")
    if np.isinf(low) or np.isinf(high):
        below, above = np.mean(crossings_R == -np.inf), np.mean(crossings_R == np.inf)
        why = f"the crossing is outside the shares measured in {below:.0%} (below) and {above:.0%} (above) of resamples"
        return Estimate(value, None, None, count, why)
    return Estimate(value, float(low), float(high), count)


def _crossings(places: Sequence[float], gains_RP: Floats) -> Floats:
    """The crossing of each of R curves."""
    below = gains_RP < -1e-12
    crossings_R = np.where(below[:, -1], np.inf, -np.inf)
    rows = np.flatnonzero(below.any(axis=1) & ~below[:, -1])
    last = below.shape[1] - 1 - np.argmax(below[rows, ::-1], axis=1)  # the last place at which the curve is below
    left, right = gains_RP[rows, last], gains_RP[rows, last + 1]
    at = np.asarray(places, float)
    crossings_R[rows] = at[last] + (at[last + 1] - at[last]) * -left / (right - left)
    return np.asarray(crossings_R)
