"""What LeaP blocks did to paths (Figure 13), measured by probes: the answer just before a block against that after it.

The paper counted these transitions by hand, on one question.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pandas as pd

from analysis.compare import names_of
from analysis.load import load, settings
from analysis.stats import SHARE, Estimate, Floats, estimate, ratio
from analysis.tables import Cells, percent
from leap_lab.errors import UserError

KEY = ("question_id", "group", "path")
WORDS = {True: "correct", False: "incorrect"}
TRANSITIONS = {
    (was, now): f"{WORDS[was]}\N{RIGHTWARDS ARROW}{WORDS[now]}" for was, now in product((True, False), repeat=2)
}


@dataclass(frozen=True)
class Recovery:
    """The blocks of one run: all of them, or those of one turn."""

    name: str
    turn: int | None  # None: all
    blocks: int  # that paths took
    shares: dict[str, Estimate]  # of blocks, by `TRANSITIONS`
    recovered: Estimate  # of blocks at which a path was wrong: the share after which it was right
    harmed: Estimate  # of blocks at which a path was right: the share after which it was wrong


def recovery(folders: Sequence[str | Path]) -> list[Recovery]:
    """For each run all blocks together, then turn by turn. `UserError` for a run without probes."""
    distinct = list(dict.fromkeys(map(Path, folders)))
    names = names_of([settings(folder) for folder in distinct], [folder.name for folder in distinct])
    found = []
    for folder, name in zip(distinct, names, strict=True):
        blocks = transitions(folder)
        numbers = sorted(set(map(int, blocks["turn"])))
        turns = [(None, blocks), *((turn, blocks[blocks["turn"] == turn]) for turn in numbers)]
        found += [_recovery(name, turn, part) for turn, part in turns]
    return found


def transitions(folder: str | Path) -> pd.DataFrame:
    """A row a block that a path took: question, group, path, turn, and whether it was right before and after."""
    paths = load([folder], columns=(*KEY, "probes"))
    rows = []
    for question, group, index, probes in zip(*(paths[name] for name in KEY), paths["probes"], strict=True):
        right = {(probe["turn"], probe["phase"]): bool(probe["correct"]) for probe in probes}
        rows += [
            (question, group, index, turn, was, right[turn, "after"])
            for (turn, phase), was in right.items()
            if phase == "before" and (turn, "after") in right
        ]
    if not rows:
        raise UserError(f"{folder}: no probes in it; allowed are runs of LeaP with probes=true")
    return pd.DataFrame(rows, columns=[*KEY, "turn", "before", "after"])


def cells(found: Sequence[Recovery]) -> Cells:
    """The transitions as a table, in percent with 95% intervals over questions."""
    head = ["run", "block", "blocks", *(f"{name} %" for name in TRANSITIONS.values()), "recovered %", "harmed %"]
    lines = [
        [
            *(each.name, "all" if each.turn is None else str(each.turn + 1), str(each.blocks)),
            *(percent(share) for share in each.shares.values()),
            *(percent(each.recovered), percent(each.harmed)),
        ]
        for each in found
    ]
    return [head, *lines]


def _recovery(name: str, turn: int | None, blocks: pd.DataFrame) -> Recovery:
    before, after = blocks["before"], blocks["after"]
    shares = {
        words: estimate(_by_question(blocks.assign(share=(before == was) & (after == now))), SHARE)
        for (was, now), words in TRANSITIONS.items()
    }
    return Recovery(name, turn, len(blocks), shares, _rate(blocks, False), _rate(blocks, True))


def _by_question(blocks: pd.DataFrame) -> list[Floats]:
    means = blocks.groupby(["question_id", "group"])["share"].mean()
    return [groups.to_numpy(float) for _, groups in means.groupby("question_id")]


def _rate(blocks: pd.DataFrame, was: bool) -> Estimate:
    """Of blocks at which a path was right (or wrong), the share after which it no longer was."""
    started = blocks["before"] == was
    sums = (
        blocks.assign(whole=started, part=started & (blocks["after"] != was))
        .groupby("question_id")[["part", "whole"]]
        .sum()
    )
    return ratio(sums["part"].to_numpy(float), sums["whole"].to_numpy(float))
