"""What a path tells at a block: a summary, the end of its thinking, or the answer that it would give now.

The fourth kind, typed notes, is in `notes`.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

from leap_lab.engines.base import GREEDY
from leap_lab.methods.writer import Writer
from leap_lab.path import Path


class Share(Protocol):
    """One kind of what paths tell each other. An object serves the paths of one group."""

    @property
    def charged(self) -> int:
        """The most tokens of the path's own budget that it takes."""
        ...

    @property
    def sampled(self) -> int:
        """The most tokens that are sampled for it."""
        ...

    @property
    def writes(self) -> bool:
        """Whether it leaves something in the path that hearing peers, or nobody, has to follow."""
        ...

    @property
    def last_words(self) -> bool:
        """Whether a path that has closed its thinking still tells."""
        ...

    async def tell(self, writer: Writer, path: Path, turn: int) -> list[str]:
        """What the path passes on, in parts; empty where that is nothing."""
        ...


@dataclass(frozen=True)
class Summary:
    """A summary that the path is asked for (Section 3.1), of at most `limit` tokens; charged to its budget."""

    limit: int

    writes: ClassVar[bool] = True
    last_words: ClassVar[bool] = False

    @property
    def charged(self) -> int:
        return self.limit

    @property
    def sampled(self) -> int:
        return self.limit

    async def tell(self, writer: Writer, path: Path, turn: int) -> list[str]:
        text = await writer.summarize(path, turn, self.limit)
        return [text] if text else []


@dataclass(frozen=True)
class Tail:
    """The last `limit` tokens of the path's own thinking as they stand: no request, and nothing charged."""

    limit: int

    charged: ClassVar[int] = 0
    sampled: ClassVar[int] = 0
    writes: ClassVar[bool] = False
    last_words: ClassVar[bool] = False

    async def tell(self, writer: Writer, path: Path, turn: int) -> list[str]:
        text = writer.tokens.decode(path.own_words[-self.limit :]).strip()
        return [text] if text else []


@dataclass(frozen=True)
class Answer:
    """The answer that the path would give now, forced and greedy, of at most `limit` tokens.

    It is written by a copy of the path, whose answer is a helper of the path: counted with its answers, and so not
    charged to its budget.
    """

    limit: int

    charged: ClassVar[int] = 0
    writes: ClassVar[bool] = False
    last_words: ClassVar[bool] = False

    @property
    def sampled(self) -> int:
        return self.limit

    async def tell(self, writer: Writer, path: Path, turn: int) -> list[str]:
        copy = Path(path.index, path.seed, list(path.segments), computed=path.computed, started_s=path.started_s)
        copy.critical_path = path.critical_path
        greedy = replace(writer, sampling=GREEDY, answer_tokens=self.limit)
        await greedy.finish(copy, turn, closed=False)
        text = copy.final.strip()
        assert copy.forced_at is not None
        inherited = len(path.segments)
        copy.segments, copy.forced_at = copy.segments[inherited:], copy.forced_at - inherited
        work_aside(path, copy)
        return [text] if text else []


def work_aside(path: Path, helper: Path) -> None:
    """A helper has worked for the path, which waited for it: what it sampled is on the path's bill."""
    path.helpers.append(helper)
    path.critical_path = helper.critical_path
