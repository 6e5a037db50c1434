"""Run folders as one table: a row a path, with the settings of its run beside it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from leap_lab.errors import UserError
from leap_lab.runs.ledger import BOUNDS, USAGE, flops, flops_per
from leap_lab.runs.reading import read_groups, run_folders, settings

from .labels import aligned

# What the tables need; transcripts stay on disk.
COLUMNS = (
    *("run_id", "question_id", "group", "path", "answer", "cluster", "correct", "finish", "weight"),
    *(
        "tokens_think",
        "tokens_summary",
        "tokens_comment",
        "tokens_heard",
        "tokens_prefilled",
        "blocks",
        "own_blocks",
        "extraction",
        "aha",
    ),
    *("requests", "tokens_cached", "tokens_decoded", "tokens_attended", "critical_path"),
    *("tokens_prefilled_least", "tokens_prefilled_most", "tokens_attended_least", "tokens_attended_most"),
)

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
    """Rows of all runs in the order of `folders`, only these questions and first `groups`, beside the runs' labels.

    The labels are those of `labels.labels`: None where a run has no such setting that another one has. `seed` is the
    run's, not the path's. With the columns that say what the engine computed there is one of `flops` (and, for a
    perfect and for no prefix cache, `flops_least` and `flops_most`), NaN where the model's operations are not known.
    `UserError` for a folder that is no run or holds nothing of what was asked for.
    """
    if not folders:
        raise UserError("run folders: none named; at least one is needed, such as runs/<run_id>")
    frames = []
    paths = run_folders(folders)
    for folder, own in zip(paths, aligned([settings(folder) for folder in paths]), strict=True):
        asked, most = _asked.get().get(folder.name, (None, None))
        ids = asked if questions is None else questions
        most = most if groups is None else groups
        some = None if ids is None else set(ids)
        rows = read_groups(folder, columns, some, None if most is None else range(most)).assign(**own)
        frames.append(_with_flops(rows, folder))
    return pd.concat(frames, ignore_index=True)


def _with_flops(rows: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """The rows with their operations, as far as they have the columns that these are of."""
    wanted = {"flops": USAGE, **{f"flops_{bound}": columns for bound, columns in BOUNDS.items()}}
    per = flops_per(folder)
    return rows.assign(
        **{name: flops(rows, per, columns) for name, columns in wanted.items() if {*columns} <= {*rows.columns}}
    )
