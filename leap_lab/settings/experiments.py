"""`experiment=NAME`: the grids behind one figure or table of the paper (conf/experiment), as passes of Hydra.

A grid is a mapping from keys to values; a list of values is swept. The command line overrides the grid, so
`experiment=trap router=random` is the trap with random routing, wherever the grid's method and router have such a key.
Only the keys under `fixed` cannot be overridden. A key that the user sweeps and no grid has, such as the model or the
seed, makes a separate experiment for each value, so nothing is compared across them.

Each experiment also names its exhibit, the function that turns its runs into a table and figures (`exhibit_of`).
"""

import importlib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leap_lab import siblings
from leap_lab.errors import UserError, one_line
from leap_lab.settings import conf
from leap_lab.settings.arguments import combinations, parsed
from leap_lab.settings.rules import resolve

if TYPE_CHECKING:
    from omegaconf import DictConfig

PARTS = ("method", "router", "prefix")  # groups whose keys depend on the choice


@dataclass(frozen=True)
class Pass:
    """One sweep: its overrides, and the experiment that it is for (None: the user's own)."""

    overrides: list[str]
    multirun: bool = True
    experiment: str | None = None  # its name, and what the user also swept, such as `trap seed=1`


def passes(overrides: Sequence[str], multirun: bool) -> list[Pass]:
    """The sweeps that a command line asks for: itself, or a sweep for every grid of every experiment it names.

    To be called within `conf.opened`. `UserError` for several experiments without -m.
    """
    from hydra.core.override_parser.types import Glob

    given = {override: parsed(override) for override in overrides}
    experiments = [override for override, known in given.items() if known.key_or_group == "experiment"]
    if not experiments:
        return [Pass(list(overrides), multirun)]
    chosen = given[experiments[-1]]
    if chosen.is_sweep_override() and not multirun:
        raise UserError(f"{experiments[-1]}: several experiments are a sweep; add -m")
    if isinstance(chosen.value(), Glob):
        values = iter(chosen.value().filter(conf.choices("experiment")))
    elif chosen.is_sweep_override():
        values = chosen.sweep_string_iterator()
    else:
        values = iter([chosen.get_value_element_as_str()])
    own = [override for override in given if override not in experiments]
    return [each for name in dict.fromkeys(map(str, values)) for each in _of(name, own)]


def names(search: Sequence[str] = ()) -> list[str]:
    """The experiments in conf/experiment, and in the folder `experiment` of the user's own folders `search`.

    `UserError` where one of these does not exist.
    """
    folders = [conf.CONF, *(Path(conf.place(path).removeprefix("file://")) for path in search)]
    return sorted({file.stem for folder in folders for file in (folder / "experiment").glob("*.yaml")})


def exhibit_of(name: str, search: Sequence[str] = ()) -> "partial[Any]":
    """The exhibit of experiment `name`, with its arguments: call it with the run folders.

    `search` are the user's own folders of settings. `UserError` for an unknown experiment, for one that names no
    exhibit, and where the exhibit cannot be imported or does not take its arguments.
    """
    return imported(name, exhibit_node(name, search))


def exhibit_node(name: str, search: Sequence[str] = ()) -> dict[str, Any]:
    """What the YAML of experiment `name` says about its exhibit: `_target_` and arguments. Nothing is imported."""
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    try:
        with conf.opened(search):
            if name not in (known := conf.choices("experiment")):
                raise UserError(f"experiment={name}: no such experiment; choose from {', '.join(known)}")
            node: Any = OmegaConf.to_container(_exhibit_in(conf.compose([f"experiment={name}"])), resolve=True)
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        raise UserError(f"experiment={name}: {one_line(error)}") from error
    return dict(node)


