"""`python -m analysis report|NAME RUN_FOLDER... --out DIR`: tables and figures of runs; NAME is an experiment."""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from leap_lab import console

if TYPE_CHECKING:
    from .measures.budget import Budget


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0, or 2 with one line on stderr for bad input."""
    return console.run(lambda: _analyse(arguments), "the same command makes the report anew")


def _analyse(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    from .report import paper, sweep  # they import pandas, which --help and usage errors should not wait for

    if options.command == "report":
        written = sweep.write(options.folders, options.out, groups=options.groups)
    else:
        written = paper.write({options.command: options.folders}, options.out, getattr(options, "budget", None))
    for problem in written.problems:
        print(f"error: {problem}", file=sys.stderr)
    if written.problems:
        return 2
    print(f"{written.table}\n")
    print("\n".join(f"report: {file}" for file in written.files))
    return 0


def _parser() -> argparse.ArgumentParser:
    from leap_lab.settings.experiments import names

    parser = argparse.ArgumentParser(prog="python -m analysis", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="report|NAME")
    report = commands.add_parser("report", help="table and figure of runs side by side")
    experiments = {name: commands.add_parser(name, help=f"as experiment={name} ends with") for name in names()}
    for name in ("efficiency", "scaling"):
        told = "what is held equal: tokens, flops or critical_path (default: efficiency all three, scaling tokens)"
        experiments[name].add_argument("--budget", type=_budget, metavar="B", help=told)
    for command in (report, *experiments.values()):
        command.add_argument("folders", nargs="+", metavar="RUN_FOLDER")
        command.add_argument("--out", default="figures", metavar="DIR", help="where to write (default: figures)")
    report.add_argument("--groups", type=_count, metavar="G", help="only the first G groups of each question")
    return parser


def _budget(text: str) -> "Budget":
    from .measures.budget import Budget

    if text not in list(Budget):
        raise argparse.ArgumentTypeError(f"{text}: allowed are {', '.join(Budget)}")
    return Budget(text)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: allowed is a whole number of at least 1")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
