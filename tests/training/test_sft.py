"""Fine-tuning on traces, on the CPU: what it learns, resuming, packing, what vLLM makes of the result, refusals."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from datasets import load_from_disk
from hydra import compose, initialize_config_dir
from transformers import AutoModelForCausalLM, TrainerCallback

from leap_lab.builtin import pretrain
from leap_lab.builtin.tokenizer import train_tokenizer
from leap_lab.engines.models import Model
from leap_lab.engines.tokens import ModelTokens
from leap_lab.run import main as run
from leap_lab.settings.conf import CONF
from leap_lab.training import sft
from leap_lab.training.traces import main as traces

ROOT = Path(__file__).parents[2]
TINY = "leap_lab/assets/tiny"
SIZE = pretrain.Settings(Path(), width=64, layers=1, heads=2)  # heads as vLLM has on the CPU: 32 wide
QUICK = ["trainer.max_steps=20", "trainer.logging_steps=1", "trainer.learning_rate=0.01", "batch_size=4"]
QUICK += ["trainer.per_device_train_batch_size=4", "trainer.eval_strategy=no", "trainer.save_strategy=no"]


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Traces of the programmatic reasoner."""
    home = tmp_path_factory.mktemp("traces")
    settings = ["engine=scripted", "tracking=none", "peers=4", "limit=6", "baseline=false", f"runs_dir={home}"]
    assert run(settings) == 0
    [folder] = [file.parent for file in home.glob("*/identity.json")]
    assert traces([str(folder), "--blocks", "--out", str(home / "set")]) == 0
    return home / "set"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory) -> str:
    """A model that knows nothing, with the built-in model's tokenizer."""
    torch.manual_seed(0)
    folder, tokenizer = tmp_path_factory.mktemp("fresh"), ModelTokens.of(Model(TINY)).tokenizer
    pretrain.save(pretrain.make_model(SIZE, tokenizer), tokenizer, folder)
    return str(folder)


def train(capsys, *arguments: object) -> tuple[int, str, str]:
    """Exit status, stdout, and the last line of stderr."""
    status = sft.main(list(map(str, arguments)))
    out, err = capsys.readouterr()
    return status, out, (err.strip().splitlines() or [""])[-1]


def losses(out: Path) -> list[float]:
    return [entry["loss"] for entry in json.loads((out / "log.json").read_text())["log"] if "loss" in entry]


def config(**changes: object) -> dict:
    with initialize_config_dir(str(CONF / "training"), version_base="1.3"):
        told = [f"++{key}={value}" for key, value in changes.items()]
        return sft.validated(compose("sft", overrides=sft.opened(told)))