def imported(name: str, node: Mapping[str, Any]) -> "partial[Any]":
    """The exhibit of experiment `name` that a node describes; errors as in `exhibit_of`."""
    target = node.get("_target_")
    if not isinstance(target, str) or "." not in target:
        raise UserError(f"experiment={name}: names no exhibit; set experiment.exhibit._target_ in its YAML")
    module, _, function = target.rpartition(".")
    try:
        exhibit = getattr(_module(module), function)
        arguments = {key: value for key, value in node.items() if key != "_target_"}
        inspect.signature(exhibit).bind([], **arguments)
    except Exception as error:  # a user's module may raise anything
        why = f"{type(error).__name__}: {one_line(error)}"
        raise UserError(f"experiment={name}: cannot use its exhibit {target} ({why})") from error
    return partial(exhibit, **arguments)


def _module(name: str) -> Any:
    """A module by name; `analysis` is always the package beside leap_lab."""
    package, _, rest = name.partition(".")
    return siblings.analysis(rest) if package == "analysis" else importlib.import_module(name)


def _exhibit_in(config: "DictConfig") -> "DictConfig":
    """The node `experiment.exhibit`, an empty one where there is none."""
    from omegaconf import DictConfig, OmegaConf

    node = OmegaConf.select(config, "experiment.exhibit")
    return node if isinstance(node, DictConfig) else OmegaConf.create({})


def _of(name: str, own: Sequence[str]) -> list[Pass]:
    """The passes of one experiment, for every value of the keys that the user sweeps and no grid has."""
    varied = {key for grid in _grids(name, []) for key in grid}
    beside = [argument for argument in own if parsed(argument).is_sweep_override() and _key(argument) not in varied]
    return [each for values in combinations(beside) for each in _variant(name, own, beside, values)]


def _variant(name: str, own: Sequence[str], beside: Sequence[str], values: Sequence[str]) -> list[Pass]:
    settled = [*(argument for argument in own if argument not in beside), *values]
    single = [argument for argument in settled if not parsed(argument).is_sweep_override()]
    passes_of_grids, taken = [], set()
    for grid in _grids(name, [argument for argument in single if not _in_part(argument)]):
        fixed = grid.pop("fixed", {})
        mine = [argument for argument in settled if _key(argument) not in fixed and _takes(grid, single, argument)]
        taken |= {*mine, *(argument for argument in settled if _key(argument) in fixed)}
        left = {key: value for key, value in grid.items() if key not in map(_key, mine)}
        overrides = [f"experiment={name}", *_overrides(left), *_overrides(fixed), *mine]
        passes_of_grids.append(Pass(overrides, True, " ".join([name, *values])))
    if unused := [argument for argument in settled if argument not in taken]:
        raise UserError(f"{unused[0]}: no grid of experiment={name} has this key")
    return [each for index, each in enumerate(passes_of_grids) if each not in passes_of_grids[:index]]


def _grids(name: str, single: Sequence[str]) -> list[dict[str, Any]]:
    """The grids of an experiment, sized by what the user set."""
    config = resolve(conf.compose([f"experiment={name}", *single]))
    return [dict(grid) for grid in config["experiment"]["grids"]]


def _takes(grid: Mapping[str, Any], single: Sequence[str], argument: str) -> bool:
    """Whether the method, router and prefix of a grid have the key; any other key is left to Hydra to check."""
    from omegaconf import OmegaConf

    if not _in_part(argument):
        return True
    chosen = {key: value[0] if isinstance(value, list) else value for key, value in grid.items() if key in PARTS}
    own = [each for each in single if _key(each) in (*PARTS, "model", "dataset", "model.path", "dataset.path")]
    parts = [each for each in _overrides(chosen) if _key(each) not in map(_key, own)]
    value = OmegaConf.select(conf.compose([*parts, *own]), _key(argument), default=PARTS)
    return value is not PARTS


def _in_part(argument: str) -> bool:
    return _key(argument).partition(".")[0] in PARTS and "." in _key(argument)


def _key(argument: str) -> str:
    return str(parsed(argument).key_or_group)


def _overrides(grid: Mapping[str, Any]) -> list[str]:
    return [f"{key}={_written(value)}" for key, value in grid.items()]


def _written(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_written, value))
    return str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)
