"""The whole loop of LeaP-T (Section 4) on the built-in model: `python -m leap_lab.training.leap_t`, or `make leap-t`.

It takes traces from fresh training problems, fine-tunes on those with LeaP and on as many without, and compares all
models on test problems, with LeaP and alone. Every stage is a public command; it is printed and can be run by hand.
Finished stages are not repeated: rerun the same command to resume.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

from analysis.exhibits.leap_t import Arm, heard_table, table_2
from leap_lab import console, home
from leap_lab.builtin.evaluate import finished
from leap_lab.errors import UserError
from leap_lab.files import read_json, write_json
from leap_lab.runs.reading import settings
from leap_lab.settings.arguments import quoted
from leap_lab.training.traces import count

BASE, CONTROL, TUNED = "base", "control", "LeaP-T"
FILTERS = ["--recovered", "--distinct"]
ALLOWED = "blocks, recovered, distinct, balance, per-question=M"  # filters of leap_lab.training.traces
# The files that each stage leaves, and the settings that must not change afterwards.
STAGES = {"traces": "round-*/runs/*", "tuning": "round-*/*/model", "evaluation": "evaluation/*"}
FIXED_BY = {
    "traces": ("model", "questions", "filters", "decoding"),
    "tuning": ("tuning",),
    "evaluation": ("model", "seed", "decoding"),
}
USAGE = 2  # the status of a stage with bad input: running it again does not help
TRAIN_SEED = 400  # of the problems that traces come from, plus the round


@dataclass(frozen=True)
class Plan:
    """Sizes and settings; `decoding` and `tuning` are KEY=VALUE settings for every run and every fine-tuning."""

    out: Path
    model: str
    questions: int
    test: int
    probed: int
    seed: int
    rounds: int
    filters: Sequence[str]
    decoding: Sequence[str]
    tuning: Sequence[str]


def loop(plan: Plan) -> list[Path]:
    """Run the missing stages, print the tables, and return their files; `UserError` where a stage fails."""
    _claim(plan)
    models = {BASE: plan.model, **dict(_tuned(plan))}
    for name, model in models.items():
        _evaluate(plan, name, model)
    return _report(plan, list(models))


def _tuned(plan: Plan) -> Iterator[tuple[str, str]]:
    """The models of each round: the control of the first round, and LeaP-T, trained from the round before."""
    teacher = plan.model
    for number in range(1, plan.rounds + 1):
        place = plan.out / f"round-{number}"
        sets = _traces(plan, place, teacher, TRAIN_SEED + number)
        if number == 1:
            yield CONTROL, _fine_tune(plan, teacher, sets / "control", place / "control")
        teacher = _fine_tune(plan, teacher, sets / "leap", place / "leap")
        yield TUNED if number == 1 else f"{TUNED}, round {number}", teacher


def _traces(plan: Plan, place: Path, teacher: str, seed: int) -> Path:
    """Two sets with the same questions and counts, from a run with LeaP and one without."""
    sets, runs = place / "sets", place / "runs"
    problems = ["dataset.split=train", f"dataset.seed={seed}", f"limit={plan.questions}", "baseline=true"]
    if not sets.exists():
        probes = ["probes=true"] if "--recovered" in plan.filters else []
        _decode(plan, teacher, runs, [*problems, *probes])
        with_peers, alone = _runs(runs)
        arguments = [str(with_peers), "--control", str(alone), "--out", str(sets), *plan.filters]
        _call("leap_lab.training.traces", arguments)
    return sets


def _fine_tune(plan: Plan, student: str, data: Path, out: Path) -> str:
    """The folder of the model that learned from this set."""
    places = {"student": student, "data": data, "out": out}
    _call("leap_lab.training.sft", [*(f"{key}={quoted(str(place))}" for key, place in places.items()), *plan.tuning])
    return str(out / "model")


def _evaluate(plan: Plan, name: str, model: str) -> None:
    """A model on the test problems, with LeaP and alone; and with probes on the first few of them."""
    problems = ["dataset.split=test", f"dataset.seed={plan.seed}"]
    _decode(plan, model, _home(plan, "evaluation", name), [*problems, f"limit={plan.test}", "baseline=true"])
    probed = [*problems, f"limit={plan.probed}", "baseline=false", "probes=true"]
    _decode(plan, model, _home(plan, "probed", name), probed)


def _report(plan: Plan, names: Sequence[str]) -> list[Path]:
    both = {name: _runs(_home(plan, "evaluation", name)) for name in names}
    arms = [arm for name, (peers, alone) in both.items() for arm in (Arm(name, alone), Arm(with_leap(name), peers))]
    later = [name for name in names if name not in (BASE, CONTROL)]
    pairs = [(with_leap(BASE), BASE)]
    pairs += [(with_leap(name), with_leap(than)) for name in later for than in (BASE, CONTROL)]
    pairs += [(with_leap(CONTROL), with_leap(BASE))]
    pairs += [(with_leap(name), with_leap(before)) for before, name in pairwise(later)]
    pairs += [(name, BASE) for name in later]  # what LeaP-T does to a model that hears no peers
    probed = [Arm(with_leap(name), finished(_home(plan, "probed", name))[0]) for name in names]
    exhibits = [table_2(arms, pairs), heard_table(probed)]
    for exhibit in exhibits:
        print(f"\n{exhibit.console()}", flush=True)
    return [file for exhibit in exhibits for file in exhibit.write(plan.out / "report")]


def with_leap(name: str) -> str:
    """The name of a model's row when it hears peers."""
    return f"{name} + LeaP"


