"""Probes as tables: what a path would have answered before and after each of its LeaP blocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from leap_lab.errors import UserError
from leap_lab.runs.reading import settings

from ..labels import names_of
from ..load import load
from .votes import named

KEY = ("question_id", "group", "path")
COLUMNS = (*KEY, "turn", "phase", "said", "right")
ALLOWED = "allowed are runs of LeaP with probes=true"


@dataclass(frozen=True)
class Probed:
    """A run with blocks that were probed before and after."""

    folder: Path
    name: str
    probes: pd.DataFrame  # `probes_of`


def probes_of(folder: str | Path) -> pd.DataFrame:
    """A row a probe of this run, as in `probes_in`."""
    return probes_in(load([folder], columns=(*KEY, "probes", "probe_clusters")))


def probes_in(paths: pd.DataFrame) -> pd.DataFrame:
    """A row a probe: question, group, path, turn, phase; `said` (`votes.named`; None: no answer); `right`.

    The paths are of one run, with the columns that name them, `probes` and `probe_clusters`.
    """
    rows = [
        (*key, probe["turn"], probe["phase"], probe["answer"], number, bool(probe["correct"]))
        for *key, probes, numbers in zip(*(paths[name] for name in (*KEY, "probes", "probe_clusters")), strict=True)
        for probe, number in zip(probes, [None] * len(probes) if numbers is None else numbers, strict=True)
    ]
    table = pd.DataFrame(rows, columns=[*KEY, "turn", "phase", "answer", "cluster", "right"]).astype({"right": bool})
    return table.assign(said=named(table))[list(COLUMNS)]


def blocks_of(probes: pd.DataFrame) -> pd.DataFrame:
    """A row a block that a path took: question, group, path, turn; `before` and `after`: whether right; `said_*`."""
    names = {"before": ("before", "said_before"), "after": ("after", "said_after")}
    before, after = (
        probes[probes["phase"] == phase].drop(columns="phase").rename(columns={"right": right, "said": said})
        for phase, (right, said) in names.items()
    )
    joined = before.merge(after, on=[*KEY, "turn"])
    return joined[[*KEY, "turn", "before", "after", "said_before", "said_after"]]


def transitions(folder: str | Path) -> pd.DataFrame:
    """The blocks of a run as in `blocks_of`. `UserError` when there are none."""
    blocks = blocks_of(probes_of(folder))
    if blocks.empty:
        raise UserError(f"{folder}: no probes in it; {ALLOWED}")
    return blocks


def names_by_folder(folders: Sequence[str | Path]) -> dict[Path, str]:
    """What tells these runs apart, each folder once."""
    distinct = list(dict.fromkeys(map(Path, folders)))
    names = names_of([settings(folder) for folder in distinct], [folder.name for folder in distinct])
    return dict(zip(distinct, names, strict=True))


def probed(what: str, folders: Sequence[str | Path]) -> tuple[list[Probed], list[str]]:
    """The runs with probed blocks among these, and a note for each of the others. `UserError` when there is none."""
    found = {folder: probes_of(folder) for folder in dict.fromkeys(map(Path, folders))}
    kept = {folder: probes for folder, probes in found.items() if not blocks_of(probes).empty}
    if not kept:
        raise UserError(f"{what}: none of these runs has probes; {ALLOWED}")
    left_out = [f"{folder.name}: left out, it has no probes." for folder in found if folder not in kept]
    return [Probed(folder, name, kept[folder]) for folder, name in names_by_folder(list(kept)).items()], left_out


CHANCE = (
    "Where probes think on (probe_tokens above 0) each is a sample: a path that would be right half of the time can "
    "answer otherwise after a block without any effect of it. The balance of recovery and harm is free of that, either "
    "share is not."
)


def sampled(folder: str | Path) -> bool:
    """Whether the probes of a run thought on before they answered, as the path itself would have, by chance."""
    return bool(settings(Path(folder)).get("probe_tokens"))
