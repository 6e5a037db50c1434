"""`python -m analysis report|trap|recovery RUN_FOLDER... --out DIR`: tables and figures of earlier runs."""

import argparse
import sys
from collections.abc import Sequence

from leap_lab.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0, or 2 with one line on stderr for bad input."""
    options = _parser().parse_args(arguments)
    from analysis import report  # pandas and scipy are slow to import: --help and usage errors need neither

    try:
        if options.command == "trap":
            written = report.write_trap(options.folders, options.out)
        elif options.command == "recovery":
            written = report.write_recovery(options.folders, options.out)
        else:
            written = report.write(options.folders, options.out, groups=options.groups)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{written.table}\n")
    print("\n".join(f"report: {file}" for file in written.files))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m analysis", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    report = commands.add_parser("report", help="table and figure of runs side by side")
    trap = commands.add_parser("trap", help="runs with beginnings against the same runs without")
    recovery = commands.add_parser("recovery", help="what blocks did to paths, from runs with probes=true")
    for command in (report, trap, recovery):
        command.add_argument("folders", nargs="+", metavar="RUN_FOLDER")
        command.add_argument("--out", default="figures", metavar="DIR", help="where to write (default: figures)")
    report.add_argument("--groups", type=_count, metavar="G", help="only the first G groups of each question")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: allowed is a whole number of at least 1")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
