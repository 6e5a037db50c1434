"""All independent responses of one setting together: what sampling alone does with any number of paths.

Independent paths know nothing of each other, so those of several runs are one pool, whatever the size of their groups.
A run's seed, the question, the group and the place in it determine a path, so two runs of one seed hold the same paths:
each counts once.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from leap_lab.seeds import derive_seed

from ..load import load
from ..stats.intervals import CHUNK, SHARE, Estimate, Floats, estimate
from .budget import COLUMNS, Budget, costs, none_beyond
from .compare import Run
from .metrics import ENDED, ENDINGS, ended
from .shared import budget_of, shared_settings, shares_of
from .votes import named

DRAWS = 2000  # random orders of a question's paths that the votes are averaged over
GRID = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
ANY = ("peers", "seed")  # what runs of one pool may differ in
READ = (
    *("run_id", "question_id", "group", "path", "answer", "cluster", "correct", "aha", *ENDED),
    *COLUMNS,
)


@dataclass(frozen=True)
class Pool:
    """The independent paths of one setting, a row each with `correct`, `aha`, `said` and costs by every budget.

    `said` is of `votes.named`, over all paths of a question.
    """

    settings: Mapping[str, object]  # of its first run
    runs: tuple[str, ...]
    paths: pd.DataFrame

    @property
    def questions(self) -> list[str]:
        """Ids in order."""
        return sorted(self.paths["question_id"].unique())

    def size(self, questions: Sequence[str]) -> int:
        """How many paths there are of each of these questions, at least."""
        counts = self.paths["question_id"].value_counts()
        return int(min(counts[question] for question in questions))

    def means(self, column: str, questions: Sequence[str]) -> list[Floats]:
        """The mean of a column over the paths of each question, as the one group that it is for `stats`."""
        found = self.paths.groupby("question_id")[column].mean()
        return [np.array([found[question]], float) for question in questions]

    def endings(self, questions: Sequence[str]) -> dict[str, Estimate]:
        """The shares that tell how paths ended, as `metrics.endings` has them."""
        return {name: estimate(self.means(name, questions), SHARE) for name in ENDINGS if name in self.paths}

    def prices(self, budget: Budget, questions: Sequence[str]) -> Floats:
        """What 1, 2, ... paths of a question cost on average, the mean over questions, as far as all have so many."""
        return np.asarray(self._costs(budget, questions).mean(axis=1))

    def curve(self, budget: Budget, questions: Sequence[str]) -> tuple[Floats, Floats]:
        """The votes of 1, 2, ... paths, and what these cost; both of shape (paths, questions)."""
        size = self.size(questions)
        return np.array([self._votes[question][:size] for question in questions]).T, self._costs(budget, questions)

    def _costs(self, budget: Budget, questions: Sequence[str]) -> Floats:
        size = self.size(questions)
        values = {question: own.to_numpy(float) for question, own in self.paths.groupby("question_id")[budget.value]}
        return np.array([budget.drawn(values[question])[:size] for question in questions]).T

    def cons(self, count: float, questions: Sequence[str]) -> list[Floats]:
        """Cons of each question with `count` paths, between whole numbers by a straight line.

        `ValueError` unless there are as many paths of every question, and one at least.
        """
        return self._between(self._votes, count, questions)

    def coverage(self, count: float, questions: Sequence[str]) -> list[Floats]:
        """The chance that one of `count` paths is right, of each question, as `cons` has the vote."""
        return self._between(self._covered, count, questions)

    def _between(self, curves: Mapping[str, Floats], count: float, questions: Sequence[str]) -> list[Floats]:
        if not 1 <= count <= self.size(questions):
            raise ValueError(f"{count:g} paths are not there: from 1 to {self.size(questions)} were measured")
        lower = math.floor(count)
        weight = count - lower
        return [
            np.array([(1 - weight) * curve[lower - 1] + (weight * curve[lower] if weight else 0.0)])
            for curve in (curves[question] for question in questions)
        ]

    @cached_property
    def _covered(self) -> dict[str, Floats]:
        """pass@n of each question, for n from 1 to all its paths."""
        found = self.paths.groupby("question_id")["correct"]
        return {str(q): covered([bool(right) for right in own]) for q, own in found}

    @cached_property
    def _votes(self) -> dict[str, Floats]:
        return {
            str(q): votes(list(own["said"]), list(own["correct"]), seed=derive_seed("votes", q))  # errors average out
            for q, own in self.paths.groupby("question_id")
        }


def pools(runs: Sequence[Run]) -> list[Pool]:
    """The pools of all independent runs, in the order of the first run of each."""
    alike: dict[str, list[Run]] = {}
    for run in runs:
        if run.independent:
            alike.setdefault(repr(sorted(shared_settings(run.settings, ANY).items())), []).append(run)
    return [pool(own) for own in alike.values()]


def pool(runs: Sequence[Run]) -> Pool:
    """One pool of independent runs that differ in seed and number of paths alone."""
    frames = [load([run.folder], READ) for run in runs]
    paths = pd.concat(frames, ignore_index=True).drop_duplicates(["seed", "question_id", "group", "path"])
    shown = ended(paths)
    paths = costs(paths).drop(columns=list(ENDINGS), errors="ignore").assign(said=named(paths), **shown)
    return Pool(runs[0].settings, tuple(run.folder.name for run in runs), paths)


def pool_of(run: Run, found: Sequence[Pool]) -> Pool | None:
    """The pool of the run's model, questions, sampling and budget of a path; None without one.

    A method that spreads its budget over rounds is compared by all its tokens, so it may have the pool with another
    budget of a path, the largest one.
    """
    but = (*ANY, "method.max_tokens") if budget_of(run.settings) == "rounds" else ANY
    shares = shares_of(run.settings)
    wanted = shared_settings(run.settings, but, shares)
    kept = [each for each in found if shared_settings(each.settings, but, shares) == wanted]
    return max(kept, key=lambda each: each.size(each.questions), default=None)


def sizes(size: int) -> list[int]:
    """The numbers of paths, up to this one, that a curve has points at."""
    return sorted({*(count for count in GRID if count < size), size})


def votes(names: Sequence[str | None], correct: Sequence[float], draws: int = DRAWS, seed: int = 0) -> Floats:
    """Cons@n for n from 1 to all paths: of n drawn without replacement, how often the majority is right, on average.

    `names` are of `votes.named`, one a path, `correct` whether that path is right. Tied answers count by their mean
    correctness (over all paths that gave them), no votes as wrong.
    """
    answers = sorted({name for name in names if name is not None})
    if not answers:
        return np.zeros(len(names))
    voted, right = np.zeros((len(names), len(answers)), np.int32), np.zeros((len(names), len(answers)))
    for row, name in enumerate(names):
        if name is not None:
            voted[row, answers.index(name)], right[row, answers.index(name)] = 1, correct[row]
    worth = right.sum(axis=0) / voted.sum(axis=0)
    rng = np.random.default_rng(seed)
    rows = max(1, CHUNK // voted.size)
    total = np.zeros(len(names))
    for start in range(0, draws, rows):
        orders = rng.permuted(np.tile(np.arange(len(names)), (min(rows, draws - start), 1)), axis=1)
        counts = voted[orders].cumsum(axis=1)  # of each draw, after n paths, by answer
        most = counts.max(axis=2, keepdims=True)
        tied = (counts == most) & (most > 0)
        total += (tied @ worth / np.maximum(1, tied.sum(axis=2))).sum(axis=0)
    return np.asarray(total / draws)


def covered(correct: Sequence[bool]) -> Floats:
    """pass@n for n from 1 to all paths: the chance that n drawn without replacement hold a right one."""
    wrong = len(correct) - sum(correct)
    if wrong == 0:
        return np.ones(len(correct))
    return np.asarray(1 - none_beyond(len(correct))[:, wrong - 1])
