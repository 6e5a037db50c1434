"""What a path tells: each kind followed token by token (a token is a character here), and on whose bill it is."""

import pytest

from leap_lab.decoding.decoder import graded_rows
from leap_lab.engines.base import GREEDY
from leap_lab.errors import UserError
from leap_lab.path import Kind
from leap_lab.routing import AllPeers, Dispersed, NoPeers, Pooled
from tests.doubles import QUESTION, leap, who
from tests.methods.doubles import HEAD, kinds, solve
from tests.methods.grid import BOARD, DISTILLER, sent

STRETCH = {0: "zero zero zero zero ", 1: "unit unit unit unit "}  # of 20 tokens


def script(text, request):
    path, turn = who(request)
    if text.endswith("<notes>\n"):
        return f"insight: path {path} turn {turn}\nso what\npitfall: not {path}\n</notes>"
    if text.endswith("\\boxed{"):
        return f"{path}{turn}}}\n"
    if text.endswith("</think>"):
        return "\\boxed{2}"
    return "done</think>" if turn == 1 else STRETCH[path]


def test_the_end_of_the_thinking_is_told_without_a_request():
    paths, engine = solve(leap(share="tail", summary_tokens=9), script)
    assert [phase for phase, _ in sent(engine, 0)] == ["think", "think", "final"]
    comment = '\n<comment>\nPeer 1: "nit unit"\n</comment>\n\nHEARD\n\n'
    assert [(part.kind, part.text) for part in paths[0].segments[:3]] == [
        (Kind.PROMPT, HEAD),
        (Kind.THINK, STRETCH[0]),
        (Kind.COMMENT, comment),
    ]
    assert paths[0].spent == 20 + len("done</think>") and not paths[0].helpers
    assert paths[0].routes[0].peers == (1,)


def test_the_answer_of_now_comes_from_a_copy_and_is_counted_as_an_answer():
    paths, engine = solve(leap(share="answer"), script)
    assert [phase for phase, _ in sent(engine, 1)] == ["think", "answer", "think", "final"]
    assert sent(engine, 1)[1][1] == HEAD + STRETCH[1] + "\n</think>\n\n\\boxed{"
    assert next(r for r in engine.requests if r.purpose.phase == "answer").sampling == GREEDY
    one = paths[0]
    assert one.text(Kind.COMMENT) == '\n<comment>\nPeer 1: "\\boxed{10}"\n</comment>\n\nHEARD\n\n'
    assert "\\boxed{00" not in one.text(), "the copy leaves nothing in the path"
    assert one.spent == 20 + len("done</think>"), "answers are not charged"
    [row, _] = graded_rows("r", QUESTION, 0, paths)
    sampled = len("00}\n"), len("\\boxed{2}")
    assert (row["tokens_answer"], row["tokens_forced"]) == (sum(sampled), sampled[0])
    assert row["tokens_think"] == one.spent + sum(sampled)
    assert row["tokens_prefilled"] == sum(len(text) for _, text in sent(engine, 0))
    assert row["critical_path"] == one.spent + sum(sampled)
    assert row["tokens_prefilled_least"] == len(HEAD) + one.count(Kind.COMMENT) + len("\n</think>\n\n\\boxed{") + 3


def test_notes_come_from_a_chat_of_their_own_and_are_charged():
    paths, engine = solve(leap(share="notes", notes=DISTILLER, summary_tokens=60), script)
    assert [phase for phase, _ in sent(engine, 0)] == ["think", "notes", "think", "notes", "final"]
    first = "[user]D Q: 1+1 |  | zero zero zero zero [assistant]<think>\n\n</think><notes>\n"
    assert sent(engine, 0)[1] == ("notes", first)
    written = "insight: path 0 turn 0\nso what\npitfall: not 0\n</notes>"
    comment = 'Peer 1: "insight: path 1 turn 0 pitfall: not 1"'
    assert comment in paths[0].text(Kind.COMMENT)
    again = '[user]D Q: 1+1 | Note 1: "insight: path 0 turn 0"\nNote 2: "pitfall: not 0" | done</think>'
    assert sent(engine, 0)[3][1].startswith(again), "a path that closed its thinking still tells"
    assert paths[0].aside == len(written) * 2
    assert paths[0].spent == 20 + len("done</think>") + paths[0].aside
    [row, _] = graded_rows("r", QUESTION, 0, paths)
    assert row["tokens_summary"] == paths[0].aside
    assert row["tokens_prefilled"] == sum(len(text) for _, text in sent(engine, 0))
    request = next(r for r in engine.requests if r.purpose.phase == "notes")
    assert (request.sampling, request.max_tokens, request.stop) == (DISTILLER.sampling, 60, ("</notes>",))


@pytest.mark.parametrize("share", ["tail", "answer", "notes"])
def test_on_a_board_nothing_of_it_is_in_the_path(share):
    method = leap(share=share, board=True, board_text=BOARD, notes=DISTILLER, summary_tokens=60)
    paths, engine = solve(method, script)
    asked_again = [("again", 0), ("comment", 0), ("trigger", 0)]
    assert kinds(paths[0]) == [("prompt", 0), ("think", 0), *asked_again, ("think", 1), ("final", 1)]
    said = {"tail": "unit unit unit unit", "answer": "\\boxed{10}", "notes": "insight: path 1 turn 0 pitfall: not 1"}[
        share
    ]
    last = [text for phase, text in sent(engine, 0) if phase == "think"][-1]
    assert last.startswith(f'[user]Q: 1+1 BOARD Peer 1: "{said}')
    assert last.endswith(" END[assistant]<think>\n" + STRETCH[0])
    assert paths[0].thinking == STRETCH[0] + "done</think>"


