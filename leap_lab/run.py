"""`python -m leap_lab.run`: Hydra in, run folders, a table and a figure out.

Hydra composes and sweeps. Around it this module does what a user is owed: every cell of a sweep is checked before the
first is decoded, errors are one line, and the end says what to look at next. Whatever takes time to import is imported
where it is used, under the care of `console.run`.
"""

import difflib
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from leap_lab import console
from leap_lab.engines.base import EngineDied
from leap_lab.errors import UserError, brief

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from analysis.report.sweep import Report
    from leap_lab.decoding.session import Session
    from leap_lab.settings.cell import Cell
    from leap_lab.settings.experiments import Pass

CONF = "pkg://conf"
MULTIRUN = ("-m", "--multirun")
SWEEP = "LEAP_LAB_SWEEP"  # the environment variable that names the sweep to jobs in other processes
TELLING = ("--help", "-h", "--hydra-help", "--cfg", "-c", "--info", "-i", "--version")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    0, 1 (groups failed, disk full), 2 (bad input), or 128 and a signal's number: 130 (Ctrl-C), 143 (SIGTERM).
    """
    sys.argv[1:] = prepared(sys.argv[1:] if arguments is None else arguments)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra hands errors on, to be told in one line here
    return console.run(_explained, "finished groups are kept; the same command goes on from there")


def _explained() -> int:
    try:
        with one_line_errors():
            return _run()
    except EngineDied as error:
        print(f"error: {error}; finished groups are kept, the same command goes on from there", file=sys.stderr)
        return 1


def _run() -> int:
    if any(flag in sys.argv[1:] for flag in TELLING):
        return _tell()
    found = check(sys.argv[1:])
    from leap_lab.decoding import session
    from leap_lab.runs.identity import run_id_of

    cells = [cell.run_id for each in found for cell in each.cells]
    sweep = run_id_of({"cells": cells}) if len(cells) > 1 else None
    os.environ.update({SWEEP: sweep} if sweep else {})  # for jobs that a launcher runs in other processes
    session.current = session.Session(sweep)
    try:
        for each in found:
            _launch(each, session.current)
        session.current.decode()
        return finish(session.current)
    finally:
        session.current.close()
        session.current = None


def _launch(checked: "Checked", session: "Session") -> None:
    """Let Hydra launch the cells of one pass, which lead to `session.add` in this process or in others."""
    sys.argv[1:], session.experiment = checked.asked.arguments, checked.asked.experiment
    before = session.jobs
    _hydra_main()
    if session.error is not None:
        raise session.error
    if session.jobs == before:
        session.elsewhere = session.collects = True
        for cell in checked.cells:
            session.add(cell)


def _tell() -> int:
    """Let Hydra show its help or a configuration."""
    if any(flag in sys.argv[1:] for flag in MULTIRUN) and not {"--help", "-h"} & {*sys.argv[1:]}:
        flag = next(flag for flag in TELLING if flag in sys.argv[1:])
        raise UserError(f"{flag}: it tells of one configuration; allowed is it without -m, one value a key")
    try:
        _hydra_main()
    except SystemExit as told:  # how Hydra ends after --help
        return int(told.code or 0)
    return 0


def _hydra_main() -> None:
    import hydra

    hydra.main(version_base="1.3", config_path=CONF, config_name="config")(_job)()


def _job(config: "DictConfig") -> None:
    """One job of Hydra's, which would print a report of its own about an error: so that is kept for `_launch`."""
    from hydra.core.hydra_config import HydraConfig

    from leap_lab.decoding import session
    from leap_lab.settings.cell import Cell
    from leap_lab.settings.rules import validate

    if session.current is None:
        _alone(Cell(validate(config)))
    elif session.current.error is None:
        session.current.collects = HydraConfig.get().runtime.choices["hydra/launcher"] == "shared"
        try:
            session.current.add(Cell(validate(config)))
        except UserError as error:
            session.current.error = error


def _alone(cell: "Cell") -> None:
    """A job that a launcher runs in a process of its own; the command that launched it makes the report."""
    from leap_lab.decoding.session import Session

    session = Session(os.environ.get(SWEEP))
    try:
        session.add(cell)
    finally:
        session.close()
    for failure in session.failures:
        print(f"failed: {failure}", file=sys.stderr)


def prepared(arguments: Sequence[str]) -> list[str]:
    """What Hydra is to see: flags first, as it wants them, `engine.<field>=`, which may be any, as `++`, and no `~`."""
    told = [f"++{argument}" if re.match(r"engine\.\w+=", argument) else argument for argument in arguments]
    home = re.compile(r"^(runs_dir=['\"]?)~(?=/)")  # Hydra would make a folder of that name
    told = [home.sub(lambda found: f"{found[1]}{Path.home()}", argument) for argument in told]
    multirun = [argument for argument in told if argument in MULTIRUN]
    return [*multirun[:1], *(argument for argument in told if argument not in MULTIRUN)]


