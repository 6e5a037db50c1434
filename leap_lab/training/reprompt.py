"""Plain prompts in the place of those that explain the tags: what a model learns from is what it will be asked.

An untuned teacher needs the explanation and the worked example at the head of its thinking; a LeaP-T model gets none.
"""

from dataclasses import dataclass, replace

from leap_lab.engines.base import Tokens
from leap_lab.errors import UserError
from leap_lab.methods.writer import chat_prompt
from leap_lab.path import Kind, Segment
from leap_lab.prompts import Prompts, load_prompts
from leap_lab.settings.objects import instantiate
from leap_lab.tasks.problem import Problem
from leap_lab.training.candidates import Candidate, SourceRun


def explains(source: SourceRun) -> bool:
    """Whether the prompts of a run explain the tags."""
    return bool(source.config["prompts"].get("explanation") or source.config["prompts"].get("head"))


@dataclass(frozen=True)
class Reprompted:
    """Asks the questions of one run plainly."""

    source: SourceRun
    tokens: Tokens

    def __call__(self, candidate: Candidate) -> Candidate:
        """The path under the plain prompt; `UserError` where the dataset no longer holds what the run asked."""
        problem = self.source.problems.get(candidate.question_id)
        first, *rest = candidate.segments
        asked = instantiate(self.source.config["prompts"])
        if problem is None or self._prompt(asked, problem) != first.tokens:
            raise UserError(
                f"{self.source.folder}: question {candidate.question_id} is not what the dataset and tokenizer give "
                "now, so that it cannot be asked anew; --keep-prompts leaves the prompts as they are"
            )
        prompt = self._prompt(load_prompts("tuned", tag=asked.tag), problem)
        return replace(candidate, segments=(Segment(Kind.PROMPT, 0, prompt, self.tokens.decode(prompt)), *rest))

    def _prompt(self, prompts: Prompts, problem: Problem) -> tuple[int, ...]:
        return tuple(chat_prompt(self.tokens, prompts.user(problem), prompts.opening()))
