"""The field's metrics, computed a group at a time and averaged over groups, then questions.

Pass@1 is the mean correctness of a group's N paths; Cons@N the correctness of their majority vote (`votes`); the
shortest majority breaks ties toward shorter answers; `final` is the correctness of what the method decided: the vote in
which every path counts by its weight, which without weights is Cons@N; pass@k the unbiased estimate of Chen et al.
(2021), with the group's own n.
"""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from leap_lab.errors import UserError

from ..stats import again
from ..stats.intervals import SHARE, Estimate, Floats, estimate
from .votes import decision, majority, named

KEY = ["question_id", "group"]
SAMPLED = ["tokens_think", "tokens_summary"]
# Columns that may be unknown: to the engine, of the model, or because the run did not record them.
KNOWN = (
    *("tokens_heard", "tokens_wrapper", "tokens_prefilled", "tokens_cached", "flops"),
    *("tokens_prefilled_least", "tokens_prefilled_most", "flops_least", "flops_most"),
)
# Shares of paths that tables show beside their own subject, where not 0: how paths ended, and where answers stood.
ENDINGS = ("forced", "stopped", "own_blocks", "recovered", "no_answer")
ENDED = ("finish", "own_blocks", "extraction")  # the columns that they come from
NOTES = {"recovered": "recovered", "none": "no_answer"}  # of the column `extraction`; the third note is `clean`
DRAWS = (2, 4, 8, 16, 32)  # the k of pass@k


def metrics(paths: pd.DataFrame) -> dict[str, dict[str, float | int | None]]:
    """All metrics of one run: name -> value, low, high (95%, over questions) and n, the number of questions.

    Shares are in [0, 1], tokens are means per path: `own` are sampled (thinking, summaries, answer, what was cut
    included), `received` those of comments, of which `heard` by peers and `wrapper` by the runtime, `prefilled` and
    `cached` those of all prompts. `tokens_group` are sampled by all paths of a group together, which is what a decision
    costs. `critical_path` is the longest chain of a group, `flops` are operations per path.
    What is not known of every path has no entry: `flops` of some models, prompts of some engines. low and high are None
    where there is no honest interval.
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


def endings(table: pd.DataFrame, questions: Sequence[str] | None = None) -> dict[str, Estimate]:
    """Of a `per_group` table the shares that tell how paths ended (`ENDINGS`), as far as the run recorded them."""
    return {name: estimate(by_question(table, name, questions), SHARE) for name in ENDINGS if name in table}


def support(name: str) -> tuple[float, float] | None:
    """What a metric can be: a share from 0 to 1; counts have no bound."""
    return None if name.startswith(("tokens_", "flops")) or name in ("blocks", "aha", "critical_path") else SHARE


def by_question(table: pd.DataFrame, name: str, questions: Sequence[str] | None = None) -> list[Floats]:
    """One metric of a `per_group` table: an array of groups per question, in the order of ids or of `questions`."""
    values = {question: group.to_numpy(float) for question, group in table.groupby("question_id", sort=True)[name]}
    return [values[question] for question in (values if questions is None else questions)]


def per_group(paths: pd.DataFrame) -> pd.DataFrame:
    """One row per question and group of one run, with every metric. `ValueError` for paths of several runs.

    `UserError` for paths that nobody can grade, such as those of an endpoint.
    """
    if paths["run_id"].nunique() != 1:
        raise ValueError(f"metrics are of one run, not of {paths['run_id'].nunique()}")
    if paths["correct"].isna().any():
        raise UserError(f"run {paths['run_id'].iloc[0]}: no right answers are known; leap_lab.load reads what it holds")
    own = paths[SAMPLED].sum(axis=1)
    if "tokens_heard" in paths:
        paths = paths.assign(tokens_wrapper=paths["tokens_comment"] - paths["tokens_heard"])
    columns = {
        "pass@1": paths["correct"],
        "tokens_own": own,
        "tokens_received": paths["tokens_comment"],
        "tokens_with_received": own + paths["tokens_comment"],
        **{name: paths[name] for name in KNOWN if name in paths and paths[name].notna().all()},
        "blocks": paths["blocks"],
        "aha": paths["aha"],
        **ended(paths),
        "unanswered": paths["answer"].isna(),
    }
    grouped = paths[KEY].assign(**{name: column.astype(float) for name, column in columns.items()}).groupby(KEY)
    votes = [_votes(group) for _, group in paths.assign(own=own, said=named(paths)).groupby(KEY)]
    groups = paths.assign(own=own).groupby(KEY)
    together = groups.agg(critical_path=("critical_path", "max"), tokens_group=("own", "sum")).astype(float)
    means = grouped.mean().join(together).reset_index()
    first = [*KEY, "pass@1", *votes[0]]
    table = pd.concat([means, pd.DataFrame(votes)], axis=1)
    return table[[*first, *(name for name in table.columns if name not in first)]]


def ended(paths: pd.DataFrame) -> dict[str, pd.Series]:
    """How each path ended, by `ENDINGS`, as far as the run recorded it of every path."""
    known = {name for name in ("own_blocks", "extraction") if name in paths and paths[name].notna().all()}
    own = {"own_blocks": (paths["own_blocks"] > 0).astype(float)} if "own_blocks" in known else {}
    notes = NOTES if "extraction" in known else {}
    stood = {name: (paths["extraction"] == note).astype(float) for note, name in notes.items()}
    stopped = paths["finish"] == "stopped"
    forced = ~stopped & (paths["finish"] != "answered")
    return {"forced": forced.astype(float), "stopped": stopped.astype(float), **own, **stood}


def _votes(group: pd.DataFrame) -> dict[str, float]:
    correct = group["correct"].to_numpy(bool)
    said, count, right = list(group["said"]), len(correct), int(correct.sum())
    return {
        f"cons@{count}": majority(said, correct),
        "final": decision(said, correct, _weights(group)),
        f"shortest_majority@{count}": majority(said, correct, group["own"].to_numpy(float)),
        **{f"pass@{k}": pass_at_k(count, right, k) for k in DRAWS if k <= count},
    }


def _weights(group: pd.DataFrame) -> Floats:
    """What each path counts in the decision, NaN where it counts as 1."""
    return group["weight"].to_numpy(float) if "weight" in group else np.full(len(group), np.nan)


def pass_at_k(n: int, right: int, k: int) -> float:
    """Chance that k of n responses, drawn without replacement, hold a right one: 1 - C(n - c, k) / C(n, k)."""
    if not 1 <= k <= n or not 0 <= right <= n:
        raise ValueError(f"pass@k needs 1 <= k <= n and 0 <= c <= n, not k={k}, n={n}, c={right}")
    return 1 - math.comb(n - right, k) / math.comb(n, k)
