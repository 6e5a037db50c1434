"""`python -m leap_lab.run`: Hydra in, run folders, a table and a figure out.

Hydra composes and sweeps. Around it this module does what a user is owed: every cell of a sweep is checked before the
first is decoded, errors are one line, and the end says what to look at next.
"""

import difflib
import io
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, OverrideParseException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from leap_lab.engines.base import EngineDied
from leap_lab.errors import UserError
from leap_lab.experiments import Pass, passes
from leap_lab.schema import validate

if TYPE_CHECKING:
    from analysis.report import Report
    from leap_lab.cell import Cell
    from leap_lab.session import Session

CONF = "pkg://conf"
MULTIRUN = ("-m", "--multirun")
SWEEP = "LEAP_LAB_SWEEP"  # the environment variable that names the sweep to jobs in other processes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0, 1 (groups failed), 2 (bad input) or 130 (interrupted)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console that cannot show a sign must not cost the table
    sys.argv[1:] = prepared(sys.argv[1:] if arguments is None else arguments)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra hands errors on, to be told in one line here
    try:
        with one_line_errors():
            return _run()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except EngineDied as error:
        print(f"error: {error}; finished groups are kept, the same command goes on from there", file=sys.stderr)
        return 1
    except OSError as error:  # a full or read-only disk, wherever it strikes
        where = f"{error.filename}: " if error.filename else ""
        print(f"error: {where}{error.strerror or error}; finished groups are kept", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped: finished groups are kept; the same command goes on from there", file=sys.stderr)
        return 130


def _run() -> int:
    if any(
        flag in sys.argv[1:] for flag in ("--help", "-h", "--hydra-help", "--cfg", "-c", "--info", "-i", "--version")
    ):
        try:
            _hydra_main()
        except SystemExit as told:  # how Hydra ends after --help
            return int(told.code or 0)
        return 0
    found = check(sys.argv[1:])
    from leap_lab import session
    from leap_lab.records import run_id_of

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


@hydra.main(version_base="1.3", config_path=CONF, config_name="config")
def _hydra_main(config: DictConfig) -> None:
    """One job of Hydra's, which would print a report of its own about an error: so that is kept for `_launch`."""
    from leap_lab import session
    from leap_lab.cell import Cell

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
    from leap_lab.session import Session

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

    asked: Pass
    cells: "list[Cell]"


def check(arguments: Sequence[str]) -> list[Checked]:
    """Compose and validate every cell of the command, pass by pass."""
    from hydra import initialize_config_module

    from leap_lab.cell import made

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
    return found


def cells_of(asked: Pass) -> list[list[str]]:
    """The overrides of every cell of a pass."""
    return expanded(asked.overrides, any(flag in asked.arguments for flag in MULTIRUN))


def expanded(overrides: list[str], multirun: bool) -> list[list[str]]:
    """The overrides of every cell, as Hydra's own sweeper splits them."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra.core.override_parser.overrides_parser import OverridesParser

    parsed = OverridesParser.create().parse_overrides(overrides)
    if multirun:
        return [list(cell) for cell in chain.from_iterable(BasicSweeper.split_arguments(parsed, None))]
    for override in parsed:
        if override.is_sweep_override():
            raise UserError(f"{override.input_line}: several values are a sweep; add -m")
    return [overrides]


def composed(overrides: list[str]) -> "Cell":
    """One checked cell. A setting of a kind that no rule foresees, such as a choice that is null, is refused, too."""
    from hydra import compose

    from leap_lab.cell import Cell

    try:
        cell = Cell(validate(compose("config", overrides=overrides)))
        assert cell.run_id
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        for override in overrides if len(overrides) > 1 else []:
            composed([override])  # names the one that is to blame, where one alone is
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"{' '.join(overrides)}: no setting that can be used ({type(error).__name__}: {reason})"
        ) from error
    return cell


def make_folder(runs_dir: str) -> None:
    """The folder that will hold the runs; `UserError` where there can be none."""
    try:
        Path(runs_dir).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"runs_dir={runs_dir}: cannot make a folder there: {error.strerror}") from error


def check_engine(cell: "Cell") -> None:
    """Refuse engine arguments that vLLM does not have, before anything is loaded."""
    from leap_lab.cell import arguments

    engine = arguments(cell.config["engine"])
    extra = {key: value for key, value in engine.items() if key not in ("_target_", "log", "max_model_len")}
    if cell.config["engine"]["name"] == "vllm" and extra:
        from leap_lab.engines.vllm import check_fields

        check_fields(extra)


def finish(session: "Session") -> int:
    """Print the table, or those of the experiments, and where everything lies."""
    for failure in session.failures:
        print(f"failed: {failure}", file=sys.stderr)
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
    from analysis import paper, report
    from leap_lab.records import run_id_of

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
    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(explained(error)) from error


def explained(error: BaseException) -> str:
    """Which key, which value, what is allowed, out of Hydra's message."""
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
