"""LoRA adapters: what `model.lora` may name, what is refused before anything is loaded, and decoding with one."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from leap_lab import api
from leap_lab.engines import adapters
from leap_lab.engines.adapters import Adapter, looked_at, remark
from leap_lab.engines.base import GREEDY, Request
from leap_lab.engines.models import ASSETS, Model
from leap_lab.engines.vllm import VllmEngine
from leap_lab.errors import UserError
from leap_lab.prompts import load_prompts
from leap_lab.tasks.arithmetic import generate
from tests.commands import SMALL, run

TINY = str(ASSETS / "tiny")
GOOD = {
    "peft_type": "LORA",
    "r": 8,
    "lora_alpha": 16,
    "target_modules": ["q_proj"],
    "base_model_name_or_path": "o/tiny",
}


def adapter(folder: Path, **changes: Any) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps(GOOD | changes))
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    return str(folder)


def test_an_adapter_is_looked_at(tmp_path):
    lora = adapter(tmp_path / "a", rank_pattern={"v_proj": 20})
    assert looked_at(lora) == Adapter(tmp_path / "a", 20, "o/tiny")
    assert [Adapter(tmp_path, rank, None).room for rank in (1, 2, 8, 9, 65, 512)] == [1, 8, 8, 16, 128, 512]
    assert looked_at("owner/adapter") is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"peft_type": "IA3"}, "of the kind IA3; must be LORA"),
        ({"use_dora": True}, "vLLM cannot decode with use_dora"),
        ({"modules_to_save": ["lm_head"]}, "vLLM cannot decode with modules_to_save"),
        ({"r": 513}, "must be an integer from 1 to 512"),
        ({"rank_pattern": {"k_proj": 0}}, "must be an integer from 1 to 512"),
        ({"r": None}, "must be an integer from 1 to 512"),
    ],
)
def test_an_adapter_that_vllm_cannot_use_is_refused(tmp_path, changes, message):
    with pytest.raises(UserError, match=message):
        looked_at(adapter(tmp_path, **changes))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere/at/all", "no such folder; must be the folder of a LoRA adapter or a hub id"),
        ("empty", "holds no adapter_config.json"),
        ("bare", "holds no weights; must hold adapter_model.safetensors"),
        ("broken", "adapter_config.json cannot be read"),
    ],
)
def test_at_the_command_line_it_is_one_line_and_starts_nothing(tmp_path, capsys, name, message):
    (tmp_path / "empty").mkdir()
    Path(adapter(tmp_path / "bare"), "adapter_model.safetensors").unlink()
    Path(adapter(tmp_path / "broken"), "adapter_config.json").write_text("{")
    lora = f"model.lora={tmp_path / name}"
    status, out, err = run(capsys, *SMALL[1:], "engine=vllm", lora, f"runs_dir={tmp_path / 'runs'}")
    assert status == 2 and not out
    assert err.startswith(f"error: {lora}: ") and message in err and err.count("\n") == 1


def test_another_base_model_is_a_note(tmp_path):
    assert remark(adapter(tmp_path), "/models/Tiny") is None
    assert remark(adapter(tmp_path), "org/Large") == (
        f"model.lora={tmp_path}: it was trained on o/tiny, and model.path is org/Large"
    )
    assert remark(adapter(tmp_path, base_model_name_or_path=None), "org/Large") is None


def test_an_adapter_is_part_of_what_a_run_is(tmp_path):
    """By its bytes, wherever it lies; a run without one keeps the id that it had."""
    first, second = adapter(tmp_path / "a"), adapter(tmp_path / "b", lora_alpha=32)
    alone = api.cell("model=tiny")
    assert "lora" not in alone.identity
    ids = {name: api.cell("model=tiny", f"model.lora={name}").run_id for name in (first, second)}
    assert len({*ids.values(), alone.run_id}) == 3
    Path(first, "tokenizer.json").write_text("{}")  # which nothing reads
    moved = shutil.copytree(first, tmp_path / "c")
    assert api.cell("model=tiny", f"model.lora={moved}").run_id == ids[first]
    assert "lora" not in api.cell("model=tiny", "engine=scripted", f"model.lora={first}").identity


def trained(folder: Path) -> str:
    """An adapter of rank 8 for the built-in model, by peft, with weights that change what it says."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    base = AutoModelForCausalLM.from_pretrained(TINY, dtype=torch.float32)
    settings = LoraConfig(task_type="CAUSAL_LM", r=8, lora_alpha=16, target_modules=["q_proj", "v_proj", "down_proj"])
    model = get_peft_model(base, settings)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=1.0)
    model.save_pretrained(folder)
    return str(folder)


def greedy(folder: str, lora: str, prompt: list[int], count: int) -> list[int]:
    """What transformers and peft say, token by token."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32), lora)
    said = model.generate(
        torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt)), max_new_tokens=count, do_sample=False
    )
    return said[0, len(prompt) :].tolist()


def test_vllm_decodes_with_an_adapter_what_peft_does(tmp_path):
    lora = trained(tmp_path / "adapter")

    async def decode() -> tuple[list[int], list[int], str | None]:
        engine = await VllmEngine.start(Model(TINY, lora=lora), max_model_len=256)
        try:
            prompt = engine.tokens.chat(load_prompts("tuned").user(generate(4, seed=0)[3]))
            done = await engine.generate(Request(prompt, 24, 0, GREEDY, ignore_eos=True))
            engine._lora = None
            plain = await engine.generate(Request(prompt, 24, 0, GREEDY, ignore_eos=True))
            assert plain.tokens != done.tokens
            return prompt, done.tokens, engine.dtype
        finally:
            await engine.close()

    prompt, said, dtype = asyncio.run(decode())
    assert dtype == "float32"
    assert said[:16] == greedy(TINY, lora, prompt, 16)
    assert adapters.opened(lora, Path(lora)).rank == 8
