"""Config nodes as the objects they describe: `_target_` names a class, by an address that no run id depends on."""

from collections.abc import Mapping
from typing import Any

from hydra.utils import get_object
from hydra.utils import instantiate as of_hydra

from leap_lab.errors import UserError, one_line

LABELS = ("name", "limit", "few")  # of a config node: what commands read, no arguments of its class


def instantiate(node: Mapping[str, Any], **more: Any) -> Any:
    """The object that a config node describes; `more` are arguments that are objects already."""
    return of_hydra(arguments(node), _convert_="all", _partial_=True)(**more)


def arguments(node: Mapping[str, Any]) -> dict[str, Any]:
    """A config node without its labels: the address of its class, and what that takes."""
    return {key: value for key, value in node.items() if key not in LABELS}


def class_of(group: str, node: Mapping[str, Any], kind: type) -> Any:
    """The class of a choice; `UserError` unless it can be imported and is a `kind`."""
    try:
        found = get_object(node["_target_"])
    except Exception as error:  # whatever the import of a user's module raises
        raise UserError(f"{group}={node['name']}: cannot import {node['_target_']} ({one_line(error, 300)})") from error
    if not (isinstance(found, type) and issubclass(found, kind)):
        raise UserError(
            f"{group}={node['name']}: {node['_target_']} is no subclass of {kind.__module__}.{kind.__name__}"
        )
    return found


def without_addresses(value: Any) -> Any:
    """A config node without `_target_`, at any depth: where the code of a choice lies determines no result."""
    if isinstance(value, Mapping):
        return {key: without_addresses(item) for key, item in value.items() if key != "_target_"}
    return [without_addresses(item) for item in value] if isinstance(value, list | tuple) else value
