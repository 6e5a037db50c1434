"""Scorers of unfinished paths: which beginnings are worth to be finished.

A scorer gets all paths of a group as they are, and the writer, with which it may sample. It returns a score for each,
in their order; the highest are kept. It may be a coroutine function. What it samples for a path goes on the path's
bill when it is done by a helper of the path (`Path.helpers`), as `agreement` does.
"""

import asyncio
import inspect
import math
import pkgutil
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from leap_lab.confidence import Recording, mean
from leap_lab.engines.base import GREEDY
from leap_lab.errors import UserError, one_line
from leap_lab.methods.writer import Writer
from leap_lab.path import Kind, Path
from leap_lab.seeds import rng_for

Scores = Sequence[float]
Scorer = Callable[[Sequence[Path], Writer], Scores | Awaitable[Scores]]


def at_random(paths: Sequence[Path], writer: Writer) -> Scores:
    """A number drawn for each path, which says nothing of it: what any scorer has to beat."""
    return [rng_for(path.seed, "score").random() for path in paths]


def length(paths: Sequence[Path], writer: Writer) -> Scores:
    """The fewer tokens, the better; of equally many, the fewer characters: a plain heuristic of the text."""
    return [-(path.spent + 1 - 1 / (1 + len(path.thinking))) for path in paths]


def confidence(paths: Sequence[Path], writer: Writer) -> Scores:
    """The mean confidence of all tokens (DeepConf); least where nothing was sampled."""
    return [mean(path.confidences) if path.confidences else -math.inf for path in paths]


async def agreement(paths: Sequence[Path], writer: Writer) -> Scores:
    """The share of paths that would give the same answer now, as text without spaces. Each is asked by a helper.

    The helper has the words of the path so far, and answers at once and greedily.
    """
    writer = replace(writer, sampling=GREEDY)
    helpers = [_helper(path, writer) for path in paths]
    await asyncio.gather(*(writer.finish(helper, 1, closed=False) for helper in helpers))  # turn 0: the path's own
    for path, helper in zip(paths, helpers, strict=True):
        path.helpers.append(helper)
    said = ["".join(helper.final.split()) for helper in helpers]
    count = Counter(said)
    return [count[text] / len(paths) for text in said]


def _helper(path: Path, writer: Writer) -> Path:
    """A copy that answers for the path; its words are the path's, written anew."""
    helper = Path(path.index, path.seed, closed=path.closed, computed=path.computed, started_s=path.started_s)
    helper.critical_path = path.critical_path
    for part in path.segments:
        helper.add(Kind.PROMPT if part.kind is Kind.PROMPT else Kind.TRIGGER, part.turn, part.tokens, part.text)
    if path.closed:
        opening = writer.tokens.form.answer
        helper.add(Kind.TRIGGER, 0, writer.tokens.encode(opening), opening)
    return helper


NAMED: dict[str, Scorer] = {
    "random": at_random,
    "length": length,
    "confidence": confidence,
    "agreement": agreement,
}


def found(name: str) -> Scorer:
    """The scorer of this name, or the function at this dotted path; `UserError` where there is none."""
    if name in NAMED:
        return NAMED[name]
    allowed = f"{', '.join(NAMED)} or the dotted path of a function"
    if "." not in name:
        raise UserError(f"method.scorer={name}: must be {allowed}")
    try:
        scorer: Scorer = pkgutil.resolve_name(name)
    except Exception as error:  # a user's module may raise anything
        raise UserError(
            f"method.scorer={name}: cannot be imported ({one_line(error, 200)}); must be {allowed}"
        ) from error
    if not callable(scorer):
        raise UserError(f"method.scorer={name}: is no function; must be {allowed}")
    return scorer


async def scores(name: str, paths: Sequence[Path], writer: Writer) -> list[float]:
    """A score for each path; `ValueError` where a function of the user's own returns anything else."""
    given = found(name)(paths, writer)
    values = list(await given if inspect.isawaitable(given) else given)
    if len(values) != len(paths) or any(not isinstance(each, int | float) or math.isnan(each) for each in values):
        raise ValueError(f"method.scorer={name}: must return a number for each of {len(paths)} paths")
    return [float(each) for each in values]


def needs(name: str, asked: Recording, top_logprobs: int) -> Recording:
    """The log-probabilities that a scorer reads."""
    return replace(asked, top_logprobs=top_logprobs) if name == "confidence" else asked