def test_it_learns_and_vllm_decodes_with_what_it_saved(data, fresh, tmp_path, capsys):
    status, out, _ = train(capsys, f"data={data}", f"out={tmp_path / 'out'}", f"student={fresh}", *QUICK)
    assert status == 0
    assert "traces to train on" in out and "step 20/20  loss" in out
    found = losses(tmp_path / "out")
    assert len(found) == 20 and sum(found[-3:]) < sum(found[:3]) - 3
    assert not (tmp_path / "out" / "checkpoints").exists()
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "out" / "model").config.use_cache
    command = [f"model.path={tmp_path / 'out' / 'model'}", "method.max_tokens=80", "limit=1", "peers=2"]
    command += ["tracking=none", "baseline=false", f"runs_dir={tmp_path / 'runs'}"]
    ran = subprocess.run([sys.executable, "-m", "leap_lab.run", *command], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert len(list(tmp_path.glob("runs/*/groups/*.parquet"))) == 1


def test_it_goes_on_where_it_stopped(data, fresh, tmp_path, capsys):
    class Stop(TrainerCallback):
        def on_step_end(self, args, state, control, **_):
            control.should_training_stop = state.global_step == 4

    saving = [*QUICK, "trainer.max_steps=8", "trainer.save_strategy=steps", "trainer.save_steps=4"]
    command = [f"data={data}", f"student={fresh}", *saving]
    assert train(capsys, *command, f"out={tmp_path / 'whole'}")[0] == 0
    stopped = tmp_path / "stopped"
    settings = {key: value for key, _, value in (each.partition("=") for each in [*command, f"out={stopped}"])}
    half = config(**settings)
    sft.claim(stopped, half)
    trainer = sft.trainer_for(half, fresh, ModelTokens.of(Model(fresh)), stopped)
    trainer.add_callback(Stop())
    trainer.train()
    assert sft.last_checkpoint(stopped).endswith("checkpoint-4")
    status, out, _ = train(capsys, *command, f"out={stopped}")
    assert status == 0 and "step 5/8" in out and "step 4/8" not in out
    assert losses(stopped) == pytest.approx(losses(tmp_path / "whole"), rel=1e-5)
    again, out, _ = train(capsys, *command, f"out={stopped}")
    assert again == 0 and "nothing to train" in out
    status, _, err = train(capsys, *command, f"out={stopped}", "learned=[think]")
    assert status == 2 and err.endswith("another training was begun there; it differs in learned")


def test_a_setting_that_was_refused_does_not_claim_the_folder(data, fresh, tmp_path, capsys):
    command = [f"data={data}", f"student={fresh}", *QUICK, "trainer.max_steps=1", f"out={tmp_path / 'out'}"]
    status, _, err = train(capsys, *command, "trainer.nonsense=1")
    assert status == 2 and "nonsense" in err
    status, _, err = train(capsys, *command)
    assert status == 0, err


def test_packed_traces_do_not_see_each_other(data, fresh, tmp_path, capsys):
    few = load_from_disk(data).select(range(3))
    few.save_to_disk(tmp_path / "few")
    (tmp_path / "few" / "card.json").write_text((data / "card.json").read_text())
    longest = sum(map(len, few["input_ids"]))
    once = [f"data={tmp_path / 'few'}", f"student={fresh}", *QUICK, "held_out=0", "trainer.max_steps=1"]
    padded = ["batch_size=3", "trainer.per_device_train_batch_size=3"]
    packed = ["batch_size=1", "trainer.per_device_train_batch_size=1", "trainer.packing=true"]
    packed += [f"trainer.max_length={longest}", "trainer.train_sampling_strategy=random"]
    for name, settings in (("padded", padded), ("packed", packed)):
        assert train(capsys, *once, *settings, f"out={tmp_path / name}")[0] == 0
    assert losses(tmp_path / "packed") == pytest.approx(losses(tmp_path / "padded"), rel=1e-5)


def test_too_long_traces_are_left_out_and_counted(data, fresh, tmp_path, capsys):
    lengths = sorted(map(len, load_from_disk(data)["input_ids"]))
    longest = lengths[len(lengths) // 2]
    quick = [f"data={data}", f"student={fresh}", *QUICK, "trainer.max_steps=1", "held_out=0"]
    status, out, _ = train(capsys, *quick, f"trainer.max_length={longest}", f"out={tmp_path / 'some'}")
    longer = sum(length > longest for length in lengths)
    assert status == 0 and longer and f"; {longer} left out, longer than trainer.max_length" in out
    status, _, err = train(capsys, *quick, "trainer.max_length=5", f"out={tmp_path / 'none'}")
    assert status == 2 and f"{len(lengths)} are longer than trainer.max_length=5" in err


def test_an_adapter_is_merged_into_the_base(data, fresh, tmp_path, capsys):
    lora = ["+lora={r: 4, lora_alpha: 8, target_modules: all-linear}", "trainer.max_steps=2"]
    status, _, err = train(capsys, f"data={data}", f"student={fresh}", *QUICK, *lora, f"out={tmp_path}")
    assert status == 0, err
    before, after = (AutoModelForCausalLM.from_pretrained(each) for each in (fresh, tmp_path / "model"))
    changed = {name for name, old in before.state_dict().items() if not torch.equal(old, after.state_dict()[name])}
    assert changed and all("proj" in name for name in changed)


def test_questions_are_held_out_whole(data, fresh, tmp_path, capsys):
    share = ["held_out=0.5", "trainer.eval_strategy=steps", "trainer.eval_steps=1", "trainer.max_steps=1"]
    status, out, _ = train(capsys, f"data={data}", f"student={fresh}", *QUICK, *share, f"out={tmp_path}")
    assert status == 0 and "eval_loss" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["data=."], "not a training set; must be a folder written by leap_lab.training.traces"),
        (["learned=[thought]"], "learned=['thought']: must be one or more of prompt, prefix, think"),
        (["learned=[]"], "learned=[]: must be one or more of"),
        (["held_out=1"], "held_out=1: must be a number >= 0 and < 1"),
        (["batch_size=3"], "batch_size=3: must be a multiple of trainer.per_device_train_batch_size=4 times 1"),
        (["trainer.learning_speed=1"], "must be fields of TRL's SFTConfig"),
        (["size=huge"], "size=huge: no such choice; allowed are 14b, 1_5b, 7b, tiny"),
        (["trainer.learning_rate=-1"], "trainer.learning_rate=-1: must be a number > 0"),
        (["+lora={rank: 4}"], "must be fields of peft's LoraConfig"),
        (["+lora={r: 0}"], "lora.r=0: must be an integer >= 1"),
        (["attention=nonsense"], "attention=nonsense: must be eager or sdpa or flash_attention_2"),
    ],
)
def test_bad_input_is_one_line(arguments, words, data, fresh, tmp_path, capsys):
    status, _, err = train(capsys, f"data={data}", f"student={fresh}", f"out={tmp_path / 'out'}", *QUICK, *arguments)
    assert status == 2 and err.startswith("error: ") and words in err


