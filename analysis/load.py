"""Run folders as one table: a row a path, with the settings of its run beside it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from leap_lab.errors import UserError
from leap_lab.runs.ledger import USAGE, flops, flops_per
from leap_lab.runs.reading import read_groups, settings

# What the tables need; transcripts stay on disk.
COLUMNS = (
    *("run_id", "question_id", "group", "path", "answer", "correct", "finish"),
    *("tokens_think", "tokens_summary", "tokens_comment", "tokens_prefilled", "blocks", "aha"),
    *("requests", "tokens_cached", "tokens_decoded", "tokens_attended", "critical_path"),
)
LABELS = {
    "model": "model.name",
    "dataset": "dataset.name",
    "method": "method.name",
    "interval": "method.interval",
    "position": "method.position",
    "helpers": "method.helpers",
    "layers": "method.layers",
    "max_tokens": "method.max_tokens",
    "router": "router.name",
    "top_k": "router.top_k",
    "prompts": "prompts.name",
    "temperature": "sampling.temperature",
    "difficulty": "difficulty.name",
    "prefix": "prefix.name",
    "fraction": "prefix.fraction",
    "good_ratio": "prefix.good_ratio",
    "peers": "peers",
    "seed": "seed",
}


Asked = tuple[Collection[str], int]  # question ids, and the first so many groups of each
_asked: ContextVar[Mapping[str, Asked]] = ContextVar("asked", default=MappingProxyType({}))


@contextmanager
def only(asked: Mapping[str, Asked]) -> Iterator[None]:
    """Within it `load` reads of these runs (by id) only what was asked for, where a call names nothing itself.

    A run folder grows with `limit` and `groups`: a table is of what a command asked for, not of all that is there.
    """
    token = _asked.set(asked)
    try:
        yield
    finally:
        _asked.reset(token)


def load(
    folders: Sequence[str | Path],
    columns: Sequence[str] = COLUMNS,
    questions: Sequence[str] | None = None,
    groups: int | None = None,
) -> pd.DataFrame:
    """Rows of all runs in the order of `folders`, labelled by `LABELS`; only these questions and first `groups`.

    A label replaces a column of the same name: `seed` is the run's, not the path's. With the columns that tell what the
    engine computed there is one of `flops`, NaN where the model's operations are not known. `UserError` for a folder
    that is no run or holds nothing of what was asked for.
    """
    if not folders:
        raise UserError("run folders: none named; at least one is needed, such as runs/<run_id>")
    frames = []
    for folder in map(Path, folders):
        own = labels(settings(folder))
        asked, most = _asked.get().get(folder.name, (None, None))
        ids = asked if questions is None else questions
        most = most if groups is None else groups
        some = None if ids is None else set(ids)
        rows = read_groups(folder, columns, some, None if most is None else range(most)).assign(**own)
        frames.append(rows.assign(flops=flops(rows, flops_per(folder))) if {*USAGE} <= {*rows.columns} else rows)
    return pd.concat(frames, ignore_index=True)


def labels(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings named in `LABELS`; None where the method has no such setting."""
    return {name: settings.get(key) for name, key in LABELS.items()}


def _dotted(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= _dotted(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat
