"""Typed notes: what a path found, distilled in a separate request (CPT, arXiv 2605.27030).

The request is a chat of its own: instructions, the notes that the path has already, the question, and a stretch of the
path's thinking. The model's turn is opened with a tag, and each line of it is a note: `insight: ...` or `pitfall: ...`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from string import Formatter
from typing import ClassVar

from leap_lab import checks
from leap_lab.engines.base import Sampling
from leap_lab.errors import UserError
from leap_lab.methods.exchange.pool import Pool
from leap_lab.methods.exchange.shares import work_aside
from leap_lab.methods.writer import Writer
from leap_lab.path import Kind, Path
from leap_lab.routing import Pooled

OPEN, CLOSE = "<notes>", "</notes>"
TYPES = ("insight", "pitfall")
NOTE = re.compile(rf"[\s*\-\u2022\d.)]*\**({'|'.join(TYPES)})\**\s*[:\uff1a]\s*(.*\w.*)", re.IGNORECASE)
FIELDS = {"question", "notes", "transcript"}


@dataclass(frozen=True)
class Distiller:
    """How notes are asked for: `ask` is the user's message, with the {question}, the path's own {notes} so far and the
    {transcript}; the others are the sampling of the request. `own` bounds the path's own notes, of which the oldest go.
    """

    ask: str
    temperature: float
    top_p: float
    top_k: int
    own: int

    def check(self, key: str) -> None:
        """`UserError` for a template without the three fields, and for sampling that cannot be."""
        try:
            named = {name for _, name, _, _ in Formatter().parse(self.ask) if name is not None}
        except (ValueError, TypeError):
            named = set()
        if named != FIELDS:
            raise UserError(
                f"{key}.ask={self.ask!r}: must name {{question}}, {{notes}} and {{transcript}}, and no more"
            )
        checks.number(f"{key}.temperature", self.temperature, "a number >= 0", 0)
        checks.number(f"{key}.top_p", self.top_p, "a number > 0 and <= 1", 0, 1, open_at="least")
        if self.top_k != -1:
            checks.integer(f"{key}.top_k", self.top_k, 1)
        checks.integer(f"{key}.own", self.own, 1)

    @property
    def sampling(self) -> Sampling:
        """The sampling of the request."""
        return Sampling(self.temperature, self.top_p, self.top_k)


@dataclass(frozen=True)
class Notes:
    """Typed notes of at most `limit` tokens, from what the path thought since its last block; charged to its budget.

    The request is a helper of the path. A path that has closed its thinking still tells. Nothing is asked where the
    context has no room.
    """

    limit: int
    distiller: Distiller
    alike: Pooled  # when two notes of a path are one
    own: dict[int, Pool] = field(default_factory=dict)

    writes: ClassVar[bool] = False
    last_words: ClassVar[bool] = True

    @property
    def charged(self) -> int:
        return self.limit

    @property
    def sampled(self) -> int:
        return self.limit

    async def tell(self, writer: Writer, path: Path, turn: int) -> list[str]:
        own = self.own.setdefault(path.index, Pool(self.alike.same, self.distiller.own, self.alike.closeness))
        prompt = self._prompt(writer, path, turn, own.texts)
        if prompt is None:
            return []
        aside = Path(path.index, path.seed, critical_path=path.critical_path)
        aside.add(Kind.PROMPT, turn, prompt, writer.tokens.decode(prompt))
        distilling = replace(writer, sampling=self.distiller.sampling)
        done = await distilling.sample(aside, "notes", turn, self.limit, (CLOSE,))
        text = writer.tokens.decode(done.tokens)
        aside.add(Kind.SUMMARY, turn, done.tokens, text)
        path.aside += len(done.tokens)
        work_aside(path, aside)
        found = parsed(text.partition(CLOSE)[0], done.stopped != "length")
        for note in found:
            own.add(path.index, note)
        return found

    def _prompt(self, writer: Writer, path: Path, turn: int, notes: Sequence[str]) -> list[int] | None:
        """The chat, with as much of the end of the transcript as there is room for; None where there is none."""
        form, ids = writer.tokens.form, thought(path, turn)
        begun = f"{form.opening}{form.closing}{form.answer}{OPEN}\n"
        kept = len(ids)
        while kept:
            user = self.distiller.ask.format(
                question=writer.prompts.question(writer.job.problem),
                notes=writer.prompts.numbered("Note", notes),
                transcript=writer.tokens.decode(ids[-kept:]),
            )
            prompt = writer.tokens.chat(user, begun)
            if len(prompt) + self.limit <= writer.engine.max_model_len:
                return prompt
            kept = kept * 3 // 4
        return None


def thought(path: Path, turn: int) -> list[int]:
    """The tokens that the path thought in a turn."""
    return [token for part in path.segments if (part.kind, part.turn) == (Kind.THINK, turn) for token in part.tokens]


def parsed(text: str, ended: bool) -> list[str]:
    """The notes in a text, one a line, each as `insight: ...` or `pitfall: ...`; other lines are none.

    Of a text that did not end the last note is left out.
    """
    lines = text.splitlines()
    found = [NOTE.fullmatch(line.strip()) for line in (lines if ended else lines[:-1])]
    return [f"{match[1].lower()}: {' '.join(match[2].split())}" for match in found if match]
