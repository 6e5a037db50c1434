"""TRL's trainer for a model, a training set and the settings of `sft`: how it is made, and what it saves."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leap_lab import checks
from leap_lab.engines.tokens import ModelTokens
from leap_lab.errors import UserError, one_line
from leap_lab.files import write_json
from leap_lab.path import Kind


def trainer_for(config: Mapping[str, Any], model: str, tokens: ModelTokens, out: Path) -> Any:
    """TRL's trainer with the model in float32, the set, and batches of `batch_size` over all processes."""
    import torch
    from transformers import AutoModelForCausalLM, PrinterCallback
    from transformers.utils import logging
    from trl import SFTTrainer

    from leap_lab.training.trainingset import prepared

    logging.disable_progress_bar()
    settings = trainer_settings(config, out)
    learned = [Kind(kind) for kind in config["learned"]]
    data = Path(config["data"])
    training_set = prepared(data, tokens, learned, config["trainer"]["max_length"], config["held_out"])
    say(f"{data}: {training_set.description}")
    if training_set.evaluation is None:
        settings.eval_strategy = "no"
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32, attn_implementation=config["attention"]),
        args=settings,
        train_dataset=training_set.train,
        eval_dataset=training_set.evaluation,
        processing_class=tokens.tokenizer,
        peft_config=_lora(config["lora"]),
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def trainer_settings(config: Mapping[str, Any], out: Path) -> Any:
    """TRL's SFTConfig; `UserError` for a field or a value that it does not have."""
    from trl import SFTConfig

    given = dict(config["trainer"])
    each, processes = given["per_device_train_batch_size"], int(os.environ.get("WORLD_SIZE", 1))
    steps, rest = divmod(config["batch_size"], each * processes)
    if rest or not steps:
        raise UserError(
            f"batch_size={config['batch_size']}: must be a multiple of trainer.per_device_train_batch_size={each} "
            f"times {processes} processes"
        )
    fixed = {"output_dir": str(out / "checkpoints"), "gradient_accumulation_steps": steps, "report_to": "none"}
    try:
        return SFTConfig(**{"disable_tqdm": True, **given, **fixed})
    except (TypeError, ValueError) as error:
        raise UserError(f"trainer: {one_line(error, 200)}; must be fields of TRL's SFTConfig") from error


def last_checkpoint(out: Path) -> str | None:
    """The newest whole checkpoint; the trainer writes its state last."""
    whole = [
        folder for folder in (out / "checkpoints").glob("checkpoint-*") if (folder / "trainer_state.json").exists()
    ]
    return str(max(whole, key=lambda folder: int(folder.name.rpartition("-")[2]))) if whole else None


def save(trainer: Any, tokens: ModelTokens, base: str, out: Path, lora: bool) -> None:
    """Save model and tokenizer in `out`/model, whole or not at all; with LoRA the base with the adapter merged in."""
    unfinished = out / ".model.unfinished"
    trainer.model.config.use_cache = True  # TRL turns it off for training; decoding with transformers needs it
    trainer.save_model(str(out / "adapter" if lora else unfinished))  # every process takes part
    if not trainer.is_world_process_zero():
        return
    if lora:
        merged(base, out / "adapter").save_pretrained(unfinished)
    tokens.tokenizer.save_pretrained(unfinished)
    (unfinished / "training_args.bin").unlink(missing_ok=True)  # a pickle of paths
    for file in unfinished.iterdir():
        file.chmod(0o644)  # safetensors makes files that only the owner can read
    write_json(out / "log.json", {"log": trainer.state.log_history})
    unfinished.rename(out / "model")
    shutil.rmtree(out / "checkpoints")


def merged(base: str, adapter: Path) -> Any:
    """The base model with a LoRA adapter merged in, in float32."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    return PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()


def _lora(fields: Mapping[str, Any] | None) -> Any:
    """peft's LoraConfig; `UserError` for a field that it does not have."""
    if not fields:
        return None
    from peft import LoraConfig

    try:
        lora = LoraConfig(task_type="CAUSAL_LM", **fields)
    except (TypeError, ValueError) as error:
        raise UserError(f"lora: {error}; must be fields of peft's LoraConfig") from error
    checks.integer("lora.r", lora.r, 1)
    return lora


def logging_callback(tracker: Any) -> Any:
    """A callback that prints what the trainer logs and passes it to the tracker."""
    from transformers import TrainerCallback

    class Logged(TrainerCallback):  # type: ignore[misc]
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            numbers = {name: value for name, value in (logs or {}).items() if isinstance(value, int | float)}
            tracker.log(numbers)
            shown = [
                f"{name} {numbers[name]:.4g}" for name in ("loss", "eval_loss", "learning_rate") if name in numbers
            ]
            if shown:
                print(f"step {state.global_step}/{state.max_steps}  {'  '.join(shown)}", flush=True)

    return Logged()


def say(text: str) -> None:
    """Print once, not in every process."""
    if os.environ.get("RANK", "0") == "0":
        print(text, flush=True)
