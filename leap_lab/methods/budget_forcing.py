"""Budget forcing (s1, arXiv 2501.19393, Section 3): a path that would stop thinking is made to think on."""

import asyncio
from dataclasses import dataclass, replace
from itertools import count

from leap_lab import checks
from leap_lab.engines.base import Engine
from leap_lab.methods.base import Method
from leap_lab.methods.cutting import PARAGRAPH, before
from leap_lab.methods.job import Job
from leap_lab.methods.writer import Writer
from leap_lab.path import Kind, Path

MOST_IDLE = 3  # in a row: a path that ends so often without a word of thinking is let go


@dataclass(frozen=True)
class BudgetForcing(Method):
    """Each of N paths, which know nothing of each other, thinks until its budget is spent. Where it closes its thinking
    before, the mark is cut, the runtime writes `wait`, and it thinks on. A path that ends its message without closing
    it, as models that do not think do, thinks on in the same way. At the end of the budget its answer is forced.

    At most `waits` times, null: as often as it takes. A path is let go, and answers, where the context has no room for
    another `wait`, and where it ends three times in a row without a word of thinking.

    The mark that was cut is on the bill and counts in the budget; the words of `wait` are the runtime's and do not. The
    paper has one word there, "Wait"; these words are our own. As in the released code the engine stops at the mark and
    a new request goes on without it, so a model never sees that it had ended.

    Cost: N x max_tokens of thinking, unless `waits` ends it before; a request for each wait.
    """

    wait: str
    waits: int | None = None

    def check(self, peers: int, context: int) -> None:
        """There are words to write."""
        super().check(peers, context)
        checks.text("method.wait", self.wait, "the words that make a path think on")
        checks.integer("method.waits", self.waits, 0, optional=True)

    async def solve(self, job: Job, engine: Engine) -> list[Path]:
        """Decode N paths at once."""
        writer = self.writer(job, engine)
        paths = writer.begin()
        await asyncio.gather(*(self._think(path, writer) for path in paths))
        return paths

    async def _think(self, path: Path, writer: Writer) -> None:
        """Think until the budget or the waits are spent, then answer."""
        idle = 0
        for turn in count():
            thought = path.count(Kind.THINK)
            ended = await writer.think(path, turn)
            mark = self._mark(path, writer)
            idle = 0 if path.count(Kind.THINK) - mark > thought else idle + 1
            if not ended or turn == self.waits or idle == MOST_IDLE or not self._wait(path, turn, mark, writer):
                await writer.finish(path, turn, ended)
                return

    def _mark(self, path: Path, writer: Writer) -> int:
        """How many tokens the mark takes with which the path closed its thinking."""
        if not path.closed:
            return 0
        tokens, last = writer.tokens, path.segments[-1].tokens
        return 1 if tokens.close_id is not None else len(last) - before(tokens.form.close, last, tokens)

    def _wait(self, path: Path, turn: int, mark: int, writer: Writer) -> bool:
        """Cut the mark and make the path think on; False where the budget is spent or there is no room for more."""
        last, tokens = path.segments[-1], writer.tokens
        kept = last.tokens[: len(last.tokens) - mark]
        text = tokens.decode(kept) if mark else last.text
        words = ("" if text.rstrip(" ").endswith(PARAGRAPH) else PARAGRAPH) + self.wait
        ids = tokens.encode(words)
        if writer.budget(path) < 1 or writer.room(path) + mark <= len(ids):
            return False
        if mark:
            path.cut_back(mark)
            path.segments[-1:] = [replace(last, tokens=kept, text=text)] if kept else []
            path.closed = False
        path.add(Kind.TRIGGER, turn, ids, words)
        return True
