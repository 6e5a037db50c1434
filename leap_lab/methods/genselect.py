"""GenSelect and GenSynthesis (arXiv 2504.16891, 2507.17797): the model compares its own candidates."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import ClassVar, Literal

from leap_lab import checks
from leap_lab.engines.base import Engine
from leap_lab.errors import UserError
from leap_lab.methods.base import Method
from leap_lab.methods.job import Job
from leap_lab.methods.references import References, answer_of
from leap_lab.methods.rounds import allowance, begin, think
from leap_lab.methods.writer import Writer
from leap_lab.path import Path
from leap_lab.prompts import Prompts
from leap_lab.seeds import rng_for
from leap_lab.tasks.problem import Problem

MODES = ("select", "synthesize")
VERDICT = "BEST:"  # what the last line of a selection begins with
_GAP = r"[\s*_`#$({\\\[\"']{0,4}"
NUMBER = re.compile(
    rf"\bBEST{_GAP}[:\uff1a]{_GAP}(?:(?:answer|candidate|boxed){_GAP}){{0,2}}([0-9]+)(?!\.?[0-9])", re.IGNORECASE
)


@dataclass(frozen=True)
class Genselect(Method):
    """N independent candidates, then paths that compare up to `window` of them at a time. What a candidate shows is
    what follows its thinking. Candidates that did not end by themselves do not stand, unless none did; the others are
    shuffled by a seed. Where more stand than a window holds, they are split into windows of even size, and what comes
    out of the windows goes on to the next level (knock-out). A candidate alone in its window goes on as it is.

    `mode=select`: a comparison names the number of the best candidate in its own words, after `BEST:`; the last such
    line counts, and a number that is none of the candidates', or none at all, leaves it to a seeded draw. All N
    candidates are returned: the selected one with weight 1, all others with 0. A comparison is a helper of the
    candidate that it selected.

    `mode=synthesize`: a comparison writes a new solution, and that of the last level is the group's only row; all other
    paths are its helpers. One candidate that stands alone is returned itself.

    The group may think for N x max_tokens, shared evenly by candidates and comparisons, and earlier answers count; no
    path thinks for more than max_tokens. Beginnings are those of candidates.

    Sampled: at most N x max_tokens and the last answers. Prompts: N, and about N / (window - 1) with the answers of a
    window each.

    Unlike in the released code (NeMo-Skills), which compares one window of 8 at temperature 0.6: more candidates go
    through a knock-out; comparisons have the run's own sampling; numbers begin with 1; a candidate too long to be
    quoted is cut from the front instead of dropped; and a comparison that does not say what it was asked for is made to
    say it. A synthesis needs no tags: its answer is graded like any path's.
    """

    select: str
    synthesize: str
    mode: Literal["select", "synthesize"] = "select"
    window: int = 8

    budget: ClassVar[Literal["path", "rounds"]] = "rounds"

    def check(self, peers: int, context: int) -> None:
        """A window in which something can be compared, and a budget of which every path has a share."""
        super().check(peers, context)
        checks.one_of("method.mode", self.mode, MODES)
        checks.integer("method.window", self.window, 2)
        References(self.select, "method.select").check()
        References(self.synthesize, "method.synthesize").check()
        paths = peers + comparisons(peers, self.window)
        if paths > peers * self.max_tokens:
            raise UserError(
                f"method.max_tokens={self.max_tokens}: too few for candidates and comparisons; must be >= "
                f"{-(-paths // peers)}"
            )

    def rows(self, peers: int) -> int:
        """All candidates, or the one synthesis."""
        return peers if self.mode == "select" else 1

    async def solve(self, job: Job, engine: Engine) -> list[Path]:
        """Decode the candidates, and compare them until one is left."""
        writer = self.writer(job, engine)
        candidates = writer.begin()
        limit = allowance(writer, [], job.peers + comparisons(job.peers, self.window))
        await think(writer, candidates, 0, [limit] * job.peers)
        standing, spent, turn = _standing(candidates, job), list(candidates), 0
        while len(standing) > 1:
            turn += 1
            standing = await self._level(writer, standing, spent, turn)
        (best,) = standing
        if self.mode == "select":
            for path in candidates:
                path.weight = float(path is best)
            return candidates
        best.helpers = [path for path in spent if path is not best]
        return [best]

    async def _level(self, writer: Writer, standing: Sequence[Path], spent: list[Path], turn: int) -> list[Path]:
        """What comes out of the windows of one level; its comparisons are added to what is `spent`."""
        groups = list(windows(standing, self.window))
        compared = [group for group in groups if len(group) > 1]
        judging = self._judging(writer)
        prompts = [self._references.prompt([answer_of(path) for path in group], judging) for group in compared]
        judges = begin(judging, turn, prompts, standing)
        limit = allowance(writer, spent, comparisons(len(standing), self.window))
        await think(judging, judges, turn, [limit] * len(judges))
        spent += judges
        found = iter(judges)
        return [self._outcome(next(found), group, writer.job) if len(group) > 1 else group[0] for group in groups]

    def _outcome(self, judge: Path, group: Sequence[Path], job: Job) -> Path:
        """What goes on to the next level: the candidate that was selected, or the new solution."""
        if self.mode == "synthesize":
            return judge
        turn = judge.segments[0].turn
        number = chosen(f"{judge.thinking}\n{judge.final}", len(group))
        if number is None:
            number = rng_for(job.seed, job.problem.id, job.group, turn, "undecided", judge.index).randrange(len(group))
        selected = group[number]
        selected.helpers.append(judge)
        return selected

    def _judging(self, writer: Writer) -> Writer:
        """The writer of comparisons: those that select are done when they have named a number."""
        if self.mode == "synthesize":
            return writer
        wording = {field.name: getattr(writer.prompts, field.name) for field in fields(Prompts)}
        return replace(writer, prompts=Verdicts(**wording))

    @property
    def _references(self) -> References:
        return References(getattr(self, self.mode), f"method.{self.mode}")


class Verdicts(Prompts):
    """Prompts of a selection, which is answered by a number."""

    def states(self, text: str, problem: Problem) -> bool:
        """Whether a text names a number."""
        return bool(NUMBER.search(text))

    def force(self, problem: Problem) -> str:
        """The opening of a verdict."""
        return VERDICT


def chosen(text: str, count: int) -> int | None:
    """The index of the candidate (numbered from 1 to `count`) that a text names last; None where it is none of them."""
    numbers = NUMBER.findall(text)
    number = int(numbers[-1]) if numbers and len(numbers[-1]) < 9 else 0
    return number - 1 if 1 <= number <= count else None


def windows(paths: Sequence[Path], size: int) -> Iterator[Sequence[Path]]:
    """As few windows of at most so many paths as there can be, in order, their sizes as even as can be."""
    count = -(-len(paths) // size)
    for number in range(count):
        yield paths[number * len(paths) // count : (number + 1) * len(paths) // count]


def comparisons(candidates: int, window: int) -> int:
    """How many comparisons it takes until one candidate is left."""
    total = 0
    while candidates > 1:
        count = -(-candidates // window)
        total += min(count, candidates // 2)  # one alone is not compared
        candidates = count
    return total


def _standing(candidates: Sequence[Path], job: Job) -> list[Path]:
    """The candidates that are compared, in the order in which they are."""
    ended = [path for path in candidates if path.finish == "answered"] or list(candidates)
    rng_for(job.seed, job.problem.id, job.group, "candidates").shuffle(ended)
    return ended
