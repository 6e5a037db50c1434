"""How each family of models is spoken to: found from its template, and the same tokens that its tokenizer gives."""

from datetime import date
from pathlib import Path

import pytest

from leap_lab.engines.chat import Marks, marks_of
from leap_lab.engines.tokens import ModelTokens
from leap_lab.errors import UserError
from tests.families.cases import BY_NAME, FAMILIES, Family, tokenizer_of, tokens_of

QUESTION = "What is 2+2?\nA \u00fc\u2248\U0001f600 line  with   spaces"
each_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


def ids_of(family: Family, tokens: ModelTokens, messages: list[dict[str, str]], **more: object) -> list[int]:
    """What the tokenizer itself makes of the messages, with the same arguments; dates as they are pinned."""
    dates = {"date_string": "01 Jan 2026"} if family.name == "llama3_1" else {"strftime_now": date(2026, 1, 1).strftime}
    given = {"add_generation_prompt": True, "return_dict": False, **dates, **tokens.form.arguments, **more}
    ids = tokenizer_of(family).apply_chat_template(messages, tokenize=True, **given)
    return [int(each) for each in ids]


def asked(text: str = QUESTION) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


@each_family
@pytest.mark.parametrize("thinking", ["auto", "on", "off"])
def test_a_prompt_is_what_the_tokenizer_gives_for_its_template(family, thinking):
    tokens = tokens_of(family, thinking=thinking)
    theirs = ids_of(family, tokens, asked())
    assert tokens.chat(QUESTION) == theirs
    assert tokens.chat(QUESTION, tokens.form.opening) == theirs + tokens.encode(tokens.form.opening)


@each_family
def test_a_chat_of_several_turns_is_what_the_tokenizer_gives_for_its_template(family):
    tokens = tokens_of(family)
    messages = [*asked(), {"role": "assistant", "content": "It is 4."}, {"role": "user", "content": "Sure?"}]
    assert tokens.chat("Sure?", earlier=[(QUESTION, "It is 4.")]) == ids_of(family, tokens, messages)


@each_family
def test_the_state_and_the_opening_are_found(family):
    for thinking in ("auto", "on", "off"):
        form = tokens_of(family, thinking=thinking).form
        assert (form.state, form.opening) == getattr(family, thinking), thinking
        assert form.thinks is (thinking == "on" or (thinking == "auto" and family.thinks))


@each_family
def test_the_marks_are_found(family):
    thinking = tokens_of(family, thinking="on")
    assert thinking.form.close == family.marks[1]
    assert thinking.form.closing == family.closing
    assert thinking.form.answer == family.answer
    found = marks_of(thinking.model.chat, family.template)
    assert (found.open, found.close) == family.marks
    off = tokens_of(family, thinking="off").form
    assert (off.close, off.closing) == ("", "")


@each_family
def test_the_prompt_ends_as_the_family_has_it(family):
    assert tokens_of(family).decode(tokens_of(family).chat("Q")).endswith(family.ends)
    off = tokens_of(family, thinking="off")
    assert off.decode(off.chat("Q")).endswith(family.off_ends or family.ends)


@each_family
def test_the_mark_that_ends_thinking_is_one_token_where_it_is_in_the_vocabulary(family):
    one = family.marks[1] in (*family.special, *family.added)
    tokens = tokens_of(family, thinking="on")
    assert (tokens.close_id is not None) is one
    if one:
        assert tokens.decode([tokens.close_id]) == family.marks[1]
    assert tokens_of(family, thinking="off").close_id is None


@each_family
def test_a_second_question_stands_where_the_template_puts_it(family):
    form = tokens_of(family).form
    assert form.turn == (family.turn[0], family.turn[1] + form.opening)


@each_family
def test_a_conversation_of_pieces_is_what_the_template_renders(family):
    """The answer alone, without thinking: every family keeps that."""
    tokens = tokens_of(family, thinking="off")
    before, after = tokens.form.turn
    pieces = [*asked("Q"), {"role": "assistant", "content": "It is 4."}, *asked("And 3+3?")]
    whole = tokens.decode(ids_of(family, tokens, pieces)) + tokens.form.opening
    assert whole.endswith(f"It is 4.{before}And 3+3?{after}")
    assert whole.count("It is 4.") == 1


@pytest.mark.parametrize(
    "family", [each for each in FAMILIES if "gpt_oss" not in each.name], ids=lambda family: family.name
)  # whose template refuses channels in a message
def test_the_prefix_stays_where_the_family_keeps_earlier_thinking(family):
    """Byte for byte, and id for id: a cache of the first turn serves the second."""
    tokens = tokens_of(family, thinking="on")
    form, prompt = tokens.form, tokens.chat("Q")
    before, after = form.turn
    thought = f"{form.opening}2+2=4{form.closing}\n\n4"
    assembled = prompt + tokens.encode(thought + before + "Again?" + after)
    opened = "".join(tokens.decode(prompt).rpartition(family.marks[0])[1:]) if form.state == "open" else ""
    reply = opened + thought
    messages = [*asked("Q"), {"role": "assistant", "content": reply}, *asked("Again?")]
    theirs = ids_of(family, tokens, messages) + tokens.encode(form.opening)
    assert (assembled == theirs) is family.keeps


