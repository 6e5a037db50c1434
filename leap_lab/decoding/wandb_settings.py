"""What W&B is told: our own settings first, then its environment variables, then what suits a sweep.

Nothing here imports W&B, so that a command can be refused before anything is loaded.
"""

import netrc
import os
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from leap_lab import home
from leap_lab.errors import UserError, brief

MODES = ("auto", "online", "offline", "disabled")
ALIASES = {"run": "online", "dryrun": "offline"}  # of WANDB_MODE
ALLOWED = (*MODES[1:], "shared", *ALIASES)  # in WANDB_MODE
YES = ("1", "on", "true", "yes")
UNCONNECTED = ("offline", "disabled")


@dataclass(frozen=True)
class WandbSettings:
    """The keys of `tracking=wandb`; with None, the environment variable of W&B decides."""

    project: str | None = None
    entity: str | None = None
    run_name: str | None = None
    group: str | None = None
    tags: str | Sequence[str] | None = None
    dir: str | None = None

    def arguments(self, run_id: str, sweep: str | None, job_type: str) -> dict[str, Any]:
        """Arguments of `wandb.init`. The id is always the run id, by which a run is resumed."""
        return {
            "id": run_id,
            "project": self.project or _told("PROJECT") or "leap-lab",
            "entity": self.entity or _told("ENTITY"),
            "name": self.run_name or _told("NAME") or run_id,
            "group": self.group or _told("RUN_GROUP") or sweep,
            "tags": self._tags(),
            "job_type": _told("JOB_TYPE") or job_type,
        }

    def place(self, default: pathlib.Path) -> pathlib.Path:
        """The folder that W&B's folder `wandb` is in."""
        return home.path(self.dir or _told("DIR") or default).resolve()

    def _tags(self) -> list[str] | None:
        tags = (_told("TAGS") or "") if self.tags is None else self.tags
        tags = tags.split(",") if isinstance(tags, str) else tags
        return [tag for tag in (str(tag).strip() for tag in tags) if tag] or None


def mode_of(setting: str) -> str:
    """The mode that `tracking.mode` stands for: `online`, `offline`, `disabled`, or W&B's `shared`.

    `auto` is what WANDB_DISABLED or WANDB_MODE say; without them it is online if there is a key (see `has_key`), else
    offline. `UserError` for an unknown mode, and for one that needs a key where there is none: W&B would ask for it.
    """
    if setting not in MODES:
        raise UserError(f"tracking.mode={setting}: must be one of {', '.join(MODES)}")
    mode, source = (setting, "tracking.mode") if setting != "auto" else (_of_environment(), "WANDB_MODE")
    if mode not in UNCONNECTED and not has_key():
        raise UserError(
            f"{source}={mode}: there is no key for W&B; set WANDB_API_KEY, log in with `wandb login`, or use "
            "tracking.mode=offline"
        )
    return mode


def _of_environment() -> str:
    if (_told("DISABLED") or "").lower() in YES:
        return "disabled"
    mode = _told("MODE")
    if mode is None:
        return "online" if has_key() else "offline"
    if mode not in ALLOWED:
        raise UserError(f"WANDB_MODE={brief(mode)}: must be one of {', '.join(ALLOWED)}")
    return ALIASES.get(mode, mode)


def has_key() -> bool:
    """Whether W&B finds a key without asking for one: in WANDB_API_KEY, a file that W&B's variables name, or netrc."""
    if _told("API_KEY") or _told("IDENTITY_TOKEN_FILE"):
        return True
    address = urlsplit(_told("BASE_URL") or "https://api.wandb.ai")
    hosts = {address.netloc, address.hostname or ""}  # versions of W&B differ in which of them they look for
    try:
        known = netrc.netrc(home.path(os.environ.get("NETRC") or "~/.netrc"))
        return all((known.authenticators(host) or ("", "", ""))[2] for host in hosts)
    except (OSError, UnicodeDecodeError, netrc.NetrcParseError):
        return False


def settle(folder: pathlib.Path) -> None:
    """Keep W&B's artifacts and logs in this folder and its questions off the terminal: only its environment can.

    What a user set stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("WANDB_DATA_DIR", str(folder / "data"))
    os.environ.setdefault("WANDB_CACHE_DIR", str(folder / "cache"))
    os.environ.setdefault("WANDB_DISABLE_WEAVE", "true")  # else it prints an invitation to install more
    os.environ.setdefault("WANDB_SILENT", "true")  # else it asks for a key that it misses in spite of `has_key`


def _told(name: str) -> str | None:
    """The value of one of W&B's variables; None where it is empty."""
    return os.environ.get(f"WANDB_{name}") or None
