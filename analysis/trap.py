"""The Prefix Dominance Trap (Section 2): what a bad or good beginning does to Pass@1 on the same questions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.compare import Against, Run, against, names_of
from analysis.metrics import by_question
from analysis.stats import SHARE, Estimate, estimate
from analysis.tables import Cells, percent, points
from leap_lab.errors import UserError


@dataclass(frozen=True)
class Gap:
    """A run whose paths had a beginning, beside the run that is the same without one, over their common questions."""

    run_id: str
    name: str
    questions: int
    begun: Estimate
    free: Estimate
    gap: Against  # begun minus free


def trap(folders: Sequence[str | Path]) -> list[Gap]:
    """A gap for every run with beginnings, in the order of the folders.

    `UserError` when there is none, or when one has no run without beginnings among the folders.
    """
    runs = [Run.read(folder) for folder in dict.fromkeys(map(Path, folders))]
    begun = [run for run in runs if run.settings.get("prefix.name", "none") != "none"]
    if not begun:
        raise UserError("trap: none of these runs has beginnings; allowed are runs with prefix=bad, good or mixed")
    names = names_of([run.settings for run in begun], [run.folder.name for run in begun])
    return [_gap(run, name, runs) for run, name in zip(begun, names, strict=True)]


def cells(gaps: Sequence[Gap]) -> Cells:
    """The gaps as a table: shares in percent, differences in points, 95% intervals over questions."""
    head = ["run", "questions", "Pass@1 % with", "without", "gap"]
    return [
        head,
        *([gap.name, str(gap.questions), percent(gap.begun), percent(gap.free), points(gap.gap)] for gap in gaps),
    ]


def _gap(run: Run, name: str, runs: Sequence[Run]) -> Gap:
    same = run.setting("prefix")
    free = [other for other in runs if other.settings.get("prefix.name") == "none" and other.setting("prefix") == same]
    shared = sorted(set(run.table["question_id"]) & {q for other in free for q in other.table["question_id"]})
    if not shared:
        raise UserError(
            f"{run.folder}: no run without beginnings but with its other settings and questions among these"
        )
    begun, other = (estimate(by_question(each.table, "pass@1", shared), SHARE) for each in (run, free[0]))
    return Gap(run.folder.name, name, len(shared), begun, other, against(run, free[0], shared))
