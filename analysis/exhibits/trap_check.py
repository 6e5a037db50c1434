"""Whether the trap is more than the choice of its beginnings.

Wrong beginnings are those of responses that ended wrong, so they are worse than most, and right ones better: by this
choice alone the first lower Pass@1 and the second raise it. What the choice cannot change is their mean. Where a
share p of a question's responses is right, p x (Pass@1 after a right beginning) + (1 - p) x (Pass@1 after a wrong
one) is what beginnings drawn at random give, and what independent paths have without any. A difference is what it
does to a path to be given its beginning. This holds for paths that hear nobody: others also answer for the beginnings
of their peers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from leap_lab.runs.reference import CLOSING

from ..drawing.numerals import percent, signed
from ..drawing.tables import Cells
from ..load import load
from ..measures.compare import Run
from ..measures.metrics import by_question
from ..measures.shared import shared_settings
from ..stats.intervals import DIFFERENCE, SHARE, Estimate, Floats, estimate, paired
from ..stats.significance import permutation_p
from .base import Further

TITLE = "Is it the choice of the beginnings?"
NOTE = (
    "Independent paths over the questions that all columns have. p: share of the reference run's responses that is "
    "right. mixture: p x right + (1 - p) x wrong, question by question: what beginnings drawn at random should give. "
    "The choice of a beginning by how its response ended makes wrong beginnings worse and right ones better than most, "
    "and leaves the mixture as it is without. So wrong against right beginnings shows how much a beginning decides, "
    "and only the mixture (or random beginnings) minus without shows what it does to be given one: where its interval "
    "includes 0 nothing of the kind is seen. Differences are paired, in points; p= by permutation of signs."
)
ALIKE = ("peers", "seed", "difficulty.name")  # what a reference run may have of its own


@dataclass(frozen=True)
class Check:
    """Independent paths with beginnings of one length, over the questions common to all of these; Pass@1 in [0, 1]."""

    fraction: float  # of a response's tokens
    questions: int
    free: Estimate  # without a beginning
    arms: dict[str, Estimate]  # what there is of p, wrong, right, mixture, random
    minus_free: dict[str, tuple[Estimate, float | None]]  # of mixture and random: the paired difference, and its p


def checks(runs: Sequence[Run]) -> list[Check]:
    """One for each length of beginnings for which there is a mixture or a run with random beginnings."""
    alike: dict[str, list[Run]] = {}
    for run in runs:
        if run.independent and run.settings.get("prefix.name") in ("bad", "good", "random"):
            key = {**run.setting("prefix"), "fraction": run.settings["prefix.fraction"]}
            alike.setdefault(repr(sorted(key.items())), []).append(run)
    found = [_check({str(run.settings["prefix.name"]): run for run in own}, runs) for own in alike.values()]
    return sorted((check for check in found if check is not None), key=lambda check: check.fraction)


def further(folders: Sequence[str | Path]) -> list[Further]:
    """The checks of these runs as a table; none where nothing can be checked."""
    found = checks([Run.read(folder) for folder in dict.fromkeys(map(Path, folders))])
    return [Further(TITLE, cells(found), NOTE)] if found else []


def cells(found: Sequence[Check]) -> Cells:
    """The checks as a table: shares in percent, differences in points, 95% intervals over questions."""
    arms = ("p", "wrong", "right", "mixture", "random")
    head = ["beginning %", "questions", *(f"{arm} %" for arm in arms), "without %"]
    lines = [
        [
            *(f"{100 * each.fraction:g}", str(each.questions)),
            *(percent(each.arms[arm]) if arm in each.arms else "n/a" for arm in arms),
            percent(each.free),
            *(_told(each.minus_free.get(arm)) for arm in ("mixture", "random")),
        ]
        for each in found
    ]
    return [[*head, "mixture minus without", "random minus without"], *lines]


def _told(difference: tuple[Estimate, float | None] | None) -> str:
    if difference is None:
        return "n/a"
    found, p = difference
    return signed(found) if p is None else f"{signed(found)} p={p:.3f}"


def _check(begun: Mapping[str, Run], runs: Sequence[Run]) -> Check | None:
    """From the runs with beginnings of one length, by the name of these."""
    first = next(iter(begun.values()))
    free = next((run for run in runs if _is_free(run) and run.setting("prefix") == first.setting("prefix")), None)
    if free is None:
        return None
    rights = _rights(free, runs)
    asked = [set(run.table["question_id"]) for run in (free, *begun.values())]
    common = sorted(set.intersection(*asked, *([set(rights)] if rights else [])))
    arms = {words: _pass_1(begun[name], common) for name, words in _WORDS.items() if name in begun}
    if rights:
        arms["p"] = np.array([rights[question] for question in common])
    if {"p", "wrong", "right"} <= set(arms):
        arms["mixture"] = arms["p"] * arms["right"] + (1 - arms["p"]) * arms["wrong"]
    if not common or not {"mixture", "random"} & set(arms):
        return None
    alone = _pass_1(free, common)
    return Check(
        fraction=float(first.settings["prefix.fraction"]),
        questions=len(common),
        free=estimate(_groups(alone), SHARE),
        arms={name: estimate(_groups(values), SHARE) for name, values in arms.items()},
        minus_free={name: _minus(arms[name], alone) for name in ("mixture", "random") if name in arms},
    )


_WORDS = {"bad": "wrong", "good": "right", "random": "random"}  # beginnings, as the table calls them


def _is_free(run: Run) -> bool:
    return run.independent and run.settings.get("prefix.name", "none") == "none"


def _rights(free: Run, runs: Sequence[Run]) -> dict[str, float]:
    """By question the share of right responses among those that beginnings are taken from; empty if it is not known.

    They are of the reference run that the run names, which must be among these and have sampled as the run did.
    """
    wanted = (free.settings.get("reference.seed"), free.settings.get("reference.responses"))
    shared = shared_settings(free.settings, ALIKE)
    for run in runs:
        named = (run.settings.get("seed"), run.settings.get("peers"))
        if _is_free(run) and named == wanted and shared_settings(run.settings, ALIKE) == shared:
            return _usable(run)
    return {}


def _usable(reference: Run) -> dict[str, float]:
    columns = ("question_id", "correct", "tokens_think", "tokens_answer", "tokens_cut")
    rows = load([reference.folder], columns, groups=1)
    rows = rows[rows["tokens_think"] - rows["tokens_answer"] - rows["tokens_cut"] > CLOSING]
    return {str(question): float(right.mean()) for question, right in rows.groupby("question_id")["correct"]}


def _pass_1(run: Run, questions: Sequence[str]) -> Floats:
    return np.array([groups.mean() for groups in by_question(run.table, "pass@1", questions)])


def _groups(values: Floats) -> list[Floats]:
    return [np.array([value]) for value in values]


def _minus(left: Floats, right: Floats) -> tuple[Estimate, float | None]:
    return paired(_groups(left), _groups(right), DIFFERENCE), permutation_p(left, right)
