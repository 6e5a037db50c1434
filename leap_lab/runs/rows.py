"""A graded path as the columns of a group file."""

from collections.abc import Sequence
from typing import Any, Protocol

from leap_lab.confidence import Confidence
from leap_lab.engines.usage import total
from leap_lab.files import storable
from leap_lab.path import Kind, Path
from leap_lab.tasks.problem import Problem


class Graded(Protocol):
    """What grading says about a path: its answer (None when it gave none), whether that is right, where it stood."""

    @property
    def answer(self) -> str | None: ...

    @property
    def correct(self) -> bool: ...
    @property
    def note(self) -> str: ...


def rows(
    run_id: str, problem: Problem, group: int, paths: Sequence[Path], grades: Sequence[Graded], aha: Sequence[int]
) -> list[dict[str, Any]]:
    """One row per path with the columns of `SCHEMA`; `ValueError` unless there are as many grades and counts."""
    key = {"run_id": run_id, "question_id": problem.id, "group": group}
    return [
        {**key, "path": path.index, "gold": storable(problem.answer), **_graded(grade), **_of_path(path), "aha": count}
        for path, grade, count in zip(paths, grades, aha, strict=True)
    ]


def _graded(grade: Graded) -> dict[str, Any]:
    return {"answer": _storable(grade.answer), "correct": grade.correct, "extraction": grade.note}


def _of_path(path: Path) -> dict[str, Any]:
    return {
        "finish": path.finish,
        **_tokens(path),
        "critical_path": max(each.critical_path for each in path.billed_paths),
        "blocks": path.blocks,
        "own_blocks": sum(each.own_blocks for each in path.billed_paths),
        "segments": [
            {"kind": part.kind.value, "turn": part.turn, "text": storable(part.text), "tokens": list(part.tokens)}
            for part in path.segments
        ],
        "routes": [
            {"turn": route.turn, "peers": list(route.peers), "similarity": list(route.similarity)}
            for route in path.routes
        ],
        "probes": [
            {"turn": probe.turn, "phase": probe.phase, "answer": _storable(probe.answer), "correct": probe.correct}
            for probe in path.probes
        ],
        "route_ties": [route.tied for route in path.routes],
        "cluster": None,  # of a whole group: `decoding.regrade.clustered`
        "probe_clusters": None,
        **_confidence(path),
        "seed": path.seed,
        "started_s": path.started_s,
        "finished_s": path.finished_s,
    }


def _confidence(path: Path) -> dict[str, Any]:
    known = Confidence.of(path.confidences, path.recording.window) if path.confidences else None
    measures = {f"confidence_{name}": getattr(known, name, None) for name in ("mean", "tail", "lowest", "bottom")}
    return {**measures, "confidences": list(path.confidences) if known and path.recording.per_token else None}


def _tokens(path: Path) -> dict[str, int | None]:
    """The columns of tokens and requests, of the path and its helpers, which have no rows of their own."""
    bill = [_tokens_of_one(each) for each in path.billed_paths]
    return {column: total(*(each[column] for each in bill)) for column in bill[0]}


def _tokens_of_one(path: Path) -> dict[str, int | None]:
    return {
        "tokens_think": path.count(Kind.THINK, Kind.FINAL) + path.tokens_cut,
        "tokens_summary": path.count(Kind.SUMMARY),
        "tokens_comment": path.count(Kind.COMMENT),
        "tokens_heard": path.heard if path.count(Kind.COMMENT) else 0,
        "tokens_prompt": path.count(Kind.PROMPT, Kind.AGAIN),
        "tokens_probe": path.tokens_probe,
        "tokens_prefilled": path.usage.prefilled,
        "tokens_trigger": path.count(Kind.TRIGGER),
        "tokens_cut": path.tokens_cut,
        "tokens_prefix": path.count(Kind.PREFIX),
        "tokens_answer": path.count(Kind.FINAL),
        "tokens_forced": path.forced,
        "requests": path.usage.requests,
        "tokens_cached": path.usage.cached,
        "tokens_decoded": path.usage.decoded,
        "tokens_attended": path.usage.attended,
        "tokens_prefilled_least": path.bounds.prefilled_least,
        "tokens_prefilled_most": path.bounds.prefilled_most,
        "tokens_attended_least": path.bounds.attended_least,
        "tokens_attended_most": path.bounds.attended_most,
        "requests_probe": path.probe_usage.requests,
        "tokens_probe_prefilled": path.probe_usage.prefilled,
        "tokens_probe_cached": path.probe_usage.cached,
        "tokens_probe_decoded": path.probe_usage.decoded,
        "tokens_probe_attended": path.probe_usage.attended,
    }


def _storable(answer: str | None) -> str | None:
    return None if answer is None else storable(answer)
