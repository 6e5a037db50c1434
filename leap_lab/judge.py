"""Ask a model about the answers that grading rejected: `python -m leap_lab.judge RUN_FOLDER... model=NAME [key=value]`.

It reads each question, its right answer and the path's answer, and says yes or no. Its verdicts stand in judged.json of
the run folder. No grade changes: `python -m analysis report` has a table of its own for them. The settings are those of
leap_lab.run; `seed` makes another judge. After a stop the same command goes on.
"""

import pathlib
import sys
from collections.abc import Sequence

from leap_lab import api, console
from leap_lab.decoding.engines import Engines
from leap_lab.decoding.judging import identity, judge, judge_id, known, rejected, tally
from leap_lab.engines.base import EngineDied
from leap_lab.errors import UserError, brief
from leap_lab.runs import judged
from leap_lab.runs.folder import RunFolder
from leap_lab.settings.cell import Cell
from leap_lab.settings.datasets import Datasets, of_run

FIXED = ("method", "peers", "groups", "router", "prefix", "difficulty", "probes")  # a judge is one path by itself
OWN = ("method=independent", "peers=1", "baseline=false", "tracking=none")
KEPT = "verdicts are kept; rerun the same command to go on"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status (see `console.run`)."""
    parser = console.Parser(prog="python -m leap_lab.judge", description=__doc__)
    parser.add_argument("given", nargs="+", metavar="RUN_FOLDER|key=value")
    parser.add_argument("--config-dir", metavar="DIR", help="a folder with models or engines of your own")
    options = parser.parse_intermixed_args(arguments)
    own = [f"--config-dir={options.config_dir}"] if options.config_dir else []
    return console.run(lambda: _judge(options.given, own), KEPT)


def _judge(given: Sequence[str], own: Sequence[str]) -> int:
    settings = [each for each in given if _is_setting(each)]
    runs = [pathlib.Path(each) for each in given if each not in settings]
    if not runs:
        raise UserError("run folders: none named; at least one is needed, such as runs/<run_id>")
    for each in settings:
        if each.partition("=")[0].lstrip("+~") in FIXED:
            raise UserError(f"{each}: a judge is one independent path; leave this key out")
    cell = api.cell(*own, *OWN, *settings)
    cell.engine().check(cell.model)
    engines, datasets = Engines(), Datasets()
    try:
        for run in runs:
            _judge_run(run, cell, engines, datasets)
    except EngineDied as error:
        print(f"error: {error}; {KEPT}", file=sys.stderr)
        return 1
    finally:
        engines.close()
    print("Look next at a report of these runs: python -m analysis report RUN_FOLDER...")
    return 0


def _is_setting(argument: str) -> bool:
    return "=" in argument and not pathlib.Path(argument).exists()


def _judge_run(run: pathlib.Path, cell: Cell, engines: Engines, datasets: Datasets) -> None:
    answers = rejected(run, {problem.id: problem for problem in of_run(run, datasets)})
    name, folder = judge_id(cell), RunFolder.reopen(run)
    said = known(judged.read(run).get(name, {}).get("verdicts", []))
    try:
        judge(cell, engines, answers, said)
    finally:
        verdicts = [each.verdict(said[each.asked]) for each in answers if each.asked in said]
        judged.write(run, name, {"model_name": cell.config["model"]["name"], **identity(cell)}, verdicts)
        folder.close()
    counts = tally(answers, said)
    told = ", ".join(f"{counts[word]} {word}" for word in judged.SAID)
    print(f"{run}: judge {name} ({brief(cell.config['model']['name'])}) read {len(answers)} rejected answers: {told}")


if __name__ == "__main__":
    sys.exit(main())
