"""Estimated operations against counts by hand, and against those that torch counts while it computes."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig, AutoModelForCausalLM, DynamicCache

from leap_lab.engines.base import Completion, Request
from leap_lab.engines.usage import Usage
from leap_lab.runs.flops import Flops, NotCounted, flops_of, of_config

TINY = Path(str(files("leap_lab") / "assets" / "tiny"))
SMALL = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 3, "vocab_size": 40}
SMALL |= {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8}
EXPERTS = {"num_experts": 6, "num_experts_per_tok": 2, "moe_intermediate_size": 10, "decoder_sparse_step": 1}
KINDS: dict[str, dict[str, Any]] = {
    "llama": SMALL | {"architectures": ["LlamaForCausalLM"]},
    "mistral": SMALL | {"architectures": ["MistralForCausalLM"], "sliding_window": None},
    "qwen3": SMALL | {"architectures": ["Qwen3ForCausalLM"], "tie_word_embeddings": True},
    "qwen3_moe": SMALL | EXPERTS | {"architectures": ["Qwen3MoeForCausalLM"], "mlp_only_layers": [1]},
    "qwen2_moe": SMALL
    | EXPERTS
    | {"architectures": ["Qwen2MoeForCausalLM"], "shared_expert_intermediate_size": 12, "head_dim": 4},
    "mixtral": SMALL
    | {
        "architectures": ["MixtralForCausalLM"],
        "num_local_experts": 5,
        "num_experts_per_tok": 2,
        "sliding_window": None,
    },
}


def total(flops: Flops, usage: Usage) -> float:
    return flops.total(usage.requests, usage.prefilled, usage.decoded, usage.attended)


def counted(model: Any, length: int) -> int:
    """What torch counts for a prompt of one token and the tokens after it, one at a time, each attending to all."""
    cache = DynamicCache(config=model.config)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        for token in range(length):
            model(input_ids=torch.tensor([[token]]), past_key_values=cache, use_cache=True)
    return counter.get_total_flops()


def test_the_built_in_model_by_hand() -> None:
    """4 layers of width 128 with 4 heads of 32, an MLP of 341, 512 tokens."""
    weights = 4 * (4 * 128 * 128 + 3 * 128 * 341)
    assert flops_of(str(TINY)) == Flops(2 * weights, 2 * 128 * 512, 4 * 4 * 4 * 32)
    usage = Usage(requests=2, prefilled=30, cached=64, decoded=9, attended=700)
    by_hand = 2 * weights * 39 + 2 * 128 * 512 * 11 + 4 * 4 * 4 * 32 * 700
    assert total(flops_of(str(TINY)), usage) == by_hand


def test_the_built_in_model_as_torch_counts_it() -> None:
    model = AutoModelForCausalLM.from_pretrained(TINY, attn_implementation="eager").eval()
    usage = Usage.of(Request([1], 9, 0), Completion([1] * 12, "length", 1))
    assert total(flops_of(str(TINY)), usage) == counted(model, 12)


@pytest.mark.parametrize("kind", KINDS)
def test_other_architectures_as_torch_counts_them(kind: str) -> None:
    """Fewer key-value heads, heads wider than the model, tied heads, experts, a shared one, layers without any."""
    config = AutoConfig.for_model(kind, **KINDS[kind])
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager", experts_implementation="eager").eval()
    usage = Usage.of(Request([1], 9, 0), Completion([1] * 7, "length", 1))
    assert total(of_config(KINDS[kind]), usage) == counted(model, 7)


@pytest.mark.parametrize(
    "config, why",
    [
        ({"architectures": ["DeepseekV3ForCausalLM"]}, "architecture DeepseekV3ForCausalLM"),
        ({}, "architecture none"),
        (KINDS["llama"] | {"sliding_window": 4096}, "slides over a window"),
        (KINDS["qwen3"] | {"layer_types": ["full_attention", "sliding_attention"]}, "slides over a window"),
        ({key: value for key, value in KINDS["llama"].items() if key != "vocab_size"}, "has no vocab_size"),
    ],
)
def test_what_is_not_known_is_not_guessed(config: dict[str, Any], why: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(NotCounted, match=why):
        flops_of(str(tmp_path))


def test_a_window_that_is_not_used_does_not_matter() -> None:
    config = KINDS["qwen3"] | {"sliding_window": 4096, "use_sliding_window": False}
    assert of_config(config) == of_config(KINDS["qwen3"])


def test_a_model_that_is_not_here_is_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(NotCounted, match="in the local cache"):
        flops_of("nobody/has-this-model")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(NotCounted, match="no readable"):
        flops_of(str(tmp_path))
