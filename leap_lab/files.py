"""Files that are written whole or not at all, and file names made from any text."""

import errno
import hashlib
import json
import math
import os
import pathlib
import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from leap_lab.errors import UserError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # there is no room; the name is fine
UNFINISHED = ".*.unfinished"  # what a killed process leaves behind; readers look for other names
LONGEST_NAME = 180  # bytes of an escaped name; a longer one is cut and ends in a hash


def escaped(text: str) -> str:
    """A file name for any text, different for different texts: all but `[A-Za-z0-9._-]` is percent-encoded.

    At most `LONGEST_NAME` bytes. A cut name holds a `~`, which no other name does.
    """
    name = quote(text, safe="", errors="surrogatepass").replace("~", "%7E")
    if len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:32]
    return f"{name[: LONGEST_NAME - 33]}~{digest}"


def storable(text: str) -> str:
    """The text as UTF-8 can hold it: a lone surrogate becomes U+FFFD."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def write_whole(file: pathlib.Path, data: Any) -> None:
    """Write bytes (any buffer) so that a reader finds the old file or the new one, even after a power cut.

    An `OSError`, such as of a full disk, names the file.
    """
    unfinished = file.with_name(f".{file.name}.{secrets.token_hex(4)}.unfinished")
    try:
        with unfinished.open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        unfinished.replace(file)
    except OSError as error:
        error.filename, error.filename2 = str(file), None
        raise
    finally:
        unfinished.unlink(missing_ok=True)
    _sync_folder(file.parent)


def _sync_folder(folder: pathlib.Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_unfinished(*folders: pathlib.Path) -> None:
    """Remove what killed processes left in these folders; no other process may be writing there."""
    for folder in folders:
        for file in folder.glob(UNFINISHED):
            file.unlink(missing_ok=True)


def write_json(file: pathlib.Path, value: Mapping[str, Any]) -> None:
    """Write strict, indented JSON; a number that is not finite becomes null, NumPy scalars become numbers."""
    text = json.dumps(strict(value), indent=2, ensure_ascii=False, allow_nan=False)
    write_whole(file, f"{storable(text)}\n".encode())


def strict(value: Any) -> Any:
    """A value as JSON can hold it: a number that is not finite becomes null, NumPy scalars become numbers."""
    if isinstance(value, Mapping):
        return {str(key): strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [strict(item) for item in value]
    if isinstance(value, pathlib.PurePath):
        return str(value)
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_json(file: pathlib.Path) -> dict[str, Any]:
    """The object in a JSON file, empty when there is no file; `UserError` for any other content."""
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{file}: cannot be read as JSON ({type(error).__name__}); remove it to continue") from error
    if not isinstance(value, dict):
        raise UserError(f"{file}: holds a {type(value).__name__}, not a JSON object; remove it to continue")
    return value
