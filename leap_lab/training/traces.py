"""A training set from run folders: `python -m leap_lab.training.traces RUN_FOLDER... --out DIR`.

The paths that a model is to learn from (Section 4.1): right, and every summary shorter than its limit. The set is a
`datasets` Dataset on disk: token ids, who wrote each token, and where each trace comes from; its `card.json` says how
it was made. With --control and runs of independent sampling it makes two sets with the same questions and counts,
DIR/leap and DIR/control.

Beginnings that a run gave its paths (prefix=bad) stay in the trace as a kind of their own: the model is to learn to
continue from a wrong beginning, not to write one.
"""

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from leap_lab import console, home
from leap_lab.engines.tokens import ModelTokens
from leap_lab.errors import UserError
from leap_lab.files import write_json
from leap_lab.runs.reading import run_folders
from leap_lab.training import filters
from leap_lab.training.candidates import Candidate, SourceRun, tokens_of
from leap_lab.training.filters import Sieve
from leap_lab.training.masks import KINDS, sequence
from leap_lab.training.reprompt import Reprompted, explains

CARD = "card.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status (see `console.run`)."""
    options = _parser().parse_args(arguments)

    def command() -> int:
        make(options)
        return 0

    return console.run(command, "a training set is written whole or not at all")


def make(options: argparse.Namespace) -> None:
    """Read, filter, report and write, whole or not at all; `UserError` where nothing is kept."""
    if options.out.exists():
        raise UserError(f"--out={options.out}: exists already; remove it or name another folder")
    sources, controls = opened(options.folders), opened(options.control)
    if controls and (alone := next((source for source in sources if source.independent), None)):
        raise UserError(f"{alone.folder}: its paths hear no peers; with --control the other runs must be of LeaP")
    if hearing := next((source for source in controls if not source.independent), None):
        raise UserError(f"--control={hearing.folder}: its paths hear each other; must be runs of method=independent")
    tokens = tokens_of([*sources, *controls], options.tokenizer)
    sets = {"leap": sifted(sources, options)}
    if controls:
        sets["control"] = sifted(controls, options, control=True)
        filters.match(sets["leap"], sets["control"], options.seed)
    for name, sieve in sets.items():
        print(outcome(name, sieve), flush=True)
    if empty := next((name for name, sieve in sets.items() if not sieve.kept), None):
        raise UserError(f"no trace is left for {empty}: {reasons(sets[empty])}")
    explaining = [] if options.keep_prompts else [source for source in [*sources, *controls] if explains(source)]
    plain = {source.run_id: Reprompted(source, tokens) for source in explaining}
    kept = {
        name: [plain[each.run_id](each) if each.run_id in plain else each for each in sieve.kept]
        for name, sieve in sets.items()
    }
    datasets = {name: dataset_of(paths, tokens) for name, paths in kept.items()}
    cards = {name: card(sets[name], dataset, tokens, sorted(plain), options) for name, dataset in datasets.items()}
    for folder in write(options.out, datasets, cards):
        print(f"training set: {folder}")
    if options.hub:
        push(options.hub, datasets)


def opened(folders: Sequence[Path]) -> list[SourceRun]:
    """The runs in these folders, each once, however its folder is spelled or called."""
    return list({source.run_id: source for source in map(SourceRun.open, run_folders(folders))}.values())


def sifted(sources: Sequence[SourceRun], options: argparse.Namespace, control: bool = False) -> Sieve:
    """The paths of these runs that pass. A control needs no blocks."""
    sieve = Sieve.of(candidate for source in sources for candidate in source.candidates())
    buckets = filters.difficulty(sieve.kept)
    sieve.drop(filters.as_in_the_paper)
    if options.blocks and not control:
        sieve.drop(filters.no_block)
    if options.recovered and not control:
        sieve.drop(filters.not_recovered)
    if options.distinct:
        filters.distinct(sieve)
    if options.per_question:
        filters.at_most(sieve, options.per_question, options.seed)
    if options.balance and not control:
        filters.balance(sieve, buckets, options.seed)
    return sieve


