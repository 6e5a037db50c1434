"""The families: their control tokens, and what leap_lab is to find from their templates."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from transformers import PreTrainedTokenizerFast

from leap_lab.engines.chat import ChatSettings
from leap_lab.engines.models import Model
from leap_lab.engines.tokens import ModelTokens
from tests.families.tokenizers import tokenizer

HERE = Path(__file__).parent
EMPTY = "<think>\n\n</think>\n\n"
TAGS = ("<think>", "</think>")
IM = ("<|im_start|>",)
DEEPSEEK = ("<\uff5cUser\uff5c>", "<\uff5cAssistant\uff5c>")  # not called special in its vocabulary
DEEPSEEK_ENDS = ("<\uff5cbegin\u2581of\u2581sentence\uff5c>", "<\uff5cend\u2581of\u2581sentence\uff5c>")
ANALYSIS, FINAL = "<|channel|>analysis<|message|>", "<|channel|>final<|message|>"


@dataclass(frozen=True)
class Family:
    """One family. `auto`, `on` and `off` are (state, opening) with that `model.thinking`; `on` may be a refusal.

    `ends` is how the rendered prompt ends, `turn` what stands around a second question, without the opening;
    `off_ends` is how the prompt ends with thinking off, where a switch changes it. `told` is whether a system
    message is accepted, `dated` the line with the date, `keeps` whether earlier thinking stays in the conversation.
    """

    name: str
    ends: str
    turn: tuple[str, str]
    auto: tuple[str, str]
    on: tuple[str, str]
    off: tuple[str, str]
    marks: tuple[str, str] = TAGS
    closing: str = "\n</think>"
    answer: str = ""
    thinks: bool = True
    off_ends: str | None = None
    special: tuple[str, ...] = IM
    added: tuple[str, ...] = TAGS
    bos: str | None = None
    eos: str = "<|im_end|>"
    told: bool = True
    dated: str | None = None
    keeps: bool = False

    @property
    def template(self) -> str:
        return (HERE / f"{self.name}.jinja").read_text()


@cache
def tokenizer_of(family: Family) -> PreTrainedTokenizerFast:
    return tokenizer(family.template, family.special, family.added, family.bos, family.eos)


def tokens_of(family: Family, **settings: object) -> ModelTokens:
    """Its tokens with these settings of `model.chat` and `model.thinking`."""
    return ModelTokens(tokenizer_of(family), Model(family.name, chat=ChatSettings(**settings)))  # type: ignore[arg-type]


def chatml(name: str, opens: str, **more: object) -> Family:
    """A family in the format of Qwen, whose template writes `opens` in the model's turn."""
    turn = ("<|im_end|>\n<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n" + opens)
    return Family(name, "<|im_start|>assistant\n" + opens, turn, **more)  # type: ignore[arg-type]


def deepseek(name: str, opens: str, **more: object) -> Family:
    """A family in the format of DeepSeek."""
    ends, (user, assistant) = DEEPSEEK_ENDS, DEEPSEEK
    turn = (ends[1] + user, assistant + opens)
    shape = {"special": (), "added": (*DEEPSEEK, *TAGS), "bos": ends[0], "eos": ends[1]}
    return Family(name, assistant + opens, turn, **shape | more)  # type: ignore[arg-type]


def gemma(name: str, start: str, end: str, opens: str = "", **more: object) -> Family:
    """A family in the format of Gemma."""
    turn = (f"{end}\n{start}user\n", f"{end}\n{start}model\n{opens}")
    shape = {"special": (start, end, *more.pop("special", ())), "added": (), "bos": "<bos>", "eos": "<eos>"}  # type: ignore[misc]
    return Family(name, f"{start}model\n{opens}", turn, **shape | more)  # type: ignore[arg-type]


