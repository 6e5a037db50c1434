"""The model that `model.path` names: a folder, a hub id or a built-in model. Only this module interprets it."""

import hashlib
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import BinaryIO

from leap_lab.engines.chat import ChatSettings
from leap_lab.errors import UserError

BUILTIN = "builtin:"
ASSETS = pathlib.Path(__file__).parents[1] / "assets"

CONFIGURATION = ("config.json", "generation_config.json", "special_tokens_map.json", "added_tokens.json")
TOKENIZER = ("tokenizer*", "vocab.*", "merges.txt", "chat_template*")
WEIGHTS = ("*.safetensors", "*.safetensors.index.json", "pytorch_model*")
WHOLE_BYTES = 64 * 2**20  # a file up to this size is hashed whole
SAMPLES, SAMPLE_BYTES = 256, 2**16  # of a larger file, this many pieces of this size


@dataclass(frozen=True)
class Model:
    """What an engine loads: `path` is a folder or a hub id, as `located` returns it.

    `revision` is the commit of a hub model and None for a folder, `lora` the folder or hub id of an adapter and
    `lora_revision` its commit, `chat` how the model is spoken to.
    """

    path: str
    revision: str | None = None
    lora: str | None = None
    lora_revision: str | None = None
    chat: ChatSettings = field(default_factory=ChatSettings)


def located(path: str) -> str:
    """The folder or hub id that `model.path` names: `builtin:tiny`, a folder, or a hub id such as `owner/name`.

    `UserError` for anything else.
    """
    path = expanded(path)
    folder = pathlib.Path(path)
    if (folder / "config.json").is_file():
        return str(folder)
    _refuse_gguf(folder)
    if folder.is_dir():
        raise UserError(f"model.path={path}: the folder holds no config.json, so it is not a model folder")
    if path.count("/") > 1 or path.startswith((".", "~", "/")) or not path.strip():
        raise UserError(f"model.path={path}: no such folder; must be a model folder or a hub id")
    return path


def _refuse_gguf(path: pathlib.Path) -> None:
    """vLLM 0.32 no longer reads GGUF."""
    files = sorted(path.glob("*.gguf")) if path.is_dir() else [path] if path.suffix == ".gguf" else []
    if files:
        raise UserError(
            f"model.path={path}: vLLM does not load GGUF files; make a model folder of it with "
            f"leap-lab convert {files[0]} FOLDER"
        )


def expanded(path: str) -> str:
    """The folder that a `builtin:` name or a `~` stands for; any other path as it is."""
    if path.startswith(BUILTIN):
        return str(ASSETS / path.removeprefix(BUILTIN))
    return str(pathlib.Path(path).expanduser()) if path.startswith("~") else path


def fingerprint(model: str, patterns: Sequence[str] = (*CONFIGURATION, *TOKENIZER, *WEIGHTS)) -> str:
    """The name of a model's weights and tokenizer in a run's identity, the same before and after a download.

    `model` is what `located` returns; unchanged files are read once per process. For a folder this is `sha256:` and 16
    hex digits over the names and bytes of its configuration, tokenizer and weights, wherever the folder is. Of a file
    over 64 MiB only the size and 256 pieces spread from the first byte to the last count: two checkpoints of one
    architecture have the same size and header, which alone would not tell them apart. For a hub id it is the id
    itself, and `Model.revision` its commit. `patterns` name the files that count.
    """
    folder = pathlib.Path(model)
    if not folder.is_dir():
        return model
    found = sorted({file for pattern in patterns for file in folder.glob(pattern) if file.is_file()})
    files = [(file, file.stat()) for file in found]
    return _digest(tuple((file, stat.st_size, stat.st_mtime_ns) for file, stat in files))


@cache
def _digest(files: tuple[tuple[pathlib.Path, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for file, *_ in files:
        digest.update(f"{file.name}\0{_file_digest(file)}\n".encode())
    return f"sha256:{digest.hexdigest()[:16]}"


def _file_digest(file: pathlib.Path) -> str:
    size = file.stat().st_size
    with file.open("rb") as data:
        if size <= WHOLE_BYTES:
            return hashlib.file_digest(data, "sha256").hexdigest()
        return _sampled_digest(data, size)


def _sampled_digest(data: BinaryIO, size: int) -> str:
    digest = hashlib.sha256(str(size).encode())
    for piece in range(SAMPLES):
        data.seek(piece * (size - SAMPLE_BYTES) // (SAMPLES - 1))
        digest.update(data.read(SAMPLE_BYTES))
    return digest.hexdigest()
