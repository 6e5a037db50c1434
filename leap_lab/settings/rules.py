"""What a configuration may hold, apart from the rules of methods and routers. A bad value is refused in one line."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import GrammarParseError, InterpolationResolutionError, OmegaConfBaseException

from leap_lab import checks, home
from leap_lab.checks import LARGEST
from leap_lab.errors import UserError, one_line
from leap_lab.runs.identity import dotted as by_dots

MOST_PEERS = 4096  # of a group: all its paths are in memory at once, and routers compare every pair
MOST_GROUPS = 1000  # of a question; for more use another seed
MOST_AT_ONCE = 10_000  # groups in flight
OF_HYDRA = re.compile(r"(?<!\\)\$\{hydra:\s*([\w./]+)\s*\}")
UNRESOLVED = (GrammarParseError, InterpolationResolutionError)  # what a wrong `${...}` raises
WORDING = ("prompts",)  # groups whose texts are words, where ~ is no home folder
CHOICES = ("model", "engine", "method", "router", "dataset", "prompts", "tracking", "difficulty", "prefix")


def shares(base: float, parts: Sequence[float]) -> list[float]:
    """`${shares:${model.interval},[0.5, 1]}` in conf: multiples of a setting, integers if it is an integer."""
    return [round(base * part) if isinstance(base, int) else round(base * part, 6) for part in parts]


OmegaConf.register_new_resolver("shares", shares, replace=True)


def integer(least: int = 0, most: int | None = None, optional: bool = False) -> Callable[[str, Any], None]:
    """A rule: an integer within bounds."""
    return lambda key, value: checks.integer(key, value, least, most, optional)


def number(allowed: str, least: float, most: float = LARGEST, open_at: str = "") -> Callable[[str, Any], None]:
    """A rule: a number within bounds, which `allowed` describes."""
    return lambda key, value: checks.number(key, value, allowed, least, most, open_at)


def text(allowed: str) -> Callable[[str, Any], None]:
    """A rule: text that is not empty."""
    return lambda key, value: checks.text(key, value, allowed)


RULES: dict[str, Callable[[str, Any], None]] = {
    "peers": integer(1, MOST_PEERS),
    "groups": integer(1, MOST_GROUPS),
    "limit": integer(1, optional=True),
    "concurrency": integer(1, MOST_AT_ONCE),
    "seed": integer(),
    "baseline": checks.boolean,
    "probes": checks.boolean,
    "journal": checks.boolean,
    "probe_tokens": integer(),
    "runs_dir": text("the path of a folder"),
    "dataset.offset": integer(),
    "dataset.ids": checks.texts,
    "model.path": text("a folder or a hub id, such as model.path=Qwen/Qwen3-8B"),
    "engine.max_model_len": integer(1),
    "confidence.top_logprobs": integer(),
    "confidence.window": integer(1),
    "confidence.per_token": checks.boolean,
    "prefix.fraction": number("a number >= 0 and < 1", 0, 1, open_at="most"),
    "prefix.good_ratio": number("a number from 0 to 1", 0, 1),
    "prefix.per_path": checks.boolean,
    "reference.responses": integer(2, MOST_PEERS),
    "reference.seed": integer(),
    "sampling.temperature": number("a number >= 0", 0),
    "sampling.top_p": number("a number > 0 and <= 1", 0, 1, open_at="least"),
    "sampling.min_p": number("a number from 0 to 1", 0, 1),
}


def validate(config: DictConfig) -> dict[str, Any]:
    """The resolved configuration as plain values. `UserError` names the first key that is missing or wrong."""
    plain = resolve(config)
    for group in CHOICES:
        if not isinstance(plain.get(group), Mapping) or not isinstance(plain[group].get("name"), str):
            raise UserError(f"{group}={checks.shown(plain.get(group))}: invalid setting; must be a choice with a name")
    for dotted, rule in RULES.items():
        group, _, key = dotted.rpartition(".")
        node = plain.get(group) if group else plain
        if not isinstance(node, Mapping):
            raise UserError(f"{group}={checks.shown(node)}: invalid setting; must hold keys, as in {dotted}=...")
        if key in node:
            rule(dotted, node[key])
        elif not group:
            raise UserError(f"{key}: a value is needed, as in {key}=...")
    top_k = plain["sampling"]["top_k"]
    if isinstance(top_k, bool) or not isinstance(top_k, int) or (top_k < 1 and top_k != -1):
        raise UserError(f"sampling.top_k={checks.shown(top_k)}: must be an integer >= 1, or -1 for all")
    _check_prefix(plain)
    _check_secrets(plain)
    return plain


def resolve(config: DictConfig) -> dict[str, Any]:
    """All interpolations resolved and `~` expanded; `UserError` names a key that must be set and is not."""
    raw: Any = OmegaConf.to_container(config, resolve=False)
    if missing := sorted(key for key, value in by_dots(raw).items() if value == "???" and not key.startswith("hydra.")):
        raise UserError(f"{missing[0]}: a value is needed, as in {missing[0]}=...")
    try:
        _check_hydras(by_dots(raw))
        plain: Any = OmegaConf.to_container(config, resolve=True)
    except UNRESOLVED as error:
        raise UserError(unresolved(error)) from error
    except OmegaConfBaseException as error:
        raise UserError(one_line(error)) from error
    return {str(key): value if key in WORDING else home.expanded(value) for key, value in dict(plain).items()}


def unresolved(error: OmegaConfBaseException) -> str:
    """Which setting holds a `${...}` that stands for nothing, and what to write instead, in one line."""
    key = f"{error.full_key}: " if error.full_key else ""
    why = one_line(str(error).partition("full_key:")[0])
    return f"{key}{why}; ${{...}} stands for another setting, write \\${{ for these characters themselves"


def _check_hydras(settings: Mapping[str, Any]) -> None:
    """`${hydra:...}` stands for a setting of Hydra's own; most are known before anything is decoded, others are not."""
    from hydra.core.hydra_config import HydraConfig

    for key, value in settings.items():
        for name in OF_HYDRA.findall(value) if isinstance(value, str) else ():
            hydras: Any = HydraConfig.get() if HydraConfig.initialized() else OmegaConf.create()
            if OmegaConf.select(hydras, name) is None:
                raise UserError(f"{key}: ${{hydra:{name}}} is not known before anything is decoded; write the value")


def _check_prefix(plain: Mapping[str, Any]) -> None:
    """Beginnings need a length; a reference run must differ from the run under study."""
    prefix, seed = plain["prefix"], plain["reference"]["seed"]
    if prefix["name"] != "none":
        checks.number("prefix.fraction", prefix["fraction"], "a number > 0 and < 1", 0, 1, "least most")
    if seed == plain["seed"]:
        raise UserError(f"reference.seed={seed}: the same as seed; must differ, so that the two runs are independent")


def _check_secrets(plain: Mapping[str, Any]) -> None:
    """A run folder keeps the configuration and the command, so neither may hold a key; the error does not show it."""
    for key in ("hf_token", "api_key"):
        if isinstance(plain["engine"].get(key), str):
            raise UserError(
                f"engine.{key}: the run folder would keep it; use an environment variable, such as HF_TOKEN"
            )
