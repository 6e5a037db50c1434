"""Plain prompts in place of those that explain the tags, so that a model learns from the prompts it will be given.

An untuned teacher needs the explanation and the worked example at the start of its thinking; a LeaP-T model does not.
"""

from dataclasses import dataclass, replace

from leap_lab.engines.base import Tokens
from leap_lab.errors import UserError
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
    """Gives the paths of one run plain prompts."""

    source: SourceRun
    tokens: Tokens

    def __call__(self, candidate: Candidate) -> Candidate:
        """The path under the plain prompt, which independent paths have already.

        `UserError` where the dataset no longer gives the prompt of the run.
        """
        problem = self.source.problems.get(candidate.question_id)
        first, *rest = candidate.segments
        prompts = instantiate(self.source.config["prompts"])
        prompt = self._prompt(load_prompts("tuned", tag=prompts.tag), problem) if problem else ()
        if problem and prompt == first.tokens:
            return candidate
        if problem is None or self._prompt(prompts, problem) != first.tokens:
            raise UserError(
                f"{self.source.folder}: the prompt of question {candidate.question_id} cannot be replaced, since the "
                "dataset or the tokenizer has changed; --keep-prompts keeps the prompts as they are"
            )
        return replace(candidate, segments=(Segment(Kind.PROMPT, 0, prompt, self.tokens.decode(prompt)), *rest))

    def _prompt(self, prompts: Prompts, problem: Problem) -> tuple[int, ...]:
        return tuple(self.tokens.chat(prompts.user(problem), self.tokens.form.opening + prompts.opening()))
