"""What short texts mean, as vectors: a static embedding model of the package model2vec, on the CPU, from a folder."""

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leap_lab.errors import UserError, one_line

FILES = ("config.json", "model.safetensors", "tokenizer.json")  # of a model's folder
MOST_KNOWN = 100_000  # texts whose vectors are kept


def check(key: str, folder: str) -> None:
    """`UserError` where the package or the model is missing; loads nothing."""
    if find_spec("model2vec") is None:
        raise UserError(f"{key}={folder}: needs the package model2vec; install leap-lab[semantic]")
    if not isinstance(folder, str) or (missing := [name for name in FILES if not (Path(folder) / name).is_file()]):
        lacks = f" has no {missing[0]};" if isinstance(folder, str) and Path(folder).is_dir() else ""
        raise UserError(f"{key}={folder}:{lacks} must be the folder of a model of model2vec, with {', '.join(FILES)}")


def vectors(texts: Sequence[str], folder: str) -> NDArray[np.float32]:
    """A vector of length 1 per text, shape (n, d); of a text without a known word it is zero."""
    known = _known(folder)
    if len(known) > MOST_KNOWN:
        known.clear()
    new = list(dict.fromkeys(text for text in texts if text not in known))
    if new:
        found = np.asarray(_model(folder).encode(new, use_multiprocessing=False), dtype=np.float32)
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        known.update(zip(new, found / np.where(lengths > 0, lengths, 1), strict=True))
    return np.stack([known[text] for text in texts])


@cache
def fingerprint(folder: str) -> str:
    """16 hex digits over the files of the model."""
    digest = hashlib.sha256()
    for name in FILES:
        digest.update((Path(folder) / name).read_bytes())
    return digest.hexdigest()[:16]


@cache
def _known(folder: str) -> dict[str, NDArray[np.float32]]:
    """The vectors so far, by text."""
    return {}


@cache
def _model(folder: str) -> Any:
    from model2vec import StaticModel

    try:
        return StaticModel.from_pretrained(folder)
    except Exception as error:  # a damaged file can raise anything
        raise UserError(f"{folder}: model2vec cannot load it ({one_line(error, 200)})") from error
