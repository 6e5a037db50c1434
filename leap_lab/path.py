"""A reasoning path: token ids in segments, each tagged by who wrote it.

Text that the runtime decided and text that the model sampled never share a segment, so whoever reads a path (the
grader, the budget, the analysis, a training mask) looks at the kind and never searches the text.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from leap_lab.confidence import OFF, Recording, of_tokens
from leap_lab.engines.base import Completion, Request
from leap_lab.engines.usage import Bounds, Usage

STRETCH = 1024  # tokens that are compared at once
Finish = Literal["answered", "forced", "context_full", "stopped"]  # stopped: by its method, without an answer


class Kind(StrEnum):
    """Who wrote a segment, and what for."""

    PROMPT = "prompt"  # runtime: chat template, question, head of the thinking
    PREFIX = "prefix"  # the beginning of an earlier response, which the path continues
    THINK = "think"  # model: reasoning
    TRIGGER = "trigger"  # runtime: opens or closes a summary, opens a forced answer
    SUMMARY = "summary"  # model: what it writes to its peers
    COMMENT = "comment"  # runtime: what its peers wrote
    FINAL = "final"  # model: the answer after the thinking
    AGAIN = "again"  # runtime: the question asked again; the model sees nothing of what stands before it


SAMPLED = frozenset({Kind.THINK, Kind.SUMMARY, Kind.FINAL})


@dataclass(frozen=True)
class Segment:
    """A run of tokens by one author; `turn` counts LeaP blocks, or the layers of a mixture of agents, from 0."""

    kind: Kind
    turn: int
    tokens: tuple[int, ...]
    text: str


@dataclass(frozen=True)
class Route:
    """Which peers a path heard at a turn: indices of paths in the group, and the similarity to each (Eq. 4).

    `tied`: whether a peer that is as similar as one of them was left out (`routing.ties`); None: not by similarity.
    """

    turn: int
    peers: tuple[int, ...]
    similarity: tuple[float, ...]
    tied: bool | None = None


@dataclass(frozen=True)
class Probe:
    """The answer a path would have given at a turn, `before` its summary or `after` its comments.

    Of paths that are asked at regular steps (`methods.steps`) the turn counts these, and the phase is `before`.
    """

    turn: int
    phase: Literal["before", "after"]
    answer: str | None
    correct: bool


@dataclass(frozen=True)
class Branch:
    """A copy of a path at a turn that goes on alone, to show what the path would have answered."""

    turn: int
    phase: Literal["before", "after"]
    path: "Path"


@dataclass
class Path:
    """One of the N paths of a group.

    `helpers` are paths that worked for this one and have no answer, or none that counts, and so no row of their own:
    their tokens are billed to this path. A helper is billed to one path only.
    """

    index: int
    seed: int
    segments: list[Segment] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    branches: list[Branch] = field(default_factory=list)  # what the probes are graded from
    helpers: list["Path"] = field(default_factory=list)
    finish: Finish | None = None
    answer: str | None = None  # by its own words alone, set when it is graded
    correct: bool | None = None  # None before that, and where the right answer is not known
    weight: float | None = (
        None  # how much its answer counts in the group's decision; None: 1, like any other; 0: no vote
    )
    forced_at: int | None = None  # index of the segment in which the runtime opened an answer, such as `\boxed{`
    tokens_cut: int = 0  # sampled, then cut: on the bill, but no longer in the path
    closed: bool = False  # whether the path ended its thinking, so that an answer follows
    heard: int | None = None  # of the tokens of its comments those that peers wrote; None where they were not counted
    recording: Recording = OFF  # which log-probabilities its requests ask for
    confidences: list[float] = field(default_factory=list)  # of the sampled tokens in it, in order
    own_blocks: int = 0  # how often it opened a summary or a comment of its own accord, which was cut
    aside: int = 0  # own tokens that were sampled beside the path, by a helper: charged to its budget
    tokens_probe: int = 0
    usage: Usage = field(default_factory=Usage)  # of the path's own requests
    bounds: Bounds = field(default_factory=Bounds)  # of `usage`, with a perfect and with no prefix cache
    computed: Sequence[int] = ()  # the tokens that last went through the model, for this path or one that begins alike
    probe_usage: Usage = field(default_factory=Usage)  # of its branches
    critical_path: int = 0  # the longest chain of tokens sampled one after another so far, waits for peers included
    started_s: float = 0.0
    finished_s: float = 0.0

    @property
    def seen(self) -> list[Segment]:
        """What the model sees of the path: all of it, or what follows since it was asked its question again."""
        again = (index for index in reversed(range(len(self.segments))) if self.segments[index].kind is Kind.AGAIN)
        return self.segments[next(again, 0) :]

    @property
    def tokens(self) -> list[int]:
        """The path as the model sees it."""
        return [token for segment in self.seen for token in segment.tokens]

    def __len__(self) -> int:
        return sum(len(segment.tokens) for segment in self.seen)

    def add(self, kind: Kind, turn: int, tokens: Iterable[int], text: str) -> None:
        """Append a segment, unless it is empty."""
        tokens = tuple(tokens)
        if tokens:
            self.segments.append(Segment(kind, turn, tokens, text))

    def count(self, *kinds: Kind) -> int:
        """Tokens in the path of these kinds (what was cut is not in it)."""
        return sum(len(segment.tokens) for segment in self.segments if segment.kind in kinds)

    @property
    def own_words(self) -> list[int]:
        """The tokens of its own reasoning: its given beginning and what it sampled, nothing injected."""
        return [token for part in self.segments if part.kind in (Kind.PREFIX, Kind.THINK) for token in part.tokens]

    def branch(self, turn: int, phase: Literal["before", "after"]) -> Branch:
        """A copy to probe: the same words so far; what happens to it does not change this path."""
        copy = Path(self.index, self.seed, list(self.segments), tokens_cut=self.tokens_cut)
        self.branches.append(Branch(turn, phase, copy))
        return self.branches[-1]

    def bill(self, request: Request, done: Completion) -> None:
        """Count what a request of this path took."""
        usage = Usage.of(request, done)
        self.usage += usage
        self.bounds += Bounds.of(request, done, common(request.prompt, self.computed))
        self.computed = [*request.prompt, *done.tokens[: usage.decoded]]
        self.critical_path += len(done.tokens)
        if self.recording.top_logprobs:
            if done.logprobs is None:
                raise ValueError("log-probabilities were asked for, and the engine told none")
            self.confidences += of_tokens(done.logprobs)

    def cut_back(self, count: int) -> None:
        """The last `count` sampled tokens leave the path; they stay on its bill."""
        self.tokens_cut += count
        del self.confidences[len(self.confidences) - count :]

    @property
    def spent(self) -> int:
        """Own tokens charged to the path's budget: thinking and summaries, what was cut or sampled aside included."""
        return self.count(Kind.THINK, Kind.SUMMARY) + self.tokens_cut + self.aside

    @property
    def sampled(self) -> int:
        """Tokens that the model sampled for this path: thinking, summaries, answer, what was cut included."""
        return self.count(*SAMPLED) + self.tokens_cut

    @property
    def forced(self) -> int:
        """Tokens that the model sampled after the runtime wrote the opening of the answer."""
        if self.forced_at is None:
            return 0
        return sum(len(segment.tokens) for segment in self.segments[self.forced_at :] if segment.kind is Kind.FINAL)

    @property
    def billed_paths(self) -> list["Path"]:
        """The paths whose tokens are counted in the row of this one: itself and its helpers."""
        return [self, *self.helpers]

    @property
    def blocks(self) -> int:
        """LeaP blocks taken: how often the path heard what the router chose."""
        return len(self.routes)

    def text(self, *kinds: Kind) -> str:
        """The text of these kinds in order; of all kinds where none is named."""
        return "".join(segment.text for segment in self.segments if not kinds or segment.kind in kinds)

    @property
    def thinking(self) -> str:
        """The path's own reasoning: its given beginning and what it sampled, nothing injected."""
        return self.text(Kind.PREFIX, Kind.THINK)

    @property
    def final(self) -> str:
        """What the path wrote after its thinking; a forced answer follows the opening it was given."""
        answer = (
            segment.text
            for index, segment in enumerate(self.segments)
            if segment.kind is Kind.FINAL or index == self.forced_at
        )
        return "".join(answer)


def wait_for_all(paths: Sequence[Path]) -> None:
    """These paths wait for each other, so all get the longest critical path among them."""
    longest = max((path.critical_path for path in paths), default=0)
    for path in paths:
        path.critical_path = longest


def share_beginning(paths: Sequence[Path]) -> None:
    """What these new paths begin with like the first of them goes through the model once: with the first."""
    for path in paths[1:]:
        path.computed = paths[0].tokens


def common(one: Sequence[int], other: Sequence[int]) -> int:
    """The number of tokens that both start with."""
    end = min(len(one), len(other))
    for start in range(0, end, STRETCH):  # whole stretches at once: prompts are long, and this is done at each request
        places = range(start, min(start + STRETCH, end))
        if list(one[start : places.stop]) != list(other[start : places.stop]):
            return next(place for place in places if one[place] != other[place])
    return end
