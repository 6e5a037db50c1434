"""Parrots: real model folders whose next token depends on the last one alone, so that what they write is known."""

from collections.abc import Mapping
from pathlib import Path

from transformers import PreTrainedTokenizerFast

SIZE = 512  # of the vocabulary, and of the hidden state, which says which token was last


def parrot(folder: Path, tokenizer: PreTrainedTokenizerFast, following: Mapping[int, int]) -> Path:
    """A folder as for any Qwen2 model: each token is followed by the one given for it, any other ends the text."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    assert len(tokenizer) <= SIZE
    config = Qwen2Config(
        vocab_size=SIZE,
        hidden_size=SIZE,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=8,
        num_key_value_heads=8,
        max_position_embeddings=8192,
        tie_word_embeddings=False,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    model = Qwen2ForCausalLM(config)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            weights.fill_(1.0 if "norm" in name else 0.0)
        model.model.embed_tokens.weight.copy_(torch.eye(SIZE))
        for token in range(SIZE):
            model.lm_head.weight[following.get(token, tokenizer.eos_token_id), token] = 3.0  # a logit of 60 and more
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
