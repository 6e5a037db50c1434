"""Which questions peers help with (Section 5.2.2, Figures 12 and 30 to 32): runs by the difficulty of the question.

A question's difficulty is how many of the reference run's independent responses to it are right. The reference run
sorts questions and is compared with nothing: a bucket of questions that it failed has been chosen by its own failures,
and any other run would look better beside it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from leap_lab.errors import UserError
from leap_lab.tasks.difficulty import LEAST_RIGHT, bucket

from ..drawing.curves import Panel, Series, curves
from ..drawing.figures import Drawings
from ..drawing.numerals import COUNTS, counted, percent
from ..drawing.tables import ASSUMED, Cells, endings_told, with_endings
from ..labels import names_of
from ..load import load
from ..measures.compare import Run, against, baseline_of
from ..measures.contrasts import Against
from ..measures.contrasts import corrected as family
from ..measures.metrics import by_question, endings
from ..measures.shared import INDEPENDENT
from ..stats.intervals import SHARE, Estimate, estimate
from .base import Claim, Exhibit, directional

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SOURCE = "Section 5.2.2 and Figure 12"
UNSOLVED = "very_hard"
FAMILY = "comparisons of this table"
NOTES = (
    "difficulty: by the share of right answers among the independent responses of the reference run, which is not "
    "compared with anything itself.",
    "vs independent: paired difference of Pass@1 in points, p by permutation of its signs over questions, corrected "
    "for all comparisons of this table (Holm).",
    COUNTS,
    ASSUMED,
    "own, with received: mean tokens per path, sampled, and with peers' words and the runtime's around them.",
)


@dataclass(frozen=True)
class Bucket:
    """One run on the questions of one difficulty; without such questions `n` is 0 and every value is NaN."""

    run_id: str
    name: str
    method: str
    routed: bool  # whether a router decides whom its paths hear
    difficulty: str
    n: int
    correct: Estimate  # Pass@1
    tokens_own: Estimate
    tokens_with_received: Estimate
    against: Against | None  # its independent baseline; None for a baseline, and without one
    baseline: Estimate | None  # Pass@1 of that on the same questions
    endings: dict[str, Estimate]  # `metrics.endings`

    @property
    def independent(self) -> bool:
        """Whether this is a baseline itself."""
        return self.method == INDEPENDENT


def difficulty(folders: Sequence[str | Path]) -> list[Bucket]:
    """Every run but reference runs, five buckets each from very easy to very hard, in the order of the folders.

    `UserError` for a run of one difficulty only, and for one whose reference run is not among the folders.
    """
    runs = [Run.read(folder) for folder in dict.fromkeys(map(Path, folders))]
    for run in runs:
        if run.settings.get("difficulty.name", "all") != "all":
            raise UserError(f"{run.folder}: questions of one difficulty only; allowed are runs with difficulty=all")
    references = [run for run in runs if is_reference(run)]
    shown = [run for run in runs if not is_reference(run)]
    if not shown:
        raise UserError("difficulty: nothing to compare; allowed are a reference run and runs of its questions")
    names = names_of([run.settings for run in shown], [run.folder.name for run in shown])
    sorted_by = {run.folder: buckets_of(_reference_of(run, references)) for run in shown}
    return [
        each
        for run, name in zip(shown, names, strict=True)
        for each in _buckets(run, name, sorted_by[run.folder], baseline_of(run, shown))
    ]


def is_reference(run: Run) -> bool:
    """Whether the run's settings are those of the reference run that they name."""
    asked = (run.settings.get("reference.seed"), run.settings.get("reference.responses"))
    return run.independent and None not in asked and asked == (run.settings.get("seed"), run.settings.get("peers"))


def buckets_of(reference: Run) -> dict[str, str]:
    """The difficulty of every question, by what the first group of a reference run says."""
    correct = load([reference.folder], ("question_id", "correct"), groups=1).groupby("question_id")["correct"]
    return {str(question): bucket(int(right.sum()), len(right)) for question, right in correct}


def _reference_of(run: Run, references: Sequence[Run]) -> Run:
    """The reference run that the run's own settings name, of its model and its dataset."""
    wanted = {key: run.settings.get(f"reference.{key}") for key in ("seed", "responses")}
    for other in references:
        named = {key: other.settings.get(f"reference.{key}") for key in wanted}
        if named == wanted and _task(other) == _task(run):
            return other
    told = ", ".join(f"{key}={value}" for key, value in wanted.items())
    raise UserError(
        f"{run.folder}: its reference run ({told}) is not among these; allowed are runs along with the independent run "
        "of that seed and so many peers"
    )


def _task(run: Run) -> Mapping[str, object]:
    kept = {key: value for key, value in run.setting().items() if key.startswith("dataset.")}
    return kept | {"model.path": run.settings.get("model.path")}


def _buckets(run: Run, name: str, of: Mapping[str, str], baseline: Run | None) -> Iterator[Bucket]:
    own = set(run.table["question_id"]) & set(of)
    if not own:
        raise UserError(f"{run.folder}: no question in common with its reference run")
    for level in LEAST_RIGHT:
        asked = sorted(question for question in own if of[question] == level)
        shared = [] if baseline is None else [q for q in asked if q in set(baseline.table["question_id"])]
        other = baseline if baseline is not None and shared and not run.independent else None
        yield Bucket(
            run_id=run.folder.name,
            name=name,
            method=str(run.settings["method.name"]),
            routed=run.routed,
            difficulty=level,
            n=len(asked),
            correct=estimate(by_question(run.table, "pass@1", asked), SHARE),
            tokens_own=estimate(by_question(run.table, "tokens_own", asked)),
            tokens_with_received=estimate(by_question(run.table, "tokens_with_received", asked)),
            against=None if other is None else against(run, other, shared),
            baseline=None if other is None else estimate(by_question(other.table, "pass@1", shared), SHARE),
            endings=endings(run.table, asked) if asked else {},
        )


