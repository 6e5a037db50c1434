"""The objects that config nodes describe: `_target_` is the address of a class; no run id depends on it."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from hydra.utils import get_object

from leap_lab.errors import UserError, one_line

LABELS = (
    "name",
    "limit",
    "few",
    "ids",
    "offset",
)  # keys of a config node that commands read; not arguments of its class


def instantiate(node: Mapping[str, Any], **more: Any) -> Any:
    """The object that a config node describes; `more` are further arguments, as objects.

    It knows `_target_`, `_args_` and `_partial_` at any depth, as Hydra does. Hydra's own function would read `${` in a
    text again, which by then stands for itself. `UserError` for an address that cannot be imported.
    """
    return _made(arguments(node), more)


def _made(value: Any, more: Mapping[str, Any] = MappingProxyType({})) -> Any:
    if isinstance(value, list):
        return [_made(item) for item in value]
    if not isinstance(value, dict):
        return value
    given = {key: _made(item) for key, item in value.items()}
    if "_target_" not in given:
        return given
    address, first, unfinished = given.pop("_target_"), given.pop("_args_", ()), given.pop("_partial_", False)
    try:
        target = get_object(address)
    except Exception as error:  # a user's module may raise anything
        raise UserError(f"_target_={address}: cannot be imported ({one_line(error, 300)})") from error
    return partial(target, *first, **given, **more) if unfinished else target(*first, **given, **more)


def arguments(node: Mapping[str, Any]) -> dict[str, Any]:
    """A config node without its labels: the address of its class, and the arguments of the class."""
    return {key: value for key, value in node.items() if key not in LABELS}


def class_of(group: str, node: Mapping[str, Any], kind: type) -> Any:
    """The class of a choice; `UserError` unless it can be imported and is a `kind`."""
    try:
        target = get_object(node["_target_"])
    except Exception as error:  # a user's module may raise anything
        raise UserError(f"{group}={node['name']}: cannot import {node['_target_']} ({one_line(error, 300)})") from error
    if not (isinstance(target, type) and issubclass(target, kind)):
        raise UserError(
            f"{group}={node['name']}: {node['_target_']} is not a subclass of {kind.__module__}.{kind.__name__}"
        )
    return target


def is_a(group: str, node: Mapping[str, Any], kind: type) -> bool:
    """Whether a choice can be imported and is a `kind`."""
    try:
        return bool(class_of(group, node, kind))
    except UserError:
        return False


def without_addresses(value: Any) -> Any:
    """A config node without `_target_`, at any depth: where the code of a choice is does not affect the result."""
    if isinstance(value, Mapping):
        return {key: without_addresses(item) for key, item in value.items() if key != "_target_"}
    return [without_addresses(item) for item in value] if isinstance(value, list | tuple) else value
