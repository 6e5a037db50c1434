"""PaCoRe, parallel coordinated reasoning (arXiv 2601.05593): rounds of fewer and fewer paths, down to a single one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from leap_lab import checks
from leap_lab.engines.base import Engine
from leap_lab.errors import UserError
from leap_lab.methods.base import Method
from leap_lab.methods.job import Job
from leap_lab.methods.references import References, answer_of
from leap_lab.methods.rounds import allowance, begin, think
from leap_lab.path import Path
from leap_lab.seeds import rng_for


@dataclass(frozen=True)
class Pacore(Method):
    """The first round is N independent paths, the last one a single path, and `between` has the sizes of those between
    them: the trajectory vector of the paper is [N, *between], to which its code appends the 1 as well.

    What a path tells the next round is what follows its thinking (all of it where it ended inside that); empty ones are
    dropped. They are sorted by length and then shuffled by a seed, so that the order depends on the texts alone. All
    paths of the next round get the same prompt, `synthesize`, with these messages as references, and nothing else.

    The single path of the last round is the group's only row, and decides. All others are its helpers, so it has the
    bill of them all. The group may think for N x max_tokens, shared evenly by all its paths, and earlier answers count;
    no path thinks for more than max_tokens. Beginnings apply to the first round.

    Sampled: at most N x max_tokens and the last answer. Prompts: one a path; those of a round have all answers of the
    round before, and are the same, so that a prefix cache holds them.

    Unlike in the released code, lengths are bounded by this budget and not by the context alone; seeds are derived from
    the run's; references are quoted on one line, and cut from the front where they would take more than half of the
    context; and a path that runs out of budget is made to answer, so that it is never quoted with its thinking.
    """

    synthesize: str
    between: Sequence[int] = ()

    budget: ClassVar[Literal["path", "rounds"]] = "rounds"

    def check(self, peers: int, context: int) -> None:
        """Sizes of rounds, and a budget of which every path has a share."""
        super().check(peers, context)
        sizes = self.between
        if not isinstance(sizes, list | tuple):
            raise UserError(f"method.between={checks.shown(sizes)}: must be a list of sizes, as in method.between=[4]")
        for size in sizes:
            checks.integer("method.between", size, 1)
        References(self.synthesize, "method.synthesize").check()
        if sum(self._sizes(peers)) > peers * self.max_tokens:
            raise UserError(
                f"method.between={checks.shown(sizes)}: all paths share one budget; they must be no more than its "
                f"peers x method.max_tokens = {peers * self.max_tokens} tokens"
            )

    def rows(self, peers: int) -> int:
        """The path of the last round."""
        return 1

    async def solve(self, job: Job, engine: Engine) -> list[Path]:
        """Decode round after round; the path of the last one is returned."""
        writer, sizes = self.writer(job, engine), self._sizes(job.peers)
        paths, earlier = writer.begin(), list[Path]()
        for turn, size in enumerate(sizes):
            if turn:
                earlier += paths
                parts = References(self.synthesize, "method.synthesize").prompt(_told(paths, turn, job), writer)
                paths = begin(writer, turn, [parts] * size, paths)
            limit = allowance(writer, earlier, sum(sizes[turn:]))
            await think(writer, paths, turn, [limit] * size)
        paths[0].helpers = earlier
        return paths

    def _sizes(self, peers: int) -> list[int]:
        return [peers, *self.between, 1]


def _told(paths: Sequence[Path], turn: int, job: Job) -> list[str]:
    """What a round tells the next one, in the order in which that reads it."""
    texts = sorted((text for path in paths if (text := answer_of(path))), key=lambda text: (len(text), text))
    rng_for(job.seed, job.problem.id, job.group, turn, "order").shuffle(texts)
    return texts
