"""The templates that models really have, as far as TRL, which training uses, has them among its files."""

import importlib.util
from pathlib import Path

import pytest

from leap_lab.engines.chat import ChatSettings
from leap_lab.engines.models import Model
from leap_lab.engines.tokens import ModelTokens
from leap_lab.errors import UserError
from tests.families.tokenizers import tokenizer

SPEC = importlib.util.find_spec("trl")
FOLDER = Path(str(SPEC.origin)).parent / "chat_templates" if SPEC else Path("no TRL is installed")
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"{FOLDER}: no such folder")

TAGS = "<think>\n"
ANALYSIS, FINAL = "<|channel|>analysis<|message|>", "<|channel|>final<|message|>"
NONE = ("none", "")
# (state, opening) with model.thinking=auto, on and off
FOUND = {
    "deepseek_r1_distill": (("open", ""), ("open", ""), ("open", "\n</think>\n\n")),
    "gemma": (NONE, ("none", TAGS), NONE),
    "gemma3": (NONE, ("none", TAGS), NONE),
    "gemma4": (NONE, ("bare", "<|channel>thought\n"), NONE),
    "glm4moe": (("bare", "\n" + TAGS), ("bare", "\n" + TAGS), ("closed", "")),
    "gptoss": (("bare", ANALYSIS), ("bare", ANALYSIS), ("bare", FINAL)),
    "llama3_1": (NONE, ("none", TAGS), NONE),
    "llama3_2": (NONE, ("none", TAGS), NONE),
    "nemotron_3_nano": (("open", ""), ("open", ""), ("closed", "")),
    "nemotron_3_super": (("open", ""), ("open", ""), ("closed", "")),
    "qwen2_5": (NONE, ("none", TAGS), NONE),
    "qwen3": (("bare", TAGS), ("bare", TAGS), ("closed", "")),
    "qwen3_5_nothink": (("closed", ""), ("open", ""), ("closed", "")),
    "qwen3_5_think": (("open", ""), ("open", ""), ("closed", "")),
    "qwen3_6": (("open", ""), ("open", ""), ("closed", "")),
    "qwen3_8": (("open", ""), ("open", ""), ("closed", "")),
    "qwen3_instruct_2507": (NONE, ("none", TAGS), NONE),
}


def tokens_of(name: str, **settings: object) -> ModelTokens:
    file = FOLDER / f"{name}.jinja"
    if not file.is_file():
        pytest.skip(f"this TRL has no {file.name}")
    base = tokenizer(file.read_text(), ("<|im_start|>", "<|end|>", "<|start|>"), ("<think>", "</think>"), bos="<s>")
    return ModelTokens(base, Model(name, chat=ChatSettings(**settings)))  # type: ignore[arg-type]


def ids_of(tokens: ModelTokens, *texts: str) -> list[int]:
    """What the tokenizer itself makes of questions and answers in turn."""
    messages = [{"role": ("user", "assistant")[index % 2], "content": text} for index, text in enumerate(texts)]
    given = {"add_generation_prompt": True, "date_string": "01 Jan 2026", **tokens.form.arguments}
    return list(tokens.tokenizer.apply_chat_template(messages, tokenize=True, return_dict=False, **given))


@pytest.mark.parametrize("name", FOUND)
@pytest.mark.parametrize(("index", "thinking"), enumerate(["auto", "on", "off"]))
def test_the_state_and_the_opening_of_real_templates_are_found(name, index, thinking):
    tokens = tokens_of(name, thinking=thinking)
    assert (tokens.form.state, tokens.form.opening) == FOUND[name][index]
    if name != "gptoss":  # which the tokenizer itself gives today's date
        assert tokens.chat("1+1?") == ids_of(tokens, "1+1?")
    before, after = tokens.form.turn
    whole = tokens.decode(ids_of(tokens, "1+1?", "2.", "And 2+2?")) + tokens.form.opening
    assert whole.endswith(f"2.{before}And 2+2?{after}")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("gptoss", "Current date: 2031-12-24"),
        ("llama3_1", "Today Date: 24 Dec 2031"),
        ("llama3_2", "Today Date: 24 Dec 2031"),
        ("muse_glimmer", "Current date: 2031-12-24"),
    ],
)
def test_real_templates_print_the_date_that_is_set(name, line):
    tokens = tokens_of(name, date="2031-12-24")
    assert line in tokens.decode(tokens.chat("1+1?"))


def test_a_real_template_refuses_a_system_message():
    with pytest.raises(UserError, match=r"model\.chat\.system: .*System role not supported"):
        tokens_of("gemma", system="Be brief.")


@pytest.mark.parametrize("name", ["smolvlm", "idefics3", "llava_next"])
def test_real_templates_for_images_leave_out_plain_text(name):
    with pytest.raises(UserError, match="the chat template leaves out the question"):
        tokens_of(name)
