"""How long a model's context is, and settings that fit it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from leap_lab.engines.models import expanded
from leap_lab.errors import UserError


def positions(model: str) -> int | None:
    """The positions that a model folder was made for; None for a hub id, or where its config.json does not say."""
    try:
        config = json.loads((Path(expanded(model)) / "config.json").read_text("utf-8"))
        config = config.get("text_config") or config  # of multimodal models
        return int(config["max_position_embeddings"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def context(model: str, most: int) -> int:
    """`${context:${model.path},32768}` in conf: the positions of a model folder, at most so many."""
    return min(positions(model) or most, most)


def part(whole: int, share: int, most: int) -> int:
    """`${part:${model.max_model_len},2,16384}` in conf: one of `share` equal parts, at most so many tokens."""
    return max(1, min(whole // share, most))


OmegaConf.register_new_resolver("context", context, replace=True)
OmegaConf.register_new_resolver("part", part, replace=True)


def check(config: Mapping[str, Any]) -> None:
    """`UserError` where the context is longer than the model's, or too short for the budget; names all that would fit.

    A model whose positions are stretched (engine.hf_overrides, rope scaling) is left to vLLM.
    """
    engine, method = config["engine"], config["method"]
    asked, known = engine["max_model_len"], positions(str(config["model"]["path"]))
    if known is not None and asked > known and not engine.get("hf_overrides"):
        raise UserError(f"engine.max_model_len={asked}: the model has {known} positions; {_fitting(known)}")
    needed = _number(method.get("max_tokens")) + _number(method.get("answer_tokens"))
    if needed >= asked:
        raise UserError(
            f"method.max_tokens={method['max_tokens']}: with method.answer_tokens={method.get('answer_tokens')} and a "
            f"prompt it does not fit engine.max_model_len={asked}; {_fitting(asked)}"
        )


def _fitting(length: int) -> str:
    """Settings that fit a context of this length."""
    budget = part(length, 2, 16384)
    interval = part(budget, 4, 4096)
    return (
        f"these fit: model.max_model_len={length} model.max_tokens={budget} model.interval={interval} "
        f"model.summary_tokens={part(interval, 4, 256)}"
    )


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0
