"""The programmatic reasoner as an engine (`engine=scripted`): what decoding looks like without any model."""

from importlib.resources import files
from typing import Any

from leap_lab.builtin.policy import write
from leap_lab.builtin.tokenizer import FastTokens
from leap_lab.engines.scripted import ScriptedEngine


async def start(model: str, max_model_len: int, **_: Any) -> ScriptedEngine:
    """The reasoner behind the built-in model's tokenizer, whatever model is named."""
    from tokenizers import Tokenizer

    file = files("leap_lab") / "assets" / "tiny" / "tokenizer.json"
    return ScriptedEngine(write, FastTokens(Tokenizer.from_str(file.read_text())), max_model_len)
