"""What a policy sees of a group of paths and can do with it, as time goes by.

Time is counted in tokens: in one unit each running path samples one token. A policy starts paths, lets time pass, stops
paths, and reads what there is. The future and the right answer are not to be had: a `Group` tells nothing of a path
before it has happened.
"""

import math
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from leap_lab.errors import brief

from .records import CONFIDENCES, Record

Votes = Mapping[int, float]  # a weight by answer; the heaviest one is what the group says
Policy = Callable[["Group"], Votes]


class NotRecorded(Exception):
    """A policy needs what the runs did not record; the message says what, and how to record it."""


class NotYet(Exception):
    """A policy asked for what does not exist yet."""


class Group:
    """At most `size` paths of one question. Paths are numbered by their start, answers by when they were first seen.

    `started`, `running` and `ended` are numbers of paths in the order of their start, or end. `now` is the time: the
    tokens that had to be sampled one after another so far. `probed` are the tokens of the probes that were read.
    """

    def __init__(self, record: Record, order: Sequence[int], size: int) -> None:
        self.size = size
        self.now = 0
        self.probed = 0.0
        self.started: list[int] = []
        self.running: dict[int, None] = {}  # a set that keeps its order
        self.ended: list[int] = []
        self._record, self._order = record, order
        self._begun: list[int] = []  # by path: when
        self._stopped: dict[int, int] = {}  # by stopped path: how long it is
        self._ends: list[tuple[int, int]] = []  # a heap of (end, path)
        self._labels: dict[int, int] = {}  # by recorded answer: its number here
        self._read: dict[int, int] = {}  # by path: how many of its probes there were when the last one was read

    def start(self, count: int | None = None) -> list[int]:
        """Start so many more paths, all that are left if no number is given; returns theirs."""
        first = len(self.started)
        new = list(range(first, self.size if count is None else min(self.size, first + count)))
        for path in new:
            self._begun.append(self.now)
            heappush(self._ends, (self.now + self._record.lengths[self._order[path]], path))
        self.started += new
        self.running.update(dict.fromkeys(new))
        return new

    def next_end(self) -> int | None:
        """Let time pass until the next running path ends; its number, None where no path runs."""
        return self._end_by(None)

    def finish(self) -> list[int]:
        """Let time pass until all running paths have ended; all that ended so far."""
        while self._end_by(None) is not None:
            pass
        return self.ended

    def advance(self, tokens: int) -> None:
        """Let so many units of time pass, or as many as there are until no path runs. `ValueError` unless 1 or more."""
        if tokens < 1:
            raise ValueError(f"advance({tokens}): time goes forward, by at least 1")
        until = self.now + tokens
        while self._end_by(until) is not None:
            pass
        if self.running:
            self.now = until

    def stop(self, path: int) -> None:
        """Stop a running path: it samples no more, and has no answer."""
        self._require(path in self.running, path, "is not running")
        self._stopped[path] = self.tokens(path)
        del self.running[path]

    def tokens(self, path: int) -> int:
        """How many tokens a path has sampled so far."""
        if path in self._stopped:
            return self._stopped[path]
        self._require(path < len(self.started), path, "has not started")
        return int(min(self.now - self._begun[path], self._record.lengths[self._order[path]]))

    def answer(self, path: int) -> int | None:
        """The answer of a path that has ended; None where it gave none."""
        self._require_ended(path)
        return self._label(self._record.answers[self._order[path]])

    def confidence(self, path: int, score: str = "mean") -> float:
        """How sure a path that has ended was: `mean`, `tail`, `lowest` or `bottom` (DeepConf, Section 3.1)."""
        if score not in CONFIDENCES:
            raise ValueError(f"score={score}: must be one of {', '.join(CONFIDENCES)}")
        self._require_ended(path)
        if (scores := self._record.scores[score]) is None:
            raise NotRecorded("confidences, which confidence.top_logprobs=20 records")
        return scores[self._order[path]]

    @property
    def step(self) -> int:
        """Tokens between two probes of a path."""
        if self._record.step is None:
            raise NotRecorded("probes, which method.probe_interval=TOKENS records")
        return self._record.step

    def says(self, path: int) -> int | None:
        """The answer of a path that has ended, else of its newest probe; None where there is none yet.

        The tokens of a probe are charged when it is first read.
        """
        if path not in self.running:
            return self.answer(path)
        mine = self._order[path]
        told, step = self._record.probes[mine], self._record.step or self.step
        if not (count := min((self.now - self._begun[path]) // step, len(told))):
            return None
        if count > self._read.get(path, 0):
            self._read[path] = count
            self.probed += self._record.prices[mine]
        return self._label(told[count - 1])

    def poll(self) -> dict[int, int | None]:
        """What every path says that was started and not stopped."""
        return {path: self.says(path) for path in self.started if path not in self._stopped}

    def votes(self) -> Counter[int]:
        """The answers of all paths that have ended, by how many gave them."""
        return Counter(answer for path in self.ended if (answer := self.answer(path)) is not None)

    @property
    def sampled(self) -> int:
        """Tokens that all paths have sampled so far."""
        return sum(map(self.tokens, self.started))

    def _end_by(self, until: int | None) -> int | None:
        """Let time pass to the next end of a running path, unless that is after `until`; its number."""
        ends = self._ends
        while ends and ends[0][1] not in self.running:  # those that were stopped
            heappop(ends)
        if not ends or (until is not None and ends[0][0] > until):
            return None
        self.now, path = heappop(ends)
        del self.running[path]
        self.ended.append(path)
        return path

    def _label(self, answer: int | None) -> int | None:
        """Recorded numbers would tell what is said later: those here count answers as they are first seen."""
        return None if answer is None else self._labels.setdefault(answer, len(self._labels))

    def _require_ended(self, path: int) -> None:
        self._require(path < len(self.started), path, "has not started")
        self._require(path not in self.running and path not in self._stopped, path, "has not ended")

    @staticmethod
    def _require(true: bool, path: int, what: str) -> None:
        if not true:
            raise NotYet(f"path {path} {what}")


@dataclass(frozen=True)
class Outcome:
    """What came of a policy on one group."""

    right: float  # of its answer, in [0, 1]: answers with as many votes share the result
    tokens: float  # sampled by all paths, and by the probes that were read
    probes: float  # of these, by probes
    critical_path: int


def play(policy: Policy, record: Record, order: Sequence[int], size: int, best: bool = False) -> Outcome:
    """Let a policy decide on the first `size` paths of `order`, indices into the record.

    `best`: judged by the best of the answers that it returns, whatever their votes. Paths that still run when it
    returns are stopped then. `ValueError` for votes that are none.
    """
    group = Group(record, order, size)
    votes = policy(group)
    worth = {number: record.worth[answer] for answer, number in group._labels.items()}
    _check(votes, worth)
    kept = {answer: weight for answer, weight in votes.items() if weight > 0}
    most = max(kept.values(), default=0.0)
    shares = [worth[answer] for answer, weight in kept.items() if best or weight == most]
    right = (max(shares) if best else sum(shares) / len(shares)) if shares else 0.0
    return Outcome(right, group.sampled + group.probed, group.probed, group.now)


def _check(votes: Votes, seen: Container[int]) -> None:
    if not isinstance(votes, Mapping):
        raise ValueError(f"it returned {brief(votes)}; must be votes, a dictionary of weights by answer")
    for answer, weight in votes.items():
        if answer not in seen:
            raise ValueError(f"it returned votes for {brief(answer)}, which is no answer that it has seen")
        if not isinstance(weight, int | float) or not 0 <= weight < math.inf:
            raise ValueError(f"it returned the weight {brief(weight)}; must be a number >= 0")