def write(out: Path, datasets: Mapping[str, Any], cards: Mapping[str, Mapping[str, Any]]) -> list[Path]:
    """Write each dataset with its card, all or none: one in `out` itself, several in a folder each."""
    unfinished = out.with_name(f".{out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    places = {name: name if len(datasets) > 1 else "." for name in datasets}
    for name, place in places.items():
        datasets[name].save_to_disk(unfinished / place)
        write_json(unfinished / place / CARD, cards[name])
    unfinished.rename(out)
    return [out / place for place in places.values()]


def push(hub: str, datasets: Mapping[str, Any]) -> None:
    """Push to private datasets on the hub: one under this name, several with their own names appended."""
    for name, dataset in datasets.items():
        dataset.push_to_hub(hub if len(datasets) == 1 else f"{hub}-{name}", private=True)


def dataset_of(kept: Sequence[Candidate], tokens: ModelTokens) -> Any:
    """One row per trace: `input_ids`, `kinds` of the same length, and where it comes from."""
    from datasets import ClassLabel, Dataset, Features, List, Value, disable_progress_bars

    disable_progress_bars()

    sequences = [sequence(each.segments, tokens.end if each.finish == "answered" else None) for each in kept]
    where = {
        name: [getattr(each, name) for each in kept] for name in ("run_id", "question_id", "group", "path", "blocks")
    }
    types = {name: Value("string" if name.endswith("_id") else "int32") for name in where}
    ids = {"input_ids": List(Value("int32")), "kinds": List(ClassLabel(names=list(KINDS)))}
    columns = {"input_ids": [each for each, _ in sequences], "kinds": [each for _, each in sequences]}
    return Dataset.from_dict({**columns, **where}, features=Features({**ids, **types}))


def card(
    sieve: Sieve, dataset: Any, tokens: ModelTokens, reprompted: Sequence[str], options: argparse.Namespace
) -> dict[str, Any]:
    """How the set was made, and what it holds."""
    lengths = [len(row) for row in dataset["input_ids"]]
    chosen = ("blocks", "recovered", "distinct", "per_question", "balance", "seed")
    return {
        "runs": sorted({candidate.run_id for candidate in sieve.kept}),
        "reprompted": reprompted,
        "filters": {name: getattr(options, name) for name in chosen},
        "paths": {"read": sieve.read, "kept": len(sieve.kept), "left_out": dict(sieve.left_out)},
        "questions": len(set(dataset["question_id"])),
        "tokens": {"all": sum(lengths), "longest": max(lengths)},
        "tokenizer": tokens.fingerprint,
    }


def outcome(name: str, sieve: Sieve) -> str:
    """How many were kept, and why the others were not."""
    questions = len(filters.by_question(sieve.kept))
    return f"{name}: kept {len(sieve.kept)} of {sieve.read} paths, of {questions} questions; left out: {reasons(sieve)}"


def reasons(sieve: Sieve) -> str:
    """Why paths were left out, the most frequent reason first."""
    return ", ".join(f"{count} {reason}" for reason, count in sieve.left_out.most_common()) or "none"


def _parser() -> argparse.ArgumentParser:
    parser = console.Parser(prog="python -m leap_lab.training.traces", description=__doc__)
    parser.add_argument("folders", nargs="+", type=home.path, metavar="RUN_FOLDER")
    parser.add_argument(
        "--out", type=home.path, required=True, metavar="DIR", help="where to write; must not exist yet"
    )
    parser.add_argument(
        "--control", nargs="+", type=home.path, default=[], metavar="RUN_FOLDER", help="runs without LeaP"
    )
    parser.add_argument("--blocks", action="store_true", help="only paths that took a block")
    parser.add_argument("--recovered", action="store_true", help="only paths that a block turned from wrong to right")
    parser.add_argument("--distinct", action="store_true", help="keep one of several paths with the same words")
    parser.add_argument("--per-question", type=count, metavar="M", help="at most M paths of a question")
    parser.add_argument("--balance", action="store_true", help="the same number of paths of every difficulty")
    parser.add_argument("--keep-prompts", action="store_true", help="keep prompts that explain the tags")
    parser.add_argument("--tokenizer", metavar="MODEL", help="folder or hub id, if the run's model has moved")
    parser.add_argument("--hub", metavar="OWNER/NAME", help="also push it to this private dataset")
    parser.add_argument("--seed", type=int, default=0, help="seed of random choices")
    return parser


def count(text: str) -> int:
    """An integer >= 1, as an argument of a command."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: must be an integer >= 1")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
