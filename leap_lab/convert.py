"""A GGUF file as a model folder: `leap-lab convert FILE.gguf FOLDER`.

vLLM loads folders of safetensors. The folder holds the weights of the file, unpacked in bfloat16, with its tokenizer
and chat template. It takes about four times the space of a 4-bit file. Needs the package `gguf` and torch.
"""

import importlib.util
import secrets
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from leap_lab import console, home
from leap_lab.errors import UserError, one_line


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status (see `console.run`)."""
    parser = console.Parser(prog="leap-lab convert", description=__doc__)
    parser.add_argument("file", type=home.path, metavar="FILE.gguf")
    parser.add_argument("folder", type=home.path, metavar="FOLDER", help="where to write; must not exist yet")
    options = parser.parse_args(arguments)

    def command() -> int:
        convert(options.file, options.folder)
        print(f"model folder: {options.folder}\nUse it with model=local model.path={options.folder}")
        return 0

    return console.run(command, "a model folder is written whole or not at all")


def convert(file: Path, folder: Path) -> None:
    """Write the model folder of a GGUF file, whole or not at all; `UserError` where the file cannot be read."""
    if not file.is_file():
        raise UserError(f"{file}: no such file; must be a GGUF file")
    with file.open("rb") as opened:
        if opened.read(4) != b"GGUF":
            raise UserError(f"{file}: not a GGUF file")
    if folder.exists():
        raise UserError(f"{folder}: exists already; remove it or name another folder")
    if missing := [name for name in ("gguf", "torch") if importlib.util.find_spec(name) is None]:
        raise UserError(
            f"{file}: reading it needs the package {missing[0]}; install leap-lab[gguf] or requirements/cpu.txt"
        )
    unfinished = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.unfinished")
    unfinished.mkdir(parents=True)
    try:
        _write(file, unfinished)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write(file: Path, folder: Path) -> None:
    import torch
    import transformers
    from safetensors.torch import save_file

    source: dict[str, Any] = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    # Newer versions of transformers would keep the weights packed, which only they can use.
    unpacked = {"quantization_config": transformers.GgufConfig(dequantize=True)} if _packs(transformers) else {}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(**source)
        model = transformers.AutoModelForCausalLM.from_pretrained(**source, **unpacked, dtype=torch.bfloat16)
    except Exception as error:  # whatever is wrong with a file, the user needs one line
        raise UserError(f"{file}: transformers cannot read it ({one_line(error, 200)})") from error
    tokenizer.save_pretrained(folder)
    weights = folder / "model.safetensors"
    save_file(_distinct(model.state_dict()), weights, metadata={"format": "pt"})
    weights.chmod(0o644)  # safetensors makes files that only the owner can read
    model.generation_config.save_pretrained(folder)
    model.config.architectures = [type(model).__name__]
    # It still says that the weights are those of a GGUF file.
    vars(model.config).pop("quantization_config", None)
    model.config.save_pretrained(folder)


def _packs(transformers: Any) -> bool:
    return hasattr(transformers, "GgufConfig")


def _distinct(weights: Mapping[str, Any]) -> dict[str, Any]:
    """Every tensor once, by its first name: an output layer tied to the embedding is not stored again."""
    first = {tensor.data_ptr(): name for name, tensor in reversed(list(weights.items()))}
    return {name: weights[name].contiguous() for name in weights if first[weights[name].data_ptr()] == name}


if __name__ == "__main__":
    sys.exit(main())
