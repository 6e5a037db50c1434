"""Independent paths that are asked for an answer at regular steps: the paths do not change."""

from typing import Any

import pytest

from leap_lab.engines.base import GREEDY, Request, Sampling
from leap_lab.engines.chat import Chat
from leap_lab.engines.scripted import Characters
from leap_lab.errors import UserError
from leap_lab.methods.independent import Independent
from leap_lab.path import Kind
from tests.doubles import PROMPTS, who
from tests.methods.doubles import solve

HEAD = "[user]Q: 1+1[assistant]<think>\n"


def independent(**settings: Any) -> Independent:
    return Independent(
        **({"max_tokens": 40, "answer_tokens": 4, "sampling": Sampling(), "prompts": PROMPTS} | settings)
    )


def script(text: str, request: Request) -> str:
    """Path 0 thinks 27 characters and closes, path 1 thinks beyond its budget."""
    if text.endswith("\\boxed{"):
        return f"{len(text)}}}\nmore"
    if text.endswith("</think>"):
        return "\\boxed{2}"
    rest = "abcdefghijklmnopqrstuvwxyz."[len(text) - len(HEAD) :]
    return f"{rest}</think>" if who(request)[0] == 0 else "x" * 100


@pytest.mark.parametrize("probe_tokens", [None, 0, 6])
def test_probes_at_steps_do_not_touch_the_paths(probe_tokens: int | None) -> None:
    plain, alone = solve(independent(), script)
    probed, engine = solve(independent(probe_interval=10, probe_tokens=probe_tokens), script)
    for path, other in zip(plain, probed, strict=True):
        assert path.segments == other.segments and path.finish == other.finish
        assert (path.usage, path.bounds, path.critical_path) == (other.usage, other.bounds, other.critical_path)
        assert path.tokens_probe == 0 < other.tokens_probe and not path.branches
    own = [request for request in engine.requests if request.purpose is not None and request.purpose.probe is None]
    assert sorted(own, key=repr) == sorted(alone.requests, key=repr)


def test_a_copy_holds_what_was_thought_by_its_step_and_answers_at_once() -> None:
    (closed, endless), engine = solve(independent(probe_interval=10, probe_tokens=0), script)
    assert [(branch.turn, branch.phase) for branch in closed.branches] == [(0, "before"), (1, "before")]
    assert [branch.path.thinking for branch in closed.branches] == ["abcdefghij", "abcdefghijklmnopqrst"]
    assert [branch.path.thinking for branch in endless.branches] == ["x" * 10, "x" * 20, "x" * 30], "and not at its end"
    asked = f"{HEAD}abcdefghij\n</think>\n\n\\boxed{{"
    assert closed.branches[0].path.final == f"\n\n\\boxed{{{len(asked)}}}\n"
    probes = [request for request in engine.requests if request.purpose is not None and request.purpose.probe]
    assert len(probes) == 5 and {request.sampling for request in probes} == {GREEDY}
    assert len({request.seed for request in probes}) == 5
    assert closed.tokens_probe == sum(branch.path.count(Kind.FINAL) for branch in closed.branches)
    assert closed.probe_usage.requests == 2 and closed.usage.requests == 2


def test_a_copy_that_may_think_goes_on_from_its_step() -> None:
    (closed, _), _ = solve(independent(probe_interval=10, probe_tokens=6), script)
    assert [branch.path.thinking for branch in closed.branches] == ["abcdefghijklmnop", "abcdefghijklmnopqrstuvwxyz"]
    longer, _ = solve(independent(probe_interval=10, probe_tokens=30), script)
    assert [branch.path.final for branch in longer[0].branches] == ["\\boxed{2}"] * 2


@pytest.mark.parametrize("interval", [9, 26, 27, 28])
def test_no_step_lies_in_the_mark_that_closes_the_thinking(interval: int) -> None:
    (closed, _), _ = solve(independent(probe_interval=interval), script)
    assert [len(branch.path.thinking) for branch in closed.branches] == list(range(interval, 27, interval))


def test_thinking_without_a_closing_mark_is_asked_too() -> None:
    tokens = Characters(Chat(turn=("[user]", "[assistant]")))
    (path, _), _ = solve(independent(probe_interval=10), lambda text, request: "y" * 25, tokens=tokens)
    assert [len(branch.path.thinking) for branch in path.branches] == [10, 20]


def test_an_interval_that_no_path_reaches_is_refused() -> None:
    with pytest.raises(UserError, match=r"method.probe_interval=40: no probe fits; must be < method.max_tokens=40"):
        independent(probe_interval=40).check(2, 1000)
    with pytest.raises(UserError, match=r"method.probe_interval=0: must be an integer >= 1 or null"):
        independent(probe_interval=0).check(2, 1000)
    independent(probe_interval=39).check(2, 1000)
