"""A prompt that quotes earlier answers, for methods whose later rounds see what earlier rounds found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from string import Formatter

from leap_lab.engines.base import Tokens
from leap_lab.errors import UserError
from leap_lab.methods.cutting import parted
from leap_lab.methods.writer import Writer
from leap_lab.path import Kind, Path
from leap_lab.prompts import Prompts
from leap_lab.tasks.problem import Problem

Part = tuple[Kind, list[int]]
Ask = Callable[[str], list[int]]  # from a user message to the prompt that it is part of
AUTHORS = Kind.PROMPT, Kind.COMMENT, Kind.PROMPT  # the middle of the prompt came from other agents


@dataclass(frozen=True)
class References:
    """`template` is the user message: the {question}, and the {references}, numbered and one per line."""

    template: str
    key: str  # of the setting that holds the template, for errors

    def check(self) -> None:
        """`UserError` unless the template names both, and nothing else."""
        try:
            named = {name for _, name, _, _ in Formatter().parse(self.template) if name is not None}
        except (ValueError, TypeError):
            named = set()
        if named != {"question", "references"}:
            raise UserError(f"{self.key}={self.template!r}: must name {{question}} and {{references}}, and no more")

    def prompt(self, answers: Sequence[str], writer: Writer) -> list[Part]:
        """The question with `answers`, in parts by author: whatever the prompt adds to the question is received words.

        The answers get up to half of the context that the question leaves; the rest is for thinking. Where they need
        more, each keeps its end, which has the conclusion, and the longest are cut first. Where there is no room at
        all, and where there are no answers, this is the question as independent paths get it.
        """
        return self.asked(answers, writer, writer.prompt)[1]

    def asked(self, answers: Sequence[str], writer: Writer, ask: Ask) -> tuple[str, list[Part]]:
        """The user message of `prompt`, and the parts of the prompt that `ask` makes of it."""
        prompts, problem = writer.prompts, writer.job.problem
        bare = ask(self.turn(problem, [], prompts))
        room = kept = writer.room(bare) // 2
        while kept > 0 and answers:
            user = self.turn(problem, [_end(answer, kept, writer.tokens) for answer in answers], prompts)
            full = ask(user)
            if len(full) - len(bare) <= room:
                return user, list(zip(AUTHORS, parted(full, bare), strict=True))
            kept = kept * 3 // 4
        alone = prompts.question(problem)
        return alone, [(Kind.PROMPT, writer.prompt(alone))]

    def turn(self, problem: Problem, answers: Sequence[str], prompts: Prompts) -> str:
        """The user message. It explains no tags, since none follow."""
        references = prompts.numbered("Answer", answers)
        return self.template.format(question=prompts.question(problem), references=references).rstrip()


def answer_of(path: Path) -> str:
    """What a path tells a later round: its answer, or its thinking where it ended inside that."""
    return path.final.strip() or path.thinking


def response_of(path: Path, tokens: Tokens) -> str:
    """All that a path wrote itself, its thinking (without the closing mark) and its answer."""
    thinking = path.thinking.strip().removesuffix(tokens.form.close).rstrip()
    return "\n\n".join(filter(None, (thinking, path.final.strip())))


def _end(text: str, kept: int, tokens: Tokens) -> str:
    """The last `kept` tokens of a text, with a mark where something is missing."""
    ids = tokens.encode(text)
    return text if len(ids) <= kept else f"... {tokens.decode(ids[-kept:])}"
