"""What paths do with what they hear (Figure 9): types of communication, whom a path hears, whether a right peer helps.

The paper had another LLM tell the types from the transcripts. Here they follow from answers, measured by probes: the
path's own before and after a block, and those that the peers it heard would have given before the same block.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from leap_lab.errors import UserError
from leap_lab.runs.reading import settings

from ..drawing.curves import Marks, shares
from ..drawing.figures import Drawings, questions
from ..drawing.numerals import number, percent, signed
from ..drawing.tables import Cells
from ..measures import routes
from ..measures.exchanges import CONSISTENT, INFLUENCED, TYPES, UNAFFECTED, exchanges, exchanges_of
from ..measures.probes import CHANCE, names_by_folder, probed, sampled
from ..stats.intervals import DIFFERENCE, SHARE, Estimate, estimate, ratio
from ..stats.odds import Odds
from .base import Exhibit, of_run, stem
from .communication_claims import by_question_of, claims_of, odds_of
from .published import published

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Figure 9: QwQ-32B on AIME 2024, T = 4096; percent of communications at 1 to 6 times T.
PUBLISHED = {name: published()["communication_types"][name] for name in (INFLUENCED, UNAFFECTED, CONSISTENT)}
NOTES = (
    "consistent: the path answers like the majority of the peers it heard, before and after; unaffected: unlike them, "
    "and keeps its answer; influenced: unlike them, and changes it; strayed: like them, and changes it.",
    "The majority is the most common answer; where several are, a path with one of them agrees. Peers without an "
    "answer do not vote. classified: blocks at which the path answered before and after, and a peer it heard before.",
    "adopted: of influenced blocks, those after which the path gave an answer that it had heard. [low, high]: 95% "
    "interval, questions resampled.",
    "Paper, QwQ-32B on AIME 2024, types told by another LLM (Figure 9), at 1 to 6 times T=4096: "
    + "; ".join(f"{name} {', '.join(f'{share:g}' for share in found)}%" for name, found in PUBLISHED.items())
    + ".",
)


@dataclass(frozen=True)
class Types:
    """The types of communication of one run: at all blocks, or at those of one turn."""

    name: str
    turn: int | None  # None: all
    position: int | None  # own tokens of a path at the block, (turn + 1) * T; None: all
    blocks: int  # that paths took
    told: int  # of these, those whose type can be told
    shares: dict[str, Estimate]  # of the told blocks, by `exchanges.TYPES`
    adopted: Estimate  # of the influenced ones: the share whose new answer is one that the path had heard


@dataclass(frozen=True)
class Heard:
    """Whom the paths of one run heard; means over blocks, groups, then questions, all in [0, 1]."""

    name: str
    router: str
    blocks: int  # at which somebody was heard
    similarity: Estimate  # of a path's summary to those it heard
    unlike: Estimate  # of the heard peers, those that answered otherwise than the path before the block
    unlike_live: Estimate  # the same of all peers that could have been heard: what chance would give
    difference: Estimate  # the first minus the second


def communication(folders: Sequence[str | Path]) -> list[Types]:
    """For each run all blocks together, then turn by turn. `UserError` for a run without a block that can be told."""
    return [
        each for folder, name in names_by_folder(folders).items() for each in _by_turn(name, folder, exchanges(folder))
    ]


def heard(folders: Sequence[str | Path]) -> list[Heard]:
    """Whom the paths of each run heard, and whether these peers disagree with them more than the live ones do.

    `UserError` for a run without a block that can be told.
    """
    return [_heard(name, folder, exchanges(folder)) for folder, name in names_by_folder(folders).items()]


def helped(folder: str | Path) -> Odds:
    """The odds of being right after a block: paths that heard a right peer over those that heard wrong ones only.

    Easy questions have more right peers and more right paths, late blocks have other paths than early ones, and a right
    path mostly stays right. So paths are compared only within the same question, turn and own rightness before the
    block (Mantel-Haenszel), and whole questions are resampled, as their paths depend on each other. It is still an
    association: the router chooses by similarity of summaries, and what likens a path's summary to that of a right peer
    may make the path right as well. `UserError` for a run without a block that can be told.
    """
    return odds_of(exchanges(folder))


def cells(found: Sequence[Types]) -> Cells:
    """The types as a table, in percent with 95% intervals over questions."""
    head = ["run", "block", "tokens", "blocks", "classified", *(f"{name} %" for name in TYPES), "adopted %"]
    lines = [
        [
            *(each.name, "all" if each.turn is None else str(each.turn + 1)),
            *("" if each.position is None else str(each.position), str(each.blocks), str(each.told)),
            *(percent(each.shares[name]) for name in TYPES),
            percent(each.adopted) if each.adopted.n else "n/a",
        ]
        for each in found
    ]
    return [head, *lines]


def heard_cells(found: Sequence[Heard]) -> Cells:
    """Whom paths heard as a table: similarity in [0, 1], shares in percent, their difference in points."""
    head = ["run", "router", "blocks", "similarity", "heard peers unlike the path %", "live peers %", "difference"]
    lines = [
        [
            *(each.name, each.router, str(each.blocks), number(each.similarity)),
            *(percent(each.unlike), percent(each.unlike_live), signed(each.difference)),
        ]
        for each in found
    ]
    return [head, *lines]


def exhibit(folders: Sequence[str | Path]) -> Exhibit:
    """Types of communication by position, for every run among these in which they can be told.

    `UserError` when there is none.
    """
    runs, left_out = probed("communication_types", folders)
    tables = {run.folder: exchanges_of(run.folder, run.probes) for run in runs}
    names = {run.folder: run.name for run in runs if tables[run.folder]["type"].notna().any()}
    if not names:
        raise UserError(
            "communication_types: no path and peer it heard answered at a block; allowed are runs with a router"
        )
    left_out += [f"{run.name}: left out, no block can be told." for run in runs if run.folder not in names]
    several = len(names) > 1
    found = {folder: _by_turn(name, folder, tables[folder]) for folder, name in names.items()}
    told = claims_of([(tables[folder], sampled(folder)) for folder in names])
    claims = [of_run(own, name, several) for own, name in zip(told, names.values(), strict=True)]
    return Exhibit(
        name="communication_types",
        title="What paths do with what they hear, by position",
        source="Figure 9",
        table=cells([each for types in found.values() for each in types]),
        notes=[
            *(*NOTES, CHANCE, *(_told(name, folder, tables[folder]) for folder, name in names.items())),
            *(*routes.told(list(names.values()), list(names)), *left_out),
        ],
        figures=Drawings(
            {stem("communication_types", folder, several): partial(_figure, types) for folder, types in found.items()}
        ),
        claims=[claim for own in claims for claim in own],
        runs=[folder.name for folder in names],
    )


def _by_turn(name: str, folder: str | Path, table: pd.DataFrame) -> list[Types]:
    """All blocks, then those of each turn at which one can be told."""
    interval = _interval(folder)
    turns = sorted(set(map(int, table.loc[table["type"].notna(), "turn"])))
    parts = ((turn, (turn + 1) * interval, table[table["turn"] == turn]) for turn in turns)
    return [_types(name, None, None, table), *(_types(name, *part) for part in parts)]


def _interval(folder: str | Path) -> int:
    """T, the own tokens between two blocks; of a single block its position."""
    own = settings(Path(folder))
    found = own.get("method.interval") or own.get("method.position")
    if not isinstance(found, int):
        raise UserError(
            f"{folder}/config.yaml: names neither method.interval nor method.position; a run of LeaP has one"
        )
    return found


def _types(name: str, turn: int | None, position: int | None, blocks: pd.DataFrame) -> Types:
    told = blocks[blocks["type"].notna()]
    found = {kind: estimate(by_question_of(told, told["type"] == kind), SHARE) for kind in TYPES}
    influenced = told["type"] == INFLUENCED
    sums = told.assign(whole=influenced, part=influenced & told["adopted"]).groupby("question_id")[["part", "whole"]]
    parts, wholes = sums.sum().to_numpy(float).T
    return Types(name, turn, position, len(blocks), len(told), found, ratio(parts, wholes))


def _heard(name: str, folder: str | Path, table: pd.DataFrame) -> Heard:
    known = table.dropna(subset=["unlike", "unlike_live"])
    return Heard(
        name,
        str(settings(Path(folder)).get("router.name")),
        int(table["similarity"].notna().sum()),
        estimate(by_question_of(table, table["similarity"]), SHARE),
        estimate(by_question_of(known, known["unlike"]), SHARE),
        estimate(by_question_of(known, known["unlike_live"]), SHARE),
        estimate(by_question_of(known, known["unlike"] - known["unlike_live"]), DIFFERENCE),
    )


def _told(name: str, folder: str | Path, table: pd.DataFrame) -> str:
    """Whom this run's paths heard, and what the rule for ties does, in one note."""
    found, told = _heard(name, folder, table), table[table["type"].notna()]
    tied = int((told["strict_type"] != told["type"]).sum())
    return (
        f"{name}: router {found.router}, similarity to heard peers {number(found.similarity)}; of these "
        f"{percent(found.unlike)}% answered unlike the path, of all live peers {percent(found.unlike_live)}%, "
        f"difference {signed(found.difference)}. In {tied} of {len(told)} classified blocks the path agrees with one "
        "side of a tie."
    )


def _figure(types: Sequence[Types]) -> "Figure":
    """Shares by position, a panel each, the influenced with the paper's; its T is another."""
    columns = [each for each in types if each.turn is not None]
    turns = [each.turn for each in columns]
    drawn = [(float(turns.index(turn)), share) for turn, share in enumerate(PUBLISHED[INFLUENCED]) if turn in turns]
    return shares(
        [str(each.position) for each in columns],
        {name: [each.shares[name] for each in columns] for name in TYPES},
        f"position, own tokens ({questions(share.n for each in columns for share in each.shares.values())})",
        "share of communications (%)",
        {INFLUENCED: Marks("QwQ-32B", drawn)} if drawn else None,
    )