def test_a_summary_for_the_board_is_asked_for_in_the_text_and_then_forgotten():
    def told(text, request):
        return f"I am {who(request)[0]}</summarize>" if text.endswith("<summarize>") else script(text, request)

    paths, engine = solve(leap(board=True, board_text=BOARD), told)
    one = sent(engine, 0)
    assert one[1] == ("summary", HEAD + STRETCH[0] + "\n\nTRIGGER\n<summarize>")
    assert one[2][1] == '[user]Q: 1+1 BOARD Peer 1: "I am 1" END[assistant]<think>\n' + STRETCH[0]
    assert paths[0].spent == 20 + len("I am 0</summarize>") + len("done</think>")
    assert paths[0].heard == len("I am 1")


def test_on_a_board_that_nobody_has_written_on_the_question_stands_alone():
    _, engine = solve(leap(NoPeers(), share="tail", board=True, board_text=BOARD), script)
    assert all(text.startswith(HEAD) for _, text in sent(engine, 0))


def test_a_board_without_room_is_not_heard():
    method = leap(share="tail", board=True, board_text=BOARD + "x" * 99, max_tokens=60)
    paths, _ = solve(method, script, max_model_len=130)
    assert [path.blocks for path in paths] == [0, 0]
    assert {path.finish for path in paths} == {"answered"}


def test_a_pool_is_heard_by_a_draw_of_what_others_told():
    """Three paths; two say the same, so the pool has two texts, and whoever wrote one does not hear it."""

    def same(text, request):
        if text.endswith("<summarize>"):
            return ["the sum is 2", "The SUM is 2.", "no idea at all"][who(request)[0]] + "</summarize>"
        return "done</think>" if "HEARD" in text or "ALONE" in text or "</think>" in text else "word " * 4

    paths, _ = solve(leap(Pooled(draw=5)), same, peers=3)
    heard = [{(peer, round(alike, 3)) for peer, alike in zip(*_route(path), strict=True)} for path in paths]
    assert [{peer for peer, _ in each} for each in heard] == [{2}, {0, 2}, {0}]
    assert paths[1].text(Kind.COMMENT).count("the sum is 2") == 1


def _route(path):
    [route] = path.routes
    return route.peers, route.similarity


def test_a_pool_draws_as_many_as_it_is_to_and_as_many_as_fit():
    def many(text, request):
        if text.endswith("<summarize>"):
            return "abcdefgh"[who(request)[0]] * 20 + "</summarize>"
        return "done</think>" if "HEARD" in text else "word " * 4

    for draw, room, count in ((3, 1000, 3), (99, 1000, 7), (99, 300, 3)):
        paths, _ = solve(leap(Pooled(draw=draw)), many, peers=8, max_model_len=room)
        assert {len(path.routes[0].peers) for path in paths} == {count}, (draw, room)
        assert len({path.routes[0].peers for path in paths}) > 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"share": "all"}, "method.share=all: must be summary or tail or answer or notes"),
        ({"share": "notes"}, "method.share=notes: needs method.notes"),
        ({"board": 1}, "method.board=1: must be true or false"),
        ({"board": True, "board_text": "{question}"}, "method.board_text='{question}': must name"),
        ({"schedule": "often"}, "method.schedule=often: must be interval or novelty"),
        ({"schedule": "novelty", "novelty_stop": 0.5}, "method.novelty_stop=0.5: must be <= method.novelty_start=0.4"),
        ({"schedule": "novelty", "barrier": False}, "method.barrier=false: no block is common to all"),
        ({"router": Pooled(), "barrier": False}, "method.barrier=false: a pool is filled block by block"),
        ({"router": Pooled(draw=0)}, "router.draw=0: must be an integer >= 1"),
        ({"router": Pooled(same=0)}, "router.same=0: must be a number > 0 and <= 1"),
        ({"barrier": "no"}, "method.barrier=no: must be true or false"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(settings, message):
    with pytest.raises(UserError) as refused:
        leap(**{"interval": 40} | settings).check(4, 1000)
    assert str(refused.value).startswith(message) and "\n" not in str(refused.value)


@pytest.mark.parametrize("share", ["summary", "tail", "answer", "notes"])
@pytest.mark.parametrize("board", [False, True])
def test_seeds_are_distinct_and_no_budget_is_exceeded(share, board):
    def endless(text, request):
        return script(text, request) if text.endswith(("<notes>\n", "\\boxed{", "</think>")) else "word " * 99

    method = leap(Dispersed(2), share=share, board=board, board_text=BOARD, notes=DISTILLER, max_tokens=150)
    paths, engine = solve(method, endless, peers=4)
    seeds = [request.seed for request in engine.requests]
    assert len(set(seeds)) == len(seeds) > 20
    assert all(path.spent <= 150 and path.blocks > 1 for path in paths)
    rows = graded_rows("r", QUESTION, 0, paths)
    assert sum(row["tokens_think"] + row["tokens_summary"] - row["tokens_answer"] for row in rows) <= 4 * 150


def test_all_peers_on_a_board_are_numbered():
    _, engine = solve(leap(AllPeers(), share="answer", board=True, board_text=BOARD), many_answers, peers=4)
    asked = [text for phase, text in sent(engine, 2) if phase == "think"][-1]
    assert 'Peer 1: "\\boxed{30}"\nPeer 2: "\\boxed{00}"\nPeer 3: "\\boxed{10}" END' in asked


def many_answers(text, request):
    return "word word word word " if who(request)[1] == 0 and text.endswith("<think>\n") else script(text, request)
