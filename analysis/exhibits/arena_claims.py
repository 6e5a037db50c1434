"""What the authors of each method claim of it, as a comparison that the arena can decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..measures.budget import Budget
from ..measures.compare import Run
from ..measures.contrasts import Against
from ..stats.intervals import DIFFERENCE
from .base import Asked, Claim, decided

if TYPE_CHECKING:
    from .arena import Arena, Entry

Measure = Literal["vote", "pass@1"] | Budget
FAMILY = "claims of the arena"
UNTRAINED = ("rsa", "pacore", "cpt", "debate", "genselect", "moa", "budget_forcing")  # methods, by the built-in model
WHY = "the built-in model has never learned to do this"


@dataclass(frozen=True)
class Told:
    """A claim: the method does better than independent sampling, by `measure`.

    A `Budget`: its decision, against the vote of as many independent paths as cost the same. `vote`: its decision,
    against the vote of N independent paths. `pass@1`: its mean path, against a mean independent one.
    """

    text: str
    source: str
    measure: Measure


TOLD = {  # by the name of the method
    "rsa": Told("Aggregating again and again beats a vote of the same tokens", "RSA, 2509.26626", Budget.TOKENS),
    "pacore": Told("Coordinated rounds beat a vote of the same tokens", "PaCoRe, 2601.05593", Budget.TOKENS),
    "cpt": Told("Notes on a board beat a vote of the same latency", "CPT, 2605.27030", Budget.CRITICAL_PATH),
    "debate": Told("Debate beats a vote of as many agents that do not debate", "Du et al., 2305.14325", "vote"),
    "genselect": Told("Selecting among N answers beats their vote", "GenSelect, 2507.17797", "vote"),
    "best_of_n": Told("Self-certainty chooses better than the vote", "Self-certainty, 2502.18581", "vote"),
    "deepconf": Told("Stopping unsure paths beats a vote of the same tokens", "DeepConf, 2508.15260", Budget.TOKENS),
    "prune": Told("Finishing the best prefixes beats a vote of the same tokens", "STOP, 2604.16029", Budget.TOKENS),
    "short": Told("The first paths to end beat a vote of the same tokens", "short-m@k, 2505.17813", Budget.TOKENS),
    "budget_forcing": Told("Thinking on to the end of the budget raises Pass@1", "s1, 2501.19393", "pass@1"),
    "leap": Told("Learning from peers beats a vote of the same tokens", "LeaP, Figure 5", Budget.TOKENS),
}


def untrained(run: Run) -> bool:
    """Whether the built-in model decoded it with a method of which it has never seen anything."""
    return str(run.settings["model.path"]).startswith("builtin:") and run.settings["method.name"] in UNTRAINED


def claims(found: Sequence["Arena"]) -> list[Claim]:
    """What the data say of each claim; p corrected for all of them."""
    asked, open_ones = [], []
    for each in found:
        for entry in each.entries:
            if (told := TOLD.get(entry.method)) is None:
                continue
            text = f"{told.text} ({entry.name})."
            against, why = (None, WHY) if entry.untrained else _measured(each, entry, told.measure)
            if against is None:
                open_ones.append(Claim(text, told.source, "undecided", f"There is no comparison: {why}."))
            else:
                asked.append(Asked(text, told.source, against, up=True))
    return [*decided(asked, FAMILY), *open_ones]


def _measured(each: "Arena", entry: "Entry", measure: Measure) -> tuple[Against | None, str]:
    groups, pool, asked = entry.groups, each.pool, each.questions
    if isinstance(measure, Budget):
        return entry.matched[measure].vote, entry.matched[measure].why
    if measure == "pass@1":
        return Against.of(groups.values("pass@1", asked), pool.means("correct", asked), DIFFERENCE), ""
    peers = int(groups.run.settings["peers"])
    if peers > pool.size(asked):
        return None, f"there are {pool.size(asked)} independent paths of each question, not {peers}"
    return Against.of(groups.values("cons", asked), pool.cons(peers, asked), DIFFERENCE), ""