def test_a_set_of_another_tokenizer_is_refused(data, tmp_path, capsys):
    tokenizer = train_tokenizer(["quite another text"] * 3, 300)
    pretrain.save(pretrain.make_model(SIZE, tokenizer), tokenizer, tmp_path)
    status, _, err = train(capsys, f"data={data}", f"student={tmp_path}", f"out={tmp_path / 'out'}", *QUICK)
    assert status == 2 and "mixed tokenizers: " in err


def test_a_damaged_set_is_refused(data, fresh, tmp_path, capsys):
    shutil.copytree(data, tmp_path / "set")
    [file] = (tmp_path / "set").glob("*.arrow")
    file.write_bytes(file.read_bytes()[:300])
    status, _, err = train(capsys, f"data={tmp_path / 'set'}", f"student={fresh}", f"out={tmp_path / 'out'}", *QUICK)
    assert status == 2 and f"data={tmp_path / 'set'}: damaged" in err and "make it again" in err


@pytest.mark.parametrize(("size", "epochs"), [("1_5b", 8), ("7b", 8), ("14b", 5)])
def test_sizes_have_the_papers_settings(size, epochs):
    with initialize_config_dir(str(CONF / "training"), version_base="1.3"):
        found = sft.validated(compose("sft", overrides=sft.opened([f"size={size}", "data=set", "out=model"])))
    trainer = found["trainer"]
    assert (found["batch_size"], trainer["num_train_epochs"], trainer["max_length"]) == (16, epochs, 16384)
    assert (trainer["learning_rate"], trainer["lr_scheduler_type"], trainer["weight_decay"]) == (1e-5, "cosine", 1e-4)
    assert (trainer["warmup_steps"], trainer["bf16"], trainer["packing"]) == (0.05, True, True)
    assert trainer["gradient_checkpointing"] and found["learned"] == ["think", "summary", "final"]


def test_the_fsdp_settings_are_ones_that_accelerate_knows():
    from accelerate.commands.config.config_args import ClusterConfig

    file = ROOT / "conf" / "training" / "accelerate" / "fsdp.yaml"
    assert ClusterConfig.from_yaml_file(str(file)).num_processes == 8
    assert yaml.safe_load(file.read_text())["fsdp_config"]["fsdp_state_dict_type"] == "FULL_STATE_DICT"
