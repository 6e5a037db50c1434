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

from analysis.stats import Estimate, estimate

UNIT = (0.0, 1.0)
KEY = ["question_id", "group"]
OWN = ["tokens_think", "tokens_summary"]


def metrics(paths: pd.DataFrame) -> dict[str, dict[str, float | int | None]]:
    """All metrics of one run: name -> value, low, high (95%, over questions) and n, the number of questions.

    Shares are in [0, 1], tokens are means per path. `own` are sampled tokens (thinking, summaries, answer, what was
    cut included), `received` those of comments.
    """
    table = per_group(paths)
    return {name: overall(table, name).as_dict() for name in table.columns if name not in KEY}


def overall(table: pd.DataFrame, name: str) -> Estimate:
    """One metric of a `per_group` table with its interval."""
    values = [group[name].to_numpy() for _, group in table.groupby("question_id", sort=True)]
    return estimate(values, None if name.startswith("tokens_") or name == "blocks" else UNIT)


def per_question(table: pd.DataFrame, name: str) -> pd.Series:
    """One metric of a `per_group` table, averaged over groups, by question id."""
    return table.groupby("question_id", sort=True)[name].mean()


def per_group(paths: pd.DataFrame) -> pd.DataFrame:
    """One row per question and group of one run, with every metric."""
    rows = [{**dict(zip(KEY, key, strict=True)), **_of_group(group)} for key, group in paths.groupby(KEY, sort=True)]
    return pd.DataFrame(rows)


def _of_group(group: pd.DataFrame) -> dict[str, float]:
    correct = group["correct"].to_numpy(bool)
    own = group[OWN].sum(axis=1).to_numpy(float)
    answers = [None if pd.isna(answer) else str(answer) for answer in group["answer"]]
    count, right = len(group), int(correct.sum())
    return {
        "pass@1": float(correct.mean()),
        f"cons@{count}": majority(answers, correct),
        f"shortest_majority@{count}": majority(answers, correct, own),
        **{f"pass@{k}": pass_at_k(count, right, k) for k in (2, 4, 8, 16, 32) if k <= count},
        "tokens_own": float(own.mean()),
        "tokens_received": float(group["tokens_comment"].mean()),
        "tokens_with_received": float(own.mean() + group["tokens_comment"].mean()),
        "tokens_prefilled": float(group["tokens_prefilled"].mean()),
        "blocks": float(group["blocks"].mean()),
        "forced": float((group["finish"] != "answered").mean()),
        "unanswered": float(np.mean([answer is None for answer in answers])),
    }


def majority(answers: Sequence[str | None], correct: Sequence[bool] | Any, lengths: Sequence[float] | Any = None) -> float:
    """Correctness of the majority vote, in [0, 1]; paths without an answer do not vote.

    All right answers are one answer, however written; of wrong ones those that read the same, integers as integers.
    With `lengths` ties go to the cluster with the shorter mean; remaining ties count by the share of right clusters,
    which is what breaking them at random gives on average.
    """
    clusters: dict[str, list[int]] = {}
    for index, answer in enumerate(answers):
        if answer is not None:
            clusters.setdefault("right" if correct[index] else f"wrong {_plain(answer)}", []).append(index)
    if not clusters:
        return 0.0
    most = max(map(len, clusters.values()))
    tied = {name: members for name, members in clusters.items() if len(members) == most}
    if lengths is not None:
        means = {name: float(np.mean([lengths[index] for index in members])) for name, members in tied.items()}
        tied = {name: members for name, members in tied.items() if means[name] == min(means.values())}
    return ("right" in tied) / len(tied)


def pass_at_k(n: int, right: int, k: int) -> float:
    """Chance that k of n responses, drawn without replacement, hold a right one: 1 - C(n - c, k) / C(n, k)."""
    if not 1 <= k <= n:
        raise ValueError(f"pass@k needs 1 <= k <= n, not k={k}, n={n}")
    return 1 - math.comb(n - right, k) / math.comb(n, k)


def _plain(answer: str) -> str:
    bare = "".join(answer.split())
    return str(int(bare)) if re.fullmatch(r"[+-]?[0-9]{1,300}", bare) else bare
