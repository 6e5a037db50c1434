"""LoRA adapters: the folder or hub id that `model.lora` names, looked at before anything is loaded."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leap_lab.engines import models
from leap_lab.errors import UserError, brief, one_line

CONFIGURATION, WEIGHTS = "adapter_config.json", "adapter_model*"
FILES = (CONFIGURATION, WEIGHTS)  # what a fingerprint of an adapter is made from
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)  # that vLLM makes room for
# What peft offers and vLLM does not; true of an adapter that uses it.
UNSUPPORTED = ("use_dora", "modules_to_save", "lora_bias", "layer_replication", "alora_invocation_tokens", "use_qalora")


@dataclass(frozen=True)
class Adapter:
    """A LoRA adapter in a folder: its largest `rank`, and the `base` model that it was trained on, if it says so."""

    folder: Path
    rank: int
    base: str | None

    @property
    def room(self) -> int:
        """The least `max_lora_rank` of vLLM that holds it."""
        return next(rank for rank in RANKS if rank >= self.rank)


def located(lora: str) -> str:
    """The folder or hub id that `model.lora` names; `UserError` for anything else."""
    path = models.expanded(lora)
    if Path(path).is_dir() or (path.count("/") == 1 and not path.startswith((".", "/"))):
        return path
    raise UserError(f"model.lora={lora}: no such folder; must be the folder of a LoRA adapter or a hub id")


def looked_at(lora: str) -> Adapter | None:
    """The adapter in a folder; None for a hub id. `UserError` for one that vLLM cannot use."""
    folder = Path(located(lora))
    return opened(lora, folder) if folder.is_dir() else None


def fetched(lora: str, revision: str | None = None) -> Adapter:
    """The adapter, downloaded first where `lora` is a hub id, at this commit; `UserError` where there is none."""
    if found := looked_at(lora):
        return found
    from huggingface_hub import snapshot_download

    try:
        return opened(lora, Path(snapshot_download(lora, revision=revision, allow_patterns=list(FILES))))
    except (OSError, ValueError) as error:
        raise UserError(f"model.lora={lora}: cannot be fetched ({one_line(error, 160)})") from error


def opened(lora: str, folder: Path) -> Adapter:
    """What a folder's adapter_config.json says; `UserError` where vLLM cannot use such an adapter."""
    config = _configuration(lora, folder)
    if not any(folder.glob(WEIGHTS)):
        raise UserError(f"model.lora={lora}: the folder holds no weights; must hold adapter_model.safetensors")
    if (kind := config.get("peft_type")) != "LORA":
        raise UserError(f"model.lora={lora}: an adapter of the kind {brief(kind)}; must be LORA")
    if used := next((name for name in UNSUPPORTED if config.get(name)), None):
        raise UserError(
            f"model.lora={lora}: vLLM cannot decode with {used} of its adapter_config.json; "
            "merge the adapter into its base model instead (merge_and_unload of peft)"
        )
    ranks = [config.get("r"), *(config.get("rank_pattern") or {}).values()]
    if not all(isinstance(rank, int) and 1 <= rank <= RANKS[-1] for rank in ranks):
        raise UserError(f"model.lora={lora}: rank {brief(ranks)}; must be an integer from 1 to {RANKS[-1]}")
    return Adapter(folder, max(ranks), config.get("base_model_name_or_path"))


def fingerprint(lora: str) -> str:
    """The name of an adapter in a run's identity, as `models.fingerprint` has it for a model."""
    return models.fingerprint(located(lora), FILES)


def remark(lora: str, model: str) -> str | None:
    """A note where an adapter names another base model than this one; by name, since folders move."""
    found = looked_at(lora)
    if found is None or not found.base or Path(found.base).name.lower() == Path(model).name.lower():
        return None
    return f"model.lora={lora}: it was trained on {found.base}, and model.path is {model}"


def _configuration(lora: str, folder: Path) -> dict[str, Any]:
    file = folder / CONFIGURATION
    if not file.is_file():
        raise UserError(f"model.lora={lora}: the folder holds no {CONFIGURATION}, so it is not a LoRA adapter")
    try:
        config = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"model.lora={lora}: its {CONFIGURATION} cannot be read ({brief(error)})") from error
    return config if isinstance(config, dict) else {}
