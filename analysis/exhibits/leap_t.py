"""LeaP-T beside its base and its control (Table 2): accuracy with paired tests, and what becomes of summaries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from leap_lab.errors import UserError

from ..drawing.numerals import COUNTS, counted, percent
from ..drawing.tables import ASSUMED, endings_told, with_endings
from ..measures.compare import Run, against
from ..measures.contrasts import Against, corrected
from ..measures.exchanges import exchanges
from ..measures.metrics import endings, estimates
from ..measures.probes import CHANCE
from ..measures.summaries import quality
from ..stats.intervals import Estimate, ratio
from .base import Exhibit, directional

NOTES = (
    "[low, high]: 95% interval, questions resampled. Differences are paired over questions, in points of Pass@1; p by "
    "permutation of signs, corrected for all of them (Holm).",
    COUNTS,
    ASSUMED,
)
HEARD_NOTES = (
    "truncated: as long as the limit or closed by the runtime; malformed: empty, or with another tag in it. taken up: "
    "of blocks at which a path was wrong and a peer it heard was right, those after which it was right. resisted: of "
    "blocks at which it was right and a peer it heard said otherwise, those after which it was right.",
    CHANCE,
)


@dataclass(frozen=True)
class Arm:
    """One row of Table 2: a model, with LeaP or alone."""

    name: str
    folder: Path


@dataclass(frozen=True)
class Heard:
    """What the paths of a probed run made of what they heard."""

    taken_up: Estimate  # of blocks at which it was wrong and heard a right peer: the share after which it was right
    resisted: Estimate  # of blocks at which it was right and heard another answer: the share after which it was right


def heard(folder: str | Path) -> Heard:
    """From the probes of a run; `UserError` for a run without them."""
    blocks = exchanges(folder)
    before = blocks["before"].astype(bool)
    return Heard(
        _right_after(blocks[~before & (blocks["right_peer"] == 1)]),
        _right_after(blocks[before & (blocks["unlike"] > 0)]),
    )


def table_2(arms: Sequence[Arm], pairs: Sequence[tuple[str, str]]) -> Exhibit:
    """Accuracy of all arms, and the differences of these pairs (of names) over the questions that both have."""
    runs = {arm.name: Run.read(arm.folder) for arm in arms}
    found = differences(runs, pairs)
    head = ["", "questions", "Pass@1 %", "Cons@N %", "own tokens", "received"]
    ended = [endings(run.table) for run in runs.values()]
    table = with_endings([head, *(_line(name, run) for name, run in runs.items())], ended)
    told = [f"{left} minus {right}: {counted(found[left, right])}." for left, right in pairs]
    return Exhibit(
        name="leap_t",
        title="Fine-tuning to learn from peers",
        source="Table 2",
        table=table,
        notes=[*NOTES, *endings_told(table), *told],
        claims=[
            directional(f"{left} is better than {right}.", "Table 2", found[left, right], up=True)
            for left, right in pairs
        ],
        runs=[arm.folder.name for arm in arms],
    )


def heard_table(arms: Sequence[Arm]) -> Exhibit:
    """How the arms summarize, and what they make of what they hear; all are probed runs."""
    head = ["", "summaries", "truncated %", "malformed %", "taken up %", "resisted %"]
    return Exhibit(
        name="leap_t_heard",
        title="Summaries, and what becomes of them",
        source="Section 4",
        table=[head, *(_heard_line(arm) for arm in arms)],
        notes=HEARD_NOTES,
        runs=[arm.folder.name for arm in arms],
    )


def differences(runs: Mapping[str, Run], pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Against]:
    """Of each pair the left minus the right, p corrected for them all; `UserError` without a question in common."""
    found = []
    for left, right in pairs:
        shared = sorted(set(runs[left].table["question_id"]) & set(runs[right].table["question_id"]))
        if not shared:
            raise UserError(f"{left} and {right}: no question in common")
        found.append(against(runs[left], runs[right], shared))
    adjusted = corrected(found, "differences of this table")
    return {pair: each for pair, each in zip(pairs, adjusted, strict=True) if each is not None}


def _line(name: str, run: Run) -> list[str]:
    found = estimates(run.table)
    cons = next(value for key, value in found.items() if key.startswith("cons@"))
    tokens = [f"{found[key].value:.0f}" for key in ("tokens_own", "tokens_received")]
    questions = str(run.table["question_id"].nunique())
    return [name, questions, percent(found["pass@1"]), percent(cons), *tokens]


def _heard_line(arm: Arm) -> list[str]:
    wrote, listened = quality(arm.folder), heard(arm.folder)
    shares = (wrote.truncated, wrote.malformed, listened.taken_up, listened.resisted)
    return [arm.name, str(wrote.summaries), *map(percent, shares)]


def _right_after(blocks: pd.DataFrame) -> Estimate:
    sums = blocks.groupby("question_id")["after"].agg(["sum", "size"])
    return ratio(sums["sum"].to_numpy(float), sums["size"].to_numpy(float))
