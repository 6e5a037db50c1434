"""What all methods that score or stop paths keep: stopped anywhere they resume, contexts, beginnings, their rows."""

import asyncio
from dataclasses import replace

import pytest

from leap_lab.confidence import Confidence, Recording
from leap_lab.decoding.decoder import graded_rows
from leap_lab.engines.journaled import Journaled
from leap_lab.path import Kind
from leap_lab.runs import groupfile
from tests.doubles import QUESTION, job, leap
from tests.engines.test_journaled import Killed, Mortal
from tests.methods.agents import Engine
from tests.methods.doubles import HEAD, Talk
from tests.methods.scored import (
    END,
    Says,
    best_of_n,
    budget_forcing,
    by_digit,
    check,
    deepconf,
    prune,
    short,
    solve,
    timeless,
)

TEXTS = ("55555" + END, "6663366" + END, "444433334444" + END, "7" + END)
METHODS = {
    "best_of_n": best_of_n(select="borda"),
    "deepconf": deepconf(eta=50),
    "prune": prune(keep=2),
    "prune by agreement": prune(scorer="agreement", keep=2),
    "short": short(m=2),
    "budget_forcing": budget_forcing(waits=2),
}
ALL = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


def decoded(method, engine):
    try:
        return timeless(asyncio.run(method.solve(job(4), engine)))
    finally:
        if isinstance(engine, Journaled):
            engine.stop()


def fresh():
    return Engine(Says(*TEXTS), logprobs=by_digit)


@ALL
def test_a_group_stopped_at_any_request_ends_as_one_that_was_not(tmp_path, method):
    engine = fresh()
    whole, total = decoded(method, engine), len(engine.requests)
    assert total >= 7
    for stopped_at in range(total):
        file = tmp_path / "journal" / f"{stopped_at}.jsonl"
        with pytest.raises((Killed, BaseExceptionGroup)):
            decoded(method, Journaled(Mortal(fresh(), stopped_at), file))
        again = fresh()
        assert decoded(method, Journaled(again, file)) == whole
        assert len(again.requests) == total - stopped_at


@ALL
def test_the_order_in_which_requests_end_does_not_matter(method):
    class Slow(Engine):
        """The later a path's index, the sooner its requests end."""

        async def generate(self, request):
            await asyncio.sleep(0.002 * (4 - request.purpose.path))
            return await super().generate(request)

    assert decoded(method, Slow(Says(*TEXTS), logprobs=by_digit)) == decoded(method, fresh())


@ALL
@pytest.mark.parametrize("room", [28, 33, 41, 60])
def test_contexts_that_end_early_end_in_answers(method, room):
    longer = replace(method, max_tokens=400)
    paths, engine = solve(longer, *("9876" * 30 for _ in range(4)), max_model_len=len(HEAD) + room)
    check(paths, engine, longer)
    assert {path.finish for path in paths} <= {"context_full", "stopped"}
    assert all(len(path) <= len(HEAD) + room for path in paths)


@ALL
def test_beginnings_are_kept(method):
    beginnings = tuple(tuple(map(ord, text[:1])) for text in TEXTS)
    engine = fresh()
    paths = asyncio.run(method.solve(replace(job(4), beginnings=beginnings), engine))
    assert [path.text(Kind.PREFIX) for path in paths] == [text[0] for text in TEXTS]
    if method is METHODS["best_of_n"]:
        assert [path.text(Kind.PREFIX, Kind.THINK, Kind.FINAL) for path in paths] == list(TEXTS)


@ALL
def test_a_stopped_path_has_no_answer_whatever_it_thought(method):
    """A box stands in the thinking of every path, from the first token on."""
    paths, _ = solve(method, *("\\boxed{2}" + text for text in TEXTS))
    for path, row in zip(paths, graded_rows("r", QUESTION, 0, paths), strict=True):
        assert (row["answer"] is None) == (path.finish == "stopped")
        assert (row["extraction"] == "none") == (path.finish == "stopped")


def test_a_run_that_asks_keeps_the_confidence_of_every_method(tmp_path):
    """LeaP, with what it cuts before a summary: confidences are of the tokens that stayed in the path."""
    method = leap()
    asked = Recording(top_logprobs=5, window=8, per_token=True)
    script = Talk({0: "12345\n\n6789" * 9, 1: "333</think>"}, summary="77</summarize>", final="\\boxed{x}")
    engine = Engine(script, logprobs=by_digit)
    paths = asyncio.run(method.solve(replace(job(2), recording=asked), engine))
    check(paths, engine, method)
    rows = graded_rows("r", QUESTION, 0, paths)
    table = groupfile.read(groupfile.write(tmp_path, rows), None)
    for path, row, kept in zip(paths, rows, table.to_pylist(), strict=True):
        assert path.tokens_cut, "something was cut"
        own = "".join(segment.text for segment in path.segments if segment.kind in ("think", "summary", "final"))
        assert path.confidences == [float(each) if each.isdigit() else 4.0 for each in own]
        found = Confidence.of(path.confidences, 8)
        assert [row[f"confidence_{name}"] for name in ("mean", "tail", "lowest", "bottom")] == [
            found.mean,
            found.tail,
            found.lowest,
            found.bottom,
        ]
        assert kept["confidences"] == path.confidences and kept["confidence_lowest"] == found.lowest
    assert {request.top_logprobs for request in engine.requests} == {5}


@pytest.mark.parametrize(("asked", "columns"), [(Recording(), 0), (Recording(2, 4), 4), (Recording(2, 4, True), 5)])
def test_only_what_was_asked_for_is_kept(asked, columns):
    paths = asyncio.run(leap().solve(replace(job(2), recording=asked), Engine(Talk({}))))
    names = ("confidence_mean", "confidence_tail", "confidence_lowest", "confidence_bottom", "confidences")
    for row in graded_rows("r", QUESTION, 0, paths):
        assert sum(row[name] is not None for name in names) == columns


def test_probes_ask_for_no_log_probabilities():
    engine = Engine(Talk({0: "a\n\n" * 9}))
    asyncio.run(leap(probe_tokens=4).solve(replace(job(2), recording=Recording(2)), engine))
    told = {bool(request.purpose.probe): request.top_logprobs for request in engine.requests}
    assert told == {False: 2, True: 0}


def test_an_engine_that_tells_none_is_named():
    engine = Engine(Says(*TEXTS), logprobs=lambda request, tokens: None)
    with pytest.raises(ValueError, match="log-probabilities were asked for, and the engine told none"):
        asyncio.run(best_of_n().solve(job(4), engine))
