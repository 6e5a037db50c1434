"""Fresh problems of the package `reasoning-gym`: over a hundred tasks, each with a scorer of its own."""

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from leap_lab.errors import UserError, one_line
from leap_lab.tasks.problem import Problem

KIND = "reasoning_gym"  # the grader: `leap_lab.grading.kinds.reasoning_gym`


@dataclass(frozen=True)
class ReasoningGym:
    """`count` problems of a task from a seed; `settings` are those of the task, as the package documents them.

    The right answer of a problem is a JSON object: the answer, and how to make the problem again, which its scorer needs.
    """

    task: str
    count: int = 500
    seed: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)

    def load(self) -> list[Problem]:
        """All problems in order; `UserError` for a task or setting that there is not, and without the package."""
        made = {"task": self.task, "seed": self.seed, "settings": json.dumps(dict(self.settings), sort_keys=True)}
        entries = entries_of(**made)
        problems = []
        for index in range(self.count):
            entry = entries[index]
            gold = {"answer": entry["answer"], **made, "index": index}
            problems.append(Problem(f"{self.task}-{self.seed}-{index}", entry["question"], json.dumps(gold), KIND))
        return problems


@cache
def entries_of(task: str, seed: int, settings: str) -> Any:
    """The dataset of the package, from which each entry is made when it is asked for; `settings` is JSON."""
    try:
        from reasoning_gym.factory import DATASETS, create_dataset
    except ImportError as error:
        raise UserError("dataset=reasoning_gym: needs the package reasoning-gym; install leap-lab[gym]") from error
    if task not in DATASETS:
        near = ", ".join(difflib.get_close_matches(task, DATASETS, cutoff=0.4)) or ", ".join(sorted(DATASETS)[:3])
        raise UserError(f"dataset.task={task}: no such task of reasoning-gym; there are {near}, ...")
    try:
        return create_dataset(task, seed=seed, size=2**31, **json.loads(settings))
    except (TypeError, ValueError, AssertionError) as error:
        raise UserError(f"dataset.settings={settings}: {task} refuses them ({one_line(error, 200)})") from error
