"""The field's metrics, computed a group at a time and averaged over groups, then questions.

Pass@1 is the mean correctness of a group's N paths; Cons@N the correctness of their majority vote; the shortest
majority breaks ties toward shorter answers; pass@k the unbiased estimate of Chen et al. (2021), with the group's own n.
"""

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..stats import again
from ..stats.intervals import SHARE, Estimate, Floats, estimate

KEY = ["question_id", "group"]
SAMPLED = ["tokens_think", "tokens_summary"]
ENGINE = ("tokens_prefilled", "tokens_cached", "flops")  # columns that may be unknown, by the engine or the model
DRAWS = (2, 4, 8, 16, 32)  # the k of pass@k


def metrics(paths: pd.DataFrame) -> dict[str, dict[str, float | int | None]]:
    """All metrics of one run: name -> value, low, high (95%, over questions) and n, the number of questions.

    Shares are in [0, 1], tokens are means per path: `own` are sampled (thinking, summaries, answer, what was cut
    included), `received` those of comments, `prefilled` and `cached` those of all prompts. `critical_path` is the
    longest chain of a group, `flops` are operations per path. What is not known of every path has no entry: `flops` of
    some models, prompts of some engines. low and high are None where there is no honest interval.
    """
    return {name: found.as_dict() for name, found in estimates(per_group(paths)).items()}


def estimates(table: pd.DataFrame, these: bool = False, independent: bool = False) -> dict[str, Estimate]:
    """Every metric of a `per_group` table with its interval: for questions like these, or for `these` asked again.

    `independent`: paths of a group are, so that each of them counts as a sample of its question.
    """
    names = [name for name in table.columns if name not in KEY]
    if not these:
        return {name: estimate(by_question(table, name), support(name)) for name in names}
    return {name: again.estimate(samples(table, name, independent), support(name)) for name in names}


def samples(table: pd.DataFrame, name: str, independent: bool, questions: Sequence[str] | None = None) -> list[Floats]:
    """Independent samples of every question: its groups, or for Pass@1 of `independent` paths the paths themselves."""
    groups = by_question(table, name, questions)
    if name != "pass@1" or not independent:
        return groups
    size = next(int(name.removeprefix("cons@")) for name in map(str, table) if name.startswith("cons@"))
    right = [np.rint(values * size).astype(int) for values in groups]
    return [np.repeat([1.0, 0.0], [counts.sum(), size * len(counts) - counts.sum()]) for counts in right]


def support(name: str) -> tuple[float, float] | None:
    """What a metric can be: a share from 0 to 1; counts have no bound."""
    return None if name.startswith("tokens_") or name in ("blocks", "aha", "flops", "critical_path") else SHARE


def by_question(table: pd.DataFrame, name: str, questions: Sequence[str] | None = None) -> list[Floats]:
    """One metric of a `per_group` table: an array of groups per question, in the order of ids or of `questions`."""
    values = {question: group.to_numpy(float) for question, group in table.groupby("question_id", sort=True)[name]}
    return [values[question] for question in (values if questions is None else questions)]


def per_group(paths: pd.DataFrame) -> pd.DataFrame:
    """One row per question and group of one run, with every metric. `ValueError` for paths of several runs."""
    if paths["run_id"].nunique() != 1:
        raise ValueError(f"metrics are of one run, not of {paths['run_id'].nunique()}")
    own = paths[SAMPLED].sum(axis=1)
    columns = {
        "pass@1": paths["correct"],
        "tokens_own": own,
        "tokens_received": paths["tokens_comment"],
        "tokens_with_received": own + paths["tokens_comment"],
        **{name: paths[name] for name in ENGINE if name in paths and paths[name].notna().all()},
        "blocks": paths["blocks"],
        "aha": paths["aha"],
        "forced": paths["finish"] != "answered",
        "unanswered": paths["answer"].isna(),
        **({"own_blocks": paths["own_blocks"] > 0} if _counts_own_blocks(paths) else {}),
    }
    grouped = paths[KEY].assign(**{name: column.astype(float) for name, column in columns.items()}).groupby(KEY)
    votes = [_votes(group) for _, group in paths.assign(own=own).groupby(KEY)]
    longest = paths.groupby(KEY)["critical_path"].max().astype(float)
    means = grouped.mean().assign(critical_path=longest).reset_index()
    named = [*KEY, "pass@1", *votes[0]]
    table = pd.concat([means, pd.DataFrame(votes)], axis=1)
    return table[[*named, *(name for name in table.columns if name not in named)]]


def _counts_own_blocks(paths: pd.DataFrame) -> bool:
    """Whether the run says how often its paths opened a block of their own accord: from version 4 of the schema on."""
    return "own_blocks" in paths and bool(paths["own_blocks"].notna().all())


def _votes(group: pd.DataFrame) -> dict[str, float]:
    correct = group["correct"].to_numpy(bool)
    answers = [None if pd.isna(answer) else str(answer) for answer in group["answer"]]
    count, right = len(correct), int(correct.sum())
    return {
        f"cons@{count}": majority(answers, correct),
        f"shortest_majority@{count}": majority(answers, correct, group["own"].to_numpy(float)),
        **{f"pass@{k}": pass_at_k(count, right, k) for k in DRAWS if k <= count},
    }


def majority(
    answers: Sequence[str | None], correct: Sequence[bool] | Any, lengths: Sequence[float] | Any = None
) -> float:
    """Correctness of the majority vote, in [0, 1]; paths without an answer do not vote, and without votes it is 0.

    Answers are the same where `cluster` says so. With `lengths` ties go to the cluster with the shorter mean; remaining
    ties count by the share of right clusters, which is what breaking them at random gives on average.
    """
    clusters: dict[str, list[int]] = {}
    for index, answer in enumerate(answers):
        if (name := cluster(answer, correct[index])) is not None:
            clusters.setdefault(name, []).append(index)
    if not clusters:
        return 0.0
    most = max(map(len, clusters.values()))
    tied = {name: members for name, members in clusters.items() if len(members) == most}
    if lengths is not None:
        totals = {name: sum(float(lengths[index]) for index in members) for name, members in tied.items()}
        tied = {name: members for name, members in tied.items() if totals[name] == min(totals.values())}
    return ("right" in tied) / len(tied)


def cluster(answer: str | None, correct: bool) -> str | None:
    """What an answer counts as; None without one.

    All right answers are one, however written; of wrong ones those that read the same, integers as integers.
    """
    if answer is None:
        return None
    return "right" if correct else f"wrong {_plain(answer)}"


def pass_at_k(n: int, right: int, k: int) -> float:
    """Chance that k of n responses, drawn without replacement, hold a right one: 1 - C(n - c, k) / C(n, k)."""
    if not 1 <= k <= n or not 0 <= right <= n:
        raise ValueError(f"pass@k needs 1 <= k <= n and 0 <= c <= n, not k={k}, n={n}, c={right}")
    return 1 - math.comb(n - right, k) / math.comb(n, k)


def _plain(answer: str) -> str:
    """An answer as it is compared: without spaces and dollar signs, and an integer as such."""
    bare = "".join(answer.split()).strip("$")
    if re.fullmatch(r"[+-]?([0-9]{1,3}(,[0-9]{3})+|[0-9]{1,300})\.?", bare):
        return str(int(bare.replace(",", "").rstrip(".")))
    return bare
