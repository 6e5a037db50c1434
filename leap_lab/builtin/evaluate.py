"""The tables of the built-in model's card: does it show the effects it is made for?

`python -m leap_lab.builtin.evaluate` uses the public command line on fresh test problems: routers and independent
sampling, a reference run for the five difficulty buckets, and bad beginnings. Rerun the same command to resume a
stopped evaluation. `--model` takes another model folder.
"""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from analysis.drawing import numerals, tables
from analysis.exhibits import trap
from analysis.load import load
from analysis.measures.compare import Run, compare, corrected
from analysis.measures.counterparts import outcomes
from leap_lab import console, home
from leap_lab.errors import UserError
from leap_lab.run import main as run
from leap_lab.settings.arguments import quoted
from leap_lab.tasks.difficulty import LEAST_RIGHT, bucket


def evaluate(common: Sequence[str], runs: Path) -> None:
    """Decode and print everything; `common` are settings for every command."""
    for sweep in (
        ["router=dispersed", "router.top_k=4,2"],
        ["router=clustered"],
        ["router=dispersed", "prefix=bad", "prefix.fraction=0.15,0.3"],
    ):
        if run(["-m", *sweep, *common, f"runs_dir={quoted(str(runs))}"]):
            raise UserError("a run failed; rerun the same command to resume")
    all_runs = [Run.read(folder) for folder in finished(runs)]
    reference = next(each for each in all_runs if each.settings["seed"] == each.settings["reference.seed"])
    studied = [each for each in all_runs if each is not reference]
    free = [each.folder for each in studied if each.settings["prefix.name"] == "none"]
    print("\n" + tables.markdown(tables.cells(corrected(compare(free)))))
    print("\n" + tables.markdown(mended([Run.read(folder) for folder in free])))
    print("\n" + buckets(reference))
    print("\n" + tables.markdown(trap.cells(trap.trap([each.folder for each in studied]))))


def finished(runs: Path) -> list[Path]:
    """The run folders in `runs` whose run is finished."""
    files = sorted(runs.glob("*/run.json"))
    return [file.parent for file in files if json.loads(file.read_text("utf-8")).get("status") == "finished"]


def buckets(reference: Run) -> str:
    """How many questions each difficulty bucket holds (Section 5.2.2)."""
    by_question = load([reference.folder], columns=["run_id", "question_id", "correct"]).groupby("question_id")[
        "correct"
    ]
    counts = Counter(bucket(int(group.sum()), len(group)) for _, group in by_question)
    return f"Difficulty of {by_question.ngroups} questions: " + ", ".join(
        f"{name} {counts[name]}" for name in LEAST_RIGHT
    )


def mended(runs: Sequence[Run]) -> tables.Cells:
    """How hearing peers changed the outcome from the same beginnings, one row per router."""
    alone = next(each for each in runs if each.independent)
    rows = [["run", "wrong to right %", "right to wrong %"]]
    for each in runs:
        if not each.independent:
            change = outcomes(each.folder, alone.folder)
            name = f"{each.settings['router.name']} k={each.settings['router.top_k']}"
            rows.append([name, numerals.percent(change.mended), numerals.percent(change.spoiled)])
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status (see `console.run`)."""
    parser = console.Parser(description=__doc__)
    parser.add_argument("--model", help="a model folder (default: the built-in one)")
    parser.add_argument("--questions", type=int, default=120)
    parser.add_argument("--seed", type=int, default=2026, help="seed of the problems")
    parser.add_argument("--runs", type=home.path, default=Path("runs/evaluation"))
    args = parser.parse_args(arguments)
    common = [f"limit={args.questions}", f"dataset.seed={args.seed}", "tracking=none", "concurrency=12"]
    common += [f"model.path={quoted(args.model)}"] if args.model else []

    def measure() -> int:
        evaluate(common, args.runs)
        return 0

    return console.run(measure, "finished runs are kept; rerun the same command to resume")


if __name__ == "__main__":
    sys.exit(main())
