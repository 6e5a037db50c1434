"""Train the built-in model from scratch: `python -m leap_lab.builtin.pretrain --out leap_lab/assets/tiny`.

A Qwen2 of under a million parameters learns the programmatic reasoner's traces. On a GPU when there is one; otherwise
in 52 minutes on one CPU core. With such a budget small batches and a small width work best: the number of steps counts
most.
"""

import math
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from leap_lab import console, home
from leap_lab.builtin.corpus import IGNORED, Recipe, Trace, paths, traces
from leap_lab.builtin.muon import Muon
from leap_lab.builtin.tokenizer import train_tokenizer
from leap_lab.prompts import load_prompts


@dataclass(frozen=True)
class Settings:
    """Sizes and schedule; the defaults are those of the shipped model."""

    out: Path
    plain: int = 36_000
    groups: int = 2_700
    drills: int = 20_000
    seed: int = 0
    vocabulary: int = 512
    width: int = 128
    layers: int = 4
    heads: int = 4
    context: int = 2048
    batch_tokens: int = 2_000
    rate: float = 6e-3
    warmup: int = 150
    epochs: int = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Tokenizer, traces, training, and the folder of the model; returns the exit status (see `console.run`)."""
    settings = _settings(arguments)

    def make() -> int:
        make_built_in(settings)
        return 0

    return console.run(make, "nothing of an unfinished training is kept")


def make_built_in(settings: Settings) -> None:
    """Train from scratch and save; prints the progress."""
    torch.manual_seed(settings.seed)
    tokenizer = make_tokenizer(settings)
    print(f"tokenizer: {len(tokenizer)} tokens", flush=True)
    started = time.monotonic()
    recipe = Recipe(settings.plain, settings.groups, settings.drills, settings.seed, load_prompts("tuned"), tokenizer)
    corpus = traces(recipe)
    total = sum(len(trace.tokens) for trace in corpus)
    print(f"corpus: {len(corpus)} traces, {total:,} tokens, {time.monotonic() - started:.0f} s", flush=True)
    model = make_model(settings, tokenizer)
    print(f"model: {model.num_parameters():,} parameters on {device()}", flush=True)
    train(model, corpus, settings)
    save(model, tokenizer, settings.out)


def make_tokenizer(settings: Settings) -> PreTrainedTokenizerFast:
    """A tokenizer trained on a first slice of the traces' text."""
    recipe = Recipe(400, 200, 0, settings.seed, load_prompts("tuned"))
    texts = ("".join(segment.text for segment in path.segments) for path in paths(recipe, 0, 600))
    return train_tokenizer(texts, settings.vocabulary)


def make_model(settings: Settings, tokenizer: PreTrainedTokenizerFast) -> Qwen2ForCausalLM:
    """A fresh Qwen2 with tied embeddings."""
    config = Qwen2Config(
        vocab_size=settings.vocabulary,
        hidden_size=settings.width,
        intermediate_size=8 * settings.width // 3,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        num_key_value_heads=settings.heads,
        max_position_embeddings=settings.context,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        attn_implementation="sdpa",
    )
    return Qwen2ForCausalLM(config).to(device())


def train(model: Qwen2ForCausalLM, corpus: list[Trace], settings: Settings) -> None:
    """Train on the traces under a cosine schedule; prints loss and speed as it goes."""
    steps = [batch for epoch in range(settings.epochs) for batch in batches(corpus, settings, epoch)]
    both = optimizers(model, settings.rate)
    model.train()
    seen, started, smooth = 0, time.monotonic(), 0.0
    for step, batch in enumerate(steps):
        for group in (group for optimizer in both for group in optimizer.param_groups):
            group["lr"] = settings.rate * schedule(step, len(steps), settings.warmup)
        loss = step_loss(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in both:
            optimizer.step()
            optimizer.zero_grad()
        seen += sum(len(trace.tokens) for trace in batch)
        smooth = loss.item() if step == 0 else 0.98 * smooth + 0.02 * loss.item()
        if step % 100 == 0 or step + 1 == len(steps):
            speed = seen / (time.monotonic() - started)
            print(f"step {step + 1}/{len(steps)}  loss {smooth:.4f}  {speed:,.0f} tokens/s", flush=True)


def optimizers(model: Qwen2ForCausalLM, rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers, AdamW for embeddings, norms and biases."""
    named = list(model.named_parameters())
    hidden = [parameter for name, parameter in named if parameter.ndim == 2 and "embed" not in name]
    others = [parameter for name, parameter in named if parameter.ndim != 2 or "embed" in name]
    return [Muon(hidden, rate), torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.98), weight_decay=0.01)]


def batches(corpus: list[Trace], settings: Settings, epoch: int) -> Iterator[list[Trace]]:
    """Traces of similar length together, about `batch_tokens` tokens per batch, in random order."""
    order = random.Random(f"{settings.seed}-{epoch}")
    shuffled = order.sample(corpus, len(corpus))
    collected: list[list[Trace]] = []
    for start in range(0, len(shuffled), 2000):
        pool = sorted(shuffled[start : start + 2000], key=lambda trace: len(trace.tokens))
        while pool:
            size = max(1, settings.batch_tokens // len(pool[-1].tokens))
            collected.append(pool[-size:])
            del pool[-size:]
    return iter(order.sample(collected, len(collected)))


def step_loss(model: Qwen2ForCausalLM, batch: list[Trace]) -> torch.Tensor:
    """Mean cross-entropy over the learned tokens of a batch."""
    longest = max(len(trace.tokens) for trace in batch)
    tokens = torch.zeros(len(batch), longest, dtype=torch.long)
    labels = torch.full((len(batch), longest), IGNORED)
    for row, trace in enumerate(batch):
        ids = torch.tensor(trace.tokens)
        tokens[row, : len(ids)] = ids
        labels[row, : len(ids)] = torch.where(torch.tensor(trace.learned), ids, IGNORED)
    tokens, labels = tokens.to(device()), labels.to(device())
    with torch.autocast("cuda", dtype=torch.bfloat16, enabled=device() == "cuda"):  # slow on many CPUs
        hidden = model.model(input_ids=tokens[:, :-1], use_cache=False).last_hidden_state
        wanted = labels[:, 1:] != IGNORED  # apply the head only where there is something to learn
        logits: Any = model.lm_head(hidden[wanted])
    return functional.cross_entropy(logits.float(), labels[:, 1:][wanted])


def schedule(step: int, steps: int, warmup: int) -> float:
    """Linear warm-up, then a cosine down to a hundredth."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def save(model: Qwen2ForCausalLM, tokenizer: PreTrainedTokenizerFast, out: Path) -> None:
    """Weights as safetensors, with tokenizer, chat template and configs."""
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    for file in out.iterdir():
        file.chmod(0o644)  # safetensors makes files that only the owner can read, and the model is to be installed
    print(f"saved to {out}", flush=True)


def device() -> str:
    """Where the training runs."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def _settings(arguments: Sequence[str] | None) -> Settings:
    parser = console.Parser(description=__doc__)
    parser.add_argument("--out", type=home.path, required=True, help="folder for the model")
    for name, value in vars(Settings(Path())).items():
        if name != "out":
            parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    return Settings(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main())
