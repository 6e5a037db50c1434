"""PaCoRe followed token by token (a token is a character here): what a round tells the next one, and who pays."""

import pytest

from leap_lab.decoding.decoder import graded_rows
from leap_lab.engines.base import Request
from leap_lab.errors import UserError
from leap_lab.methods.pacore import _told
from leap_lab.path import Kind
from leap_lab.prompts import Prompts
from tests.doubles import PROMPTS, QUESTION, job, who
from tests.methods.agents import pacore, references, sent, solve, talk
from tests.methods.doubles import HEAD


def quoted(prompt: str) -> list[str]:
    """The texts of the references in a prompt."""
    return [line.partition(': "')[2].removesuffix('"') for line in prompt.splitlines() if line.startswith("Answer ")]


def test_a_group_token_by_token():
    """Four paths, then two that read all four, then one that reads these two."""
    (path,), engine = solve(pacore(between=[2]), peers=4)
    assert [sent(engine, 0, index)[0] for index in range(4)] == [HEAD] * 4
    first, second = sent(engine, 1, 0)[0], sent(engine, 1, 1)[0]
    assert first == second == references(*quoted(first))
    assert sorted(quoted(first)) == [f"agent {index} of layer 0: \\boxed{{2}}" for index in range(4)]
    last = sent(engine, 2)[0]
    assert last == references(*quoted(last))
    assert sorted(quoted(last)) == [f"agent {index} of layer 1: \\boxed{{2}}" for index in range(2)]
    assert [(part.kind, part.turn) for part in path.segments] == [
        *((kind, 2) for kind in (Kind.PROMPT, Kind.COMMENT, Kind.PROMPT, Kind.THINK, Kind.FINAL))
    ]
    assert path.final == "agent 0 of layer 2: \\boxed{2}" and path.weight is None
    assert [helper.final for helper in path.helpers] == [
        f"agent {index} of layer {turn}: \\boxed{{2}}" for turn, size in ((0, 4), (1, 2)) for index in range(size)
    ]


def test_its_row_has_the_bill_of_all():
    paths, engine = solve(pacore(between=[2]), peers=4)
    (row,) = graded_rows("r", QUESTION, 0, paths)
    assert (row["path"], row["correct"]) == (0, True)
    assert row["tokens_think"] == sum(engine.sampled)
    assert row["tokens_prefilled"] == sum(len(request.prompt) for request in engine.requests)
    assert row["requests"] == len(engine.requests) == 2 * (4 + 2 + 1)
    slowest = sum(2 * agents + len("</think>agent 0 of layer 0: \\boxed{2}") for agents in (4, 2, 1))
    assert row["critical_path"] == slowest


def test_the_order_depends_on_the_texts_alone():
    """Who wrote which of the same texts makes no difference; another group has another order."""

    def script(order):
        def write(text: str, request: Request) -> str:
            index, turn = who(request)
            if not text.endswith("</think>"):
                return "</think>"
            return "\\boxed{2}" if turn else f"{'y' * order[index]}\\boxed{{{order[index]}}}"

        return write

    orders = [[3, 1, 2, 1, 5, 4], [1, 5, 4, 3, 2, 1], [5, 4, 3, 2, 1, 1]]
    prompts = {sent(solve(pacore(), script(order), peers=6)[1], 1)[0] for order in orders}
    assert len(prompts) == 1
    shown = [len(text) for text in quoted(prompts.pop())]
    assert shown != sorted(shown), "shuffled after it was sorted"
    paths, _ = solve(pacore(), script(orders[0]), peers=6)
    candidates = paths[0].helpers
    assert len({tuple(_told(candidates, 1, job(6, group=group))) for group in range(9)}) > 3


def test_what_has_nothing_to_tell_is_dropped():
    """A path that ended in its thinking tells that; one that wrote nothing at all tells nothing."""

    def script(text: str, request: Request) -> str:
        index, turn = who(request)
        if turn:
            return "\\boxed{2}" if text.endswith("</think>") else "</think>"
        if index == 0:
            return "I see \\boxed{4}"  # its message ends without the end of the thinking
        return "\\boxed{5}" if text.endswith("</think>") else "secret</think>"

    _, engine = solve(pacore(), script, peers=3)
    prompt = sent(engine, 1)[0]
    assert sorted(quoted(prompt)) == ["I see \\boxed{4}", "\\boxed{5}", "\\boxed{5}"]
    assert "secret" not in prompt


def test_without_anything_to_read_the_last_path_gets_the_question_alone():
    def script(text: str, request: Request) -> str:
        return "" if who(request)[1] == 0 else talk(text, request)

    silent = Prompts(**(vars(PROMPTS) | {"force_math": " "}))
    (path,), engine = solve(pacore(prompts=silent), script, peers=2)
    assert sent(engine, 1)[0] == HEAD and path.count(Kind.COMMENT) == 0


def test_the_group_shares_one_budget():
    """Five paths share 4 x 100 tokens: 80 each; the last has what the others left, but no more than a path may have."""

    def script(text: str, request: Request) -> str:
        if text.endswith("\\boxed{"):
            return "9}\n"
        return "\\boxed{2}" if text.endswith("</think>") else "x" * (500 if who(request)[0] == 3 else 40) + "</think>"

    (path,), engine = solve(pacore(max_tokens=100), script, peers=4)
    limits = [request.max_tokens for request in engine.requests if request.stop == ("</think>",)]
    assert limits == [80] * 4 + [100]

    def endless(text: str, request: Request) -> str:
        return "9}\n" if text.endswith("\\boxed{") else "x" * 500

    (path,), engine = solve(pacore(max_tokens=100), endless, peers=4)
    limits = [request.max_tokens for request in engine.requests if request.stop == ("</think>",)]
    assert limits == [80] * 4 + [80 - 4 * len("9}\n")], "earlier answers count"
    assert sum(each.count(Kind.THINK) for each in path.billed_paths) <= 400
    assert {each.finish for each in path.billed_paths} == {"forced"}


@pytest.mark.parametrize(
    ("between", "message"),
    [
        (4, "method.between=4: must be a list of sizes, as in method.between=[4]"),
        (None, "method.between=null: must be a list of sizes"),
        ([0], "method.between=0: must be an integer >= 1"),
        ([2, "x"], "method.between=x: must be an integer >= 1"),
        ([1196], "method.between=[1196]: all paths share one budget; they must be no more than its peers x "),
    ],
)
def test_sizes_that_cannot_be_are_refused(between, message):
    with pytest.raises(UserError) as refused:
        pacore(between=between).check(4, 1000)
    assert str(refused.value).startswith(message)
    pacore(between=[1195]).check(4, 1000)
    assert pacore(between=[4]).rows(32) == 1
