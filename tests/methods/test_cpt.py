"""CPT followed token by token (a token is a character here), and each of its rules by itself."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leap_lab.decoding.decoder import graded_rows
from leap_lab.engines.base import Sampling
from leap_lab.engines.journaled import Journaled
from leap_lab.engines.scripted import ScriptedEngine
from leap_lab.errors import UserError
from leap_lab.methods.cpt import Cpt
from leap_lab.path import Kind
from tests.doubles import PROMPTS, QUESTION, job, who
from tests.methods.doubles import kinds, solve
from tests.methods.grid import BOARD, DISTILLER, late, seen, sent

EMPTY = "[user]Q: 1+1 BOARD  END[assistant]<think>\n"


def cpt(**changes) -> Cpt:
    lengths = {"interval": 20, "max_tokens": 500, "notes_tokens": 60, "answer_tokens": 4}
    pool = {"draw": 9, "cap": 99, "same": 0.75, "embedding": None, "novelty_start": 0.8, "novelty_stop": 0.2}
    fixed = {"sampling": Sampling(), "prompts": PROMPTS, "notes": DISTILLER, "rules": BOARD}
    return Cpt(**(lengths | pool | fixed | changes))


def script(text, request):
    """Each path finds something of its own in the first three intervals; path 1 closes its thinking in the fourth."""
    path, turn = who(request)
    if text.endswith("<notes>\n"):
        return f"insight: {'abcdefg'[path]}{'uvw'[turn]} {'xyz'[turn] * 9}\n</notes>" if turn < 3 else "</notes>"
    if text.endswith("\\boxed{"):
        return "9}\n"
    if text.endswith("</think>"):
        return f"path {path}: \\boxed{{2}}"
    return "so it is</think>" if (path, turn) == (1, 3) else f"{path}{turn} word word word woxx"


def test_a_group_token_by_token():
    """New notes 2, 2, 2, 0, 0, 0: two thirds are left at block 3, where it is read; a third at 4; none at 5."""
    paths, engine = solve(cpt(same=0.97), script)
    one, two = paths
    phases = [(request.purpose.phase, request.purpose.turn) for request in engine.requests if who(request)[0] == 0]
    assert phases == [(phase, turn) for turn in range(6) for phase in ("think", "notes")] + [
        ("think", 6),
        ("answer", 6),
    ]
    thoughts = [f"0{turn} word word word wo" for turn in range(7)]
    prompts = [text for phase, text in sent(engine, 0) if phase == "think"]
    assert prompts[:4] == [EMPTY + "".join(thoughts[:turn]) for turn in range(4)], "nobody is told anything yet"
    assert prompts[4].startswith('[user]Q: 1+1 BOARD Note 1: "insight: ')
    assert prompts[4].endswith(" END[assistant]<think>\n" + "".join(thoughts[:4]))
    assert Counter(route.turn for route in one.routes) == {3: 1, 4: 1}
    assert len(one.routes[0].peers) == 6 and set(one.routes[0].peers) == {0, 1}, "one's own notes are in the pool"
    assert prompts[6] == prompts[5] + thoughts[5], "at the last block nobody is told anything new"
    assert one.thinking == "".join(thoughts) + "xx" and one.finish == "forced", "to its end in one request"

    assert kinds(two)[-2:] == [("think", 3), ("final", 3)] and not two.routes
    assert [phase for phase, _ in sent(engine, 1)] == ["think", "notes"] * 4 + ["final"], "its last words are distilled"


def test_what_is_charged_and_billed():
    paths, engine = solve(cpt(same=0.97), script)
    sampled = {
        path.index: len("".join(part.text for part in path.segments if part.kind is Kind.THINK)) for path in paths
    }
    notes = {path.index: sum(helper.count(Kind.SUMMARY) for helper in path.helpers) for path in paths}
    assert [path.spent for path in paths] == [sampled[index] + notes[index] for index in (0, 1)]
    rows = graded_rows("r", QUESTION, 0, paths)
    assert [row["tokens_summary"] for row in rows] == [notes[0], notes[1]]
    assert sum(row["tokens_prefilled"] for row in rows) == sum(len(request.prompt) for request in engine.requests)
    assert sum(row["requests"] for row in rows) == len(engine.requests)
    again = [helper for path in paths for helper in path.helpers if helper.segments[0].kind is not Kind.PROMPT]
    assert not again
    least = rows[0]["tokens_prefilled_least"]
    assert least < rows[0]["tokens_prefilled_most"] == rows[0]["tokens_prefilled"]
    assert rows[0]["tokens_heard"] > 0 and rows[0]["tokens_comment"] > rows[0]["tokens_heard"]


def test_waiting_for_the_longest_notes_is_on_the_critical_path():
    def uneven(text, request):
        if text.endswith("<notes>\n"):
            return f"insight: {'x' * 30 * who(request)[0]}.</notes>"
        if request.purpose.phase == "final":
            return "\\boxed{2}"
        return "</think>" if who(request)[1] == 1 else "word " * 4

    paths, _ = solve(cpt(), uneven)
    longest = len("insight: .</notes>") + 30
    assert [path.critical_path for path in paths] == [20 + longest + len("</think>") + longest + len("\\boxed{2}")] * 2


def test_every_request_has_its_own_seed_and_groups_differ():
    def seeds(**which):
        engine = ScriptedEngine(script)
        asyncio.run(cpt().solve(job(5, **which), engine))
        return [request.seed for request in engine.requests]

    found = seeds()
    assert len(set(found)) == len(found) > 40
    assert found == seeds() and not set(found) & {*seeds(group=1), *seeds(seed=8)}


def test_draws_differ_between_paths_and_blocks_and_repeat():
    def drawn():
        paths, _ = solve(cpt(draw=3, same=0.99, novelty_stop=0), script, peers=5)
        return [[part.text for part in path.segments if part.kind is Kind.COMMENT] for path in paths]

    found = drawn()
    assert found == drawn()
    texts = [text for each in found for text in each]
    assert len(set(texts)) > 5 and all(text.count("Note ") == 3 for text in texts)


def test_a_group_resumes_at_every_request(tmp_path):
    class Killed(ScriptedEngine):
        async def generate(self, request):
            if len(self.requests) == self.allowed:
                raise KeyboardInterrupt
            return await super().generate(request)

    whole = ScriptedEngine(script)
    paths = asyncio.run(cpt().solve(job(3), whole))
    for allowed in range(1, len(whole.requests)):
        file = tmp_path / f"{allowed}.jsonl"
        first = Killed(script)
        first.allowed = allowed
        journal = Journaled(first, file)
        with pytest.raises(KeyboardInterrupt):
            asyncio.run(cpt().solve(job(3), journal))
        journal.stop()
        second = ScriptedEngine(script)
        again = asyncio.run(cpt().solve(job(3), Journaled(second, file)))
        assert [seen(path) for path in again] == [seen(path) for path in paths]
        assert len(second.requests) == len(whole.requests) - allowed


def test_an_engine_that_is_late_changes_nothing():
    first, _ = late(cpt(), script, 0, peers=4)
    assert [[seen(path) for path in late(cpt(), script, seed, peers=4)[0]] for seed in (1, 2, 3)] == [
        [seen(path) for path in first]
    ] * 3


@settings(max_examples=50, deadline=None)
@given(
    peers=st.integers(1, 6),
    interval=st.integers(1, 40),
    notes=st.integers(1, 60),
    budget=st.integers(110, 400),
    draw=st.integers(1, 9),
    cap=st.integers(1, 9),
    room=st.integers(150, 900),
)
def test_no_budget_is_exceeded_and_every_path_answers(peers, interval, notes, budget, draw, cap, room):
    def talk(text, request):
        path, turn = who(request)
        if text.endswith("<notes>\n"):
            return f"insight: {'abcdefghi'[(path * 7 + turn) % 9] * 9}\n" * 3 + "</notes>"
        if text.endswith("\\boxed{"):
            return "2}\n"
        return "\\boxed{2}" if text.endswith("</think>") else "word " * 99

    method = cpt(interval=interval, notes_tokens=notes, max_tokens=budget, draw=draw, cap=cap)
    paths, engine = solve(method, talk, peers=peers, max_model_len=room)
    assert all(path.finish and path.spent <= budget for path in paths)
    assert all(len(route.peers) <= min(draw, cap) for path in paths for route in path.routes)
    seeds = [request.seed for request in engine.requests]
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"interval": 0}, "method.interval=0: must be an integer >= 1"),
        ({"notes_tokens": 0}, "method.notes_tokens=0: must be an integer >= 1"),
        ({"interval": 450}, "method.interval=450: no block fits; must be <= method.max_tokens=500 minus"),
        ({"rules": "{question}"}, "method.rules='{question}': must name {question} and {references}"),
        ({"draw": 0}, "method.draw=0: must be an integer >= 1"),
        ({"cap": 0}, "method.cap=0: must be an integer >= 1"),
        ({"same": 2}, "method.same=2: must be a number > 0 and <= 1"),
        ({"novelty_stop": 1}, "method.novelty_stop=1: must be <= method.novelty_start=0.8"),
        ({"embedding": "no/such"}, "method.embedding=no/such:"),
    ],
)
def test_settings_that_cannot_work_are_refused_in_one_line(changes, message):
    cpt().check(4, 10_000)
    with pytest.raises(UserError) as refused:
        cpt(**changes).check(4, 10_000)
    assert str(refused.value).startswith(message) and "\n" not in str(refused.value)
