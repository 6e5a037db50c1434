"""Grade runs again, from what their paths wrote: `python -m leap_lab.regrade RUN_FOLDER...`.

For a right answer that was corrected, or a grader that has become better. Nothing is decoded. The questions are those
of the run's data set as it is now. Grades that change are listed, and kept in earlier_grades.json of the run folder.
"""

import pathlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from leap_lab import api, console
from leap_lab.decoding.regrade import Regraded, regrade_all
from leap_lab.errors import brief
from leap_lab.runs.folder import RunFolder
from leap_lab.settings.datasets import Datasets, of_run

SHOWN = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status (see `console.run`)."""
    parser = console.Parser(prog="python -m leap_lab.regrade", description=__doc__)
    parser.add_argument("runs", type=pathlib.Path, nargs="+", metavar="RUN_FOLDER")
    parser.add_argument("--dry-run", action="store_true", help="list what would change, and change nothing")
    options = parser.parse_args(arguments)

    def command() -> int:
        datasets = Datasets()
        for run in options.runs:
            _regrade(run, datasets, write=not options.dry_run)
        print("Look next at a report of these runs: python -m analysis report RUN_FOLDER...")
        return 0

    return console.run(command, "every group has its old grades or its new ones; rerun the same command")


def _regrade(run: pathlib.Path, datasets: Datasets, write: bool) -> None:
    problems = {problem.id: problem for problem in of_run(run, datasets)}
    folder = RunFolder.reopen(run)
    try:
        found = regrade_all(folder, problems, write)
        if write and found.changes:
            _write_metrics(folder)
    finally:
        folder.close()
    _tell(run, found, write)


def _write_metrics(folder: RunFolder) -> None:
    """Metrics over all groups that are there: how many were asked for is not known here."""
    stamps = [stamp for stamp, _ in folder.stamps()]
    questions = sorted({stamp.question_id for stamp in stamps})
    groups = 1 + max(stamp.group for stamp in stamps)
    summary = api.summarize(folder.path, questions, groups)
    folder.write_metrics({**summary, "ledger": folder.read_run().get("ledger")})


def _tell(run: pathlib.Path, found: Regraded, write: bool) -> None:
    right = sum(change["now"]["correct"] - change["correct"] for change in found.changes)
    verb = "changed" if write else "would change"
    print(f"{run}: {found.paths} paths graded again, {len(found.changes)} {verb}, {right:+d} right")
    if found.unknown:
        print(f"  {found.unknown} groups are of questions that the data set no longer has; they stay as they are")
    for change in found.changes[:SHOWN]:
        place = f"question {brief(change['question_id'])}, group {change['group']}, path {change['path']}"
        print(f"  {place}: {_grade(change)} -> {_grade(change['now'])}")
    if (more := len(found.changes) - SHOWN) > 0:
        print(f"  and {more} more; earlier_grades.json has all of them")


def _grade(grade: Mapping[str, Any]) -> str:
    answer = "no answer" if grade["answer"] is None else brief(repr(grade["answer"]))
    return f"{answer} {'right' if grade['correct'] else 'wrong'} (gold {brief(repr(grade['gold']))})"


if __name__ == "__main__":
    sys.exit(main())
