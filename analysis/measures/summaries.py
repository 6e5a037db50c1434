"""How well paths summarize: whether the model closes its summaries in time, and leaves the protocol's tags alone."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from leap_lab.errors import UserError
from leap_lab.path import Kind
from leap_lab.prompts import SUMMARY_CLOSE
from leap_lab.runs.reading import settings

from ..load import load
from ..stats.intervals import SHARE, Estimate, estimate

KEY = ["question_id", "group"]
TAG = re.compile(r"</?(?:think|summarize|comment|peer_summaries)>")


@dataclass(frozen=True)
class Quality:
    """Shares of the summaries of one run."""

    summaries: int
    truncated: Estimate  # as long as the limit, or closed by the runtime
    malformed: Estimate  # closed by the model, but empty or with another tag of the protocol in it


def quality(folder: str | Path) -> Quality:
    """The summaries of a run; `UserError` where it has none."""
    limit = settings(Path(folder)).get("method.summary_tokens")
    paths = load([folder], columns=(*KEY, "segments"))
    rows = [
        (*key, *each)
        for *key, segments in paths[[*KEY, "segments"]].itertuples(index=False, name=None)
        for each in summaries(segments, limit)
    ]
    if not rows:
        raise UserError(f"{folder}: no summaries in it; allowed are runs of LeaP")
    table = pd.DataFrame(rows, columns=[*KEY, "truncated", "malformed"])
    return Quality(len(table), *(_share(table, name) for name in ("truncated", "malformed")))


def summaries(segments: Sequence[Mapping[str, Any]], limit: int | None) -> Iterator[tuple[bool, bool]]:
    """Of each summary of a path, whether it is truncated and whether it is malformed; never both."""
    for index, part in enumerate(segments):
        if part["kind"] == Kind.SUMMARY:
            after = segments[index + 1] if index + 1 < len(segments) else None
            by_runtime = after is not None and (after["kind"], after["turn"]) == (Kind.TRIGGER, part["turn"])
            truncated = by_runtime or (limit is not None and len(part["tokens"]) >= limit)
            yield truncated, not truncated and malformed(part["text"])


def malformed(text: str) -> bool:
    """Whether a closed summary says nothing, or holds a tag that is not its own."""
    said = text.partition(SUMMARY_CLOSE)[0]
    return not said.strip() or TAG.search(said) is not None


def _share(table: pd.DataFrame, name: str) -> Estimate:
    means = table.astype({name: float}).groupby(KEY)[name].mean()
    return estimate([groups.to_numpy(float) for _, groups in means.groupby("question_id")], SHARE)
