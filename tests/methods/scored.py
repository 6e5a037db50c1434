"""Groups of methods that look at confidence, length or agreement, with every word and its confidence written down."""

import asyncio
from collections.abc import Sequence
from typing import Any

from leap_lab.decoding.decoder import graded_rows
from leap_lab.engines.base import Request, Sampling
from leap_lab.methods.base import Method
from leap_lab.methods.best_of_n import BestOfN
from leap_lab.methods.budget_forcing import BudgetForcing
from leap_lab.methods.deepconf import DeepConf
from leap_lab.methods.prune import Prune
from leap_lab.methods.short import Short
from leap_lab.path import SAMPLED, Kind, Path
from tests.doubles import PROMPTS, QUESTION, job, who
from tests.methods.agents import Engine
from tests.methods.doubles import HEAD

COMMON: dict[str, Any] = {"max_tokens": 60, "answer_tokens": 4, "sampling": Sampling(), "prompts": PROMPTS}
OTHERS = 4.0  # the confidence of what is no digit
END = "</think>\\boxed{x}"


def best_of_n(**changes: Any) -> BestOfN:
    return BestOfN(**{**COMMON, "top_logprobs": 3, "window": 4, **changes})


def deepconf(**changes: Any) -> DeepConf:
    return DeepConf(**{**COMMON, "top_logprobs": 3, "window": 4, "warmup": 2, "chunk": 3, **changes})


def prune(**changes: Any) -> Prune:
    return Prune(**{**COMMON, "prefix": 4, "keep": 1, **changes})


def short(**changes: Any) -> Short:
    return Short(**{**COMMON, "chunk": 5, "m": 1, **changes})


def budget_forcing(**changes: Any) -> BudgetForcing:
    return BudgetForcing(**{**COMMON, "wait": "WAIT", **changes})


def by_digit(request: Request, tokens: Sequence[int]) -> list[list[float]]:
    """A digit is its own confidence."""
    values = [float(chr(token)) if chr(token).isdigit() else OTHERS for token in tokens]
    return [[-value] * request.top_logprobs for value in values]


class Says:
    """A script in which every path has its whole text, thinking and answer, and answers `y` where it is forced."""

    def __init__(self, *texts: str) -> None:
        self.texts = texts

    def __call__(self, text: str, request: Request) -> str:
        own = text.removeprefix(HEAD)
        if own.endswith("\\boxed{"):
            return "y}\n"
        return self.texts[who(request)[0]][len(own) :]


def solve(method: Method, *texts: str, script: Any = None, **engine: Any) -> tuple[list[Path], Engine]:
    """A path for each text."""
    scripted = Engine(script or Says(*texts), logprobs=by_digit, **engine)
    return asyncio.run(method.solve(job(len(texts)), scripted)), scripted


def parts(path: Path) -> list[tuple[str, str]]:
    """The path after its prompt."""
    return [(segment.kind.value, segment.text) for segment in path.segments[1:]]


def sampled(engine: Engine, index: int) -> list[int]:
    """How many tokens each request of a path sampled, in order."""
    pairs = zip(engine.requests, engine.sampled, strict=True)
    return [count for request, count in pairs if who(request)[0] == index]


def limits(engine: Engine, index: int) -> list[int]:
    """What each request of a path asked for, in order."""
    return [request.max_tokens for request in engine.requests if who(request)[0] == index]


def check(paths: Sequence[Path], engine: Engine, method: Method) -> None:
    """What holds of every group: the bill, the seeds, the budgets, how paths end, what confidences are of."""
    rows = graded_rows("r", QUESTION, 0, list(paths))
    assert sum(row["tokens_think"] + row["tokens_summary"] for row in rows) == sum(engine.sampled)
    assert sum(row["tokens_prefilled"] for row in rows) == sum(len(request.prompt) for request in engine.requests)
    assert sum(row["requests"] for row in rows) == len(engine.requests)
    seeds = [request.seed for request in engine.requests]
    assert len(set(seeds)) == len(seeds)
    assert all(path.spent <= method.max_tokens for path in paths)
    assert [path.index for path in paths] == list(range(len(paths)))
    for path, row in zip(paths, rows, strict=True):
        stopped = path.finish == "stopped"
        assert stopped or path.finish in ("answered", "forced", "context_full")
        assert (row["answer"] is None) == stopped
        assert not stopped or (path.weight == 0 and path.segments[-1].kind in (Kind.THINK, Kind.PROMPT, Kind.PREFIX))
        assert row["critical_path"] <= sum(engine.sampled)
        assert path.started_s <= path.finished_s
        if path.recording.top_logprobs:
            own = "".join(segment.text for segment in path.segments if segment.kind in SAMPLED)
            assert path.confidences == [float(each) if each.isdigit() else OTHERS for each in own]


def timeless(paths: Sequence[Path]) -> list[Path]:
    """The paths without the times of day."""
    for each in (each for path in paths for each in path.billed_paths):
        each.started_s = each.finished_s = 0.0
    return list(paths)
