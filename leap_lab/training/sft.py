"""Supervised fine-tuning on traces (Section 4): `python -m leap_lab.training.sft data=DIR out=DIR [size=7b]`.

TRL's SFTTrainer on token ids and labels. Loss falls on what the model sampled: prompts, given beginnings, triggers and
comments carry none, by the kinds of segments. Runs on a CPU as it is, and on several GPUs with `accelerate launch`.
"""

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from leap_lab import checks, console
from leap_lab.decoding import provenance
from leap_lab.engines.models import BUILTIN, Model, located
from leap_lab.engines.tokens import ModelTokens
from leap_lab.errors import UserError
from leap_lab.files import read_json, write_json
from leap_lab.path import Kind
from leap_lab.runs.identity import run_id_of
from leap_lab.settings.arguments import prepared, quoted
from leap_lab.settings.compose import one_line_errors
from leap_lab.settings.conf import CONF, VERSION_BASE
from leap_lab.settings.objects import instantiate
from leap_lab.settings.rules import integer, number, resolve, text
from leap_lab.training.trainer import last_checkpoint, logging_callback, save, say, trainer_for

KINDS = [kind.value for kind in Kind]
ATTENTIONS = ("eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention")
RULES = {
    "data": text("the folder of a training set"),
    "out": text("the path of a folder"),
    "student": text(f"a folder, a hub id or {BUILTIN}tiny"),
    "attention": lambda key, value: checks.one_of(key, value, ATTENTIONS),
    "held_out": number("a number >= 0 and < 1", 0, 1, open_at="most"),
    "batch_size": integer(1),
    "trainer.max_length": integer(1),
    "trainer.per_device_train_batch_size": integer(1),
    "trainer.learning_rate": number("a number > 0", 0, open_at="least"),
}
NOT_IDENTITY = ("data", "out", "tracking")  # places and trackers
_composed: list[tuple[DictConfig, Any]] = []  # each with Hydra's own settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status (see `console.run`)."""
    given = sys.argv[1:] if arguments is None else arguments
    if "--version" in given:
        print(console.version())
        return 0
    sys.argv[1:] = opened(given)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra passes errors on, so that they can be one line here
    return console.run(_fine_tune_all, "rerun the same command to resume from the last checkpoint, if there is one")


def _fine_tune_all() -> int:
    _composed.clear()
    try:
        with one_line_errors():
            _compose()
    except SystemExit as end:  # how Hydra ends after --help
        return int(end.code or 0)
    for config, hydras in _composed:
        HydraConfig.instance().cfg = hydras  # what ${hydra:...} stands for
        fine_tune(validated(config))
    return 0


def opened(arguments: Sequence[str]) -> list[str]:
    """Arguments for Hydra: `++` before `trainer.<field>=` and `lora.<field>=`, which may be any; trackers of conf/."""
    return [f"hydra.searchpath=[{quoted(f'file://{CONF}')}]"] + [
        f"++{each}" if re.match(r"(trainer|lora)\.\w+=", each) else each for each in map(prepared, arguments)
    ]


@hydra.main(version_base=VERSION_BASE, config_path=str(CONF / "training"), config_name="sft")
def _compose(config: DictConfig) -> None:
    """Hydra composes, once for each setting of a sweep; the training happens afterwards."""
    _composed.append((config, HydraConfig.instance().cfg))


def validated(config: DictConfig) -> dict[str, Any]:
    """The resolved configuration as plain values; `UserError` names the first key that is missing or wrong."""
    plain = resolve(config)
    for dotted, rule in RULES.items():
        group, _, key = dotted.rpartition(".")
        if group and not isinstance(plain[group], dict):
            raise UserError(f"{group}={plain[group]}: must hold keys, as in {dotted}=...")
        rule(dotted, (plain[group] if group else plain).get(key))
    if not plain["learned"] or any(kind not in KINDS for kind in plain["learned"]):
        raise UserError(f"learned={plain['learned']}: must be one or more of {', '.join(KINDS)}")
    return plain


def fine_tune(config: Mapping[str, Any]) -> Path:
    """Train from the last checkpoint in `out`, if there is one, and return the folder of the finished model.

    `UserError` for a set that cannot be used, or an `out` that another configuration made.
    """
    out, model = Path(config["out"]), located(config["student"])
    tokens = ModelTokens.of(Model(model))
    tracker = instantiate(config["tracking"])
    claim(out, config)
    if (out / "model").exists():
        say(f"{out / 'model'} exists already; nothing to train")
        return out / "model"
    trainer = trainer_for(config, model, tokens, out)
    if trainer.is_world_process_zero():
        run = run_id_of({**config, "out": str(out)})
        tracker.start(run_id=run, sweep=None, config=config, folder=out, provenance=provenance.collect())
        trainer.add_callback(logging_callback(tracker))
    status = "interrupted"
    try:
        trainer.train(resume_from_checkpoint=last_checkpoint(out))
        status = "finished"
    finally:
        tracker.finish({}, {}, status)
    save(trainer, tokens, model, out, lora=bool(config["lora"]))
    say(f"model: {out / 'model'}")
    return out / "model"


def claim(out: Path, config: Mapping[str, Any]) -> None:
    """Record in `out` what is trained there; `UserError` where another configuration left a model or checkpoint."""
    card = read_json(Path(config["data"]) / "card.json")
    identity = {**{key: value for key, value in config.items() if key not in NOT_IDENTITY}, "set": run_id_of(card)}
    existing = read_json(out / "sft.json")
    begun = (out / "model").exists() or last_checkpoint(out) is not None
    if existing and begun and run_id_of(existing) != run_id_of(identity):
        differing = sorted(key for key in existing | identity if existing.get(key) != identity.get(key))
        raise UserError(f"out={out}: another training was begun there; it differs in {', '.join(differing)}")
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "sft.json", identity)


if __name__ == "__main__":
    sys.exit(main())