@dataclass(frozen=True)
class Checked:
    """A pass with its checked cells."""

    asked: "Pass"
    cells: "list[Cell]"


def check(arguments: Sequence[str]) -> list[Checked]:
    """Compose and validate every cell of the command, pass by pass."""
    from hydra import initialize_config_module

    from leap_lab.runs.identity import earlier_runs, refuse_earlier
    from leap_lab.settings.cell import made
    from leap_lab.settings.experiments import Pass, passes

    overrides = Pass(list(arguments)).overrides
    unknown = [argument for argument in arguments if argument.startswith("--") and argument != "--multirun"]
    stray = [argument for argument in arguments if argument not in overrides and not argument.startswith("-")]
    if unknown or stray:
        raise UserError(f"{(unknown + stray)[0]}: not understood; allowed are KEY=VALUE, -m and --help")
    with initialize_config_module("conf", version_base="1.3"):
        asked = passes(arguments, any(flag in arguments for flag in MULTIRUN))
        found = [Checked(each, [composed(cell) for cell in cells_of(each)]) for each in asked]
    cells = [cell for each in found for cell in each.cells]
    for cell in cells:
        check_engine(cell)
        made(cell.config["tracking"])
    for cell in {repr(cell.config["dataset"]): cell for cell in cells}.values():
        cell.problems()
    for runs_dir in {cell.config["runs_dir"] for cell in cells}:
        make_folder(runs_dir)
        if earlier := earlier_runs(Path(runs_dir)):
            for cell in cells:
                refuse_earlier(cell.identity, earlier if cell.config["runs_dir"] == runs_dir else {})
    for remark in dict.fromkeys(remark for cell in cells for remark in remarks(cell)):
        print(f"note: {remark}", file=sys.stderr)
    return found


def cells_of(asked: "Pass") -> list[list[str]]:
    """The overrides of every cell of a pass."""
    return expanded(asked.overrides, any(flag in asked.arguments for flag in MULTIRUN))


