"""Floating point operations of decoding, estimated from a model's config.json.

A multiplication and its addition are two operations, so a token that goes through the model takes 2 for every weight of
a matrix that multiplies it: projections of queries, keys, values and outputs, the MLP (of experts those that a token is
routed to, and the router), after Kaplan et al. (2020, section 2.1). The output head multiplies only tokens after which
one is sampled; that it may share its weights with the embedding changes nothing. Attention takes 2 x heads x head_dim
for the scores and as much for the weighted sum, per layer and position attended to; fewer key-value heads do not change
that. Norms, softmax, rotations, activations and sampling are left out, as is what the engine computes and throws away.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DENSE = ("Qwen2ForCausalLM", "Qwen3ForCausalLM", "LlamaForCausalLM", "MistralForCausalLM")
EXPERTS = ("Qwen2MoeForCausalLM", "Qwen3MoeForCausalLM", "MixtralForCausalLM")


class NotCounted(Exception):
    """A model whose operations are not known; the message says why."""


@dataclass(frozen=True)
class Flops:
    """Operations per token that goes through the model, per token sampled, and per position attended to."""

    computed: int
    sampled: int
    attended: int

    def total(self, requests: Any, prefilled: Any, decoded: Any, attended: Any) -> Any:
        """The operations of what `usage.Usage` counts, numbers or columns of them.

        Every request samples one token more than it decodes.
        """
        passed, sampled = prefilled + decoded, requests + decoded
        return 1.0 * self.computed * passed + 1.0 * self.sampled * sampled + 1.0 * self.attended * attended


def flops_of(model: str, revision: str | None = None) -> Flops:
    """The operations of a model: a folder, or a hub id in the local cache; `NotCounted` for any other."""
    file = Path(model) / "config.json" if Path(model).is_dir() else _cached(model, revision)
    try:
        return of_config(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise NotCounted(f"no readable config.json of {model}") from error


def of_config(config: Mapping[str, Any]) -> Flops:
    """The operations of a model with this config.json; `NotCounted` unless it is of `DENSE` or `EXPERTS`."""
    names = config.get("architectures") or ["none"]
    if names[0] not in (*DENSE, *EXPERTS):
        raise NotCounted(f"architecture {names[0]} is not supported")
    if _slides(config):
        raise NotCounted("its attention slides over a window")
    try:
        return _counted(config, names[0] in EXPERTS)
    except KeyError as error:
        raise NotCounted(f"its config.json has no {error.args[0]}") from error


def _cached(model: str, revision: str | None) -> Path:
    from huggingface_hub import try_to_load_from_cache

    file = try_to_load_from_cache(model, "config.json", revision=revision)
    if not isinstance(file, str):
        raise NotCounted(f"no config.json of {model} in the local cache")
    return Path(file)


def _slides(config: Mapping[str, Any]) -> bool:
    """Whether a token attends to less than all before it. Without `use_sliding_window` a window is in use."""
    kinds = set(config.get("layer_types") or ())
    return bool(
        kinds - {"full_attention"} or config.get("use_sliding_window", config.get("sliding_window") is not None)
    )


def _counted(config: Mapping[str, Any], experts: bool) -> Flops:
    layers, hidden, heads = (config[f"{key}"] for key in ("num_hidden_layers", "hidden_size", "num_attention_heads"))
    width = config.get("head_dim") or hidden // heads
    keys = config.get("num_key_value_heads") or heads
    attention = 2 * hidden * heads * width + 2 * hidden * keys * width
    mlps = _expert_mlps(config) if experts else layers * _mlp(hidden, config["intermediate_size"])
    return Flops(
        computed=2 * (layers * attention + mlps),
        sampled=2 * hidden * config["vocab_size"],
        attended=4 * layers * heads * width,
    )


def _mlp(hidden: int, inner: int) -> int:
    """Weights of a gated MLP: gate, up and down."""
    return 3 * hidden * inner


def _expert_mlps(config: Mapping[str, Any]) -> int:
    """Weights that a token meets in the MLPs of all layers: its experts, their router, a shared one; or a dense MLP."""
    hidden, layers = config["hidden_size"], config["num_hidden_layers"]
    count = config["num_local_experts" if "num_local_experts" in config else "num_experts"]
    inner = config.get("moe_intermediate_size") or config["intermediate_size"]
    shared = config.get("shared_expert_intermediate_size") or 0
    gate = hidden if shared else 0
    sparse = hidden * count + config["num_experts_per_tok"] * _mlp(hidden, inner) + _mlp(hidden, shared) + gate
    dense_layers, step = config.get("mlp_only_layers") or (), config.get("decoder_sparse_step") or 1
    routed = sum((layer + 1) % step == 0 and layer not in dense_layers for layer in range(layers))
    dense = _mlp(hidden, config["intermediate_size"]) if routed < layers else 0
    return int(routed * sparse + (layers - routed) * dense)
