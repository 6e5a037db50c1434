"""Supervised fine-tuning on traces (Section 4): `python -m leap_lab.training.sft data=DIR out=DIR [size=7b]`.

TRL's SFTTrainer on token ids and labels. Loss falls on what the model sampled: prompts, given beginnings, triggers and
comments carry none, told by the kinds of segments. Runs on a CPU as it is, on several GPUs under `accelerate launch`.
"""

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from omegaconf import DictConfig

from leap_lab import console
from leap_lab.decoding import provenance
from leap_lab.engines.models import BUILTIN, located
from leap_lab.errors import UserError
from leap_lab.files import read_json, write_json
from leap_lab.path import Kind
from leap_lab.run import one_line_errors
from leap_lab.runs.identity import run_id_of
from leap_lab.settings.cell import made
from leap_lab.settings.rules import NUMBER, WHOLE, Rule, resolve

if TYPE_CHECKING:
    from leap_lab.engines.tokens import ModelTokens

KINDS = [kind.value for kind in Kind]
ATTENTIONS = ("eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention")
RULES = (
    Rule("data", "text", bool, "the folder of a training set"),
    Rule("out", "text", bool, "the path of a folder"),
    Rule("student", "text", bool, f"a folder, a hub id or {BUILTIN}tiny"),
    Rule("attention", "text", lambda value: value in ATTENTIONS, f"one of {', '.join(ATTENTIONS)}"),
    Rule("held_out", NUMBER, lambda value: 0 <= value < 1, f"{NUMBER} from 0 to below 1"),
    Rule("batch_size", WHOLE, lambda value: value >= 1, f"{WHOLE} of at least 1"),
    Rule("trainer.max_length", WHOLE, lambda value: value >= 1, f"{WHOLE} of at least 1"),
    Rule("trainer.per_device_train_batch_size", WHOLE, lambda value: value >= 1, f"{WHOLE} of at least 1"),
    Rule("trainer.learning_rate", NUMBER, lambda value: value > 0, f"{NUMBER} above 0"),
)
NO_SETTING = ("data", "out", "tracking")  # where things lie and who is told
_composed: list[DictConfig] = []


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status (see `console.run`)."""
    sys.argv[1:] = opened(sys.argv[1:] if arguments is None else arguments)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra hands errors on, to be told in one line here
    return console.run(_fine_tune_all, "the same command goes on from the last checkpoint, if there is one")


def _fine_tune_all() -> int:
    _composed.clear()
    try:
        with one_line_errors():
            _compose()
    except SystemExit as told:  # how Hydra ends after --help
        return int(told.code or 0)
    for config in _composed:
        fine_tune(validated(config))
    return 0


def opened(arguments: Sequence[str]) -> list[str]:
    """What Hydra is to see: `trainer.<field>=` and `lora.<field>=`, which may be any, as `++`."""
    return [f"++{each}" if re.match(r"(trainer|lora)\.\w+=", each) else each for each in arguments]


@hydra.main(version_base="1.3", config_path="pkg://conf.training", config_name="sft")
def _compose(config: DictConfig) -> None:
    """Hydra composes, once for each setting of a sweep; the training is done outside of it."""
    _composed.append(config)


def validated(config: DictConfig) -> dict[str, Any]:
    """The resolved configuration as plain values; `UserError` names the first key that is missing or wrong."""
    plain = resolve(config)
    for rule in RULES:
        group, _, key = rule.key.rpartition(".")
        if group and not isinstance(plain[group], dict):
            raise UserError(f"{group}={plain[group]}: allowed are fields, as in {rule.key}=...")
        rule.check((plain[group] if group else plain).get(key))
    if not plain["learned"] or any(kind not in KINDS for kind in plain["learned"]):
        raise UserError(f"learned={plain['learned']}: allowed are {', '.join(KINDS)}, at least one of them")
    return plain


def fine_tune(config: Mapping[str, Any]) -> Path:
    """Train from the last checkpoint in `out`, if there is one, and return the folder of the finished model.

    `UserError` for a set that cannot be used, or an `out` that another configuration made.
    """
    from leap_lab.engines.tokens import ModelTokens

    out, model = Path(config["out"]).expanduser(), located(config["student"])
    tokens = ModelTokens(model)
    claim(out, config)
    if (out / "model").exists():
        _say(f"{out / 'model'} is there already, nothing to train")
        return out / "model"
    trainer = trainer_for(config, model, tokens, out)
    tracker = made(config["tracking"])
    if trainer.is_world_process_zero():
        run = run_id_of({**config, "out": str(out)})
        tracker.start(run_id=run, sweep=None, config=config, folder=out, provenance=provenance.collect())
        trainer.add_callback(_told(tracker))
    status = "interrupted"
    try:
        trainer.train(resume_from_checkpoint=last_checkpoint(out))
        status = "finished"
    finally:
        tracker.finish({}, {}, status)
    save(trainer, tokens, model, out, lora=bool(config["lora"]))
    _say(f"model: {out / 'model'}")
    return out / "model"


def trainer_for(config: Mapping[str, Any], model: str, tokens: "ModelTokens", out: Path) -> Any:
    """TRL's trainer with the model in float32, the set, and batches of `batch_size` over all processes."""
    import torch
    from transformers import AutoModelForCausalLM, PrinterCallback
    from transformers.utils import logging
    from trl import SFTTrainer

    from leap_lab.training.trainingset import prepared

    logging.disable_progress_bar()
    settings = trainer_settings(config, out)
    learned = [Kind(kind) for kind in config["learned"]]
    data = Path(config["data"]).expanduser()
    found = prepared(data, tokens, learned, config["trainer"]["max_length"], config["held_out"])
    _say(f"{data}: {found.told}")
    if found.evaluation is None:
        settings.eval_strategy = "no"
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32, attn_implementation=config["attention"]),
        args=settings,
        train_dataset=found.train,
        eval_dataset=found.evaluation,
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
            f"batch_size={config['batch_size']}: allowed are multiples of trainer.per_device_train_batch_size={each} "
            f"times {processes} processes"
        )
    fixed = {"output_dir": str(out / "checkpoints"), "gradient_accumulation_steps": steps, "report_to": "none"}
    try:
        return SFTConfig(**{"disable_tqdm": True, **given, **fixed})
    except (TypeError, ValueError) as error:
        raise UserError(
            f"trainer: {' '.join(str(error).split())[:200]}; allowed are fields of TRL's SFTConfig"
        ) from error


