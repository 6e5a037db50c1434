"""`python -m analysis report RUN_FOLDER... --out DIR`: table and figure of runs, at any time after they were made."""

import argparse
import sys
from collections.abc import Sequence

from analysis import report
from leap_lab.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 2 with one line on stderr for bad input."""
    parser = argparse.ArgumentParser(prog="python -m analysis", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    made = commands.add_parser("report", help="table and figure of runs side by side")
    made.add_argument("folders", nargs="+", metavar="RUN_FOLDER")
    made.add_argument("--out", default="figures", help="where to write (default: figures)")
    options = parser.parse_args(arguments)
    try:
        written = report.write(options.folders, options.out)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(written.table)
    print("\n".join(str(file) for file in written.files))
    return 0


if __name__ == "__main__":
    sys.exit(main())
