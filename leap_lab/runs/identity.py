"""The id of a run: a hash of everything that determines its result."""

import hashlib
import json
import pathlib
from collections.abc import Mapping
from typing import Any

from leap_lab.errors import UserError, brief
from leap_lab.files import read_json
from leap_lab.runs.groupfile import READABLE


def run_id_of(identity: Mapping[str, Any]) -> str:
    """The 12 hex digits that name a run: a hash of what determines its result, independent of the order of keys."""
    text = json.dumps(canonical(identity), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def earlier_runs(runs_dir: pathlib.Path) -> dict[pathlib.Path, dict[str, Any]]:
    """The identities of the runs in `runs_dir` that an earlier version of the schema made."""
    identities = {file.parent: read_json(file) for file in sorted(runs_dir.glob("*/identity.json"))}
    return {folder: identity for folder, identity in identities.items() if identity.get("schema") in READABLE[:-1]}


def refuse_earlier(identity: Mapping[str, Any], earlier: Mapping[pathlib.Path, Mapping[str, Any]]) -> None:
    """`UserError` where one of `earlier_runs` has these settings: its id differs, so it would not be extended.

    The keys that both identities have are compared, without the addresses of classes and the ids of reference runs.
    """
    mine = _settings_of(identity)
    for folder, other in earlier.items():
        theirs = _settings_of(other)
        if all(theirs[key] == mine[key] for key in theirs.keys() & mine.keys()):
            raise UserError(refusal(folder, other["schema"]))


def _settings_of(identity: Mapping[str, Any]) -> dict[str, Any]:
    flat = dotted(canonical(identity))
    return {
        key: value for key, value in flat.items() if not key.endswith("_target_") and key not in ("schema", "reference")
    }


def refusal(folder: pathlib.Path, schema: object) -> str:
    """Why a run of an earlier schema is not extended."""
    return (
        f"{folder}: these settings were decoded with version {brief(schema)} of the schema, which can be analysed but "
        "not extended; move that folder away or set another runs_dir"
    )


def canonical(value: Any) -> Any:
    """An identity as it is hashed and compared: JSON values only, with one form for equal numbers (1 and 1.0)."""
    if isinstance(value, Mapping):
        return {str(key): canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def differences(here: Mapping[str, Any], mine: Mapping[str, Any]) -> str:
    """The settings in which two identities differ, in words."""
    old, new = ({key: repr(value) for key, value in dotted(tree).items()} for tree in (here, mine))
    pairs = [(key, old.get(key, "absent"), new.get(key, "absent")) for key in sorted(old | new)]
    return ", ".join(f"{key} was {brief(was)}, now {brief(now)}" for key, was, now in pairs if was != now)


def dotted(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested mapping as a flat one, by keys such as `method.interval`."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        nested = isinstance(value, Mapping) and value
        flat |= dotted(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": value}
    return flat
