"""Routers by the number of peers heard (Tables 1, 5, 6 and 7), each against independent sampling and one another."""

from collections.abc import Sequence
from functools import partial
from itertools import combinations
from pathlib import Path

from leap_lab.runs.reading import settings

from ..drawing import figures, tables
from ..measures import routes
from ..measures.compare import Row, Run, against, compare, corrected
from ..measures.shared import determining, hears
from .base import Asked, Claim, Exhibit, beside, decided, directional
from .published import published

NAME = "main_table"


def exhibit(folders: Sequence[str | Path]) -> Exhibit:
    """The paper's main table on these runs; `UserError` for a folder that is no run."""
    rows = corrected(compare(folders))
    routed = [row for row in rows if hears(row.labels["router"])]
    named = {Path(folder).name: Path(folder) for folder in folders}
    return Exhibit(
        name=NAME,
        title="Routers by the number of peers heard",
        source="Tables 1, 5, 6 and 7",
        table=tables.cells(rows),
        notes=[
            *tables.notes(rows),
            *routes.told([row.name for row in rows], [named[row.run_id] for row in rows]),
            _published_note(),
        ],
        figures=figures.Drawings({NAME: partial(figures.overview, rows)}),
        claims=[*_gains(routed), *_between(routed, named)],
        runs=[row.run_id for row in rows],
        further=beside(rows),
    )


def _gains(rows: Sequence[Row]) -> list[Claim]:
    return [
        directional(f"Peers raise Pass@1 ({row.name}).", "Table 1", row.against, True, "gain")
        for row in rows
        if row.against is not None
    ]


def _between(rows: Sequence[Row], named: dict[str, Path]) -> list[Claim]:
    """Dispersed routing, the paper's choice, against each other router at the same k; p corrected for all of them."""
    pairs = [
        (one, other)
        for one, other in combinations(rows, 2)
        if _differ_in_the_router(named[one.run_id], named[other.run_id])
        and "dispersed" in (one.labels["router"], other.labels["router"])
    ]
    asked = []
    for one, other in pairs:
        first, second = (one, other) if one.labels["router"] == "dispersed" else (other, one)
        runs = [Run.read(named[row.run_id]) for row in (first, second)]
        shared = sorted(set(runs[0].table["question_id"]) & set(runs[1].table["question_id"]))
        text = f"Dispersed routing is better than {second.labels['router']} (k={second.labels['top_k']})."
        asked.append(Asked(text, "Section 4.2", against(runs[0], runs[1], shared), True))
    return decided(asked, "contrasts of routers")


def _differ_in_the_router(one: Path, other: Path) -> bool:
    """Whether two runs have another router and all else alike, the number of peers heard included."""
    first, second = (
        {**determining(found, ["router"]), "k": found.get("router.top_k")} for found in map(settings, (one, other))
    )
    return first == second


def _published_note() -> str:
    """The paper's gains on AIME 2024, to put ours beside."""
    told = published()["pass_at_1"]["aime_2024"]
    gains = [
        f"{model} {row['dispersed_4'] - row['baseline']:+.1f} (dispersed k=4), "
        f"{row['clustered_4'] - row['baseline']:+.1f} (clustered k=4)"
        for model, row in told.items()
        if "dispersed_4" in row
    ]
    return f"Paper, gain in Pass@1 on AIME 2024 (Table 1): {'; '.join(gains)}."
