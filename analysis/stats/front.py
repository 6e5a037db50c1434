"""The Pareto front of accuracy and cost: what nothing else beats in both, and how sure that is."""

import numpy as np
import numpy.typing as npt

from .intervals import RESAMPLES, Floats


def front(
    values_RQ: Floats, costs_RQ: Floats, draws: int = RESAMPLES, seed: int = 0
) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Which rows are on the front by their means over questions, and in what share of resamples of questions.

    A row is on the front unless another is at least as accurate at no higher cost, and better in one of the two.
    Resamples draw questions with replacement, the same for all rows.
    """
    questions = values_RQ.shape[1]
    rng = np.random.default_rng(seed)
    whole = np.full((1, questions), 1 / questions)
    drawn = rng.multinomial(questions, np.full(questions, 1 / questions), size=draws) / questions
    return _on(whole, values_RQ, costs_RQ)[0], _on(drawn, values_RQ, costs_RQ).mean(axis=0)


def _on(weights_BQ: Floats, values_RQ: Floats, costs_RQ: Floats) -> npt.NDArray[np.bool_]:
    """Shape (B, R): whether a row is on the front with these weights of questions."""
    values, costs = weights_BQ @ values_RQ.T, weights_BQ @ costs_RQ.T
    slack = 1e-12 * np.abs(costs).max()
    on = np.empty(values.shape, bool)
    for row in range(values.shape[1]):
        more, cheaper = values - values[:, [row]], costs[:, [row]] - costs
        beaten = (more >= -1e-12) & (cheaper >= -slack) & ((more > 1e-12) | (cheaper > slack))
        on[:, row] = ~beaten.any(axis=1)
    return on
