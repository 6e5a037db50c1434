"""`experiment=NAME`: the grids that one figure or table of the paper takes (conf/experiment), as passes of Hydra's.

A grid is a mapping from keys to values, a list of values is swept. What the user sets on the command line wins over the
grid, so that `experiment=trap router=random` is the trap with random routing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leap_lab.errors import UserError
from leap_lab.schema import resolve


@dataclass(frozen=True)
class Pass:
    """One sweep: what Hydra is to see, and the experiment that it is for (None: the user's own)."""

    arguments: list[str]
    experiment: str | None = None

    @property
    def overrides(self) -> list[str]:
        """The arguments that set something."""
        return [argument for argument in self.arguments if "=" in argument or argument.startswith("~")]


def passes(arguments: Sequence[str], multirun: bool) -> list[Pass]:
    """The sweeps that a command line asks for: itself, or a sweep for every grid of every experiment it names.

    To be called within Hydra's context of conf. `UserError` for several experiments without -m.
    """
    from hydra.core.override_parser.types import Glob

    given = {argument: _parsed(argument) for argument in Pass(list(arguments)).overrides}
    asked = [argument for argument, parsed in given.items() if parsed.key_or_group == "experiment"]
    if not asked:
        return [Pass(list(arguments))]
    chosen = given[asked[-1]]
    if chosen.is_sweep_override() and not multirun:
        raise UserError(f"{asked[-1]}: several experiments are a sweep; add -m")
    if isinstance(chosen.value(), Glob):
        values = iter(chosen.value().filter(names()))
    elif chosen.is_sweep_override():
        values = chosen.sweep_string_iterator()
    else:
        values = iter([chosen.get_value_element_as_str()])
    own = [argument for argument in given if argument not in asked]
    keys = {given[argument].key_or_group for argument in own}
    return [each for name in dict.fromkeys(map(str, values)) for each in _of(name, own, keys)]


def names() -> list[str]:
    """The experiments in conf/experiment."""
    from importlib.resources import files

    found = (file.name for file in (files("conf") / "experiment").iterdir())
    return sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml"))


def _of(name: str, own: Sequence[str], keys: set[str]) -> list[Pass]:
    """The passes of one experiment; its grids may depend on what the user set, such as the model."""
    from hydra import compose

    single = [argument for argument in own if not _parsed(argument).is_sweep_override()]
    config = resolve(compose("config", overrides=[f"experiment={name}", *single]))
    grids = [{key: value for key, value in grid.items() if key not in keys} for grid in config["experiment"]["grids"]]
    distinct = [grid for index, grid in enumerate(grids) if grid not in grids[:index]]
    return [Pass(["-m", f"experiment={name}", *_overrides(grid), *own], name) for grid in distinct]


def _overrides(grid: Mapping[str, Any]) -> list[str]:
    return [f"{key}={_written(value)}" for key, value in grid.items()]


def _written(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_written, value))
    return str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)


def _parsed(argument: str) -> Any:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    return OverridesParser.create().parse_overrides([argument])[0]
