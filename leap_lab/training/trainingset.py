"""A set of traces for the trainer: ids and labels, no trace longer than the context, some questions held out."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leap_lab.builtin.corpus import IGNORED
from leap_lab.engines.tokens import ModelTokens
from leap_lab.errors import UserError
from leap_lab.files import read_json
from leap_lab.path import Kind
from leap_lab.training.masks import labels
from leap_lab.training.traces import CARD


@dataclass(frozen=True)
class TrainingSet:
    """Datasets with `input_ids` and `labels`; `evaluation` is None where no question is held out."""

    train: Any
    evaluation: Any
    too_long: int

    @property
    def description(self) -> str:
        """The sizes of the set, and what was left out."""
        evaluation = len(self.evaluation) if self.evaluation is not None else 0
        learned = sum(label != IGNORED for row in self.train["labels"] for label in row)
        return (
            f"{len(self.train)} traces to train on ({learned} tokens with loss), {evaluation} to evaluate; "
            f"{self.too_long} left out, longer than trainer.max_length"
        )


def prepared(
    folder: Path, tokens: ModelTokens, learned: Collection[Kind], longest: int, held_out: float
) -> TrainingSet:
    """Read a set that `leap_lab.training.traces` wrote.

    `UserError` where there is none, where it was made with another tokenizer, or where nothing is left to train on.
    """
    traces = _read(folder, tokens)
    fitting = traces.filter(lambda row: len(row["input_ids"]) <= longest)
    held = fitting.filter(lambda row: _is_held_out(row["question_id"], held_out))
    kept = fitting.filter(lambda row: not _is_held_out(row["question_id"], held_out))
    if not len(kept):
        raise UserError(
            f"data={folder}: nothing to train on; of {len(traces)} traces {len(traces) - len(fitting)} are longer than "
            f"trainer.max_length={longest} and {len(held)} are held out"
        )

    def labelled(rows: Any) -> Any:
        marked = rows.map(lambda row: {"labels": labels(row["input_ids"], row["kinds"], learned)})
        return marked.select_columns(["input_ids", "labels"])

    return TrainingSet(labelled(kept), labelled(held) if len(held) else None, len(traces) - len(fitting))


def _read(folder: Path, tokens: ModelTokens) -> Any:
    from datasets import disable_progress_bars, load_from_disk

    made_with = read_json(folder / CARD).get("tokenizer")
    if made_with is None:
        raise UserError(f"data={folder}: not a training set; must be a folder written by leap_lab.training.traces")
    if made_with != tokens.fingerprint:
        raise UserError(
            f"mixed tokenizers: data={folder} was made with {made_with}, "
            f"student={tokens.model} has {tokens.fingerprint}"
        )
    disable_progress_bars()
    try:  # in memory, otherwise derived data would be cached in the folder
        return load_from_disk(str(folder), keep_in_memory=True)
    except (OSError, ValueError) as error:
        raise UserError(f"data={folder}: damaged ({type(error).__name__}); make it again") from error


def _is_held_out(question: str, share: float) -> bool:
    """Decided by a hash of the question: all its traces are on one side, in every set that has it."""
    return int.from_bytes(hashlib.blake2b(question.encode(), digest_size=4).digest()) < share * 2**32
