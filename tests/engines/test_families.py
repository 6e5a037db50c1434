"""Every kind of family on real vLLM, end to end, with a parrot in the model's place: its words are known.

A parrot writes `WORDS`, closes its thinking in its family's way and answers 5. After peers' words it writes one more.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pytest

import leap_lab
from leap_lab.engines.models import Model
from leap_lab.engines.tokens import ModelTokens
from leap_lab.path import Kind
from leap_lab.path import Path as ReasoningPath
from tests.families.cases import FAMILIES, Family
from tests.families.parrots import parrot
from tests.families.tokenizers import tokenizer

WORDS = (" ab", " cd", " ef", " gh", " ij", " kl")
MERGED = (*WORDS, " more", " sum", " up", "</", "summarize", "think", "><", "answer", "\\boxed", "\n\n")
ANSWER, SUMMARY = ("\\boxed", "{", "5", "}"), (" sum", " up")
PROBLEM = leap_lab.Problem("five", "What is 2 + 3?", "5")
# An R1-Zero: no tag is a token of its own, and the end of one is in a token with the start of another.
ZERO = replace(FAMILIES[0], name="qwen2_5", added=(), special=("<|im_start|>",))
CASES = {
    **{
        family.name: family
        for family in FAMILIES
        if family.name in ("qwen3", "qwen3_5_small", "gpt_oss", "magistral", "cohere")
    },
    "zero": ZERO,
}
SETTINGS = {
    "peers": 2,
    "prompts": "untuned",
    "prompts.templates": ["<summarize> So far,"],
    "prompts.asked_lead": "So far,",
    "prompts.head": "",
    "model.max_model_len": 8192,
    "method.max_tokens": 60,
    "method.answer_tokens": 8,
}
LEAP = {"method": "leap", "method.interval": 6, "method.summary_tokens": 6, "router": "dispersed", "router.top_k": 1}


@dataclass(frozen=True)
class Solved:
    """The paths of one family by method, and its tokens."""

    family: Family
    tokens: ModelTokens
    independent: list[ReasoningPath]
    leap: list[ReasoningPath]


@pytest.fixture(scope="module", params=CASES)
def solved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Solved]:
    family = CASES[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    thinking = {"model.thinking": "on"} if family is ZERO else {}
    words = tokenizer(family.template, family.special, family.added, family.bos, family.eos, MERGED)
    words.save_pretrained(folder)
    parrot(folder, words, following(family, words, read(folder, family), family is ZERO))
    settings = {"model": "local", "model.path": str(folder), **thinking, **SETTINGS}
    with leap_lab.engine(settings, "method=independent"):
        yield Solved(
            family,
            read(folder, family),
            leap_lab.solve(PROBLEM, settings, "method=independent"),
            leap_lab.solve(PROBLEM, settings, LEAP),
        )


def read(folder: Path, family: Family) -> ModelTokens:
    model = Model(str(folder))
    if family is ZERO:
        model = replace(model, chat=replace(model.chat, thinking="on"))
    return ModelTokens.of(model)


def following(family: Family, words: object, tokens: ModelTokens, merges: bool) -> dict[int, int]:
    """Which token follows which."""

    def ids(*texts: str) -> list[int]:
        return [token for text in texts for token in tokens.encode(text)]

    form, eos = tokens.form, tokens.encode(family.eos)
    start = tokens.chat("", form.opening)[-1:]
    close = ids("</", "think", "><", "answer", ">") if merges else ids(form.close)
    spoken = [*start, *ids(*WORDS), *(close if form.thinks else [])]
    chains = [
        [*spoken, *ids(*ANSWER), *eos],
        [*ids(",", *SUMMARY), *(ids("</", "summarize", ">") if form.thinks and not merges else eos)],
    ]
    if form.thinks:
        chains.append([*ids("\n\n", " more"), close[0]])
        if form.answer and ids(form.answer)[-1:] != start:
            chains.append([*ids(form.answer)[-1:], *ids("\\boxed")])
    return {one: other for chain in chains for one, other in pairwise(chain)}


def test_an_independent_path_thinks_closes_and_answers_in_its_familys_way(solved):
    for path in solved.independent:
        assert (path.finish, path.answer, path.correct) == ("answered", "5", True)
        assert path.closed == solved.tokens.form.thinks
        assert path.thinking.startswith("".join(WORDS))
        rendered = solved.tokens.chat(asked(solved), solved.tokens.form.opening)
        assert list(path.segments[0].tokens) == rendered
        assert path.tokens[: len(rendered)] == rendered


def test_a_path_is_interrupted_hears_its_peer_and_answers(solved):
    thinks = solved.tokens.form.thinks
    for path in solved.leap:
        assert (path.finish, path.answer, path.blocks, path.own_blocks) == ("answered", "5", 1, 0)
        assert path.routes[0].peers == (1 - path.index,)
        assert path.text(Kind.SUMMARY).startswith("".join(SUMMARY))
        assert 'Peer 1: "sum up"' in path.text(Kind.COMMENT)
        think = [segment.text for segment in path.segments if segment.kind is Kind.THINK]
        assert think[0] == "".join(WORDS)
        assert think[1].startswith(" more" if thinks else "\\boxed{5}")
        seen = solved.tokens.decode(path.tokens)
        if not thinks:
            assert seen.endswith("".join(WORDS) + "\\boxed{5}"), "it went on where it stood"


def test_no_thinking_is_opened_twice_and_none_stays_open(solved):
    opening = solved.family.marks[0]
    for path in (*solved.independent, *solved.leap):
        text = solved.tokens.decode(path.tokens)
        assert text.count(opening) <= 1 if opening.startswith("<think") else True
        if path.closed:
            assert text.index(solved.tokens.form.close.strip()) < text.rindex("\\boxed{5}")


def asked(solved: Solved) -> str:
    from leap_lab.prompts import load_prompts

    return load_prompts("untuned").question(PROBLEM)