def expanded(overrides: list[str], multirun: bool) -> list[list[str]]:
    """The overrides of every cell, as Hydra's own sweeper splits them."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import Glob

    parsed = OverridesParser.create().parse_overrides(overrides)
    for override in parsed:
        if isinstance(override.value(), Glob):
            raise UserError(f"{override.input_line}: a pattern is for experiments; allowed are names with commas")
    if multirun:
        return [list(cell) for cell in chain.from_iterable(BasicSweeper.split_arguments(parsed, None))]
    for override in parsed:
        if override.is_sweep_override():
            raise UserError(f"{override.input_line}: several values are a sweep; add -m")
    return [overrides]


def composed(overrides: list[str]) -> "Cell":
    """One checked cell. A setting of a kind that no rule foresees, such as a choice that is null, is refused, too."""
    from hydra import compose

    from leap_lab.settings.cell import Cell
    from leap_lab.settings.rules import validate

    check_keys(overrides)
    try:
        cell = Cell(validate(compose("config", overrides=overrides)))
        assert cell.run_id
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
        for override in overrides if len(overrides) > 1 else []:
            composed([override])  # names the one that is to blame, where one alone is
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"{' '.join(overrides)}: no setting that can be used ({type(error).__name__}: {reason})"
        ) from error
    return cell


def check_keys(overrides: list[str]) -> None:
    """Refuse keys that nothing reads, though Hydra would add them, and names that no longer tell what was chosen."""
    from hydra import compose
    from hydra.core.override_parser.overrides_parser import OverridesParser

    parsed = OverridesParser.create().parse_overrides(overrides)
    for each in parsed:
        group, _, key = each.key_or_group.rpartition(".")
        if group and key in ("name", "_target_"):
            raise UserError(f"{each.key_or_group}: it comes with the choice; allowed is {group}=NAME")
    added = {each.input_line: each.key_or_group for each in parsed if each.is_add() or each.is_force_add()}
    added = {line: key for line, key in added.items() if not key.startswith(("engine.", "hydra."))}
    if not added:
        return
    config = compose("config", overrides=[line for line in overrides if line not in added])
    for key in added.values():
        if not has_key(config, key):
            raise UserError(f"{key}: no such key{_near(key)}")


def has_key(config: "DictConfig", dotted: str) -> bool:
    """Whether a configuration has this key, be it without a value."""
    from omegaconf import DictConfig, OmegaConf

    group, _, key = dotted.rpartition(".")
    node = OmegaConf.select(config, group) if group else config
    return isinstance(node, DictConfig) and key in list(node.keys())


def remarks(cell: "Cell") -> list[str]:
    """What a user may not have meant, in lines."""
    router, peers = cell.recorded["router"], cell.config["peers"]
    if router and router.get("top_k", 0) >= peers:
        others = f"all {peers - 1} others" if peers > 1 else "nobody"
        return [f"router.top_k={router['top_k']} with peers={peers}: every path hears {others}, as with router=all"]
    return []


def make_folder(runs_dir: str) -> None:
    """The folder that will hold the runs; `UserError` where there can be none."""
    try:
        Path(runs_dir).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"runs_dir={runs_dir}: cannot make a folder there: {error.strerror}") from error


def check_engine(cell: "Cell") -> None:
    """Refuse engine arguments that vLLM does not have, before anything is loaded."""
    from leap_lab.settings.cell import arguments

    engine = arguments(cell.config["engine"])
    extra = {key: value for key, value in engine.items() if key not in ("_target_", "log", "max_model_len")}
    if cell.config["engine"]["name"] == "vllm" and extra:
        from leap_lab.engines.vllm import check_fields

        check_fields(extra)


def finish(session: "Session") -> int:
    """Print the table, or those of the experiments, and where everything lies."""
    for failure in session.failures:
        print(f"failed: {brief(failure, 400)}", file=sys.stderr)
    folders = session.folders
    if not folders:
        return 1
    made = _reported(session, folders)
    session.tell(made)
    if made.table:
        print(f"\n{made.table}\n")
    shown = dict.fromkeys([*folders, *(folder for runs in session.experiments.values() for folder in runs)])
    for name, paths in (("report", made.files), ("run folder", list(shown))):
        print("\n".join(f"{name}: {_short(path)}" for path in paths))
    for problem in made.problems:
        print(f"failed: {problem}", file=sys.stderr)
    if session.failures:
        print(f"{len(session.failures)} groups failed; the same command tries them again", file=sys.stderr)
    if session.failures or made.problems:
        return 1
    print(f"Look next at {_short(made.look)}")
    return 0


def _reported(session: "Session", folders: Sequence[Path]) -> "Report":
    """The report of a sweep, or of the experiments that were asked for."""
    from analysis.report import paper
    from analysis.report import sweep as report
    from leap_lab.runs.identity import run_id_of

    reports = folders[0].parent / "reports"
    if session.experiments:
        names = "paper" if len(session.experiments) > 1 else next(iter(session.experiments)).partition(" ")[0]
        known = {name: [folder.name for folder in found] for name, found in session.experiments.items()}
        return paper.write(session.experiments, reports / f"{names}-{run_id_of(known)}")
    asked = [session.asked[folder.name] for folder in folders]
    questions = {folder.name: each.questions for folder, each in zip(folders, asked, strict=True)}
    groups = max(each.per_question for each in asked)
    out = reports / run_id_of({"questions": questions, "groups": groups})
    return report.write(folders, out, questions, groups)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn Hydra's and OmegaConf's errors into a `UserError` of one line."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(explained(error)) from error


def explained(error: BaseException) -> str:
    """Which key, which value, what is allowed, out of Hydra's message."""
    from hydra.errors import OverrideParseException

    text = str(error)
    if isinstance(error, OverrideParseException):
        why = text.split(" See ")[0].splitlines()[0]
        return (
            f"{error.override}: cannot be read ({why}); allowed is KEY=VALUE, a value with signs in it as KEY=\"'...'\""
        )
    if missing := re.search(
        r"Could not find '([\w/]+)/([^/']*)'.*?Available options in '[\w/]+':(.*)", text, re.DOTALL
    ):
        return (
            f"{missing[1]}={missing[2]}: allowed are {', '.join(missing[3].partition('Config search path')[0].split())}"
        )
    if unknown := re.search(r"Could not override '([^']+)'", text):
        return f"{unknown[1]}: no such key{_near(unknown[1])}"
    return " ".join(text.split())


def _near(key: str) -> str:
    known = ["peers", "seed", "groups", "limit", "baseline", "concurrency", "runs_dir", "model", "method", "router"]
    known += ["dataset", "tracking", "prompts", "engine", "difficulty", "prefix", "router.top_k", "method.interval"]
    known += ["method.max_tokens", "method.summary_tokens", "sampling.temperature", "sampling.top_p", "dataset.path"]
    near = difflib.get_close_matches(key, known, n=3)
    return f"; did you mean {' or '.join(near)}?" if near else "; --help lists the keys"


def _short(path: Path) -> str:
    """Relative to where the user is, when it lies below."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


if __name__ == "__main__":
    from leap_lab.run import main as _main  # launchers hand functions to other processes by their module's name

    sys.exit(_main())