def _decode(plan: Plan, model: str, runs: Path, overrides: Sequence[str]) -> None:
    model, place = f"model.path={quoted(model)}", f"runs_dir={quoted(str(runs))}"
    _call("leap_lab.run", [*overrides, model, "tracking=none", *plan.decoding, place])


def _runs(runs: Path) -> tuple[Path, Path]:
    """The run with LeaP and the independent one in a folder that holds one of each."""
    by_independence = {settings(folder)["method.name"] == "independent": folder for folder in finished(runs)}
    if len(by_independence) < 2:
        raise UserError(f"{runs}: no finished runs with and without LeaP; rerun the same command to resume")
    return by_independence[False], by_independence[True]


def _home(plan: Plan, what: str, name: str) -> Path:
    return plan.out / what / name.replace(", ", "-").replace(" ", "-")


def _call(module: str, arguments: Sequence[str]) -> None:
    """One stage in a process of its own, since an engine leaves its thread settings behind. Ctrl-C reaches it, too."""
    print(f"\n+ python -m {module} {' '.join(arguments)}", flush=True)
    done = subprocess.run([sys.executable, "-m", module, *arguments], check=False)
    if done.returncode:
        again = "" if done.returncode == USAGE else "; rerun the same command to resume"
        raise UserError(f"{module} ended with status {done.returncode}{again}")


def _claim(plan: Plan) -> None:
    """Record the plan in its folder; `UserError` where another plan was begun, or more was already measured."""
    mine = {key: list(value) if isinstance(value, tuple | list) else value for key, value in asdict(plan).items()}
    existing = read_json(plan.out / "plan.json") if plan.out.is_dir() else {}
    if plan.out.exists() and not plan.out.is_dir():
        raise UserError(f"--out={plan.out}: not a folder")
    begun = [stage for stage, left in STAGES.items() if any(plan.out.glob(left))]
    fixed = {key for stage in begun for key in FIXED_BY[stage]}
    if differing := sorted(key for key in fixed if existing and existing.get(key) != mine[key]):
        raise UserError(f"--out={plan.out}: another loop was begun there; it differs in {', '.join(differing)}")
    for key in ("test", "probed") if existing and "evaluation" in begun else ():
        if mine[key] < existing.get(key, 0):
            raise UserError(f"--{key}={mine[key]}: must be >= {existing[key]}, as measured in --out={plan.out} before")
    plan.out.mkdir(parents=True, exist_ok=True)
    write_json(plan.out / "plan.json", {key: value for key, value in mine.items() if key != "out"})


def _filter(text: str) -> str:
    """A filter, as an argument of `leap_lab.training.traces`."""
    if not re.fullmatch(ALLOWED.replace("M", "[1-9][0-9]*").replace(", ", "|"), text):
        raise argparse.ArgumentTypeError(f"{text}: allowed are {ALLOWED}")
    return f"--{text}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status (see `console.run`)."""
    parser = console.Parser(prog="python -m leap_lab.training.leap_t", description=__doc__)
    parser.add_argument("--out", type=home.path, default=Path("runs/leap_t"))
    parser.add_argument("--model", default="builtin:tiny", help="base and teacher: a folder, a hub id or builtin:tiny")
    parser.add_argument("--questions", type=count, default=120, help="training problems to take traces from, per round")
    parser.add_argument("--test", type=count, default=96, help="test problems")
    parser.add_argument("--probed", type=count, default=24, help="test problems that are also probed")
    parser.add_argument("--seed", type=int, default=2027, help="seed of the test problems")
    parser.add_argument("--rounds", type=count, default=1, help="2: train once more, from the first round's model")
    parser.add_argument("--filters", nargs="*", type=_filter, default=FILTERS, metavar="FILTER", help=ALLOWED)
    parser.add_argument("--decoding", nargs="*", default=(), metavar="KEY=VALUE", help="settings for every run")
    parser.add_argument("--tuning", nargs="*", default=(), metavar="KEY=VALUE", help="settings for every fine-tuning")
    options = vars(parser.parse_args(arguments))

    def whole() -> int:
        files = loop(Plan(**options))
        print("\n" + "\n".join(f"report: {file}" for file in files))
        print(f"Look next at {files[0]}")
        return 0

    return console.run(whole, "finished stages are kept; rerun the same command to resume")


if __name__ == "__main__":
    sys.exit(main())
