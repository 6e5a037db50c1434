"""Run folders of a few paths whose every word is known, for the tests of the viewer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from leap_lab.grading.grade import Grade
from leap_lab.path import Kind, Probe, Route
from leap_lab.path import Path as ReasoningPath
from leap_lab.runs.folder import RunFolder
from leap_lab.runs.rows import rows
from leap_lab.tasks.problem import Problem
from tests.known_runs import ALONE, LEAP, config_of


@dataclass(frozen=True)
class Trace:
    """One path with at most one block: what it would have answered before and after, and its answer; "1" is right."""

    answer: str | None
    before: str | None = None
    after: str | None = None
    hears: Sequence[int] = ()
    similarity: float = 0.25
    thinks: str = "I think that $x^2 = 1$, so it is \\boxed{1}."
    sums_up: str = "So far x=1. </summarize>"
    forced: bool = False


Groups = Mapping[str, Sequence[Sequence[Trace]]]  # by question
RIGHT, WRONG = Trace("1", "1", "1", (1,)), Trace("2", "2", "2", (0,))
RECOVERED = Trace("1", "2", "1", (1,), 0.75)
HARMED = Trace("2", "1", "2", (0,), forced=True)
QUESTIONS: Groups = {
    "q-2": [[RIGHT, Trace("1", "1", "1", (0,))]],
    "q-9": [[RECOVERED, Trace("1", "1", "1", (0,))]],
    "q-10": [[RIGHT, HARMED]],
    "q-11": [[Trace("2", "2", "3", (1,)), WRONG]],
}


def path(index: int, trace: Trace, blocks: bool) -> ReasoningPath:
    """A path that was asked, thought 40 tokens, and with `blocks` summed up, heard and thought on."""
    made = ReasoningPath(index=index, seed=100 + index, finish="forced" if trace.forced else "answered")
    made.started_s, made.finished_s = 1_700_000_000.0, 1_700_000_002.5
    made.add(Kind.PROMPT, 0, range(12), "What is $\\frac{2}{2}$?")
    made.add(Kind.THINK, 0, range(40), trace.thinks)
    if blocks:
        made.add(Kind.TRIGGER, 0, range(5), "Time to sum up.\n<summarize>")
        made.add(Kind.SUMMARY, 0, range(8), trace.sums_up)
        made.add(Kind.COMMENT, 0, range(20), f"<comment>\nPeer 1: {trace.sums_up}\n</comment>")
        made.add(Kind.THINK, 1, range(15), "Let me compare.")
        made.routes.append(Route(0, tuple(trace.hears), (trace.similarity,) * len(trace.hears), False))
        made.probes += [Probe(0, "before", trace.before, trace.before == "1")]
        made.probes += [Probe(0, "after", trace.after, trace.after == "1")]
    if trace.forced:
        made.add(Kind.TRIGGER, 1, range(4), "The final answer is \\boxed{")
        made.forced_at = len(made.segments) - 1
    made.add(Kind.FINAL, 1, range(3), f"{trace.answer}}}." if trace.forced else f"\\boxed{{{trace.answer}}}.")
    return made


def group_rows(run_id: str, question: str, group: int, traces: Sequence[Trace], blocks: bool = True) -> list[dict]:
    paths = [path(index, trace, blocks) for index, trace in enumerate(traces)]
    grades = [Grade(trace.answer, trace.answer == "1") for trace in traces]
    return rows(run_id, Problem(question, "?", "1"), group, paths, grades, [0] * len(paths))


def opened(runs: Path, router: str | None = "dispersed", **more: object) -> RunFolder:
    """The folder of a run that is being written; without a router, of independent sampling."""
    node = {"name": router, "top_k": 1} if router else None
    config = config_of(LEAP if router else ALONE, node, peers=2, **more)
    return RunFolder.open(runs, {key: value for key, value in config.items() if key != "groups"}, config)


def written(runs: Path, groups: Groups = QUESTIONS, router: str | None = "dispersed", **more: object) -> Path:
    """A run with these groups that nobody writes any more."""
    folder = opened(runs, router, **more)
    for question, found in groups.items():
        for number, traces in enumerate(found):
            folder.write_group(group_rows(folder.run_id, question, number, traces, router is not None))
    folder.write_run({"status": "finished", "questions": len(groups), "groups_per_question": 1})
    folder.close()
    return folder.path
