"""From a command line to checked cells, in one pass: composed once, checked once, before anything is decoded."""

import difflib
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leap_lab.engines import adapters
from leap_lab.errors import UserError, one_line
from leap_lab.runs.identity import earlier_runs, refuse_earlier
from leap_lab.settings import conf
from leap_lab.settings.arguments import Arguments, combinations, parsed
from leap_lab.settings.cell import Cell
from leap_lab.settings.datasets import Datasets, by_content
from leap_lab.settings.experiments import Pass, imported, passes
from leap_lab.settings.objects import instantiate
from leap_lab.settings.rules import CHOICES, UNRESOLVED, unresolved, validate

if TYPE_CHECKING:
    from omegaconf import DictConfig

UNUSABLE = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError)  # what an unusual setting can raise
PARAMS = "hydra.sweeper.params"
OURS = ("shared", "basic")  # launchers for which leap_lab decodes in its own process


@dataclass(frozen=True)
class PlannedSweep:
    """A pass with its checked cells; `launcher` is the choice of hydra/launcher, `sweeper` that of hydra/sweeper.

    `exhibit` turns the run folders of an experiment into its table and figures.
    """

    sweep: Pass
    cells: list[Cell]
    launcher: str
    sweeper: str
    exhibit: Callable[..., Any] | None = None

    @property
    def elsewhere(self) -> bool:
        """Whether Hydra's own machinery has to launch the cells, in other processes."""
        return self.sweep.multirun and (self.launcher not in OURS or self.sweeper != "basic")


def plan(arguments: Arguments) -> list[PlannedSweep]:
    """Every cell of a command, pass by pass; `UserError` names the first key that cannot be used."""
    with one_line_errors(), conf.opened(arguments.search):
        datasets = Datasets()
        planned = [_planned(sweep, datasets) for sweep in passes(arguments.overrides, arguments.multirun)]
    cells = [cell for each in planned for cell in each.cells]
    _check(cells)
    remarks = [*datasets.remarks, *(remark for cell in cells for remark in _remarks(cell))]
    for remark in dict.fromkeys(remarks):
        print(f"note: {remark}", file=sys.stderr)
    return planned


def cell(arguments: Arguments) -> Cell:
    """The one checked cell of a command; `UserError` for a sweep. Its questions and folders are not checked."""
    with one_line_errors(), conf.opened(arguments.search):
        [sweep, *more] = passes(arguments.overrides, multirun=False)
        if more or sweep.multirun:
            raise UserError("experiment: has several cells; use leap_lab.run")
        [overrides] = expanded(sweep)
        return composed(overrides, Datasets())


def _planned(sweep: Pass, datasets: Datasets) -> PlannedSweep:
    own = [override for override in sweep.overrides if _is_hydras(override)]
    _check_sweeper(own)
    chosen = conf.compose(own, with_hydra=True).hydra.runtime.choices if own else {}
    launcher, sweeper = chosen.get("hydra/launcher", OURS[0]), chosen.get("hydra/sweeper", "basic")
    cells = [composed(overrides, datasets) for overrides in expanded(sweep)]
    return PlannedSweep(sweep, cells, launcher, sweeper, _exhibit(sweep, cells))


def _exhibit(sweep: Pass, cells: Sequence[Cell]) -> Callable[..., Any] | None:
    """The exhibit that the experiment names in its YAML; `UserError` where it cannot be imported."""
    if sweep.experiment is None:
        return None
    node = cells[0].config["experiment"].get("exhibit") or {}
    return imported(sweep.experiment.partition(" ")[0], node)


def _check_sweeper(own: Sequence[str]) -> None:
    """Refuse parameters for the basic sweeper: what it sweeps comes from KEY=VALUE,VALUE."""
    if any(each.lstrip("+").startswith("hydra/sweeper=") for each in own):
        return
    if used := next((key for each in own if (key := parsed(each).key_or_group).startswith(PARAMS)), None):
        raise UserError(f"{used}: has no effect; sweep with -m and KEY=VALUE,VALUE")


def _is_hydras(override: str) -> bool:
    return override.lstrip("+~").startswith(("hydra/", "hydra."))


def _check(cells: Sequence[Cell]) -> None:
    """Check what can be known before an engine starts: names, engine fields, trackers, questions, folders."""
    for each in cells:
        _check_names(each)
        each.engine().check(each.model)
        instantiate(each.config["tracking"])
        each.problems()
    for runs_dir in {each.config["runs_dir"] for each in cells}:
        _make_folder(runs_dir)
        if earlier := earlier_runs(Path(runs_dir)):
            concerned = [each for each in cells if each.config["runs_dir"] == runs_dir]
            for run in (run for each in concerned for run in each.runs):
                refuse_earlier({**run.identity, "dataset": by_content(run.dataset)}, earlier)
    _pin(cells)


def _pin(cells: Sequence[Cell]) -> None:
    """Keep the commits and local files that these cells are known by; later commands go on with the same."""
    first: dict[str, Cell] = {}
    for each in cells:
        other = first.setdefault(each.run_id, each)
        if other.dataset != each.dataset and other.questions() != each.questions():
            one, two = (str(cell.dataset.get("path") or cell.dataset.get("hub_id")) for cell in (other, each))
            raise UserError(f"{two}: the questions of {one} with other ids or answers; use one of them in a command")
    for datasets in {id(each.datasets): each.datasets for each in cells}.values():
        datasets.save()


