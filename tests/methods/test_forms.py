"""How paths exchange words: in tags or in the question; and what a path opens of its own accord."""

import asyncio
from dataclasses import replace

import pytest

from leap_lab.engines.base import Completion, Sampling
from leap_lab.engines.chat import Chat
from leap_lab.engines.scripted import Characters, ScriptedEngine
from leap_lab.errors import UserError
from leap_lab.methods.independent import Independent
from leap_lab.path import Kind
from leap_lab.prompts import Prompts
from tests.doubles import PROMPTS, job, leap, who
from tests.methods.doubles import HEAD, solve

ANSWERING = Chat("none", "", "", "", turn=("[/a][u]", "[/u][a]"))  # a model that does not think
NOTED: Prompts = replace(
    PROMPTS,
    form="auto",
    math="Q: {problem}{explanation}",
    choice="Q: {problem}{explanation}",
    asked=("ASK",),
    asked_lead="SO",
    notes=" NOTES {comments}",
)
EXPLAINED = replace(PROMPTS, math="Q: {problem}{explanation}", explanation=" TAGS", head="SHOWN")


def answering(text, request):
    if text.endswith("SO"):
        return f" path {who(request)[0]} has 2"
    return "so \\boxed{2}" if "NOTES" in text else "one\n\ntwo and three, four"


def noted_paths(script=answering, **settings):
    method = leap(prompts=NOTED, **{"interval": 20, "summary_tokens": 15, **settings})
    return solve(method, script, peers=2, tokens=Characters(ANSWERING))


def test_a_model_that_does_not_think_is_told_in_its_question_and_goes_on_where_it_stood():
    paths, _ = noted_paths()
    for path in paths:
        assert [(part.kind, part.text) for part in path.segments] == [
            (Kind.PROMPT, "[user]Q: 1+1[assistant]<think>\n"),
            (Kind.THINK, "one\n\ntwo and three, "),
            (Kind.TRIGGER, "[/a][u]ASK[/u][a]SO"),
            (Kind.SUMMARY, f" path {path.index} has 2"),
            (Kind.AGAIN, "[user]Q: 1+1"),
            (Kind.COMMENT, f' NOTES Peer 1: "path {1 - path.index} has 2"'),
            (Kind.TRIGGER, "[assistant]<think>\none\n\ntwo and three, "),
            (Kind.THINK, "so \\boxed{2}"),
        ]
        assert path.thinking == "one\n\ntwo and three, so \\boxed{2}", "what it repeats counts once"
        assert path.spent == 20 + path.count(Kind.SUMMARY) + len("so \\boxed{2}")


def test_the_engine_sees_the_question_with_the_notes_and_nothing_from_before():
    paths, engine = noted_paths()
    seen = {engine.tokens.decode(request.prompt) for request in engine.requests if request.purpose.turn == 1}
    assert seen == {
        f'[user]Q: 1+1 NOTES Peer 1: "path {1 - path.index} has 2"[assistant]<think>\none\n\ntwo and three, '
        for path in paths
    }


def test_notes_of_a_later_block_take_the_place_of_earlier_ones():
    def script(text, request):
        if text.endswith("SO"):
            return f" found {request.purpose.turn}"
        return "\\boxed{2}" if "found 1" in text else "word " * 4

    paths, engine = noted_paths(script, max_tokens=200)
    assert [path.blocks for path in paths] == [2, 2]
    last = [engine.tokens.decode(request.prompt) for request in engine.requests if request.purpose.turn == 2]
    assert len(last) == 2 and all("found 1" in text and "found 0" not in text for text in last)


def test_where_notes_have_no_room_the_path_goes_on_from_its_own_words():
    def script(text, request):
        if text.endswith("SO"):
            return " has 2"
        return "\\boxed{2}" if request.purpose.turn else "one two three, four five"

    method = leap(prompts=replace(NOTED, notes=" {comments}" + "at length " * 9), interval=20, summary_tokens=15)
    paths, engine = solve(method, script, peers=2, tokens=Characters(ANSWERING), max_model_len=125)
    assert [path.blocks for path in paths] == [0, 0]
    last = [engine.tokens.decode(request.prompt) for request in engine.requests if request.purpose.turn == 1]
    assert last == ["[user]Q: 1+1[assistant]<think>\none two three, four "] * 2, "no trace of the summary"
    assert [path.answer or path.thinking for path in paths] == ["one two three, four \\boxed{2}"] * 2


