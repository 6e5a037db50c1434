"""What a configuration may hold. Every bad value is refused here, in one line, before an engine starts."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from leap_lab.errors import UserError, brief
from leap_lab.prompts import SUMMARY_CLOSE

WHOLE, NUMBER = "a whole number", "a number"


def shares(base: float, parts: Sequence[float]) -> list[float]:
    """`${shares:${model.interval},[0.5, 1]}` in conf: multiples of a setting, whole where it is a whole number."""
    return [round(base * part) if isinstance(base, int) else round(base * part, 6) for part in parts]


OmegaConf.register_new_resolver("shares", shares, replace=True)


@dataclass(frozen=True)
class Rule:
    """One key: its type, the values it may have, and those in words."""

    key: str
    kind: str
    holds: Callable[[Any], bool]
    allowed: str
    optional: bool = False

    def check(self, value: Any) -> None:
        """`UserError` unless the value is allowed."""
        if value is None and self.optional:
            return
        if not (_is(self.kind, value) and self.holds(value)):
            raise UserError(f"{self.key}={_shown(value)}: allowed is {self.allowed}")


def _at_least(key: str, least: int, optional: bool = False) -> Rule:
    words = f"{WHOLE} of at least {least}" + (", or null" if optional else "")
    return Rule(key, WHOLE, lambda value: value >= least, words, optional)


def _between(key: str, least: int, most: int) -> Rule:
    return Rule(key, WHOLE, lambda value: least <= value <= most, f"{WHOLE} from {least} to {most}")


MOST_PEERS = 4096  # of a group: all its paths are in memory at once, and routers compare every pair
MOST_GROUPS = 1000  # of a question; for still more take another seed
MOST_AT_ONCE = 10_000  # groups in flight

RULES = (
    _between("peers", 1, MOST_PEERS),
    _between("groups", 1, MOST_GROUPS),
    _at_least("limit", 1, optional=True),
    _between("concurrency", 1, MOST_AT_ONCE),
    Rule("seed", WHOLE, lambda value: value >= 0, f"{WHOLE} of at least 0"),
    Rule("baseline", "true or false", lambda value: True, "true or false"),
    Rule("probes", "true or false", lambda value: True, "true or false"),
    Rule("probe_tokens", WHOLE, lambda value: value >= 0, f"{WHOLE} of at least 0"),
    Rule("runs_dir", "text", bool, "the path of a folder"),
    Rule("model.path", "text", bool, "a folder or a hub id, such as model.path=Qwen/Qwen3-8B"),
    _at_least("method.interval", 1),
    _at_least("method.position", 1),
    _at_least("method.helpers", 1, optional=True),
    _at_least("method.layers", 1),
    _at_least("method.max_tokens", 1),
    _at_least("method.summary_tokens", 1),
    _at_least("method.answer_tokens", 1),
    _at_least("engine.max_model_len", 1),
    _at_least("router.top_k", 1),
    Rule("router.similarity", "text", lambda v: v in ("levenshtein", "indel"), "levenshtein or indel"),
    Rule("prefix.fraction", NUMBER, lambda value: 0 <= value < 1, f"{NUMBER} above 0 and below 1"),
    Rule("prefix.good_ratio", NUMBER, lambda value: 0 <= value <= 1, f"{NUMBER} from 0 to 1"),
    Rule("prefix.per_path", "true or false", lambda value: True, "true or false"),
    _between("reference.responses", 2, MOST_PEERS),
    Rule("reference.seed", WHOLE, lambda value: value >= 0, f"{WHOLE} of at least 0"),
    Rule("sampling.temperature", NUMBER, lambda value: value >= 0, f"{NUMBER} of at least 0"),
    Rule("sampling.top_p", NUMBER, lambda value: 0 < value <= 1, f"{NUMBER} above 0 and at most 1"),
    Rule("sampling.top_k", WHOLE, lambda value: value == -1 or value >= 1, f"{WHOLE} of at least 1, or -1 for all"),
    Rule("sampling.min_p", NUMBER, lambda value: 0 <= value <= 1, f"{NUMBER} from 0 to 1"),
)


def validate(config: DictConfig) -> dict[str, Any]:
    """The resolved configuration as plain values. `UserError` names the first key that is missing or wrong."""
    plain = resolve(config)
    for rule in RULES:
        group, _, key = rule.key.rpartition(".")
        node = plain[group] if group else plain
        if key in node:
            rule.check(node[key])
    _check_prefix(plain)
    _check_budget(plain)
    _check_single_block(plain)
    _check_layers(plain)
    _check_secrets(plain)
    return plain | {"runs_dir": str(Path(plain["runs_dir"]).expanduser())}


def resolve(config: DictConfig) -> dict[str, Any]:
    """All interpolations worked out; a key that must be set and is not is named."""
    if missing := sorted(key for key in OmegaConf.missing_keys(config) if not key.startswith("hydra.")):
        raise UserError(f"{missing[0]}: a value is needed, as in {missing[0]}=...")
    try:
        plain = OmegaConf.to_container(config, resolve=True)
    except OmegaConfBaseException as error:
        raise UserError(" ".join(str(error).split())) from error
    return {str(key): value for key, value in dict(plain).items()}  # type: ignore[arg-type]


def _check_prefix(plain: Mapping[str, Any]) -> None:
    """Beginnings need a length; a reference run must be another run than the one under study."""
    prefix, seed = plain["prefix"], plain["reference"]["seed"]
    if prefix["name"] != "none" and not 0 < prefix["fraction"] < 1:
        raise UserError(f"prefix.fraction={prefix['fraction']}: allowed is {NUMBER} above 0 and below 1")
    if seed == plain["seed"]:
        raise UserError(
            f"reference.seed={seed}: the run's own seed; allowed is any other, so that the two share nothing"
        )


def _check_budget(plain: Mapping[str, Any]) -> None:
    """A block must fit between two blocks, a budget must hold one, the context must hold the budget."""
    method, length = plain["method"], plain["engine"]["max_model_len"]
    interval, summary, budget = (method.get(key) for key in ("interval", "summary_tokens", "max_tokens"))
    if interval is not None and summary is not None:
        if interval < summary:
            raise UserError(
                f"method.interval={interval}: shorter than a summary; allowed is at least "
                f"method.summary_tokens={summary} (up to its {SUMMARY_CLOSE})"
            )
        if budget < interval:
            raise UserError(f"method.interval={interval}: no block fits; allowed is at most method.max_tokens={budget}")
    if budget is not None and budget + method["answer_tokens"] >= length:
        raise UserError(
            f"method.max_tokens={budget}: with method.answer_tokens={method['answer_tokens']} and a prompt it does not "
            f"fit engine.max_model_len={length}"
        )


def _check_single_block(plain: Mapping[str, Any]) -> None:
    """The one block of LeaP-S must fit the budget, with thinking after it, and somebody must be left to hear."""
    method = plain["method"]
    position, helpers = method.get("position"), method.get("helpers")
    if position is None:
        return
    budget, summary = method["max_tokens"], method["summary_tokens"]
    if position + summary >= budget:
        raise UserError(
            f"method.position={position}: no block fits; allowed is less than method.max_tokens={budget} minus "
            f"method.summary_tokens={summary}"
        )
    if helpers is not None and helpers >= plain["peers"]:
        raise UserError(
            f"method.helpers={helpers}: nobody is left to hear them; allowed is less than peers={plain['peers']}"
        )


def _check_layers(plain: Mapping[str, Any]) -> None:
    """The budget of a mixture of agents is shared by its layers."""
    layers, budget = plain["method"].get("layers"), plain["method"].get("max_tokens")
    if layers is not None and layers > budget:
        raise UserError(f"method.layers={layers}: they share one budget; allowed is at most method.max_tokens={budget}")


def _check_secrets(plain: Mapping[str, Any]) -> None:
    """A run folder keeps the configuration and the command, so neither may hold a key; the value is not repeated."""
    for key in ("hf_token", "api_key"):
        if isinstance(plain["engine"].get(key), str):
            raise UserError(f"engine.{key}: a run folder would keep it; allowed is a variable, such as HF_TOKEN")


def _is(kind: str, value: Any) -> bool:
    if kind == "true or false":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind == WHOLE:
        return isinstance(value, int)
    if kind == NUMBER:
        return isinstance(value, int | float) and -sys.float_info.max <= value <= sys.float_info.max
    return isinstance(value, str)


def _shown(value: Any) -> str:
    return "null" if value is None else brief(value)