def _check_names(cell: Cell) -> None:
    """A user's own choice needs a name that leap_lab does not use: runs are identified by it."""
    for group in CHOICES:
        node = cell.config[group]
        address = str(node.get("_target_", "leap_lab."))
        if not address.startswith("leap_lab.") and (conf.CONF / group / f"{node['name']}.yaml").is_file():
            raise UserError(f"{group}={node['name']}: the name belongs to leap_lab; {address} needs another name")


def _make_folder(runs_dir: str) -> None:
    """The folder that will hold the runs; `UserError` where there can be none."""
    try:
        Path(runs_dir).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"runs_dir={runs_dir}: cannot make a folder there: {error.strerror}") from error


def expanded(sweep: Pass) -> list[list[str]]:
    """The overrides of every cell of a pass."""
    from hydra.core.override_parser.types import Glob

    for override in sweep.overrides:
        known = parsed(override)
        if isinstance(known.value(), Glob):
            raise UserError(f"{override}: patterns work only for experiment; write the names with commas")
        if known.is_sweep_override() and not sweep.multirun:
            raise UserError(f"{override}: several values are a sweep; add -m")
    return combinations(sweep.overrides) if sweep.multirun else [list(sweep.overrides)]


def composed(overrides: Sequence[str], datasets: Datasets) -> Cell:
    """One checked cell, within `conf.opened`. A bad setting that no rule covers is refused, too."""
    _check_keys(overrides)
    try:
        cell = Cell(validate(conf.compose(overrides)), datasets)
        assert cell.settled
    except UNUSABLE as error:
        for override in overrides if len(overrides) > 1 else []:
            composed([override], datasets)  # names the bad one, where one alone is bad
        reason = f"{type(error).__name__}: {one_line(error, 200)}"
        raise UserError(f"{' '.join(overrides)}: invalid setting ({reason})") from error
    return cell


def _check_keys(overrides: Sequence[str]) -> None:
    """Refuse keys that nothing reads, although Hydra would add them, and keys that belong to a choice."""
    known = [parsed(override) for override in overrides]
    for each in known:
        group, _, key = each.key_or_group.rpartition(".")
        if group and key in ("name", "_target_"):
            raise UserError(f"{each.key_or_group}: is set by the choice; use {group}=NAME")
    added = {each.input_line: each.key_or_group for each in known if each.is_add() or each.is_force_add()}
    added = {line: key for line, key in added.items() if not key.startswith(("engine.", "model.chat.", "hydra."))}
    if not added:
        return
    config = conf.compose([line for line in overrides if line not in added])
    for key in added.values():
        if not _has_key(config, key):
            raise UserError(f"{key}: no such key{_near(key)}")


def _has_key(config: "DictConfig", dotted: str) -> bool:
    """Whether a configuration has this key, be it without a value."""
    from omegaconf import DictConfig, OmegaConf

    group, _, key = dotted.rpartition(".")
    node = OmegaConf.select(config, group) if group else config
    return isinstance(node, DictConfig) and key in list(node.keys())


def _remarks(cell: Cell) -> list[str]:
    """What a user may not have meant, one line each."""
    remarks, router, peers = [], cell.recorded["router"], cell.config["peers"]
    if router and router.get("top_k", 0) >= peers:
        others = f"all {peers - 1} others" if peers > 1 else "nobody"
        remarks.append(
            f"router.top_k={router['top_k']} with peers={peers}: every path hears {others}, as with router=all"
        )
    if cell.lora and (remark := adapters.remark(cell.lora, cell.model_path)):
        remarks.append(remark)
    return remarks


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn Hydra's and OmegaConf's errors into a `UserError` of one line."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(_explained(error)) from error


def _explained(error: BaseException) -> str:
    """The key, the value and what is allowed, from Hydra's message."""
    from hydra.errors import OverrideParseException
    from omegaconf.errors import OmegaConfBaseException

    text = str(error)
    if isinstance(error, OverrideParseException):
        why = text.split(" See ")[0].splitlines()[0]
        quoted = "KEY=\"'...'\""
        return f"{error.override}: cannot be parsed ({why}); write KEY=VALUE, with special characters as {quoted}"
    missing = re.search(r"Could not find '([\w/]+)/([^/']*)'.*?Available options in '[\w/]+':(.*)", text, re.DOTALL)
    if missing:
        allowed = ", ".join(missing[3].partition("Config search path")[0].split())
        return f"{missing[1]}={missing[2]}: no such choice; allowed are {allowed}"
    if unknown := re.search(r"Could not override '([^']+)'", text):
        return f"{unknown[1]}: no such key{_near(unknown[1])}"
    cause = error if isinstance(error, OmegaConfBaseException) else error.__cause__
    return unresolved(cause) if isinstance(cause, UNRESOLVED) else one_line(error)


def _near(key: str) -> str:
    known = ["peers", "seed", "groups", "limit", "baseline", "concurrency", "runs_dir", "model", "method", "router"]
    known += ["dataset", "tracking", "prompts", "engine", "difficulty", "prefix", "router.top_k", "method.interval"]
    known += ["method.max_tokens", "method.summary_tokens", "sampling.temperature", "sampling.top_p", "dataset.path"]
    known += ["confidence.top_logprobs", "confidence.window", "confidence.per_token"]
    near = difflib.get_close_matches(key, known, n=3)
    return f"; did you mean {' or '.join(near)}?" if near else "; --help lists the keys"
