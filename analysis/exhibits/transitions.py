"""What LeaP blocks did to paths (Figure 13), measured by probes: the answer just before a block against that after it.

The paper counted these transitions by hand, on one question.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ..drawing.curves import Panel, Series, curves, shares
from ..drawing.figures import Drawings, questions
from ..drawing.numerals import percent
from ..drawing.tables import Cells
from ..measures.contrasts import Against
from ..measures.probes import CHANCE, KEY, blocks_of, names_by_folder, probed, sampled, transitions
from ..stats.intervals import DIFFERENCE, SHARE, Estimate, Floats, estimate, ratio
from ..stats.survival import Step, survival
from . import diversity
from .base import Asked, Claim, Exhibit, decided, of_run, stem
from .published import published

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WORDS = {True: "correct", False: "incorrect"}
TRANSITIONS = {
    (was, now): f"{WORDS[was]}\N{RIGHTWARDS ARROW}{WORDS[now]}" for was, now in product((True, False), repeat=2)
}
# Figure 13: QwQ-32B, problem 11 of AIME 2024, 32 responses, in percent. One problem is no mark to measure others by.
PUBLISHED = {
    words: published()["transitions"]["leap"][words.replace("\N{RIGHTWARDS ARROW}", "_to_")]
    for words in TRANSITIONS.values()
}
TOLERATED = 0.02  # "never harmed" holds where the interval allows no more than this
NOTES = (
    "Shares are of the blocks that paths took, by their probes before and after; [low, high]: 95% interval, questions "
    "resampled.",
    "recovered: of blocks at which a path was wrong, those after which it was right. harmed: the reverse, of blocks at "
    "which it was right.",
    CHANCE,
    "Paper, QwQ-32B on one problem with 32 responses, counted by hand (Figure 13): "
    + ", ".join(f"{name} {share:.2f}%" for name, share in PUBLISHED.items())
    + ".",
    "Not yet right: Kaplan-Meier over paths that were wrong before their first block. A path that leaves the exchange "
    "counts as no longer seen; as paths leave by answering, the curve speaks of those that stay.",
)


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
    named = names_by_folder(folders)
    return [each for folder, name in named.items() for each in _by_turn(name, transitions(folder))]


def waiting(folder: str | Path) -> list[Step]:
    """Time to recovery, in blocks: the share not yet right after each block, of paths wrong before their first one.

    A path recovers at the first block after which it is right; what it found by itself since the block before counts
    to it. One that is not seen to recover is censored at its last block. Empty when no path began wrong. `UserError`
    for a run without probes.
    """
    return _waiting(transitions(folder))


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


def exhibit(folders: Sequence[str | Path]) -> Exhibit:
    """Transitions, time to recovery and diversity of answers, for every run with probes among these.

    `UserError` when there is none.
    """
    runs, left_out = probed("transitions", folders)
    several = len(runs) > 1
    found = {run.folder: _by_turn(run.name, blocks_of(run.probes)) for run in runs}
    waits = {run.name: _waiting(blocks_of(run.probes)) for run in runs}
    spreads = {run.name: diversity.by_turn(run.name, blocks_of(run.probes)) for run in runs}
    figures = {stem("transitions", folder, several): partial(_panels, each) for folder, each in found.items()}
    figures |= {"survival": partial(_curve, waits), "diversity": partial(diversity.figure, spreads)}
    return Exhibit(
        name="transitions",
        title="What LeaP blocks did to paths",
        source="Figure 13",
        table=cells([each for run in found.values() for each in run]),
        notes=[
            *NOTES,
            *(_told_waits(name, steps) for name, steps in waits.items()),
            *(diversity.told(each) for each in spreads.values()),
            *left_out,
        ],
        figures=Drawings(figures),
        claims=[
            claim
            for run, more in zip(runs, decided([_more(blocks_of(run.probes)) for run in runs], "runs"), strict=True)
            for claim in of_run([more, _never_harmed(blocks_of(run.probes), sampled(run.folder))], run.name, several)
        ],
        runs=[run.folder.name for run in runs],
    )


def _by_turn(name: str, blocks: pd.DataFrame) -> list[Recovery]:
    numbers = sorted(set(map(int, blocks["turn"])))
    turns = [(None, blocks), *((turn, blocks[blocks["turn"] == turn]) for turn in numbers)]
    return [_recovery(name, turn, part) for turn, part in turns]


def _recovery(name: str, turn: int | None, blocks: pd.DataFrame) -> Recovery:
    before, after = blocks["before"], blocks["after"]
    found = {
        words: estimate(_by_question(blocks, (before == was) & (after == now)), SHARE)
        for (was, now), words in TRANSITIONS.items()
    }
    return Recovery(name, turn, len(blocks), found, _rate(blocks, False), _rate(blocks, True))


def _by_question(blocks: pd.DataFrame, counted: pd.Series) -> list[Floats]:
    """Means over the blocks of a group, an array of groups per question."""
    means = blocks.assign(counted=counted.astype(float)).groupby(["question_id", "group"])["counted"].mean()
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


def _waiting(blocks: pd.DataFrame) -> list[Step]:
    ordered = blocks.sort_values("turn")
    paths = ordered.groupby(list(KEY))
    wrong, last = ~paths["before"].first().astype(bool), paths["turn"].last() + 1
    right = (ordered["turn"] + 1).where(ordered["after"]).groupby([ordered[name] for name in KEY]).min()
    recovered, when = right[wrong].notna(), right[wrong].fillna(last[wrong])
    questions = when.index.get_level_values("question_id").to_numpy()
    return survival(when.to_numpy(float), recovered.to_numpy(bool), questions)


def _more(blocks: pd.DataFrame) -> Asked:
    gained = _by_question(blocks, blocks["after"].astype(int) - blocks["before"].astype(int))
    return Asked(
        "Recovery happens more often than harm.",
        "Section 5.2.3, Figure 13",
        Against.of_zero(gained, DIFFERENCE),
        up=True,
        what=f"share of {TRANSITIONS[False, True]} minus that of {TRANSITIONS[True, False]}",
    )


def _never_harmed(blocks: pd.DataFrame, by_chance: bool) -> Claim:
    """Decided by the mean over questions, which has an interval where no harm is seen; the pooled rate has none.

    Not decided against the claim where probes are samples (`by_chance`): some of the harm is then none.
    """
    text, source = "Paths that were right stay right.", "Figure 13"
    right = blocks[blocks["before"]]
    harmed = estimate(_by_question(right, ~right["after"]), SHARE)
    if harmed.low is None or harmed.high is None:
        why = harmed.why if harmed.n else "no path was right before a block"
        return Claim(text, source, "undecided", f"There is no interval: {why}.")
    seen = int((~right["after"]).sum())
    told = f"{seen} of {len(right)} blocks harmed a right path: {percent(harmed)}%, mean over {harmed.n} questions."
    if harmed.low > 0 and by_chance:
        return Claim(text, source, "undecided", f"{told} Probes are samples here, so some of that is chance.")
    if harmed.low > 0:
        return Claim(text, source, "does not hold", told)
    if not seen and harmed.high < TOLERATED:
        return Claim(text, source, "holds", told)
    return Claim(text, source, "undecided", f"{told} It would hold below {100 * TOLERATED:g}%.")


def _panels(found: Sequence[Recovery]) -> "Figure":
    """Shares of the transitions by block, a panel each."""
    turns = [(each.turn, each) for each in found if each.turn is not None]
    parts = {name: [each.shares[name] for _, each in turns] for name in TRANSITIONS.values()}
    n = questions(share.n for own in parts.values() for share in own)
    return shares([str(turn + 1) for turn, _ in turns], parts, f"LeaP block ({n})", "share of paths (%)")


def _curve(waits: Mapping[str, Sequence[Step]]) -> "Figure":
    """The share not yet right by block, a line a run."""
    lines = [
        Series(name, [(0.0, _all(steps)), *((step.time, step.surviving) for step in steps)])
        for name, steps in waits.items()
        if steps
    ]
    ticks = sorted({place for line in lines for place, _ in line.points})
    n = questions(step.surviving.n for steps in waits.values() for step in steps) if lines else "nobody began wrong"
    return curves([Panel("not yet right (%)", lines, steps=True)], f"LeaP blocks taken ({n})", ticks)


def _all(steps: Sequence[Step]) -> Estimate:
    return Estimate(1.0, None, None, steps[0].surviving.n, "all of them, by definition")


def _told_waits(name: str, steps: Sequence[Step]) -> str:
    if not steps:
        return f"{name}: no path was wrong before its first block."
    told = "; ".join(f"{percent(step.surviving)}% after block {step.time:g}" for step in steps)
    return f"{name}: of {steps[0].at_risk} paths wrong before their first block not yet right: {told}."
