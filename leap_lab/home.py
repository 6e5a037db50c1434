"""Paths as users write them: `~` is the home folder in every setting and argument that names a place."""

import os
from pathlib import Path
from typing import Any


def path(text: "str | os.PathLike[str]") -> Path:
    """The path, with `~` or `~user` at its beginning expanded; as it is where there is no such user."""
    return Path(os.path.expanduser(text))


def expanded(value: Any) -> Any:
    """A setting in which `~` and every text that begins with `~/` are paths, in lists and mappings as well."""
    if isinstance(value, str):
        return os.path.expanduser(value) if value == "~" or value.startswith("~/") else value
    if isinstance(value, list):
        return [expanded(item) for item in value]
    return {key: expanded(item) for key, item in value.items()} if isinstance(value, dict) else value
