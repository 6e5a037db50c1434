"""Filters for the paths that a model is to learn from. Every path that is left out has one reason: the first."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from leap_lab.errors import UserError
from leap_lab.seeds import rng_for
from leap_lab.tasks.difficulty import bucket
from leap_lab.training.candidates import Candidate

Reason = Callable[[Candidate], str | None]


@dataclass
class Sieve:
    """The paths that are kept so far, and how often each reason left one out."""

    kept: list[Candidate]
    read: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, candidates: Iterable[Candidate]) -> "Sieve":
        kept = list(candidates)
        return cls(kept, len(kept))

    def drop(self, reason: Reason) -> None:
        """Leave out every path for which there is a reason."""
        reasons = [reason(candidate) for candidate in self.kept]
        self.left_out.update(each for each in reasons if each is not None)
        self.kept = [candidate for candidate, each in zip(self.kept, reasons, strict=True) if each is None]

    def keep(self, chosen: Iterable[Candidate], reason: str) -> None:
        """Keep only these, in the order they had."""
        places = {id(candidate) for candidate in chosen}
        self.drop(lambda candidate: None if id(candidate) in places else reason)


def as_in_the_paper(candidate: Candidate) -> str | None:
    """A right answer, and every summary shorter than its limit and closed by the model (Section 4.1)."""
    if not candidate.correct:
        return "wrong answer"
    limit = candidate.summary_limit
    if any(limit is not None and tokens >= limit for tokens, _ in candidate.summaries):
        return "a summary as long as its limit"
    return None if all(closed for _, closed in candidate.summaries) else "a summary that the model did not close"


def no_block(candidate: Candidate) -> str | None:
    """At least one block."""
    return None if candidate.blocks else "no block"


def not_recovered(candidate: Candidate) -> str | None:
    """Changed from wrong to right by a block; `UserError` for a run without probes."""
    if not candidate.probed:
        raise UserError(f"--recovered: run {candidate.run_id} has no probes; decode it with probes=true")
    return None if candidate.recovered else "not changed from wrong to right by a block"


def distinct(sieve: Sieve) -> None:
    """Keep one of several paths with the same words on the same question."""
    first = {(candidate.question_id, candidate.own): candidate for candidate in reversed(sieve.kept)}
    sieve.keep(first.values(), "a duplicate")


def at_most(sieve: Sieve, most: int, seed: int) -> None:
    """Keep at most `most` paths of a question, drawn with the seed."""
    drawn = [each for paths in by_question(sieve.kept).values() for each in draw(paths, most, seed)]
    sieve.keep(drawn, f"more than {most} of its question")


def balance(sieve: Sieve, buckets: dict[str, str], seed: int) -> None:
    """Keep the same number of paths of every difficulty bucket: as many as the smallest one has."""
    of_bucket = defaultdict(list)
    for candidate in sieve.kept:
        of_bucket[buckets[candidate.question_id]].append(candidate)
    least = min(map(len, of_bucket.values()), default=0)
    drawn = [each for paths in of_bucket.values() for each in draw(paths, least, seed)]
    sieve.keep(drawn, "too many of its difficulty")


def difficulty(candidates: Iterable[Candidate]) -> dict[str, str]:
    """The bucket of every question by the share of these paths that is right (Section 5.2.2)."""
    return {
        question: bucket(sum(path.correct for path in paths), len(paths))
        for question, paths in by_question(candidates).items()
    }


def match(sieve: Sieve, control: Sieve, seed: int) -> None:
    """Keep the same number of paths of every question in both: as many as the smaller of the two has."""
    both = by_question(sieve.kept), by_question(control.kept)
    most = {question: min(len(both[0][question]), len(both[1].get(question, []))) for question in both[0]}
    for each, paths in zip((sieve, control), both, strict=True):
        drawn = [path for question in most for path in draw(paths.get(question, []), most[question], seed)]
        each.keep(drawn, "no counterpart in the other set")


def by_question(candidates: Iterable[Candidate]) -> dict[str, list[Candidate]]:
    """The paths of each question, questions in the order they come."""
    paths: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        paths.setdefault(candidate.question_id, []).append(candidate)
    return paths


def draw(paths: Sequence[Candidate], most: int, seed: int) -> list[Candidate]:
    """At most `most` of these, without replacement."""
    rng = rng_for("traces", seed, paths[0].question_id if paths else "")
    return rng.sample(list(paths), min(most, len(paths)))
