"""The figure of the arena: accuracy against cost, the curve of independent paths, a mark per method."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..drawing.curves import LINES, MARKERS
from ..drawing.figures import TIGHT, WIDE, blank, questions, reach, style
from ..measures.budget import Budget
from ..measures.independent_pool import sizes
from ..stats.intervals import SHARE, estimate
from .scaling_curves import rounded, ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .arena import Arena


def figure(found: Sequence["Arena"], budget: Budget) -> "Figure":
    """A panel a setting. Filled marks are on the Pareto front; bars are 95% intervals over questions."""
    with style() as palette:
        drawn = blank(0.5 + 2.6 * len(found), WIDE)
        stacked = drawn.subplots(len(found), 1, squeeze=False)[:, 0]
        for axes, each in zip(stacked, found, strict=True):
            _panel(axes, each, budget, palette)
        n = questions(len(each.questions) for each in found)
        stacked[-1].set_xlabel(f"{budget.words} per question ({n}); filled: on the Pareto front")
    return drawn


def _panel(axes: "Axes", each: "Arena", budget: Budget, palette: Sequence[Any]) -> None:
    prices, asked = each.price(budget), each.questions
    counts = sizes(len(prices))
    votes = [estimate(each.pool.cons(count, asked), SHARE) for count in counts]
    costs = [float(prices[count - 1]) for count in counts]
    shown: dict[str, Any] = {"color": "0.45", "linewidth": 1.1, "markersize": 2.5, "capsize": 1.5}
    axes.errorbar(
        costs, [100 * vote.value for vote in votes], yerr=reach(votes, 100), fmt=".-", label="independent", **shown
    )
    for index, entry in enumerate(each.entries):
        place = entry.fronts[budget]
        if place is None:
            continue
        color, decision = palette[index % len(palette)], entry.decision()
        cost = entry.groups.cost(budget, asked)
        costs.append(cost)
        axes.errorbar(
            [cost],
            [100 * decision.value],
            yerr=reach([decision], 100),
            fmt=MARKERS[index % len(MARKERS)],
            color=color,
            markerfacecolor=color if place[0] else "white",
            markersize=4.5,
            capsize=2,
            linestyle=LINES[0],
            label=entry.name,
            zorder=3,
        )
    places = ticks(costs)
    axes.set_xscale("log")
    axes.set_xticks(places, [rounded(place) for place in places])
    axes.minorticks_off()
    axes.set_ylabel("decision (%)")
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, **TIGHT)
