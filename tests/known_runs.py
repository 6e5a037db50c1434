"""Run folders with known answers, written by the project's own code."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from leap_lab.engines.usage import Bounds, Usage
from leap_lab.grading.grade import Grade
from leap_lab.path import Kind, Probe, Route
from leap_lab.path import Path as ReasoningPath
from leap_lab.runs.folder import RunFolder
from leap_lab.runs.rows import rows
from leap_lab.tasks.problem import Problem

Answers = Mapping[str, Sequence[Sequence[str | None]]]  # by question: groups of answers; "1" is right
Block = tuple[Any, ...]  # of a path: answer before, answer after, indices of whom it heard; the first alone: it left
LEAP = {"name": "leap", "max_tokens": 512, "answer_tokens": 32, "interval": 64, "summary_tokens": 32}
ALONE = {"name": "independent", "max_tokens": 512, "answer_tokens": 32}
EASY = {f"q{index}": [["1"] * index + ["2"] * (8 - index)] for index in range(1, 9)}  # 1 to 8 of 8 right
FEWER = {f"q{index}": (index + 1) // 2 for index in range(1, 9)}  # by how many HARD has fewer: 1 1 2 2 3 3 4 4
HARD = {q: [(["1"] * (easy.count("1") - FEWER[q]) + ["2"] * 8)[:8]] for q, [easy] in EASY.items()}


def copies(answers: Answers, times: int) -> dict[str, Sequence[Sequence[str | None]]]:
    """Each question so many times, by other ids: what few questions cannot decide, more of them can."""
    return {f"{question}.{time}": groups for time in range(times) for question, groups in answers.items()}


def reasoning_path(index: int, routed: bool, thinks: int = 100, reports: bool = True) -> ReasoningPath:
    made = ReasoningPath(index=index, seed=index, finish="answered")
    made.add(Kind.THINK, 0, range(thinks), "so")
    if routed:
        made.add(Kind.SUMMARY, 0, range(10), "in short")
        made.add(Kind.COMMENT, 0, range(40), "peers say")
        made.heard = 30
    made.critical_path = made.sampled
    prefilled = 50 + made.count(Kind.COMMENT)
    made.usage = Usage(1, prefilled, 20, made.sampled, 0) if reports else Usage(1, None, None, made.sampled, None)
    made.bounds = Bounds(30 + made.count(Kind.COMMENT), 70 + made.count(Kind.COMMENT))
    return made


def config_of(method: Mapping[str, Any], router: Mapping[str, Any] | None, **more: Any) -> dict[str, Any]:
    config = {
        "model": {"name": "tiny", "path": "builtin:tiny"},
        "dataset": {"name": "arithmetic", "seed": 0, "limit": 24},
    }
    config |= {"prompts": {"name": "tuned"}, "sampling": {"temperature": 1.0}, "peers": 8, "seed": 0, "groups": 1}
    return config | {"method": dict(method), "router": router, "concurrency": 8} | more


def write_run(
    runs: Path,
    answers: Answers,
    router: str | None = None,
    k: int | None = 4,
    thinks: Mapping[str, int] | None = None,
    aha: Mapping[str, int] | None = None,
    flops_per: Mapping[str, int] | None = None,
    reports: bool = True,
    weights: Sequence[float] | None = None,
    **more: Any,
) -> Path:
    """A run folder of LeaP with this router, or of independent sampling without one.

    A path prefills 50 tokens and what it received, finds 20 in the cache (at best 40), and decodes what it samples.
    `thinks` and `aha` are tokens of thinking and reflections of every path, by question: 100, and none, if not told.
    `reports` false: its engine does not report what it prefills. `weights` are those of the paths of every group.
    """
    node = None if router is None else {"name": router} | ({} if k is None else {"top_k": k})
    config = config_of(more.pop("method", ALONE if router is None else LEAP), node, **more)
    folder = RunFolder.open(runs, {key: value for key, value in config.items() if key != "groups"}, config)
    folder.write_run({"ledger": {"flops_per": flops_per}})
    for question, groups in answers.items():
        for group, given in enumerate(groups):
            tokens = (thinks or {}).get(question, 100)
            paths = [reasoning_path(index, router is not None, tokens, reports) for index in range(len(given))]
            for path, weight in zip(paths, weights or (), strict=False):
                path.weight = weight
            grades = [Grade(answer, answer == "1") for answer in given]
            counts = [(aha or {}).get(question, 0)] * len(paths)
            folder.write_group(rows(folder.run_id, Problem(question, "?", "1"), group, paths, grades, counts))
    return folder.path


def write_exchanges(
    runs: Path, groups_of: Mapping[str, Sequence[Sequence[Sequence[Block]]]], router: str = "dispersed", **more: Any
) -> Path:
    """A probed run of LeaP: by question groups of paths, of each path its blocks; every similarity is 0.25."""
    config = config_of(more.pop("method", LEAP), {"name": router, "top_k": 2}, **more)
    folder = RunFolder.open(runs, {"of": str(groups_of), "router": router} | more, config)
    for question, groups in groups_of.items():
        for group, blocks_of in enumerate(groups):
            paths = [exchanging_path(index, blocks) for index, blocks in enumerate(blocks_of)]
            grades = [Grade("1", True)] * len(paths)
            folder.write_group(rows(folder.run_id, Problem(question, "?", "1"), group, paths, grades, [0] * len(paths)))
    return folder.path


def exchanging_path(index: int, blocks: Sequence[Block]) -> ReasoningPath:
    made = reasoning_path(index, True)
    for turn, (before, *rest) in enumerate(blocks):
        made.probes.append(Probe(turn, "before", before, before == "1"))
        if rest:
            after, peers = rest
            made.probes.append(Probe(turn, "after", after, after == "1"))
            made.routes.append(Route(turn, tuple(peers), (0.25,) * len(peers)))
    return made
