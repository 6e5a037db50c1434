"""What a model folder holds, looked at before anything is loaded: weights, quantization, the type of its numbers.

Of a hub model only what lies in the local cache is looked at. Only `fetch` uses a network.
"""

import ast
import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leap_lab.engines.launch import source_of
from leap_lab.errors import UserError, brief

WEIGHTS = ("*.safetensors", "*.bin", "*.pt")
LFS = b"version https://git-lfs"  # how a file begins that Git left out
UNREAD = ("dummy", "sharded_state", "tensorizer", "runai_streamer", "mistral")  # load formats without such weights
CPUINFO = Path("/proc/cpuinfo")

# What vLLM 0.32 has no kernels for on any CPU.
GPU_ONLY = {"fp_quant", "modelopt_fp4", "modelopt_mxfp8", "modelopt_mixed", "mxfp8", "experts_int8", "humming"}
FOUR_BITS = {"gptq", "awq", "auto-round", "inc"}  # of their weights vLLM's kernel for CPUs reads only these
AMX_ONLY = {"fp8", "fbgemm_fp8", "modelopt", "mxfp4", "gpt_oss_mxfp4"}
AMX = "amx_tile"


def configuration(path: str, revision: str | None = None) -> dict[str, Any]:
    """The config.json of a folder, or of a hub model in the local cache; empty where it is not there.

    `UserError` for one that cannot be read.
    """
    file = Path(path) / "config.json"
    if not file.parent.is_dir():
        from huggingface_hub import try_to_load_from_cache

        cached = try_to_load_from_cache(path, "config.json", revision=revision)
        if not isinstance(cached, str):
            return {}
        file = Path(cached)
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"model.path={path}: its config.json cannot be read ({brief(error)})") from error
    return found if isinstance(found, dict) else {}


def fetch(path: str, revision: str | None) -> None:
    """Download the config.json of a hub model, so that it can be looked at; what goes wrong shows at the loading."""
    if not Path(path).is_dir():
        from huggingface_hub import hf_hub_download

        with contextlib.suppress(OSError, ValueError):
            hf_hub_download(path, "config.json", revision=revision)


def check(path: str, revision: str | None, fields: Mapping[str, Any], cpu: bool) -> None:
    """`UserError` for a model that vLLM cannot load, as far as its files show; `fields` are engine arguments."""
    config = configuration(path, revision)
    if Path(path).is_dir():
        if not config.get("architectures"):
            raise UserError(f"model.path={path}: its config.json names no architectures; it is not of a language model")
        if fields.get("load_format") not in UNREAD:
            _check_weights(Path(path))
    quantized = _quantization(config)
    if quantized and (obstacle := _obstacle(quantized, cpu)):
        raise UserError(
            f"model.path={path}: its weights are quantized with {quantized.get('quant_method')}, {obstacle}"
        )


def cpu_dtype(config: Mapping[str, Any]) -> str:
    """The type of numbers for a model on this CPU.

    bfloat16 for weights of that type where the processor computes with it, and for quantized weights, whose kernels
    know no float32; else float32. Emulated bfloat16 is more than ten times slower.
    """
    if _quantization(config):
        return "bfloat16"
    text = config.get("text_config") or {}
    own = next((each[key] for each in (config, text) for key in ("dtype", "torch_dtype") if each.get(key)), None)
    native = _flags() & {"avx512_bf16", "amx_bf16", "bf16"}
    return "bfloat16" if own == "bfloat16" and native else "float32"


def _check_weights(folder: Path) -> None:
    """`UserError` where weights are missing: all, some that the index names, or those that Git left out."""
    path = f"model.path={folder}"
    files = [file for pattern in WEIGHTS for file in folder.glob(pattern)]
    if not files:
        raise UserError(f"{path}: the folder holds no weights; must hold {', '.join(WEIGHTS[:2])} files")
    for index in folder.glob("*.safetensors.index.json"):
        try:
            named = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
        except (OSError, ValueError, KeyError, AttributeError) as error:
            raise UserError(f"{path}: {index.name} cannot be read ({brief(error)})") from error
        if missing := sorted(named - {file.name for file in files}):
            raise UserError(f"{path}: {len(missing)} of {len(named)} weight files are missing, the first {missing[0]}")
    for file in files:
        with file.open("rb") as opened:
            if opened.read(len(LFS)) == LFS:
                raise UserError(f"{path}: {file.name} is a pointer of Git LFS, not weights; run git lfs pull there")


def _quantization(config: Mapping[str, Any]) -> dict[str, Any]:
    text = config.get("text_config") or {}
    return (
        config.get("quantization_config") or config.get("compression_config") or text.get("quantization_config") or {}
    )


def _obstacle(quantized: Mapping[str, Any], cpu: bool) -> str | None:
    """Why vLLM cannot decode with such weights, and what to do; None where it can, or where only vLLM can tell."""
    method, bits = str(quantized.get("quant_method")), quantized.get("bits", quantized.get("w_bit"))
    if method not in _known() | {"auto-round"}:
        return "which vLLM does not know; use the unquantized model, or one quantized with gptq or awq"
    if not cpu:
        return None
    instead = "use the unquantized model, or a GPU"
    if method in GPU_ONLY:
        return f"for which vLLM has nothing on a CPU; {instead}"
    if method in FOUR_BITS and bits != 4:
        return f"{bits} bits, of which vLLM on a CPU decodes only 4; {instead}"
    if method == "compressed-tensors":
        return _compressed(quantized, instead)
    if method in AMX_ONLY and AMX not in _flags():
        return f"which vLLM decodes only on a CPU with AMX; {instead}"
    return None


def _compressed(quantized: Mapping[str, Any], instead: str) -> str | None:
    """compressed-tensors is a family: integers of 4 bits, or of 8 bits for weights and activations alike, work."""
    for group in (quantized.get("config_groups") or {}).values():
        weights, activations = group.get("weights") or {}, group.get("input_activations") or {}
        kind, bits = weights.get("type"), weights.get("num_bits")
        if kind == "float" and (bits != 8 or AMX not in _flags()):
            return f"floats of {bits} bits, which vLLM does not decode on this CPU; {instead}"
        if kind == "int" and bits == 8 and activations.get("num_bits") != 8:
            return f"8 bits for the weights alone, which vLLM does not decode on a CPU; {instead}"
    return None


def _known() -> set[str]:
    """The names of vLLM's methods, as its source states them."""
    for node in source_of("model_executor/layers/quantization/__init__.py").body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "QuantizationMethods":
            return {str(each.value) for each in ast.walk(node.value) if isinstance(each, ast.Constant)}
    return set()


def _flags() -> set[str]:
    """What this processor can do, by the kernel's names: `flags` on x86, `Features` on arm."""
    try:
        lines = CPUINFO.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    return {word for line in lines if line.startswith(("flags", "Features")) for word in line.partition(":")[2].split()}