def corrected(found: Sequence[Bucket]) -> list[Bucket]:
    """The buckets with p corrected for the family that all their comparisons are."""
    adjusted = family([each.against for each in found], FAMILY)
    return [replace(each, against=against) for each, against in zip(found, adjusted, strict=True)]


def cells(found: Sequence[Bucket]) -> Cells:
    """The buckets as a table: shares in percent, differences in points, 95% intervals over questions."""
    head = ["run", "difficulty", "questions", "Pass@1 %", "vs independent", "own tokens", "with received"]
    return with_endings([head, *(_line(each) for each in found)], [each.endings for each in found])


def _line(each: Bucket) -> list[str]:
    start = [each.name, _words(each.difficulty), str(each.n)]
    if not each.n:
        return [*start, *["n/a"] * 4]
    tokens = [f"{tokens.value:.0f}" for tokens in (each.tokens_own, each.tokens_with_received)]
    return [*start, percent(each.correct), "" if each.independent else counted(each.against), *tokens]


def exhibit(folders: Sequence[str | Path]) -> Exhibit:
    """Pass@1 and tokens by difficulty, and what the paper says of them; errors as in `difficulty`."""
    found = corrected(difficulty(folders))
    peers = [each for each in found if each.routed]
    table = cells(found)
    return Exhibit(
        name="difficulty",
        title="Which questions peers help with",
        source="Figures 12 and 30 to 32",
        table=table,
        notes=[*NOTES, *endings_told(table), *_missing(found)],
        figures=Drawings({"difficulty": partial(figure, found)}),
        claims=[
            *map(_raises, peers),
            *(_solves(each) for each in peers if each.difficulty == UNSOLVED),
        ],
        runs=[Path(folder).name for folder in dict.fromkeys(map(Path, folders))],
    )


def _missing(found: Sequence[Bucket]) -> list[str]:
    """Runs that have no baseline, and difficulties that no question has."""
    alone = [each.name for each in found if not each.independent and each.n and each.against is None]
    empty = dict.fromkeys(_words(each.difficulty) for each in found if not each.n)
    told = [f"{name}: no independent run with its other settings for some questions." for name in dict.fromkeys(alone)]
    return told + [f"{level}: no question of this difficulty for some runs." for level in empty]


def figure(found: Sequence[Bucket]) -> "Figure":
    """By difficulty: Pass@1, the paired gain over independent sampling, and the tokens that a path sampled."""
    lines: dict[str, list[Bucket]] = {}
    for each in found:
        lines.setdefault(each.name, []).extend([each] if each.n else [])
    panels = [Panel("Pass@1 (%)", _series(lines, lambda each: each.correct))]
    if gains := _series(lines, lambda each: None if each.against is None else each.against.difference):
        panels.append(Panel("gain (points)", gains, zero=True))
    panels.append(Panel("own tokens per path", _series(lines, lambda each: each.tokens_own), scale=1))
    sizes = {each.difficulty: max(other.n for other in found if other.difficulty == each.difficulty) for each in found}
    names = [f"{_words(level)}\n(n = {sizes[level]})" for level in LEAST_RIGHT]
    return curves(panels, "difficulty of the question", range(len(names)), names, join=False)


def _series(lines: Mapping[str, Sequence[Bucket]], value: Callable[[Bucket], Estimate | None]) -> list[Series]:
    """A line a run, of what `value` gives of its buckets; runs of which it gives nothing are left out."""
    order, made = list(LEAST_RIGHT), []
    for name, own in lines.items():
        found = [(order.index(each.difficulty), value(each)) for each in own]
        if points_found := [(place, one) for place, one in found if one is not None]:
            made.append(Series(name, points_found))
    return made


def _raises(each: Bucket) -> Claim:
    text = f"LeaP raises Pass@1 on {_words(each.difficulty)} questions ({each.name})."
    if each.against is None:
        missing = "independent run to compare with" if each.n else "question of this difficulty"
        return Claim(text, SOURCE, "undecided", f"There is no {missing}.")
    return directional(text, SOURCE, each.against, up=True)


def _solves(each: Bucket) -> Claim:
    """Whether questions that the reference run failed altogether are solved more often than by fresh paths alone."""
    text = f"LeaP solves more of the questions that no response of the reference run solved ({each.name})."
    if not each.n:
        return Claim(text, SOURCE, "undecided", "There is no question of this difficulty.")
    if each.against is None:
        return Claim(text, SOURCE, "undecided", "There is no independent run to compare with.")
    told = f"Its Pass@1 on them is {percent(each.correct)} % over {each.n} questions"
    if each.baseline is not None:
        told += f", that of other independent paths {percent(each.baseline)} %"
    claim = directional(text, SOURCE, each.against, up=True)
    return replace(claim, because=f"{told}. {claim.because}")


def _words(level: str) -> str:
    return level.replace("_", " ")