def claim(out: Path, config: Mapping[str, Any]) -> None:
    """Note in `out` what is trained there; `UserError` where another configuration left something to go on from."""
    card = read_json(Path(config["data"]).expanduser() / "card.json")
    identity = {**{key: value for key, value in config.items() if key not in NO_SETTING}, "set": run_id_of(card)}
    here = read_json(out / "sft.json")
    begun = (out / "model").exists() or last_checkpoint(out) is not None
    if here and begun and run_id_of(here) != run_id_of(identity):
        differing = sorted(key for key in here | identity if here.get(key) != identity.get(key))
        raise UserError(f"out={out}: another training was begun there, it differs in {', '.join(differing)}")
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "sft.json", identity)


def last_checkpoint(out: Path) -> str | None:
    """The newest whole checkpoint; the trainer writes its state last."""
    found = [
        folder for folder in (out / "checkpoints").glob("checkpoint-*") if (folder / "trainer_state.json").exists()
    ]
    return str(max(found, key=lambda folder: int(folder.name.rpartition("-")[2]))) if found else None


def save(trainer: Any, tokens: "ModelTokens", base: str, out: Path, lora: bool) -> None:
    """The model with its tokenizer in `out`/model, whole or not at all; of LoRA the base with the adapter merged in."""
    unfinished = out / ".model.unfinished"
    trainer.model.config.use_cache = True  # TRL turns it off for training; whoever decodes with transformers wants it
    trainer.save_model(str(out / "adapter" if lora else unfinished))  # every process has a part in it
    if not trainer.is_world_process_zero():
        return
    if lora:
        merged(base, out / "adapter").save_pretrained(unfinished)
    tokens.tokenizer.save_pretrained(unfinished)
    (unfinished / "training_args.bin").unlink(missing_ok=True)  # a pickle of paths
    for file in unfinished.iterdir():
        file.chmod(0o644)  # safetensors writes for the owner alone
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
        raise UserError(f"lora: {error}; allowed are fields of peft's LoraConfig") from error
    if not isinstance(lora.r, int) or lora.r < 1:
        raise UserError(f"lora.r={lora.r}: allowed is {WHOLE} of at least 1")
    return lora


def _told(tracker: Any) -> Any:
    """A callback that prints what the trainer logs and tells the tracker."""
    from transformers import TrainerCallback

    class Told(TrainerCallback):  # type: ignore[misc]
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            numbers = {name: value for name, value in (logs or {}).items() if isinstance(value, int | float)}
            tracker.log(numbers)
            shown = [
                f"{name} {numbers[name]:.4g}" for name in ("loss", "eval_loss", "learning_rate") if name in numbers
            ]
            if shown:
                print(f"step {state.global_step}/{state.max_steps}  {'  '.join(shown)}", flush=True)

    return Told()


def _say(text: str) -> None:
    """Print once, not by every process."""
    if os.environ.get("RANK", "0") == "0":
        print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
