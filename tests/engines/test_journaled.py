"""The journal: a group that was stopped anywhere goes on with what it had, and ends as if nothing had happened."""

import asyncio
from dataclasses import replace

import pytest

from leap_lab.engines.base import Request, Sampling
from leap_lab.engines.journaled import Journaled, key_of, read
from leap_lab.engines.scripted import ScriptedEngine
from leap_lab.path import Path
from tests.doubles import Killed, Mortal, job, leap


def script(text: str, request: Request) -> str:
    """Thinking whose words depend on the seed, summaries that close, and answers."""
    if text.endswith("<summarize>"):
        return f" after {request.seed} </summarize> more"
    return f"step {request.seed}\n\n" * 30 + "\\boxed{2}\n"


def decoded(engine: ScriptedEngine | Journaled) -> list[Path]:
    try:
        paths = asyncio.run(leap(probe_tokens=8).solve(job(peers=3), engine))
    finally:
        if isinstance(engine, Journaled):
            engine.stop()
    for path in paths:
        path.started_s = path.finished_s = 0.0
        for branch in path.branches:
            branch.path.started_s = branch.path.finished_s = 0.0
    return paths


def test_a_group_stopped_at_any_request_ends_as_one_that_was_not(tmp_path):
    engine = ScriptedEngine(script)
    whole, total = decoded(engine), len(engine.requests)
    assert total > 20
    for stopped_at in range(total):
        file = tmp_path / "journal" / f"{stopped_at}.jsonl"
        with pytest.raises((Killed, BaseExceptionGroup)):
            decoded(Journaled(Mortal(ScriptedEngine(script), stopped_at), file))
        again = ScriptedEngine(script)
        resumed = Journaled(again, file)
        assert decoded(resumed) == whole
        assert len(again.requests) == total - stopped_at, "what was there is not sampled again, and nothing else is"
        resumed.discard()
        assert not file.exists()


def test_a_line_that_is_cut_short_or_damaged_is_sampled_again(tmp_path):
    file = tmp_path / "journal" / "q-0.jsonl"
    engine = ScriptedEngine(script)
    first = Journaled(engine, file)
    whole, total = decoded(first), len(engine.requests)
    lines = file.read_bytes().splitlines(keepends=True)
    assert len(lines) == total + 1
    lines[4] = lines[4].replace(b'"prefilled":', b'"prefilled":9')
    file.write_bytes(b"".join(lines)[:-7])
    again = ScriptedEngine(script)
    assert decoded(Journaled(again, file)) == whole
    assert len(again.requests) == 2
    assert sum(map(len, read(file).values())) == total


def test_equal_requests_of_one_group_are_each_sampled(tmp_path):
    engine = ScriptedEngine(script)
    request = Request([1, 2], 5, seed=3)
    journaled = Journaled(engine, tmp_path / "journal" / "q.jsonl")
    for _ in range(2):
        asyncio.run(journaled.generate(request))
    journaled.stop()
    assert len(engine.requests) == 2
    again = Journaled(ScriptedEngine(script), tmp_path / "journal" / "q.jsonl")
    for _ in range(3):
        asyncio.run(again.generate(request))
    again.stop()
    assert len(again.inner.requests) == 1


def test_all_that_bears_on_a_completion_names_it():
    request = Request([1, 2, 3], 5, seed=3, stop=("a",), priority=1, affinity=1)
    others = [
        replace(request, prompt=[1, 2]),
        replace(request, max_tokens=6),
        replace(request, seed=4),
        replace(request, stop=()),
        replace(request, sampling=Sampling(temperature=0.5)),
        replace(request, ignore_eos=True),
    ]
    assert len({key_of(each) for each in [request, *others]}) == 7
    assert key_of(replace(request, prompt=(1, 2, 3), priority=9, affinity=0)) == key_of(request)


def test_a_journal_that_cannot_be_written_costs_a_warning_and_no_group(tmp_path, caplog):
    (tmp_path / "journal").write_text("a file where the folder should be")
    assert decoded(Journaled(ScriptedEngine(script), tmp_path / "journal" / "q.jsonl")) == decoded(
        ScriptedEngine(script)
    )
    assert len(caplog.records) == 1 and "cannot be written" in caplog.text
