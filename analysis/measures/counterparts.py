"""What the exchange did to the very same beginnings: LeaP paths against their independent counterparts.

A LeaP path and the independent path of the same question, group and index share their seeds, and with them their words
up to the first block. So their final answers tell what the exchange mended and what it spoiled (Section 5.2.3 counts
this by hand on one question; `recovery`, from probes, looks at every block).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from leap_lab.errors import UserError

from ..load import load
from ..stats.intervals import DIFFERENCE, SHARE, Estimate, estimate, paired
from .compare import Run

KEY = ["question_id", "group", "path"]


@dataclass(frozen=True)
class Outcomes:
    """Shares of all paths, with intervals over questions."""

    mended: Estimate  # wrong alone, right with peers
    spoiled: Estimate  # right alone, wrong with peers
    net: Estimate  # mended minus spoiled: the gain in Pass@1 over the common paths


def outcomes(peers: str | Path, alone: str | Path) -> Outcomes:
    """Compare a run with its independent baseline, path by path.

    `UserError` unless both are of one seed, question set and number of paths.
    """
    both = [Run.read(Path(folder)).settings for folder in (peers, alone)]
    if any(both[0].get(key) != both[1].get(key) for key in ("seed", "peers", "model.path", "prefix.name")):
        raise UserError(
            f"{peers} and {alone}: no counterparts; allowed are runs of one model, seed and number of paths"
        )
    left, right = (load([folder], columns=(*KEY, "correct")) for folder in (peers, alone))
    joined = pd.merge(left[[*KEY, "correct"]], right[[*KEY, "correct"]], on=KEY, suffixes=("_peers", "_alone"))
    if joined.empty:
        raise UserError(f"{peers} and {alone}: no question in common")
    heard, before = joined["correct_peers"].to_numpy(bool), joined["correct_alone"].to_numpy(bool)
    joined = joined.assign(mended=heard & ~before, spoiled=before & ~heard)
    mended, spoiled = (_per_group(joined, name) for name in ("mended", "spoiled"))
    return Outcomes(estimate(mended, SHARE), estimate(spoiled, SHARE), paired(mended, spoiled, DIFFERENCE))


def _per_group(joined: pd.DataFrame, name: str) -> list[np.ndarray]:
    means = joined.groupby(["question_id", "group"])[name].mean()
    return [group.to_numpy(float) for _, group in means.groupby("question_id")]
