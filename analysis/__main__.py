"""`python -m analysis report|NAME RUN_FOLDER...`: tables and figures of runs; NAME is that of an experiment.

`python -m analysis replay POLICY RUN_FOLDER...` tries policies on the paths that independent runs recorded, and
`python -m analysis view RUN_FOLDER...` shows runs in a browser.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from leap_lab import console, home

if TYPE_CHECKING:
    from .measures.budget import Budget
    from .report.sweep import Report


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0, 1 where a figure failed, 2 for bad input."""
    given = sys.argv[1:] if arguments is None else arguments
    return console.run(lambda: _analyse(given), "rerun the same command to make the report")


def _analyse(arguments: Sequence[str]) -> int:
    search, rest = _search(arguments)
    parser = _parser(rest, search)
    options = parser.parse_args(rest)
    if options.command == "report" and options.over == "these" and options.margin is not None:
        parser.error(f"--margin={options.margin:g}: only for questions like these; leave out --over=these")
    if options.command == "view":
        from .viewer.command import view

        return view(options.folders, options.port, options.out)
    report = _report(options, search)
    for problem in report.problems:
        print(f"error: {problem}", file=sys.stderr)
    if report.problems:
        return 2
    print("\n".join(f"report: {file}" for file in report.files))
    for problem in report.undrawn:
        print(f"failed: {problem}", file=sys.stderr)
    return 1 if report.undrawn else 0


def _report(options: argparse.Namespace, search: Sequence[str]) -> "Report":
    """What the command makes."""
    from leap_lab.runs.reading import run_folders
    from leap_lab.settings.experiments import exhibit_of

    from .replay import report as replay  # these import pandas, which --help and usage errors should not wait for
    from .report import paper, sweep

    folders = run_folders(options.folders)
    if options.command == "replay":
        return replay.write(options.policies, folders, options.out, options.draws, _show)
    if options.command == "report":
        chosen = {"groups": options.groups, "margin": options.margin}
        chosen |= {"these": options.over == "these", "apart": options.seeds == "apart"}
        return sweep.write(folders, options.out, show=_show, **chosen)
    exhibits = {options.command: exhibit_of(options.command, search)}
    return paper.write({options.command: folders}, options.out, getattr(options, "budget", None), exhibits, _show)


def _show(table: str) -> None:
    print(f"{table}\n", flush=True)


def _search(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The values of --config-dir, which say what commands there are, and the other arguments."""
    parser = argparse.ArgumentParser(prog="python -m analysis", add_help=False, allow_abbrev=False)
    parser.add_argument("--config-dir", action="append", default=[])
    options, rest = parser.parse_known_args(arguments)
    return options.config_dir, rest


def _parser(arguments: Sequence[str], search: Sequence[str]) -> argparse.ArgumentParser:
    """The parser for these arguments, with a command for every experiment."""
    from leap_lab.settings.experiments import exhibit_node, names

    parser = console.Parser(prog="python -m analysis", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True, metavar="report|replay|view|NAME")
    report = commands.add_parser("report", help="table and figure of runs side by side")
    report.add_argument("--groups", type=_count, metavar="G", help="only the first G groups of each question")
    words = "also say which differences are within M points, in either direction"
    report.add_argument("--margin", type=_margin, metavar="M", help=words)
    words = "what intervals are for: questions like these (default), or these very questions asked again"
    report.add_argument("--over", choices=["like", "these"], default="like", help=words)
    words = "runs that differ in their seed alone: one row (pooled, default) or a row each (apart)"
    report.add_argument("--seeds", choices=["pooled", "apart"], default="pooled", help=words)
    replay = commands.add_parser("replay", help="policies tried on the recorded paths of independent runs")
    words = "all, or names of policies with commas between them: majority,short:m=1,my_module.policy"
    replay.add_argument("policies", metavar="POLICY", help=words)
    words = "orders of the paths of each question that means are over (default: 16)"
    replay.add_argument("--draws", type=_count, default=16, metavar="D", help=words)
    _add_view(commands.add_parser("view", help="runs in a browser: questions, groups, paths"))
    known = names(search)
    experiments = {name: commands.add_parser(name, help=f"what experiment={name} ends with") for name in known}
    for command in (report, replay, *experiments.values()):
        command.add_argument("folders", nargs="+", type=home.path, metavar="RUN_FOLDER")
        command.add_argument(
            "--out", type=home.path, default="figures", metavar="DIR", help="where to write (default: figures)"
        )
        command.add_argument("--config-dir", metavar="DIR", help="a folder with experiments of your own")
    chosen = next((argument for argument in arguments if not argument.startswith("-")), "")
    if chosen in experiments and "budget" in exhibit_node(chosen, search):
        words = "what is held equal: tokens, flops or critical_path (default: what the experiment names)"
        experiments[chosen].add_argument("--budget", type=_budget, metavar="B", help=words)
    return parser


def _add_view(view: argparse.ArgumentParser) -> None:
    view.add_argument("folders", nargs="+", type=home.path, metavar="RUN_FOLDER")
    view.add_argument(
        "--port", type=_port, metavar="N", help="where to serve on 127.0.0.1 (default: 8642, if it is free)"
    )
    words = "write the pages to this folder instead; they open from disk and from any web server"
    view.add_argument("--out", type=home.path, metavar="FOLDER", help=words)


def _budget(text: str) -> "Budget":
    from .measures.budget import Budget

    if text not in list(Budget):
        raise argparse.ArgumentTypeError(f"invalid choice: {text} (choose from {', '.join(Budget)})")
    return Budget(text)


def _margin(text: str) -> float:
    try:
        margin = float(text)
    except ValueError:
        margin = math.nan
    if not 0 < margin < 100:
        raise argparse.ArgumentTypeError(f"invalid value: {text} (must be a number of points above 0 and below 100)")
    return margin


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"invalid value: {text} (must be an integer from 1 to 65535)")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"invalid value: {text} (must be an integer >= 1)")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