def harmony(name: str, opens: str, **more: object) -> Family:
    """gpt-oss, with a template that opens the analysis or leaves it to the model."""
    turn = ("<|end|><|start|>user<|message|>", "<|end|><|start|>assistant" + opens)
    return Family(
        name,
        "<|start|>assistant" + opens,
        turn,
        marks=(ANALYSIS, "<|end|>"),
        closing="<|end|><|start|>assistant" + FINAL,
        answer="<|start|>assistant" + FINAL,
        special=("<|start|>", "<|channel|>", "<|message|>", "<|end|>", "<|call|>"),
        added=(),
        eos="<|return|>",
        dated="Current date: 2026-01-01",
        **more,  # type: ignore[arg-type]
    )


BARE, OPEN = ("bare", "<think>\n"), ("open", "")
NONE, CLOSED = ("none", ""), ("closed", "")
CUT = ("open", "\n</think>\n\n")  # opened by the template, closed by the runtime

FAMILIES = [
    chatml("qwen3", "", auto=BARE, on=BARE, off=CLOSED, off_ends=EMPTY),
    chatml("qwen3_thinking_2507", "<think>\n", auto=OPEN, on=OPEN, off=CUT),
    chatml("qwen3_instruct_2507", "", auto=NONE, on=("none", "<think>\n"), off=NONE, thinks=False, keeps=True),
    chatml("qwen3_5_small", EMPTY, auto=CLOSED, on=OPEN, off=CLOSED, thinks=False),
    chatml("qwen3_5_large", "<think>\n", auto=OPEN, on=OPEN, off=CLOSED, off_ends=EMPTY),
    chatml("qwen3_8", "<think>\n", auto=OPEN, on=OPEN, off=CLOSED, off_ends=EMPTY, keeps=True),
    deepseek("r1_distill", "<think>\n", auto=OPEN, on=OPEN, off=CUT),
    deepseek("r1_0528_qwen3", "", auto=BARE, on=BARE, off=("bare", EMPTY)),
    chatml("qwq", "<think>\n", auto=OPEN, on=OPEN, off=CUT),
    harmony("gpt_oss", "", auto=("bare", ANALYSIS), on=("bare", ANALYSIS), off=("bare", FINAL)),
    harmony("gpt_oss_open", ANALYSIS, auto=OPEN, on=OPEN, off=("open", "<|end|><|start|>assistant" + FINAL)),
    chatml(
        "smollm3",
        "",
        auto=BARE,
        on=BARE,
        off=CLOSED,
        off_ends="<think>\n\n</think>\n",
        dated="Today Date: 01 January 2026",
        keeps=True,
    ),
    Family(
        "nemotron_nano_v2",
        "<SPECIAL_11>Assistant\n<think>\n\n",
        ("\n<SPECIAL_12>\n\n<SPECIAL_11>User\n", "\n<SPECIAL_11>Assistant\n<think>\n\n"),
        auto=OPEN,
        on=OPEN,
        off=("open", "</think>\n\n"),
        special=("<SPECIAL_10>", "<SPECIAL_11>"),
        eos="<SPECIAL_12>",
    ),
    chatml("olmo3_think", "<think>", auto=OPEN, on=OPEN, off=("open", "\n\n</think>\n\n"), added=(), keeps=True),
    Family(
        "phi4_reasoning",
        "<|im_start|>assistant<|im_sep|>",
        ("<|im_end|><|im_start|>user<|im_sep|>", "<|im_end|><|im_start|>assistant<|im_sep|>"),
        auto=BARE,
        on=BARE,
        off=("bare", EMPTY),
        special=(*IM, "<|im_sep|>"),
        told=False,
        keeps=True,
    ),
    gemma(
        "gemma2",
        "<start_of_turn>",
        "<end_of_turn>",
        auto=NONE,
        on=("none", "<think>\n"),
        off=NONE,
        thinks=False,
        told=False,
        keeps=True,
    ),
    gemma(
        "gemma3",
        "<start_of_turn>",
        "<end_of_turn>",
        auto=NONE,
        on=("none", "<think>\n"),
        off=NONE,
        thinks=False,
        keeps=True,
    ),
    gemma(
        "gemma4",
        "<|turn>",
        "<turn|>",
        special=("<|channel>", "<channel|>", "<|think|>"),
        auto=NONE,
        on=("bare", "<|channel>thought\n"),
        off=NONE,
        marks=("<|channel>thought", "<channel|>"),
        closing="\n<channel|>",
        thinks=False,
    ),
    gemma(
        "gemma4_large",
        "<|turn>",
        "<turn|>",
        "<|channel>thought\n<channel|>",
        special=("<|channel>", "<channel|>", "<|think|>"),
        auto=CLOSED,
        on=("bare", "<|channel>thought\n"),
        off=CLOSED,
        marks=("<|channel>thought", "<channel|>"),
        closing="\n<channel|>",
        thinks=False,
    ),
    Family(
        "magistral",
        "[/INST]",
        ("</s>[INST]", "[/INST]"),
        auto=("bare", "[THINK]"),
        on=("bare", "[THINK]"),
        off=("bare", "[THINK][/THINK]"),
        marks=("[THINK]", "[/THINK]"),
        closing="[/THINK]",
        special=("[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[THINK]", "[/THINK]"),
        added=(),
        bos="<s>",
        eos="</s>",
        keeps=True,
    ),
    Family(
        "llama3_1",
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
        (
            "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n",
            "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        ),
        auto=NONE,
        on=("none", "<think>\n"),
        off=NONE,
        thinks=False,
        special=("<|start_header_id|>", "<|end_header_id|>"),
        added=(),
        bos="<|begin_of_text|>",
        eos="<|eot_id|>",
        dated="Today Date: 01 Jan 2026",
        keeps=True,
    ),
    chatml("qwen2_5", "", auto=NONE, on=("none", "<think>\n"), off=NONE, thinks=False, added=(), keeps=True),
    deepseek("deepseek_v3_1", "</think>", auto=CLOSED, on=OPEN, off=CLOSED, thinks=False),
    Family(
        "cohere",
        "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|><|START_THINKING|>",
        (
            "<|END_RESPONSE|><|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|USER_TOKEN|>",
            "<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|><|START_THINKING|>",
        ),
        auto=OPEN,
        on=OPEN,
        off=CLOSED,
        off_ends="<|START_THINKING|><|END_THINKING|>",
        marks=("<|START_THINKING|>", "<|END_THINKING|>"),
        closing="<|END_THINKING|><|START_RESPONSE|>",
        answer="<|START_RESPONSE|>",
        special=(
            *("<|START_OF_TURN_TOKEN|>", "<|SYSTEM_TOKEN|>", "<|USER_TOKEN|>", "<|CHATBOT_TOKEN|>"),
            *("<|START_THINKING|>", "<|END_THINKING|>", "<|START_RESPONSE|>", "<|END_RESPONSE|>"),
        ),
        added=(),
        bos="<BOS_TOKEN>",
        eos="<|END_OF_TURN_TOKEN|>",
    ),
    Family(
        "seed_oss",
        "<seed:bos>assistant\n",
        ("<seed:eos><seed:bos>user\n", "<seed:eos><seed:bos>assistant\n"),
        auto=("bare", "<seed:think>\n"),
        on=("bare", "<seed:think>\n"),
        off=("bare", "<seed:think>\n\n</seed:think>\n\n"),
        marks=("<seed:think>", "</seed:think>"),
        closing="\n</seed:think>",
        special=("<seed:think>", "</seed:think>", "<seed:cot_budget_reflect>"),
        added=(),
        bos="<seed:bos>",
        eos="<seed:eos>",
        keeps=True,
    ),
    Family(
        "granite",
        "<|start_of_role|>assistant<|end_of_role|>",
        (
            "<|end_of_text|>\n<|start_of_role|>user<|end_of_role|>",
            "<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>",
        ),
        auto=NONE,
        on=("bare", "<think>\n"),
        off=NONE,
        thinks=False,
        special=("<|start_of_role|>", "<|end_of_role|>"),
        added=(),
        eos="<|end_of_text|>",
        dated="Today is January 01, 2026.",
        keeps=True,
    ),
]
BY_NAME = {family.name: family for family in FAMILIES}
