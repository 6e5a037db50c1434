"""Ledgers counted by hand, and those of runs that were stopped and extended."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from leap_lab.decoding.decoder import graded_rows
from leap_lab.engines.base import Request, Sampling
from leap_lab.engines.scripted import ScriptedEngine
from leap_lab.methods.base import Method
from leap_lab.methods.independent import Independent
from leap_lab.run import main
from leap_lab.runs.flops import Flops
from leap_lab.runs.ledger import COLUMNS, ledger
from leap_lab.runs.reading import read_groups
from tests.doubles import PROMPTS, QUESTION, job, leap

HEAD = len("[user]Q: 1+1[assistant]<think>\n")
ASK = len("\n\nTRIGGER\n<summarize>")
FORCE = len("\n</think>\n\n\\boxed{")


def script(text: str, request: Request) -> str:
    """Thinks in words without an end, sums up, and after a comment closes its thinking."""
    if text.endswith("<summarize>"):
        return "S</summarize>"
    if text.endswith("\\boxed{"):
        return "9}\n"
    if text.endswith("</think>"):
        return "\\boxed{2}"
    return "</think>" if "</comment>" in text else "x" * 400


def spent(method: Method, flops: Flops | None, groups: int = 1) -> dict[str, Any]:
    rows = []
    for group in range(groups):
        paths = asyncio.run(method.solve(job(2, group), ScriptedEngine(script)))
        rows += graded_rows("r", QUESTION, group, paths)
    return ledger(pd.DataFrame(rows)[COLUMNS], flops)


def test_independent_paths_by_hand() -> None:
    """Two paths of 50 tokens and a forced answer of 3: the last token of each request does not go through the model."""
    found = spent(Independent(50, 4, Sampling(), PROMPTS), Flops(2, 3, 5))
    prompts = HEAD + (HEAD + 50 + FORCE)
    attended = sum(range(1, HEAD + 50)) + sum(range(1, HEAD + 50 + FORCE + 2 + 1))
    assert found["flops"] == 2 * (2 * (prompts + 49 + 2) + 3 * (50 + 3) + 5 * attended)
    assert (found["prefilled"], found["cached"], found["requests"]) == (2 * prompts, 0, 4)
    assert (found["sampled"], found["thinking"], found["answers"], found["forced_answers"]) == (106, 100, 6, 6)
    assert (found["questions"], found["groups"], found["paths"], found["critical_path_mean"]) == (1, 1, 2, 53)
    assert found["probes"] == {"sampled": 0, "requests": 0, "prefilled": 0, "cached": 0, "flops": 0}


def test_a_probed_exchange_by_hand() -> None:
    """20 tokens, a summary, `</think>` and an answer; and two probes of a path that answer at once."""
    found = spent(leap(probe_tokens=0), Flops(2, 3, 5), groups=3)
    summary, answer, comment = len("S</summarize>"), len("\\boxed{2}"), found["received"] // 6
    ends = [HEAD, HEAD + 20 + ASK, HEAD + 20 + ASK + summary + comment]
    ends.append(ends[-1] + len("</think>"))
    assert found["prefilled"] == 6 * sum(ends)
    assert (found["thinking"], found["summaries"], found["answers"], found["forced_answers"]) == (
        6 * 28,
        6 * summary,
        6 * answer,
        0,
    )
    assert (found["critical_path_mean"], found["critical_path_max"]) == (28 + summary + answer,) * 2
    assert (found["groups"], found["paths"], found["requests"]) == (3, 6, 6 * 4)
    probes = found["probes"]
    assert (probes["sampled"], probes["requests"]) == (6 * 2 * 3, 6 * 2)
    assert probes["prefilled"] == 6 * (HEAD + 20 + FORCE + ends[2] + FORCE)


def test_operations_that_are_not_known_are_null() -> None:
    found = spent(Independent(50, 4, Sampling(), PROMPTS), None)
    assert found["flops"] is None and found["probes"]["flops"] is None


def run(runs: Path, *arguments: str) -> tuple[Path, dict[str, Any]]:
    settings = ["engine=scripted", "tracking=none", "peers=4", "baseline=false", f"runs_dir={runs}"]
    assert main([*settings, *arguments]) == 0
    [file] = runs.glob("*/run.json")
    return file.parent, json.loads(file.read_text())["ledger"]


def test_a_run_that_goes_on_counts_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two sessions, of which the second decodes one question more."""
    folder, first = run(tmp_path, "limit=2")
    _, second = run(tmp_path, "limit=3")
    assert (first["questions"], second["questions"], second["paths"]) == (2, 3, 12)
    rows = read_groups(folder, COLUMNS)
    assert second["sampled"] == rows["tokens_think"].sum() + rows["tokens_summary"].sum() > first["sampled"]
    assert second["wall_s"] > first["wall_s"]
    assert second["flops"] is None and second["flops_unknown"] == "a program is in the model's place"
    assert json.loads((folder / "metrics.json").read_text())["ledger"] == second
    assert run(tmp_path, "limit=3")[1] == second, "nothing was decoded"
