"""Probes: copies of a path that answer before and after a block, and do not touch the path."""

import pytest

from leap_lab.engines.base import Request
from leap_lab.engines.scripted import ScriptedEngine
from leap_lab.engines.usage import Usage
from leap_lab.path import Kind, Path
from tests.doubles import leap
from tests.methods.doubles import Talk, solve


def added(plain: ScriptedEngine, probed: ScriptedEngine) -> list[Request]:
    """The requests of the probes: what is left when all others were made as without them, and in that order."""
    expected = iter([*plain.requests, None])
    following, left = next(expected), []
    for request in probed.requests:
        if request == following:
            following = next(expected)
        else:
            left.append(request)
    assert following is None, "a request that the paths made without probes is missing or differs"
    return left


@pytest.mark.parametrize("probe_tokens", [0, 6])
def test_probes_do_not_touch_the_path(probe_tokens):
    """A copy answers before each summary and after each comment; all other requests and paths stay what they were."""
    script = Talk(dict.fromkeys(range(2), "one\n\nunfinished " * 5))
    plain, engine = solve(leap(max_tokens=120), script, peers=3)
    probed, with_probes = solve(leap(max_tokens=120, probe_tokens=probe_tokens), script, peers=3)
    branches = [branch for path in probed for branch in path.branches]
    probes = added(engine, with_probes)
    assert len(probes) == len(branches) * (2 if probe_tokens else 1), "thinking, where it may think, and an answer"
    assert {request.sampling.temperature for request in probes} == {1.0 if probe_tokens else 0.0}
    for path, other in zip(plain, probed, strict=True):
        assert path.segments == other.segments and path.routes == other.routes
        assert (path.spent, path.tokens_cut, path.critical_path) == (other.spent, other.tokens_cut, other.critical_path)
        assert path.usage == other.usage and path.probe_usage == Usage()
        assert [(branch.turn, branch.phase) for branch in other.branches] == [
            (route.turn, phase) for route in other.routes for phase in ("before", "after")
        ]
        assert path.tokens_probe == 0 and other.tokens_probe == len(other.branches) * (probe_tokens + len("9}\n"))
        for branch in other.branches:
            comments = branch.turn + (branch.phase == "after")
            assert branch.path.text(Kind.COMMENT).count("</comment>") == comments
            assert branch.path.final == "\n\n\\boxed{9}\n"


def test_a_branch_after_a_block_thinks_on_as_its_path_does():
    """The same words and the same seed, until the path meets its next block."""
    script = Talk(dict.fromkeys(range(2), "one\n\nunfinished " * 5))
    _, plain = solve(leap(max_tokens=120), script, peers=3)
    probed, engine = solve(leap(max_tokens=120, probe_tokens=6), script, peers=3)
    own = {(tuple(request.prompt), request.seed) for request in plain.requests}
    thinking = [request for request in added(plain, engine) if request.max_tokens == 6]
    after = [path for path in thinking if (tuple(path.prompt), path.seed) in own]
    assert all(request.purpose.probe == "after" for request in after)
    assert len(after) == sum(branch.phase == "after" for path in probed for branch in path.branches)


def test_a_probe_that_closes_its_thinking_answers_by_itself():
    probed, _ = solve(leap(probe_tokens=50), Talk({0: "a\n\nbbbbbbbbbbbbbbbbbbbbbb", 1: "c</think>"}), peers=2)
    after = [branch for branch in probed[0].branches if branch.phase == "after"]
    assert [branch.path.final for branch in after] == ["\\boxed{2}"]
    assert probed[0].tokens_probe == sum(
        branch.path.sampled - probed_at(branch, probed[0]) for branch in probed[0].branches
    )


def probed_at(branch, path: Path) -> int:
    """Tokens that the path had sampled when the branch left it."""
    shared = sum(1 for one, other in zip(branch.path.segments, path.segments, strict=False) if one is other)
    own = [part for part in path.segments[:shared] if part.kind in (Kind.THINK, Kind.SUMMARY)]
    return sum(len(part.tokens) for part in own) + branch.path.tokens_cut