def test_where_nobody_has_a_finding_nobody_is_heard():
    def script(text, request):
        if text.endswith("<summarize>"):
            return "nothing yet</summarize>"
        return "fine \\boxed{2}</think>" if "ALONE" in text else "word " * 9

    paths, _ = solve(leap(prompts=replace(PROMPTS, nothing="nothing yet")), script, peers=3)
    assert [path.routes[0].peers for path in paths] == [(), (), ()]
    assert all("Peer 1" not in path.text(Kind.COMMENT) for path in paths)


@pytest.mark.parametrize("opened", ["<summarize>", "<comment>"])
def test_a_block_of_ones_own_is_cut_and_counted(opened):
    def script(text, request):
        return f"own {opened} words" if request.purpose.phase == "think" else "then \\boxed{2}</think>"

    (path,), engine = solve(leap(max_tokens=200, interval=100), script, peers=1)
    assert path.own_blocks == 1
    assert path.thinking == "own then \\boxed{2}</think>"
    assert path.tokens_cut == len(opened)
    assert path.spent == len(f"own {opened}then \\boxed{{2}}</think>"), "what is cut stays on the bill"
    assert len(engine.requests) == 3


def test_a_path_that_only_opens_blocks_comes_to_an_end():
    (path,), _ = solve(leap(max_tokens=200), lambda text, request: "<comment>", peers=1)
    assert path.own_blocks >= 3 and path.finish == "forced"


def test_the_baseline_may_write_any_tag():
    method = Independent(max_tokens=50, answer_tokens=4, sampling=Sampling(), prompts=PROMPTS)
    (path,), _ = solve(method, lambda text, request: "a <comment> \\boxed{2}", peers=1)
    assert (path.thinking, path.own_blocks) == ("a <comment> \\boxed{2}", 0)


@pytest.mark.parametrize(("explain", "asked"), [(False, HEAD), (True, "[user]Q: 1+1 TAGS[assistant]<think>\nSHOWN")])
def test_the_baseline_gets_the_plain_prompt_unless_the_words_are_what_is_measured(explain, asked):
    method = Independent(max_tokens=50, answer_tokens=4, sampling=Sampling(), prompts=EXPLAINED, explain=explain)
    (path,), _ = solve(method, lambda text, request: "\\boxed{2}", peers=1)
    assert path.segments[0].text == asked


def test_a_message_without_the_answer_that_was_asked_for_is_asked_for_it():
    method = Independent(max_tokens=50, answer_tokens=4, sampling=Sampling(), prompts=PROMPTS)
    (path,), _ = solve(method, lambda text, request: "9}" if text.endswith("\\boxed{") else "it is two", peers=1)
    assert path.finish == "forced"
    assert path.final == "\n\n\\boxed{9}"


def test_a_tag_that_merges_with_what_follows_still_ends_the_thinking():
    """The engine says which stop string it met; the text may run past it."""

    class Merging(ScriptedEngine):
        async def generate(self, request):
            done = await super().generate(request)
            extra = self.tokens.encode("<") if done.stop == "</think>" else []
            return Completion([*done.tokens, *extra], done.stopped, done.prefilled, done.stop)

    method = Independent(max_tokens=50, answer_tokens=4, sampling=Sampling(), prompts=PROMPTS)
    engine = Merging(lambda text, request: "answer>\\boxed{2}" if text.endswith("<") else "so</think>")
    (path,) = asyncio.run(method.solve(job(1), engine))
    assert (path.closed, path.final) == (True, "answer>\\boxed{2}")


@pytest.mark.parametrize(
    ("summary", "ended", "passed"),
    [
        ("It is 2.", True, "It is 2."),
        ("It is", False, ""),
        ("Nothing yet.", True, ""),
        ("the sum is 17", True, ""),
    ],
)
def test_what_is_no_finding_is_not_passed_on(summary, ended, passed):
    prompts = replace(PROMPTS, nothing="nothing yet", unclosed=False, example="So the sum is  17, I think.")
    assert prompts.finding(summary, ended) == passed
    assert PROMPTS.finding(summary, ended) == summary, "a tuned model's summaries are passed on as they are"


def test_a_path_without_a_finding_hears_and_is_not_heard():
    def script(text, request):
        path = who(request)[0]
        if text.endswith("<summarize>"):
            return "nothing yet</summarize>" if path == 0 else f"{path}</summarize>"
        return "fine \\boxed{2}</think>" if "HEARD" in text else "word " * 9

    paths, _ = solve(leap(prompts=replace(PROMPTS, nothing="nothing yet")), script, peers=3)
    heard = {path.index: set(path.routes[0].peers) for path in paths}
    assert heard == {0: {1, 2}, 1: {2}, 2: {1}}


@pytest.mark.parametrize("form", ["turns", "prose", "shouting"])
def test_a_form_needs_its_words(form):
    with pytest.raises(UserError, match=r"prompts\.form="):
        replace(PROMPTS, form=form)
