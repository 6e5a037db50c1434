"""Whether a run is being written and how fast, told from outside: nothing is locked, and nothing is written."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from leap_lab.files import read_json

from .cells import Group

WINDOW_S = 60.0  # of the tokens per second of a run in progress


def is_written(folder: Path) -> bool:
    """Whether a process of this machine holds the lock of a run; taking it ourselves could get in its way."""
    try:
        lock = (folder / ".lock").stat()
        held = Path("/proc/locks").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    place = f"{os.major(lock.st_dev):02x}:{os.minor(lock.st_dev):02x}:{lock.st_ino}"
    return any(place in line.split() for line in held)


def rate(folder: Path, groups: Sequence[Group], written: bool) -> float | None:
    """Tokens per second: of a run in progress by its groups of the last minute, else of its last session.

    None where neither is known.
    """
    if written:
        now = time.time()
        recent = [group for group in groups if group.finished_s > now - WINDOW_S]
        since = max(now - WINDOW_S, min((group.started_s for group in recent), default=now))
        return sum(group.tokens for group in recent) / (now - since) if now > since else None
    sessions = [each for each in read_json(folder / "run.json").get("sessions", []) if each.get("tokens_per_second")]
    return float(sessions[-1]["tokens_per_second"]) if sessions else None


def status(folder: Path, written: bool) -> str:
    """What to say of a run: `running`, or what run.json says of its last session, `unfinished` without one."""
    return "running" if written else str(read_json(folder / "run.json").get("status", "unfinished"))


def asked(folder: Path, settings: dict[str, Any]) -> int | None:
    """How many groups the run should have: by its last session if that finished, else by its `limit`; None: unknown."""
    run = read_json(folder / "run.json")
    finished = run.get("status") == "finished"
    questions = run.get("questions") if finished else settings.get("limit")
    each = run.get("groups_per_question") if finished else settings.get("groups")
    return int(questions) * int(each or 1) if questions else None
