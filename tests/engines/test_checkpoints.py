"""What a model folder shows before anything is loaded: missing weights, quantization, the type of its numbers."""

import json
from pathlib import Path
from typing import Any

import pytest

from leap_lab.engines import checkpoints, launch
from leap_lab.engines.checkpoints import check, configuration, cpu_dtype
from leap_lab.engines.models import ASSETS, Model
from leap_lab.engines.vllm import VllmSettings
from leap_lab.errors import UserError

LLAMA = {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
PLAIN, AMX = "flags\t: fpu avx2 avx512_bf16", "flags\t: fpu avx2 amx_tile amx_bf16"
CPU = True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps(LLAMA))
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    return tmp_path


@pytest.fixture
def processor(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets what /proc/cpuinfo says."""
    file = tmp_path_factory.mktemp("proc") / "cpuinfo"
    monkeypatch.setattr(checkpoints, "CPUINFO", file)
    return lambda line: file.write_text(f"processor\t: 0\n{line}\n")


def quantized(folder: Path, **how: Any) -> str:
    (folder / "config.json").write_text(json.dumps(LLAMA | {"quantization_config": how}))
    return str(folder)


def refusal(folder: Path, fields: dict[str, Any] | None = None, cpu: bool = CPU) -> str:
    with pytest.raises(UserError) as caught:
        check(str(folder), None, fields or {}, cpu)
    assert str(caught.value).startswith(f"model.path={folder}: ") and "\n" not in str(caught.value)
    return str(caught.value)


def test_a_whole_folder_passes(folder):
    check(str(folder), None, {}, CPU)
    for name in ("tiny", "tiny_t"):
        check(str(ASSETS / name), None, {}, CPU)


def test_a_folder_without_weights_is_refused_unless_none_are_loaded(folder):
    (folder / "model.safetensors").unlink()
    assert "holds no weights; must hold *.safetensors" in refusal(folder)
    check(str(folder), None, {"load_format": "dummy"}, CPU)


def test_shards_that_are_missing_are_counted(folder):
    shards = {f"layer{number}": f"model-0000{number}-of-00003.safetensors" for number in (1, 2, 3)}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    (folder / shards["layer2"]).write_bytes(b"weights")
    assert "2 of 3 weight files are missing, the first model-00001-of-00003.safetensors" in refusal(folder)
    for name in shards.values():
        (folder / name).write_bytes(b"weights")
    check(str(folder), None, {}, CPU)


def test_a_pointer_in_place_of_weights_is_told(folder):
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    assert "model.safetensors is a pointer of Git LFS, not weights; run git lfs pull" in refusal(folder)


@pytest.mark.parametrize(
    ("text", "message"), [("{}", "names no architectures"), ("{", "config.json cannot be read"), ("[]", "names no")]
)
def test_a_configuration_of_no_model_is_refused(folder, text, message):
    (folder / "config.json").write_text(text)
    assert message in refusal(folder)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "with bitsandbytes, which vLLM does not know"),
    ({"quant_method": "gptq", "bits": 8}, "with gptq, 8 bits, of which vLLM on a CPU decodes only 4"),
    ({"quant_method": "auto-round", "bits": 2}, "with auto-round, 2 bits"),
    (
        {"quant_method": "fp8"},
        "with fp8, which vLLM decodes only on a CPU with AMX; use the unquantized model, or a GPU",
    ),
    ({"quant_method": "mxfp4"}, "with mxfp4, which vLLM decodes only on a CPU with AMX"),
    ({"quant_method": "modelopt_fp4"}, "with modelopt_fp4, for which vLLM has nothing on a CPU"),
    (
        {"quant_method": "compressed-tensors", "config_groups": {"0": {"weights": {"type": "int", "num_bits": 8}}}},
        "with compressed-tensors, 8 bits for the weights alone",
    ),
    (
        {"quant_method": "compressed-tensors", "config_groups": {"0": {"weights": {"type": "float", "num_bits": 8}}}},
        "with compressed-tensors, floats of 8 bits",
    ),
]
INTEGERS = {"type": "int", "num_bits": 8}
LOADED: list[dict[str, Any]] = [  # each was decoded with vLLM 0.32 on a CPU without AMX
    {"quant_method": "gptq", "bits": 4, "group_size": 64},
    {"quant_method": "awq", "bits": 4},
    {"quant_method": "auto-round", "bits": 4},
    {"quant_method": "compressed-tensors", "config_groups": {"0": {"weights": {"type": "int", "num_bits": 4}}}},
    {
        "quant_method": "compressed-tensors",
        "config_groups": {"0": {"weights": INTEGERS, "input_activations": INTEGERS}},
    },
]


@pytest.mark.parametrize(("how", "message"), REFUSED)
def test_quantization_that_this_cpu_cannot_decode_is_refused_by_name(folder, processor, how, message):
    processor(PLAIN)
    quantized(folder, **how)
    assert message in refusal(folder)


@pytest.mark.parametrize("how", LOADED)
def test_quantization_that_a_cpu_can_decode_passes(folder, processor, how):
    processor(PLAIN)
    check(quantized(folder, **how), None, {}, CPU)


def test_what_needs_amx_passes_where_there_is_amx(folder, processor):
    processor(AMX)
    check(quantized(folder, quant_method="fp8"), None, {}, CPU)


def test_on_a_gpu_only_what_vllm_does_not_know_is_refused(folder, processor):
    processor(PLAIN)
    for how, _ in REFUSED[1:]:
        check(quantized(folder, **how), None, {}, not CPU)
    quantized(folder, **REFUSED[0][0])
    assert "bitsandbytes" in refusal(folder, cpu=not CPU)


def test_every_method_that_is_named_is_one_of_vllms():
    """A method that vLLM no longer has, or has by another name, would never be looked up."""
    named = checkpoints.GPU_ONLY | checkpoints.AMX_ONLY | checkpoints.FOUR_BITS - {"auto-round"}
    assert named <= checkpoints._known()


def test_the_installed_vllm_is_looked_at(folder, processor):
    processor(PLAIN)
    path = quantized(folder, quant_method="gptq", bits=3)
    if not launch.on_cpu():
        pytest.skip("needs vLLM for the CPU")
    with pytest.raises(UserError, match="3 bits, of which vLLM on a CPU decodes only 4"):
        VllmSettings(max_model_len=64).check(Model(path))


@pytest.mark.parametrize(
    ("config", "line", "dtype"),
    [
        ({"dtype": "bfloat16"}, PLAIN, "bfloat16"),
        ({"torch_dtype": "bfloat16"}, AMX, "bfloat16"),
        ({"text_config": {"dtype": "bfloat16"}}, "Features\t: fp asimd i8mm bf16", "bfloat16"),
        ({"dtype": "bfloat16"}, "flags\t: fpu avx2 avx512f", "float32"),
        ({"dtype": "float16"}, PLAIN, "float32"),
        ({"dtype": "float32"}, PLAIN, "float32"),
        ({}, PLAIN, "float32"),
        ({"quantization_config": {"quant_method": "awq"}, "dtype": "float16"}, "flags\t: avx2", "bfloat16"),
    ],
)
def test_the_type_of_numbers_follows_the_weights_and_the_processor(processor, config, line, dtype):
    processor(line)
    assert cpu_dtype(config) == dtype


def test_a_processor_that_says_nothing_computes_in_float32(monkeypatch, tmp_path):
    monkeypatch.setattr(checkpoints, "CPUINFO", tmp_path / "none")
    assert cpu_dtype({"dtype": "bfloat16"}) == "float32"


def test_the_built_in_models_stay_in_float32(processor):
    processor(AMX)
    assert {cpu_dtype(configuration(str(ASSETS / name))) for name in ("tiny", "tiny_t")} == {"float32"}