@each_family
def test_a_system_message_is_told_or_refused(family):
    if not family.told:
        with pytest.raises(UserError, match=r"model\.chat\.system: the chat template (refuses|leaves out)"):
            tokens_of(family, system="Be brief.")
        return
    tokens = tokens_of(family, system="Be brief.")
    assert "Be brief." in tokens.decode(tokens.chat("Q"))
    assert tokens.chat("Q") == ids_of(family, tokens, [{"role": "system", "content": "Be brief."}, *asked("Q")])
    assert tokens.form.state == tokens_of(family).form.state


@pytest.mark.parametrize("family", [each for each in FAMILIES if each.dated], ids=lambda family: family.name)
def test_a_date_is_the_one_that_is_set(family):
    tokens = tokens_of(family)
    assert family.dated in tokens.decode(tokens.chat("Q"))
    other = tokens_of(family, date="2031-12-24")
    assert "2031" in other.decode(other.chat("Q"))
    assert "2026" not in other.decode(other.chat("Q"))
    assert other.template_hash != tokens.template_hash


def test_which_families_print_the_date():
    """So that one which begins to do so is not forgotten."""
    days = ("2026-01-01", "2031-12-24")
    printed = {each.name for each in FAMILIES if len({tokens_of(each, date=day).template_hash for day in days}) > 1}
    assert printed == {each.name for each in FAMILIES if each.dated}


@pytest.mark.parametrize(
    ("name", "arguments", "shown"),
    [
        ("gpt_oss", {"reasoning_effort": "low"}, "Reasoning: low"),
        ("qwen3_8", {"reasoning_effort": "medium"}, "effort medium"),
        ("seed_oss", {"thinking_budget": 512}, "at most 512 tokens"),
        ("deepseek_v3_1", {"enable_thinking": True}, "<\uff5cAssistant\uff5c><think>"),
    ],
)
def test_an_argument_reaches_the_template(name, arguments, shown):
    tokens = tokens_of(BY_NAME[name], arguments=arguments)
    assert shown in tokens.decode(tokens.chat("Q"))
    assert tokens.template_hash != tokens_of(BY_NAME[name]).template_hash


@pytest.mark.parametrize(
    ("name", "arguments", "state"),
    [
        ("qwen3", {"enable_thinking": False}, "closed"),
        ("qwen3_5_small", {"enable_thinking": True}, "open"),
        ("gemma4", {"enable_thinking": True}, "bare"),
        ("granite", {"thinking": True}, "bare"),
        ("granite", {"thinking": False}, "none"),
        ("deepseek_v3_1", {"thinking": True}, "open"),
        ("cohere", {"reasoning": False}, "closed"),
        ("seed_oss", {"thinking_budget": 0}, "open"),
    ],
)
def test_a_switch_that_is_set_by_hand_counts(name, arguments, state):
    assert tokens_of(BY_NAME[name], arguments=arguments).form.state == state


@pytest.mark.parametrize("name", ["nemotron_nano_v2", "smollm3"])
def test_a_command_in_the_system_message_is_for_the_template(name):
    """These families are switched off there; the words of a user never do it."""
    tokens = tokens_of(BY_NAME[name], system="/no_think")
    assert tokens.form.state == "closed"
    assert not tokens.form.thinks


def test_marks_that_are_set_replace_those_that_are_found():
    family = BY_NAME["qwen2_5"]
    set_by_hand = {"think_open": "<reason>\n", "think_close": "</reason>", "answer_open": "<answer>"}
    on = tokens_of(family, thinking="on", **set_by_hand).form
    assert (on.opening, on.close, on.answer) == ("<reason>\n", "</reason>", "<answer>")
    assert on.closing == "\n</reason><answer>"
    assert tokens_of(family, thinking="off", **set_by_hand).form.opening == "<answer>"
    assert marks_of(tokens_of(family, **set_by_hand).model.chat, "") == Marks("<reason>", "</reason>", "\n", "<answer>")


def test_a_template_of_its_own_words_is_open_where_they_are_set(tmp_path):
    """As Apriel's: no tags at all."""
    own = tmp_path / "own.jinja"
    own.write_text("{{ messages[0].content }}{% if add_generation_prompt %}\nHere I reason:\n{% endif %}")
    words = {"think_open": "Here I reason:\n", "think_close": "[BEGIN ANSWER]"}
    form = tokens_of(BY_NAME["qwen2_5"], template=str(own), **words).form
    assert (form.state, form.opening, form.close) == ("open", "", "[BEGIN ANSWER]")


def test_the_page_of_families_says_what_is_found():
    page = (Path(__file__).parents[2] / "docs" / "real_models.md").read_text()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.count("|") == 7]
    shown = {row[0].rpartition("(")[2].strip("`)"): row for row in rows if row[5] in ("real", "read", "own")}
    assert shown.keys() == BY_NAME.keys()
    for name, row in shown.items():
        assert row[1] == f"`{BY_NAME[name].auto[0]}`", name
        if BY_NAME[name].on[0] != "none":
            assert row[4].startswith("kept" if BY_NAME[name].keeps else "dropped"), name
