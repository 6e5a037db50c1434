"""What judges said of answers that grading rejected, beside the grades and never among them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leap_lab.runs.judged import KEY, read

from ..load import load
from ..stats.intervals import SHARE, Estimate, estimate


@dataclass(frozen=True)
class Judged:
    """One judge on one run. `with_judge`: Pass@1 if what it accepted were right."""

    judge: str  # its model, and its id
    rejected: int  # paths with an answer that is not right by the rules
    said: Counter[str]  # verdicts of these paths
    graded: Estimate
    with_judge: Estimate


def judged(folder: Path, questions: Sequence[str] | None = None, groups: int | None = None) -> list[Judged]:
    """Every judge of a run, over these questions and first groups; empty where nobody judged.

    A verdict counts where the path still has the answer and the right answer that were judged, and is rejected.
    """
    found = read(folder)
    if not found:
        return []
    rows = load([folder], (*KEY, "gold", "correct"), questions, groups)
    return [_judged(name, each, rows.to_dict("records")) for name, each in found.items()]


def _judged(name: str, found: Mapping[str, Any], rows: Sequence[Mapping[Any, Any]]) -> Judged:
    verdicts = {(*(each[key] for key in KEY), each["gold"]): each["said"] for each in found["verdicts"]}
    said = [None if row["correct"] else verdicts.get((*(row[key] for key in KEY), row["gold"])) for row in rows]
    rejected = sum(not row["correct"] and isinstance(row["answer"], str) for row in rows)
    graded: dict[Any, list[bool]] = {}
    accepted: dict[Any, list[bool]] = {}
    for row, word in zip(rows, said, strict=True):
        place = row["question_id"], row["group"]
        graded.setdefault(place, []).append(bool(row["correct"]))
        accepted.setdefault(place, []).append(bool(row["correct"]) or word == "yes")
    model = str(found["judge"].get("model_name", "a judge"))
    counts = Counter(word for word in said if word is not None)
    return Judged(f"{model} ({name})", rejected, counts, _pass1(graded), _pass1(accepted))


def _pass1(groups: Mapping[Any, Sequence[bool]]) -> Estimate:
    by_question: dict[str, list[float]] = {}
    for (question, _), right in groups.items():
        by_question.setdefault(question, []).append(sum(right) / len(right))
    return estimate([by_question[question] for question in sorted(by_question)], SHARE)
