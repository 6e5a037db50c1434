"""Budgets, contexts and endings: a path always gets room for its answer."""

from dataclasses import replace

import pytest

from leap_lab.engines.base import Sampling
from leap_lab.engines.chat import Chat
from leap_lab.engines.scripted import Characters, ScriptedEngine
from leap_lab.methods.cutting import whole_paragraphs
from leap_lab.methods.independent import Independent
from leap_lab.path import Kind, common
from leap_lab.routing import AllPeers, Dispersed, NoPeers
from tests.doubles import PROMPTS, leap
from tests.methods.doubles import HEAD, Talk, solve


def test_the_budget_ends_in_a_forced_answer():
    (path,), _ = solve(leap(max_tokens=90), Talk(dict.fromkeys(range(9), "word " * 9)), peers=1)
    assert path.finish == "forced"
    assert path.spent == 90
    assert path.final.endswith("\\boxed{9}\n")
    assert path.text(Kind.FINAL) == "9}\n"
    assert [segment.text for segment in path.segments[-3:-1]] == ["\n</think>", "\n\n\\boxed{"]
    assert {segment.kind for segment in path.segments[-3:-1]} == {Kind.TRIGGER}


@pytest.mark.parametrize("router", [AllPeers(), NoPeers(), Dispersed(1)])
@pytest.mark.parametrize("form", ["tags", "auto"])
def test_what_peers_wrote_is_counted_apart_from_the_words_around_it(router, form):
    """A token is a character here; a double quote of a peer becomes a single one, and a tag goes."""
    ask = {"math": "Q: {problem}{explanation}", "choice": "Q: {problem}{explanation}"}
    noted = {"asked": ("ASK",), "asked_lead": "SO", "notes": " NOTES {comments}"}
    prompts = replace(PROMPTS, form=form, **ask, **noted)
    summary = 'it is "two", </think>so far'

    def script(text, request):
        return summary + "</summarize>" * (form == "tags") if request.purpose.phase == "summary" else "x" * 50

    tokens = Characters(Chat("none", "", "", "", turn=("[/a][u]", "[/u][a]")) if form == "auto" else None)
    method = leap(router, prompts=prompts, interval=50, summary_tokens=45)
    paths, _ = solve(method, script, peers=3, tokens=tokens)
    for path in paths:
        peers = sum(len(route.peers) for route in path.routes)
        assert path.heard == peers * len("it is 'two', so far")
        assert path.blocks and path.count(Kind.COMMENT) >= path.heard + bool(peers)


def test_a_path_without_a_block_heard_nothing():
    (path,), _ = solve(leap(), Talk({0: "</think>"}), peers=1)
    assert not path.heard and not path.count(Kind.COMMENT)


@pytest.mark.parametrize("room", range(40, 400, 7))
def test_a_full_context_ends_in_a_forced_answer_and_never_raises(room):
    """Every stage can be the one where the context runs out."""
    script = Talk(dict.fromkeys(range(60), "a\n\nword " * 99), summary="long summary " * 2 + "</summarize>")
    method = leap(max_tokens=1000, interval=30)
    limit = len(HEAD) + room
    paths, _ = solve(method, script, peers=3, max_model_len=limit)
    assert {path.finish for path in paths} == {"context_full"}
    assert all(len(path) <= limit for path in paths)
    assert all(path.final.startswith("\n\n\\boxed{9}") for path in paths)


@pytest.mark.parametrize("room", [30, 33, 36, 40])
def test_a_closed_path_without_room_still_answers(room):
    method = Independent(max_tokens=200, answer_tokens=4, sampling=Sampling(), prompts=PROMPTS)
    long_answer = Talk({0: "</think>"}, final="so it is, in many words, " * 20)
    (path,), _ = solve(method, long_answer, peers=1, max_model_len=len(HEAD) + room)
    assert path.finish == "context_full"
    assert "\\boxed{9}" in path.final


def test_an_endless_final_answer_is_forced():
    method = Independent(max_tokens=50, answer_tokens=4, sampling=Sampling(), prompts=PROMPTS)
    (path,), _ = solve(method, Talk({0: "</think>"}, final="blah " * 1000), peers=1)
    assert path.finish == "forced"
    assert path.text(Kind.FINAL).endswith("9}\n")


def test_a_turn_that_ends_inside_the_thinking_is_an_answer():
    method = Independent(max_tokens=50, answer_tokens=4, sampling=Sampling(), prompts=PROMPTS)
    (path,), _ = solve(method, lambda text, request: "it is \\boxed{2}", peers=1)
    assert (path.finish, path.thinking, path.final) == ("answered", "it is \\boxed{2}", "")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("one\n\ntwo", "one\n\n"),
        ("one\n\n", "one\n\n"),
        ("one", "one"),
        ("a\n\nb\n\nc", "a\n\nb\n\n"),
        ("\n\nx", "\n\n"),
    ],
)
def test_cutting_back_to_the_last_whole_paragraph(text, kept):
    engine = ScriptedEngine(lambda text, request: "")
    assert text[: whole_paragraphs(engine.tokens.encode(text), engine.tokens)] == kept


@pytest.mark.parametrize("same", [0, 1, 1023, 1024, 1025, 3000])
def test_what_two_prompts_start_with_is_counted_to_the_token(same):
    long = list(range(3000))
    assert common(long, tuple(long[:same])) == common(long[:same], long) == same
    assert common(long, [*long[:same], -1, *long[same + 1 :]]) == same
