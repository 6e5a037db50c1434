"""The majority vote: which answers count as one, and how often the most common one is right.

Answers are clustered by equality among themselves, right and wrong ones alike. To merge right ones because they equal
the gold, and wrong ones by their text, would favour the right: "1/2" and "0.5" would be two votes for one answer if it
is right, and one vote each for two answers if it is wrong.
"""

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

RULE = (
    "A vote counts answers that are equal to each other as one, right or wrong; paths without an answer abstain, and "
    "answers with as many votes share the result."
)


def named(rows: pd.DataFrame) -> pd.Series:
    """The name of each row's answer, the same for equal answers to one question; None without an answer.

    Columns: `question_id`, `group`, `answer`, and where known `run_id` and `cluster`, the number that grading gave to
    equal answers of a group. Answers that read the same are one as well: this links the groups of a question, and is
    all there is for runs that recorded no clusters.
    """
    names = _Names()
    places = [_place(row) for row in _records(rows)]
    for text, cluster in places:
        if text is not None and cluster is not None:
            names.join(text, cluster)
    found = [None if text is None else names.of(text)[1] for text, _ in places]
    return pd.Series(found, rows.index, dtype=object)  # a column of strings would turn None into nan


def _records(rows: pd.DataFrame) -> list[dict[Any, Any]]:
    known = [name for name in ("run_id", "question_id", "group", "answer", "cluster") if name in rows]
    return rows[known].to_dict("records")


def _place(row: dict[Any, Any]) -> tuple[Any, Any]:
    """What the answer of a row is linked by: its question and text, and its cluster; None where there is none."""
    answer, number = row["answer"], row.get("cluster")
    if answer is None or pd.isna(answer):
        return None, None
    text = (row["question_id"], plain(str(answer)))
    if number is None or pd.isna(number):
        return text, None
    return text, (row.get("run_id"), row["question_id"], row["group"], int(number))


class _Names:
    """Texts and clusters that are linked, each set under the least of its texts."""

    def __init__(self) -> None:
        self._up: dict[Any, Any] = {}

    def of(self, node: Any) -> Any:
        """The text that a node is known by."""
        while (up := self._up.get(node, node)) != node:
            node = up
        return node

    def join(self, text: tuple[str, str], cluster: tuple[Any, ...]) -> None:
        """Link a text with a cluster, and with all that the cluster is linked to."""
        mine, theirs = self.of(text), self.of(cluster) if cluster in self._up else self.of(text)
        least, other = min(mine, theirs), max(mine, theirs)
        self._up[other] = self._up[cluster] = least


def plain(answer: str) -> str:
    """A text as it is compared: without dollar signs and spaces that separate nothing, and an integer as such."""
    bare = re.sub(r"(?<!\w)\s+|\s+(?!\w)", "", answer.strip().strip("$").strip())
    bare = re.sub(r"\s+", " ", bare)
    if re.fullmatch(r"[+-]?([0-9]{1,3}(,[0-9]{3})+|[0-9]{1,300})\.?", bare):
        return str(int(bare.replace(",", "").rstrip(".")))
    return bare


def decision(names: Sequence[str | None], correct: Sequence[bool] | Any, weights: Sequence[float] | Any) -> float:
    """Correctness of the vote in which every answer counts by its weight, in [0, 1]; 0 where none has any.

    `names` are of `named`. A missing weight (NaN) is 1; with all weights equal this is `majority`. Answers with equal
    weight, but for rounding, share the result. An answer's correctness is the weighted share of its paths that are
    right.
    """
    votes: dict[str, list[int]] = {}
    counts = np.where(np.isnan(weights), 1.0, weights)
    for index, name in enumerate(names):
        if name is not None and counts[index] > 0:
            votes.setdefault(name, []).append(index)
    if not votes:
        return 0.0
    totals = {name: math.fsum(counts[members]) for name, members in votes.items()}
    most = max(totals.values())
    tied = [votes[name] for name, total in totals.items() if math.isclose(total, most, rel_tol=1e-9)]
    right = np.asarray(correct, float)
    return float(np.mean([np.average(right[members], weights=counts[members]) for members in tied]))


def majority(
    names: Sequence[str | None], correct: Sequence[bool] | Any, lengths: Sequence[float] | Any = None
) -> float:
    """Correctness of the majority vote, in [0, 1]; paths without an answer abstain, and without votes it is 0.

    `names` are of `named`. With `lengths` ties go to the answer with the shorter mean; answers that remain tied count
    by their mean correctness, which is what breaking ties at random gives on average. An answer's correctness is the
    share of its paths that are right: 0 or 1, unless grading and clustering disagree.
    """
    votes: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        if name is not None:
            votes.setdefault(name, []).append(index)
    if not votes:
        return 0.0
    most = max(map(len, votes.values()))
    tied = [members for members in votes.values() if len(members) == most]
    if lengths is not None:
        totals = [sum(float(lengths[index]) for index in members) for members in tied]
        tied = [members for members, total in zip(tied, totals, strict=True) if total == min(totals)]
    return float(np.mean([np.mean([bool(correct[index]) for index in members]) for members in tied]))
