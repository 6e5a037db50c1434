"""The settings of the endpoint itself, `serve.KEY=VALUE`; all others are those of `leap_lab.run`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from leap_lab import checks
from leap_lab.errors import UserError, brief
from leap_lab.settings.arguments import parsed

SHORT = ("host", "port")  # also known without `serve.`


@dataclass(frozen=True)
class Options:
    """Where to listen, whom to answer, and how much to take on.

    `name` is what clients call the model; None: `model.name`. The key that they must send is in the environment
    variable `key_variable`, if it is set. `queue` groups may wait beside the `concurrency` that are decoded.
    `most_peers`, `most_choices` (`n`) and `most_bytes` (of a body) bound one request.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    name: str | None = None
    key_variable: str = "LEAP_LAB_API_KEY"
    queue: int = 64
    most_peers: int = 64
    most_choices: int = 8
    most_bytes: int = 2**20
    keep: bool = False

    def __post_init__(self) -> None:
        checks.text("serve.host", self.host, "an address, such as 127.0.0.1, or 0.0.0.0 for all")
        checks.integer("serve.port", self.port, 0, 65535)
        if self.name is not None:
            checks.text("serve.name", self.name, "the name of the model, or null")
        if not isinstance(self.key_variable, str) or not re.fullmatch("[A-Z][A-Z0-9_]*", self.key_variable):
            raise UserError("serve.key_variable: must be the name of an environment variable, such as LEAP_LAB_API_KEY")
        checks.integer("serve.queue", self.queue)
        for key in ("most_peers", "most_choices", "most_bytes"):
            checks.integer(f"serve.{key}", getattr(self, key), 1)
        checks.boolean("serve.keep", self.keep)


def divided(overrides: Sequence[str]) -> tuple[Options, list[str]]:
    """The options of a command line, and its other overrides."""
    own, rest = dict[str, Any](), list[str]()
    for override in overrides:
        key = override.partition("=")[0].lstrip("+")
        name = key.removeprefix("serve.")
        if key not in SHORT and name == key:
            rest.append(override)
            continue
        if name not in Options.__dataclass_fields__:
            raise UserError(f"{brief(key)}: no such key; serve has {', '.join(Options.__dataclass_fields__)}")
        found = parsed(override)
        if found.is_sweep_override():
            raise UserError(f"{override}: one value is needed; an endpoint is no sweep")
        own[name] = found.value()
    return replace(Options(), **own), rest
