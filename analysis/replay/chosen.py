"""From a command line to policies: names of `policies.ALL`, addresses of one's own, and their settings."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

from leap_lab.errors import UserError, one_line

from . import policies
from .view import Policy

BUILT_IN = {policy.__name__: policy for policy in policies.ALL}  # type: ignore[attr-defined]
EVERY = "all"


@dataclass(frozen=True)
class Chosen:
    """A policy with its settings, under the name that it has on the command line."""

    name: str
    decide: Policy
    best: bool = False  # whether it is judged by the best answer it names: a bound


def chosen(text: str) -> list[Chosen]:
    """The policies that a list such as `majority,short:m=1,my_module.policy` names, each once; `all` is all built-in.

    `UserError` for a name that is none, and for settings that a policy does not have.
    """
    named = [name for part in text.split(",") for name in (BUILT_IN if part.strip() == EVERY else [part.strip()])]
    return [_policy(name) for name in dict.fromkeys(named)]


def _policy(text: str) -> Chosen:
    name, *settings = text.split(":")
    function = BUILT_IN.get(name) or _own(name)
    values = dict(_setting(text, function, each) for each in settings)
    return Chosen(text, partial(function, **values) if values else function, function is policies.oracle)


def _own(address: str) -> Policy:
    """A function of the user's own, by its address."""
    module, _, name = address.rpartition(".")
    if not module:
        raise UserError(
            f"policy {address}: no such policy; allowed are {EVERY}, {', '.join(BUILT_IN)}, and addresses such as "
            "my_module.policy"
        )
    try:
        function: Any = getattr(import_module(module), name)
    except Exception as error:  # a user's module may raise anything
        raise UserError(f"policy {address}: cannot be imported ({one_line(error, 300)})") from error
    if not callable(function):
        raise UserError(f"policy {address}: not a function; must take a group and return votes")
    return function  # type: ignore[no-any-return]


def _setting(text: str, function: Callable[..., Any], given: str) -> tuple[str, Any]:
    """A setting such as `m=1`, as a value of the type of its default."""
    known = {
        name: parameter.default
        for name, parameter in list(inspect.signature(function).parameters.items())[1:]
        if isinstance(parameter.default, int | float | str)
    }
    name, _, value = given.partition("=")
    if name not in known:
        allowed = f"allowed are {', '.join(known)}" if known else "it has none"
        raise UserError(f"policy {text}: no setting {name}; {allowed}")
    kind = type(known[name])
    try:
        return name, kind(value)
    except ValueError as error:
        words = {int: "an integer", float: "a number"}[kind]
        raise UserError(f"policy {text}: {name}={value}: must be {words}") from error
