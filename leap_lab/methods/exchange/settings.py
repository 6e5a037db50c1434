"""What LeaP and LeaP-S have in common: what paths tell, and where it stands."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import ClassVar

from leap_lab import checks
from leap_lab.engines.base import Engine
from leap_lab.errors import UserError
from leap_lab.methods.base import Method
from leap_lab.methods.exchange.notes import Distiller, Notes
from leap_lab.methods.exchange.shares import Answer, Share, Summary, Tail
from leap_lab.methods.forms import BoardText
from leap_lab.methods.job import Job
from leap_lab.methods.references import References
from leap_lab.methods.writer import Writer
from leap_lab.routing import Pooled, Router

SHARES = ("summary", "tail", "answer", "notes")


@dataclass(frozen=True)
class Exchanging(Method):
    """A method whose paths tell each other something at blocks.

    `share` is what a path tells (`shares`, `notes`). With `board` it stands at the front, in the user's message
    `board_text`, and the question is asked anew; without it in the path's own text. `notes` says how typed notes are
    asked for.
    """

    share: str = field(default="summary", kw_only=True)
    board: bool = field(default=False, kw_only=True)
    board_text: str = field(default="", kw_only=True)
    notes: Distiller | None = field(default=None, kw_only=True)

    routed: ClassVar[bool] = True
    probed: ClassVar[bool] = True
    later: ClassVar[tuple[str, ...]] = ("share", "board")

    def check(self, peers: int, context: int) -> None:
        """A kind of share that there is, and templates that can be used."""
        super().check(peers, context)
        checks.one_of("method.share", self.share, SHARES)
        checks.boolean("method.board", self.board)
        if self.board:
            References(self.board_text, "method.board_text").check()
        if self.share == "notes":
            if self.notes is None:
                raise UserError("method.share=notes: needs method.notes, how notes are asked for")
            self.notes.check("method.notes")

    @property
    def explained(self) -> bool:
        """Whether tags appear in a path: of its summaries, or of peers' words within its text."""
        return self.share == "summary" or not self.board

    @property
    def unread(self) -> Collection[str]:
        """The board's text without a board, and the request for notes where none are told."""
        unused = {"board_text": not self.board, "notes": self.share != "notes"}
        return [key for key, is_unused in unused.items() if is_unused]

    def writer(self, job: Job, engine: Engine) -> Writer:
        """The writer for the paths of a group."""
        board = BoardText(self.board_text) if self.board else None
        return replace(super().writer(job, engine), board=board)

    def told_as(self, limit: int, router: Router) -> Share:
        """What the paths of one group tell, of at most `limit` tokens; an answer of at most `answer_tokens`."""
        if self.share == "notes":
            assert self.notes is not None
            return Notes(limit, self.notes, router if isinstance(router, Pooled) else Pooled())
        if self.share == "answer":
            return Answer(self.answer_tokens)
        return Tail(limit) if self.share == "tail" else Summary(limit)
