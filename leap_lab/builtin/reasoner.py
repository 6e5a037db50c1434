"""The programmatic reasoner as an engine (`engine=scripted`), to decode without any model."""

from typing import Any

from leap_lab.builtin.policy import write
from leap_lab.builtin.tokenizer import FastTokens
from leap_lab.engines.models import ASSETS, Model
from leap_lab.engines.scripted import ScriptedEngine


class ScriptedSettings:
    """`engine=scripted`: the reasoner behind the built-in model's tokenizer, whatever model is named."""

    uses_model = False

    def __init__(self, max_model_len: int, **fields: Any) -> None:
        self.max_model_len, self.fields = max_model_len, fields

    def check(self, model: Model) -> None:
        """Fields of other engines are ignored, so that any command can be tried without its model."""

    def identity(self) -> dict[str, Any]:
        return {"max_model_len": self.max_model_len}

    async def start(self, model: Model) -> ScriptedEngine:
        from tokenizers import Tokenizer

        file = ASSETS / "tiny" / "tokenizer.json"
        return ScriptedEngine(write, FastTokens(Tokenizer.from_str(file.read_text("utf-8"))), self.max_model_len)
