"""Tokenizer, corpus and training recipe of the built-in model, on small sizes."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from leap_lab.builtin import pretrain
from leap_lab.builtin.corpus import Recipe, Trace, paths, trace, traces
from leap_lab.builtin.tokenizer import TAGS, FastTokens
from leap_lab.path import SAMPLED, Kind
from leap_lab.prompts import load_prompts

SETTINGS = pretrain.Settings(
    Path(), plain=24, groups=8, drills=8, width=32, layers=1, heads=2, batch_tokens=2000, warmup=2
)


@pytest.fixture(scope="module")
def tokenizer():
    return pretrain.make_tokenizer(SETTINGS)


@pytest.fixture(scope="module")
def recipe(tokenizer):
    return Recipe(SETTINGS.plain, SETTINGS.groups, SETTINGS.drills, 0, load_prompts("tuned"), tokenizer)


@pytest.mark.parametrize(
    "text", ["a=38+27=65.\n\n", "Zoë  \t\n\n\n 漢字 \\boxed{7}", "</comment>x<summarize> y", "\x00\x07"]
)
def test_the_tokenizer_gives_back_any_text(tokenizer, text):
    tokens = FastTokens(tokenizer.backend_tokenizer)
    assert tokens.decode(tokens.encode(text)) == text


def test_digits_are_split_and_tags_are_tokens(tokenizer):
    tokens = FastTokens(tokenizer.backend_tokenizer)
    assert [tokens.decode([token]) for token in tokens.encode("x=4096")] == ["x", "=", "4", "0", "9", "6"]
    assert all(len(tokens.encode(tag)) == 1 for tag in TAGS)


def test_the_chat_template_opens_the_thinking(tokenizer):
    tokens = FastTokens(tokenizer.backend_tokenizer)
    messages = [{"role": "user", "content": "Hello"}]
    text = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    assert text == tokens.decode(tokens.chat("Hello"))
    assert text == "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n<think>\n"


def test_loss_falls_on_own_words_and_the_end_of_the_turn(recipe):
    path = next(path for path in paths(recipe, SETTINGS.plain, SETTINGS.groups) if path.blocks)
    made = trace(path, [99])
    kinds = [segment.kind for segment in path.segments for _ in segment.tokens]
    assert made.tokens == [*path.tokens, 99]
    assert made.learned == [*(kind in SAMPLED for kind in kinds), True]
    assert {Kind.COMMENT, Kind.TRIGGER, Kind.PROMPT} <= set(kinds)


def test_the_corpus_has_both_sorts_and_follows_its_seed(recipe):
    corpus = traces(recipe, processes=2, chunk=16)
    assert len(corpus) > SETTINGS.plain
    assert corpus == traces(recipe, processes=1, chunk=5)
    comment = recipe.tokens.encode("<comment>")[0]
    with_peers = sum(comment in made.tokens for made in corpus)
    assert 0 < with_peers < len(corpus)
    assert traces(replace(recipe, seed=1), processes=1, chunk=32) != corpus


def test_batches_hold_every_trace_once_and_keep_their_size():
    corpus = [Trace([1] * length, [True] * length) for length in range(1, 300)]
    made = list(pretrain.batches(corpus, SETTINGS, epoch=0))
    assert sorted(len(trace.tokens) for batch in made for trace in batch) == list(range(1, 300))
    assert max(len(batch) * max(len(trace.tokens) for trace in batch) for batch in made) <= SETTINGS.batch_tokens


def test_received_words_carry_no_loss(tokenizer):
    torch.manual_seed(0)
    model = pretrain.make_model(SETTINGS, tokenizer)
    made = Trace([5, 6, 7, 8, 9, 10], [False, True, True, False, False, True])
    hidden = model.model(input_ids=torch.tensor([made.tokens[:-1]])).last_hidden_state
    logits = model.lm_head(hidden)[0].float()
    by_hand = torch.nn.functional.cross_entropy(logits[[0, 1, 4]], torch.tensor([6, 7, 10]))
    assert pretrain.step_loss(model, [made]).item() == pytest.approx(by_hand.item(), rel=0.02)


def test_a_short_training_learns_and_saves(recipe, tokenizer, tmp_path, capsys):
    torch.manual_seed(0)
    corpus = traces(recipe, processes=1, chunk=32)
    model = pretrain.make_model(SETTINGS, tokenizer)
    before = pretrain.step_loss(model, corpus[:8]).item()
    pretrain.train(model, corpus, replace(SETTINGS, epochs=2))
    assert pretrain.step_loss(model, corpus[:8]).item() < before - 0.3
    pretrain.save(model, tokenizer, tmp_path)
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {file.name for file in tmp_path.iterdir()}
    assert "loss" in capsys.readouterr().out


def test_the_schedule_warms_up_and_cools_down():
    rates = [pretrain.schedule(step, 100, 10) for step in range(100)]
    assert rates[0] == pytest.approx(0.1) and max(rates) == 1 and rates[-1] < 0.02
