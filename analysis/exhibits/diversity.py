"""How many different answers the paths of a group have, before and after each LeaP block, measured by probes.

As paths leave, the share of distinct answers rises and their effective number falls by itself: blocks are to be read as
before against after, which are of the same paths.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from ..drawing.curves import Panel, Series, curves
from ..drawing.figures import questions
from ..drawing.numerals import number, percent
from ..drawing.tables import Cells
from ..measures.probes import names_by_folder, transitions
from ..stats.intervals import SHARE, Estimate, Floats, estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PHASES = ("before", "after")
GROUP = ["question_id", "group"]


@dataclass(frozen=True)
class Diversity:
    """One block of one run. Answers that are equal are one (`votes.named`)."""

    name: str
    turn: int
    groups: int  # with an answer both before and after
    distinct: dict[str, Estimate]  # by phase: different answers over the paths that answered, in (0, 1]
    effective: dict[str, Estimate]  # by phase: exp of the Shannon entropy of the answers, from 1 to N
    change: Estimate  # of the effective number, after minus before


def diversity(folders: Sequence[str | Path]) -> list[Diversity]:
    """For each run block by block. `UserError` for a run without probes."""
    named = names_by_folder(folders)
    return [each for folder, name in named.items() for each in by_turn(name, transitions(folder))]


def by_turn(name: str, blocks: pd.DataFrame) -> list[Diversity]:
    """The blocks of `probes.transitions` turn by turn: the paths that took the block, the same before and after.

    Groups in which nobody answered before, or nobody after, are left out of their turn, and a turn without any other.
    """
    table = _per_group(blocks).dropna()
    most = float(blocks.groupby([*GROUP, "turn"]).size().max())
    turns = sorted(set(map(int, table["turn"])))
    return [_diversity(name, turn, table[table["turn"] == turn], most) for turn in turns]


def cells(found: Sequence[Diversity]) -> Cells:
    """The diversity as a table: distinct answers in percent of the answers, effective numbers, 95% intervals."""
    head = ["run", "block", "groups", "distinct % before", "after", "effective before", "after", "change"]
    return [
        head,
        *(
            [
                *(each.name, str(each.turn + 1), str(each.groups)),
                *(percent(each.distinct[phase]) for phase in PHASES),
                *(number(each.effective[phase]) for phase in PHASES),
                number(each.change, "+.2f"),
            ]
            for each in found
        ),
    ]


def figure(runs: Mapping[str, Sequence[Diversity]]) -> "Figure":
    """Above the distinct answers, below their effective number, by block: two lines a run, before and after."""
    lines = [
        [
            Series(f"{name} {phase}", [(each.turn + 1, getattr(each, what)[phase]) for each in found])
            for name, found in runs.items()
            for phase in PHASES
            if found
        ]
        for what in ("distinct", "effective")
    ]
    ticks = sorted({float(each.turn + 1) for found in runs.values() for each in found})
    panels = [Panel("distinct answers (%)", lines[0]), Panel("effective answers", lines[1], scale=1)]
    n = [each.change.n for found in runs.values() for each in found]
    return curves(panels, f"LeaP block ({questions(n)})" if n else "LeaP block", ticks)


def told(found: Sequence[Diversity]) -> str:
    """One run's effective numbers of answers as a sentence."""
    if not found:
        return "Effective number of answers: no group answered both before and after a block."
    numbers = "; ".join(
        f"block {each.turn + 1}: {each.effective['before'].value:.2f} before, {each.effective['after'].value:.2f} "
        f"after, change {number(each.change, '+.2f')}"
        for each in found
    )
    return f"{found[0].name}: effective number of answers (exp of Shannon entropy) of a group, {numbers}."


def _per_group(blocks: pd.DataFrame) -> pd.DataFrame:
    """A row a group and turn, with both measures in both phases; nan where nobody answered."""
    grouped = blocks.groupby([*GROUP, "turn"])
    columns = {
        (measure.__name__, phase): grouped[f"said_{phase}"].agg(measure)
        for phase in PHASES
        for measure in (distinct, effective)
    }
    return pd.DataFrame({f"{name}_{phase}": column for (name, phase), column in columns.items()}).reset_index()


def distinct(said: pd.Series) -> float:
    """Different answers over all answers; nan without any."""
    counts = said.value_counts()
    return len(counts) / counts.sum() if len(counts) else np.nan


def effective(said: pd.Series) -> float:
    """As many equally frequent answers would have this entropy: 1 where all say the same; nan without any."""
    counts = said.value_counts()
    return float(np.exp(stats.entropy(counts))) if len(counts) else np.nan


def _diversity(name: str, turn: int, table: pd.DataFrame, most: float) -> Diversity:
    change = table["effective_after"] - table["effective_before"]
    return Diversity(
        name,
        turn,
        len(table),
        {phase: _over_questions(table, table[f"distinct_{phase}"], SHARE) for phase in PHASES},
        {phase: _over_questions(table, table[f"effective_{phase}"], (1.0, most)) for phase in PHASES},
        _over_questions(table, change, (1 - most, most - 1)),
    )


def _over_questions(table: pd.DataFrame, column: pd.Series, support: tuple[float, float]) -> Estimate:
    values: list[Floats] = [groups.to_numpy(float) for _, groups in column.groupby(table["question_id"])]
    return estimate(values, support)
