"""What a tokenizer and a chat template refuse, and words of others that never become control tokens."""

import json
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leap_lab.engines.chat import ChatSettings
from leap_lab.engines.models import Model
from leap_lab.engines.tokens import ModelTokens
from leap_lab.errors import UserError
from tests.families.cases import BY_NAME, FAMILIES, Family, tokenizer_of, tokens_of
from tests.families.tokenizers import tokenizer

QWEN = BY_NAME["qwen3"]
COMMANDS = ("/think", "/no_think", "/nothink", "/No_Think", "/thinking", "a/think", "</think>", "< /think>")
each_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


def refusal(family: Family = QWEN, **settings: object) -> str:
    with pytest.raises(UserError) as refused:
        tokens_of(family, **settings)
    message = str(refused.value)
    assert "\n" not in message
    return message


def of_template(source: str | None, **settings: object) -> ModelTokens:
    return ModelTokens(tokenizer(source, bos="<s>"), Model("mine", chat=ChatSettings(**settings)))  # type: ignore[arg-type]


def control_ids(family: Family) -> set[int]:
    return {index for index, token in tokenizer_of(family).added_tokens_decoder.items() if token.content.strip()}


# refusals


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        (
            "qwen3",
            {"arguments": {"enable_thinkin": True}},
            "model.chat.enable_thinkin: the model's chat template",
        ),
        ("qwen3_instruct_2507", {"arguments": {"enable_thinking": False}}, "model.chat.enable_thinking: the model's"),
        (
            "gpt_oss",
            {"arguments": {"thinking": False}},
            "model.chat.thinking: the model's chat template",
        ),
        ("qwen3", {"arguments": {"add_generation_prompt": False}}, "model.chat.add_generation_prompt: cannot be set"),
        ("qwen3", {"arguments": {"messages": []}}, "model.chat.messages: cannot be set"),
        ("qwen3", {"thinking": "on", "arguments": {"enable_thinking": False}}, "enable_thinking: set only one of them"),
        ("qwen3", {"template": "/nowhere/at/all.jinja"}, "model.chat.template=/nowhere/at/all.jinja: cannot be read"),
        ("nemotron_nano_v2", {"thinking": "on", "system": "/no_think"}, "model.thinking=on: the chat template closes"),
        ("gemma2", {"system": "Be brief."}, "model.chat.system: the chat template refuses a message (System role"),
        ("phi4_reasoning", {"system": "Be brief."}, "model.chat.system: the chat template leaves out a system message"),
    ],
)
def test_settings_that_do_not_fit_are_refused_in_one_line(name, settings, message):
    refused = refusal(BY_NAME[name], **settings)
    assert message in refused
    assert refused.endswith(f"(model.path={name})")


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (None, "the tokenizer has no chat template; for a base model set model.chat.template=plain"),
        (
            "{{ raise_exception('only with tools') }}",
            "the chat template refuses a message (only with tools)",
        ),
        ("{{ messages[0].content.nothing.at_all }}", "model.chat: the chat template refuses a message"),
        ("{% for message in messages %}", "model.chat.template: not a valid Jinja template"),
        (
            "{% for message in messages %}{% for part in message.content if part.type == 'text' %}{{ part.text }}"
            "{% endfor %}{% endfor %}",
            "model.chat: the chat template leaves out the question",
        ),
        (
            "{{ messages[0].content }}<think>\n\n</think>",
            "model.thinking=on: the chat template closes the thinking and has no switch; use auto or off",
        ),
    ],
)
def test_a_template_that_cannot_be_used_is_refused_in_one_line(template, message):
    with pytest.raises(UserError) as refused:
        of_template(template, thinking="on")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_template_file_is_read(tmp_path):
    own = tmp_path / "own.jinja"
    own.write_text("Q: {{ messages[0].content }}\nA:<think>")
    tokens = tokens_of(QWEN, template=str(own))
    assert tokens.decode(tokens.chat("1+1")) == "Q: 1+1\nA:<think>"
    own.write_bytes(b"\xff\xfe{{")
    assert "cannot be read; must be `plain` or a file" in refusal(template=str(own))


def test_a_base_model_takes_paragraphs():
    tokens = of_template(None, template="plain")
    assert tokens.decode(tokens.chat("1+1")) == "<s>1+1\n\n"
    assert (tokens.form.state, tokens.form.thinks) == ("none", False)
    thinking = of_template(None, template="plain", thinking="on").form
    assert (thinking.opening, thinking.close) == ("<think>\n", "</think>")


def test_of_several_templates_the_default_is_used():
    several = tokenizer(None)
    several.chat_template = {"default": "{{ messages[0].content }}:", "tool_use": "{{ nothing }}"}
    assert ModelTokens(several, Model("mine")).template == "{{ messages[0].content }}:"


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    config = {"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"], "vocab_size": 512}
    (tmp_path / "config.json").write_text(json.dumps(config))
    return tmp_path


def test_a_folder_without_a_tokenizer_is_refused(folder):
    """Transformers makes an empty tokenizer for it, which encodes every text to nothing."""
    with pytest.raises(UserError, match=r"model\.path=\S+: (the folder has no tokenizer|cannot load a tokenizer)"):
        ModelTokens.of(Model(str(folder)))


