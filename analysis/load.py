"""Run folders as one table: a row a path, with the settings of its run beside it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from leap_lab.errors import UserError
from leap_lab.records import read_groups

# What the tables need; transcripts stay on disk.
COLUMNS = (
    *("run_id", "question_id", "group", "path", "answer", "correct", "finish"),
    *("tokens_think", "tokens_summary", "tokens_comment", "tokens_prefilled", "blocks", "aha"),
)
LABELS = {
    "model": "model.name",
    "dataset": "dataset.name",
    "method": "method.name",
    "interval": "method.interval",
    "max_tokens": "method.max_tokens",
    "router": "router.name",
    "top_k": "router.top_k",
    "prompts": "prompts.name",
    "temperature": "sampling.temperature",
    "peers": "peers",
    "seed": "seed",
}


def load(
    folders: Sequence[str | Path],
    columns: Sequence[str] = COLUMNS,
    questions: Sequence[str] | None = None,
    groups: int | None = None,
) -> pd.DataFrame:
    """Rows of all runs in the order of `folders`, labelled by `LABELS`; only these questions and first `groups`.

    `UserError` for a folder that is no run, holds nothing that was asked for, or misses some of it.
    """
    if not folders:
        raise UserError("run folders: none named; at least one is needed, such as runs/<run_id>")
    frames = []
    for folder in map(Path, folders):
        wanted = range(groups) if groups is not None else None
        frame = read_groups(folder, columns, set(questions) if questions is not None else None, wanted)
        frames.append(frame.assign(**labels(folder)))
    return pd.concat(frames, ignore_index=True)


def labels(folder: Path) -> dict[str, Any]:
    """The settings of a run by the names of `LABELS`; None where its method has no such setting."""
    try:
        config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"{folder}: no readable config.yaml; name the folder of a run, such as runs/<run_id>") from error
    return {name: _dig(config, key) for name, key in LABELS.items()}


def _dig(tree: Any, key: str) -> Any:
    for part in key.split("."):
        tree = tree.get(part) if isinstance(tree, dict) else None
    return tree
