"""What runs recorded of independent paths: how long each was, what it answered, and what it would have said on the way.

This is what a policy is judged by. It never sees it: it sees a `view.Group`, which reveals it as time goes by.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from leap_lab.errors import UserError
from leap_lab.runs.groupfile import SCHEMA

from ..load import load
from ..measures.budget import costs
from ..measures.compare import Run
from ..measures.independent_pool import ANY
from ..measures.metrics import SAMPLED
from ..measures.shared import shared_settings
from ..measures.votes import named

KEY = ("seed", "question_id", "group", "path")  # what determines a path: runs that share it hold the same one
PLACE = ["run_id", "question_id", "group"]
CONFIDENCES = {score: f"confidence_{score}" for score in ("mean", "tail", "lowest", "bottom")}  # and their columns
READ = (
    *("run_id", "question_id", "group", "path", "answer", "cluster", "correct"),
    *(*SAMPLED, "tokens_probe", "probes", "probe_clusters"),
)


@dataclass(frozen=True)
class Record:
    """All recorded paths of one question, in one order; answers are numbers, equal ones the same; None: no answer."""

    question: str
    lengths: tuple[int, ...]  # tokens that each path sampled, its answer included
    answers: tuple[int | None, ...]
    worth: tuple[float, ...]  # by answer: the share of those who gave it that were right, 0 or 1 as a rule
    scores: dict[str, tuple[float, ...] | None]  # by `CONFIDENCES`; None: not recorded of every path
    step: int | None = None  # tokens between two probes of a path; None: no probes
    probes: tuple[tuple[int | None, ...], ...] = ()  # of each path, in order
    prices: tuple[float, ...] = ()  # tokens that a probe of each path took, on average

    def __len__(self) -> int:
        return len(self.lengths)


@dataclass(frozen=True)
class Records:
    """The records of all questions of runs that share their settings."""

    runs: tuple[str, ...]
    questions: tuple[Record, ...]

    @property
    def size(self) -> int:
        """How many paths there are of each question, at least."""
        return min(map(len, self.questions))


def read(folders: Sequence[str | Path]) -> Records:
    """What these runs recorded. `UserError` for runs that are not independent sampling, or of several settings."""
    runs = [Run.read(folder) for folder in dict.fromkeys(map(Path, folders))]
    for run in runs:
        if not run.independent:
            name = run.settings.get("method.name")
            raise UserError(f"{run.folder}: method={name}; replay needs method=independent without method.explain")
    settings = [shared_settings(run.settings, ANY) for run in runs]
    for run, other in zip(runs, settings, strict=True):
        if differing := sorted(key for key in {**settings[0], **other} if settings[0].get(key) != other.get(key)):
            raise UserError(f"{run.folder}: another {differing[0]} than {runs[0].folder}; name runs of one setting")
    return Records(tuple(run.folder.name for run in runs), records_of(_paths(runs)))


def _paths(runs: Sequence[Run]) -> pd.DataFrame:
    """A row a path, each once: of copies the one that more was recorded of."""
    columns = [*READ, *(name for name in CONFIDENCES.values() if name in SCHEMA.names)]
    frames = [load([run.folder], columns).assign(step=run.settings.get("method.probe_interval")) for run in runs]
    paths = costs(pd.concat(frames, ignore_index=True))
    known = paths.notna().sum(axis=1) + paths["probes"].map(len)
    paths = paths.loc[known.sort_values(ascending=False, kind="stable").index].drop_duplicates(list(KEY))
    return paths.sort_values(list(KEY), ignore_index=True)


def records_of(paths: pd.DataFrame) -> tuple[Record, ...]:
    """A record for every question, in the order of their ids.

    `paths`: a row a path with the columns `READ`, those of `CONFIDENCES` that there are, `tokens`, and `step`, the
    tokens between two of its probes.
    """
    answers = dict(iter(_answers(paths).groupby("question_id")))
    return tuple(_record(str(name), own, answers[name]) for name, own in paths.groupby("question_id", sort=True))


def _answers(paths: pd.DataFrame) -> pd.DataFrame:
    """A row for the answer of each path (`turn` -1) and each of its probes: `row` of the path, `said`, `correct`.

    `said` is of `votes.named`: the same for equal answers to one question, whoever gave them.
    """
    found = [
        (row, -1, *key, answer, cluster, correct)
        for row, *key, answer, cluster, correct in paths[[*PLACE, "answer", "cluster", "correct"]].itertuples()
    ]
    for row, *key, probes, numbers in paths[[*PLACE, "probes", "probe_clusters"]].itertuples():
        numbers = [None] * len(probes) if numbers is None else numbers
        told = zip(probes, numbers, strict=True)
        found += [(row, probe["turn"], *key, probe["answer"], number, probe["correct"]) for probe, number in told]
    table = pd.DataFrame(found, columns=["row", "turn", *PLACE, "answer", "cluster", "correct"])
    table["cluster"] = table["cluster"].astype(float)
    alike = [*PLACE, "answer", "cluster"]
    few = table[alike].drop_duplicates()
    return table.merge(few.assign(said=named(few)), on=alike, how="left")


def _record(question: str, paths: pd.DataFrame, answers: pd.DataFrame) -> Record:
    """One question; `answers` are those of `_answers` for it."""
    given = answers[answers["said"].notna()].sort_values("turn", kind="stable")
    numbers = {name: number for number, name in enumerate(dict.fromkeys(given["said"]))}
    right = given.assign(final=given["turn"] < 0).groupby(["said", "final"])["correct"].mean()
    said = {
        (row, turn): numbers.get(name) for row, turn, name in answers[["row", "turn", "said"]].itertuples(index=False)
    }
    steps = set(paths["step"])
    step = int(steps.pop()) if len(steps) == 1 and paths["step"].notna().all() else None
    counts = paths["probes"].map(len)
    return Record(
        question=question,
        lengths=tuple(paths["tokens"].astype(int)),
        answers=tuple(said[row, -1] for row in paths.index),
        worth=tuple(float(right.get((name, True), right.get((name, False), 0.0))) for name in numbers),
        scores={score: _score(paths, column) for score, column in CONFIDENCES.items()},
        step=step,
        probes=tuple(tuple(said[row, turn] for turn in range(count)) for row, count in counts.items()),
        prices=tuple((paths["tokens_probe"] / counts.clip(lower=1)).astype(float)),
    )


def _score(paths: pd.DataFrame, column: str) -> tuple[float, ...] | None:
    if column not in paths or paths[column].isna().any():
        return None
    return tuple(paths[column].astype(float))