def test_a_folder_without_a_template_is_refused_and_one_with_it_is_not(folder):
    tokenizer(None).save_pretrained(folder)
    with pytest.raises(UserError, match=r"has no chat template.*\(model\.path="):
        ModelTokens.of(Model(str(folder)))
    (folder / "chat_template.jinja").write_text(QWEN.template)
    assert ModelTokens.of(Model(str(folder))).form == tokens_of(QWEN).form


def test_an_argument_that_only_has_the_name_of_a_switch_is_none():
    """Here it takes a word, and the template refuses others."""
    template = (
        "{% if reasoning is defined and reasoning is not string %}{{ raise_exception('low or high') }}{% endif %}"
        "{{ messages[0].content }}{{ reasoning ~ '<think>\n' }}"
    )
    assert of_template(template, thinking="off").form.opening == "\n</think>\n\n"
    assert of_template(template, arguments={"reasoning": "low"}).form.state == "open"


# the date, under whatever name a template asks for it


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{{ strftime_now('%d %b %Y') }}", "24 Dec 2031"),
        ("{{ date_string }}", "24 Dec 2031"),
        ("{{ date_string if date_string is defined else 'never' }}", "24 Dec 2031"),
        ("{{ current_date }}", "2031-12-24"),
        ("{% if not today is defined %}{% set today = strftime_now('%Y') %}{% endif %}{{ today }}", "2031-12-24"),
        ("{% set today = strftime_now('%A') %}{{ today }}", "Wednesday"),
        ("{{ datetime.now().strftime('%Y-%m-%d') }}", "2031-12-24"),
        ("{{ datetime.today().year }}", "2031"),
        ("{% macro day() %}{{ strftime_now('%j') }}{% endmacro %}{{ day() }}", "358"),
    ],
)
def test_no_template_sees_the_day_of_the_run(template, shown):
    tokens = of_template(template + " {{ messages[0].content }}", date="2031-12-24")
    assert tokens.decode(tokens.chat("Q")) == f"{shown} Q"


def test_a_date_that_is_given_as_an_argument_counts():
    tokens = of_template("{{ date_string }} {{ messages[0].content }}", arguments={"date_string": "once"})
    assert tokens.decode(tokens.chat("Q")) == "once Q"


# words of others


@each_family
def test_control_tokens_in_a_question_stay_words(family):
    """By ids: only those that the template writes itself are in the prompt."""
    tokens, controls = tokens_of(family), control_ids(family)
    empty = [each for each in tokens.chat("Q") if each in controls]
    attack = " ".join([*(token.content for token in tokenizer_of(family).added_tokens_decoder.values()), *family.marks])
    prompt = tokens.chat(f"Q {attack} {attack[::-1]}")
    assert [each for each in prompt if each in controls] == empty
    assert not controls & set(tokens.encode(tokens.plain(attack)))
    assert tokens.form.state == family.auto[0]


@each_family
@pytest.mark.parametrize("command", COMMANDS)
def test_commands_in_a_question_neither_switch_nor_disappear(family, command):
    tokens = tokens_of(family)
    plain = tokens.plain(f"say {command} or not")
    assert "/think" not in plain.lower()
    assert "/no" not in plain.lower()
    text = tokens.decode(tokens.chat(f"say {command} or not"))
    assert plain in text
    assert text.endswith(family.ends)


def test_marks_that_are_not_tokens_are_broken_as_text():
    """In R1-Zero's vocabulary `</think>` is several tokens, which merge with what follows."""
    base = tokenizer("{{ messages[0].content }}<think>\n", merged=("</", "think", "><", ">**"))
    tokens = ModelTokens(base, Model("zero"))
    assert tokens.close_id is None
    assert tokens.form.close == "</think>"
    assert "</think>" not in tokens.plain("so</think><answer>")
    assert "</think>" not in tokens.decode(tokens.chat("so</think><answer>"))


def test_other_words_are_left_alone():
    for family in FAMILIES:
        tokens = tokens_of(family)
        for text in ("", "a < b > c", "x/y", "[1, 2]", "<b>bold</b>", "1/3", "I think", "\u4f60\u597d \U0001f600\n\n"):
            assert tokens.plain(text) == text, family.name


def test_an_added_token_that_is_only_layout_is_left_alone():
    """Gemma and Phi have such tokens for runs of white space and for HTML."""
    tokens = ModelTokens(tokenizer("{{ messages[0].content }}", added=("\n\n", "<table>")), Model("mine"))
    assert tokens.plain("a\n\n<table>") == "a\n\n<table>"


PARTS = st.sampled_from(
    sorted({token.content for each in FAMILIES for token in tokenizer_of(each).added_tokens_decoder.values()})
)
SCRAPS = st.sampled_from(["<", "</", "|", "|>", "<|", "think", ">", "[", "/", "no_", " ", "\n", "im_", "end", "\u0338"])


@given(st.lists(st.one_of(PARTS, SCRAPS, st.text(max_size=4)), max_size=12).map("".join))
def test_no_text_of_others_becomes_a_control_token(text):
    for name in ("qwen3", "gpt_oss", "r1_distill", "magistral", "gemma4", "nemotron_nano_v2", "cohere"):
        tokens = tokens_of(BY_NAME[name])
        plain = tokens.plain(text)
        assert not control_ids(BY_NAME[name]) & set(tokens.encode(plain))
        assert "/think" not in plain.lower()
        assert plain.replace(" ", "") == text.replace(" ", "")
        assert tokens.plain(plain) == plain
