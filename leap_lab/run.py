"""`python -m leap_lab.run`: a command line in, run folders, a table and a figure out.

The place where everything comes together: settings are composed and checked, a session decodes them, the analysis
reports. Slow modules are imported where they are used, inside `console.run`.
"""

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from leap_lab import console
from leap_lab.engines.base import EngineDied
from leap_lab.errors import UserError, brief
from leap_lab.settings.arguments import HELP, Arguments

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from analysis.report.sweep import Report
    from leap_lab.decoding.session import Session
    from leap_lab.settings.compose import PlannedSweep

SWEEP = "LEAP_LAB_SWEEP"  # the environment variable that names the sweep to jobs in other processes
NAMED = 4  # run folders that a command names one by one
RESUME = "finished groups are kept; rerun the same command to resume"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    0, 1 (groups or figures failed, disk full), 2 (bad input), or 128 and a signal's number: 130 (Ctrl-C), 143
    (SIGTERM).
    """
    given = sys.argv[1:] if arguments is None else arguments
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra passes errors on, so that they can be one line here
    return console.run(lambda: _run(given), RESUME)


def _run(given: Sequence[str]) -> int:
    arguments = Arguments.read(given)
    if arguments.printing:
        return _print(arguments)
    from leap_lab import api
    from leap_lab.settings import compose

    plan = compose.plan(arguments)
    try:
        with api.session(plan) as session:
            if any(planned.elsewhere for planned in plan):
                _launch(plan, arguments, session)
            api.decode(session, plan)
            return _finish(session, plan)
    except EngineDied as error:
        print(f"error: {error}; {RESUME}", file=sys.stderr)
        return 1


def _print(arguments: Arguments) -> int:
    """Print the version, or let Hydra show its help or a configuration."""
    if "--version" in arguments.printing:
        print(console.version())
        return 0
    if arguments.multirun and not {*HELP} & {*arguments.printing}:
        raise UserError(f"{arguments.printing[0]}: shows one configuration; use it without -m, with one value per key")
    try:
        _hydra_main(arguments.for_hydra)
    except SystemExit as end:  # how Hydra ends after --help
        return int(end.code or 0)
    return 0


def _launch(plan: "Sequence[PlannedSweep]", arguments: Arguments, session: "Session") -> None:
    """Let a launcher of Hydra's decode the cells in other processes; the session then looks for their runs."""
    os.environ.update({SWEEP: session.sweep} if session.sweep else {})
    for planned in plan:
        _hydra_main(["-m", *arguments.folders, *planned.sweep.overrides])
    session.elsewhere = True


def _hydra_main(arguments: Sequence[str]) -> None:
    """Hydra's own command line, with `job` for every cell."""
    import hydra

    from leap_lab.settings.conf import CONF, VERSION_BASE

    sys.argv[1:] = arguments
    hydra.main(version_base=VERSION_BASE, config_path=str(CONF), config_name="config")(job)()


def job(config: "DictConfig") -> None:
    """Decode one cell in a launched process; the command that launched it makes the report."""
    from leap_lab import api
    from leap_lab.decoding.engines import Engines
    from leap_lab.decoding.session import Session
    from leap_lab.settings.cell import Cell
    from leap_lab.settings.rules import validate

    engines = Engines()
    session = Session(engines, api.summarize, os.environ.get(SWEEP))
    try:
        session.add(Cell(validate(config)))
        session.decode()
    finally:
        engines.close()
    for failure in session.failures:
        print(f"failed: {failure}", file=sys.stderr)


def _finish(session: "Session", plan: "Sequence[PlannedSweep]") -> int:
    """Print the table, or those of the experiments, and where the files are."""
    for failure in session.failures:
        print(f"failed: {brief(failure, 400)}", file=sys.stderr)
    if session.left_out:
        told = f"{len(session.left_out)} groups are left out, since their questions do not fit the context; the first"
        print(f"note: {told}: {brief(session.left_out[0], 400)}", file=sys.stderr)
    folders = session.folders
    if not folders:
        return 1
    report = _report(session, folders, plan)
    session.publish(report.tables, report.figures)
    shown = dict.fromkeys([*folders, *(folder for runs in session.experiments.values() for folder in runs)])
    for name, paths in (("report", report.files), ("run folder", list(shown))):
        print("\n".join(f"{name}: {_short(path)}" for path in paths))
    for problem in (*report.problems, *report.undrawn):
        print(f"failed: {problem}", file=sys.stderr)
    if session.failures:
        print(f"{len(session.failures)} groups failed; rerun the same command to try them again", file=sys.stderr)
    if session.failures or report.problems or report.undrawn:
        return 1
    print(f"paths in a browser: {_view(list(shown))}")
    print(f"Look next at {_short(report.look)}")
    return 0


def _view(folders: "Sequence[Path]") -> str:
    """The command that shows these runs in a browser; of many, all that lie beside the first."""
    named = [shlex.quote(_short(folder)) for folder in folders]
    if len(named) > NAMED:
        named = [f"{shlex.quote(_short(folders[0].parent))}/*"]
    return f"python -m analysis view {' '.join(named)}"


def _report(session: "Session", folders: Sequence[Path], plan: "Sequence[PlannedSweep]") -> "Report":
    """The report of a sweep, or of the experiments that were asked for."""
    from leap_lab.runs.identity import run_id_of
    from leap_lab.siblings import analysis

    reports = folders[0].parent / "reports"
    report: Report
    if session.experiments:
        names = "paper" if len(session.experiments) > 1 else next(iter(session.experiments)).partition(" ")[0]
        known = {name: [folder.name for folder in runs] for name, runs in session.experiments.items()}
        exhibits = {planned.sweep.experiment: planned.exhibit for planned in plan if planned.exhibit}
        out = reports / f"{names}-{run_id_of(known)}"
        report = analysis("report.paper").write(session.experiments, out, exhibits=exhibits, show=_show)
        return report
    wanted = [session.wanted[folder.name] for folder in folders]
    questions = {folder.name: run.questions for folder, run in zip(folders, wanted, strict=True)}
    groups = max(run.per_question for run in wanted)
    out = reports / run_id_of({"questions": questions, "groups": groups})
    report = analysis("report.sweep").write(folders, out, questions, groups, show=_show)
    return report


def _show(table: str) -> None:
    """Print the table, which neither a figure nor a tracker can take away afterwards."""
    print(f"\n{table}\n", flush=True)


def _short(path: Path) -> str:
    """A path below the working directory, relative to it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


class _Callable(ModuleType):
    """`leap_lab.run` is this module and also the function of the API: calling the module calls the function."""

    def __call__(self, *overrides: Any) -> list[Path]:
        from leap_lab import api

        return api.run(*overrides)


sys.modules[__name__].__class__ = _Callable

if __name__ == "__main__":
    from leap_lab.run import main as _main  # launchers pass functions to other processes by their module's name

    sys.exit(_main())
