"""Commits of hub models and data sets: pinned by a command, part of a run's id, and what is really loaded."""

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import yaml

import leap_lab
from leap_lab.decoding.engines import key_of
from leap_lab.engines import adapters, vllm
from leap_lab.engines.models import Model
from leap_lab.engines.tokens import ModelTokens
from leap_lab.errors import UserError
from leap_lab.runs import ledger
from leap_lab.settings import compose
from leap_lab.settings.arguments import Arguments
from leap_lab.settings.cell import Cell
from tests.commands import group_files, run, run_folders
from tests.hubs import NEW, OLD, Cache

TINY = Path(leap_lab.__file__).parent / "assets" / "tiny"
MODEL = ["model=local", "model.path=me/m", "baseline=false", "tracking=none", "limit=1"]


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Cache:
    monkeypatch.chdir(tmp_path)
    cache = Cache(tmp_path / "home", monkeypatch)
    cache.model("me/m", OLD, NEW, folder=TINY)
    cache.points("models", "me/m", OLD)
    return cache


def planned(*overrides: str) -> Cell:
    """The cell of a command that is checked and not decoded."""
    [sweep] = compose.plan(Arguments.read([*MODEL, *overrides]))
    return sweep.cells[0]


def test_the_same_command_goes_on_with_the_commit_it_began_with(cache):
    first = planned()
    assert first.model.revision == OLD
    cache.points("models", "me/m", NEW)
    assert planned().model.revision == OLD
    assert planned().run_id == first.run_id
    assert planned("runs_dir=others").run_id != first.run_id, "another folder of runs begins with what there is now"


def test_another_commit_is_another_run(cache):
    cache.points("models", "me/m", NEW, "v2")
    runs = {planned(*more).run_id for more in ([], [f"model.revision={NEW}"])}
    assert len(runs) == 2
    assert planned("model.revision=v2").run_id in runs, "a branch is the commit it points to"
    assert planned(f"model.revision={OLD}").run_id in runs
    assert planned("model.revision=v2").recorded["model"]["revision"] == NEW


def test_an_adapter_on_the_hub_is_pinned_like_a_model(cache):
    cache.model("me/adapter", OLD, NEW)
    cache.points("models", "me/adapter", OLD)
    first = planned("model.lora=me/adapter")
    assert first.model.lora_revision == first.recorded["model"]["lora_revision"] == OLD
    cache.points("models", "me/adapter", NEW)
    assert planned("model.lora=me/adapter").run_id == first.run_id, "the runs keep what they began with"
    other = planned("model.lora=me/adapter", f"model.lora_revision={NEW}")
    assert other.run_id != first.run_id and key_of(other) != key_of(first)


def test_the_commit_of_an_adapter_is_what_is_fetched(monkeypatch):
    asked = {}
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda name, **more: asked.update(more) or "nowhere")
    with pytest.raises(UserError, match="adapter_config"):
        adapters.fetched("me/adapter", NEW)
    assert asked["revision"] == NEW


def test_a_run_keeps_its_commit_in_its_settings(cache):
    assert planned().recorded["model"]["revision"] == OLD
    assert planned().reference().identity["revision"] == planned().baseline().identity["revision"] == OLD


def test_engines_are_not_shared_by_commits(cache):
    assert key_of(planned()) == key_of(planned(f"model.revision={OLD}"))
    assert key_of(planned()) != key_of(planned(f"model.revision={NEW}"))
    assert key_of(planned()) != key_of(planned("model.thinking=off")), "nor by ways to speak to the model"


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        (
            "model.path=me/unknown",
            "model.revision=null: neither the hub nor the local cache says which commit of me/",
        ),
        ("model.revision=v9", "model.revision=v9: neither the hub nor the local cache says which commit of me/m this"),
        (f"model.path={TINY}", "model.revision=main: only for the hub; model.path="),
        ("model.revision=7", "model.revision=7: must be a commit, branch or tag"),
        ("model.lora=me/unknown", "model.lora_revision=null: neither the hub nor the local cache says which commit of"),
        ("engine.revision=main", "engine.revision: set model.revision"),
        ("engine.tokenizer_revision=main", "engine.tokenizer_revision: set model.revision"),
    ],
)
def test_what_cannot_be_pinned_is_refused_before_anything_is_loaded(cache, capsys, setting, told):
    more = ["model.revision=main"] if str(TINY) in setting else []
    status, _, err = run(capsys, *MODEL, setting, *more)
    assert status == 2
    assert err.startswith(f"error: {told}") and err.count("\n") == 1
    assert not Path("runs/.pins.json").exists()


def test_vllm_and_the_tokenizer_load_the_commit(cache, monkeypatch):
    loaded, model = {}, planned(f"model.revision={NEW}").model
    fake = {name: ModuleType(name) for name in ("vllm", "vllm.platforms", "vllm.v1.engine.async_llm")}
    fake["vllm"].AsyncEngineArgs = lambda **fields: loaded.update(fields)
    fake["vllm.platforms"].current_platform = SimpleNamespace(is_cpu=lambda: True)
    fake["vllm.v1.engine.async_llm"].AsyncLLM = SimpleNamespace(from_engine_args=lambda arguments: arguments)
    for name, module in fake.items():
        monkeypatch.setitem(sys.modules, name, module)
    vllm._load(model, {})
    assert (loaded["model"], loaded["revision"], loaded["tokenizer_revision"]) == ("me/m", NEW, NEW)
    vllm._load(Model(str(TINY)), {})
    assert loaded["revision"] is loaded["tokenizer_revision"] is None


def test_tokenizer_and_ledger_are_of_the_commit(cache):
    new = cache.hub / "models--me--m" / "snapshots" / NEW
    template = new / "chat_template.jinja"
    template.write_text(template.read_text().replace("{{ message['content'] }}", "NEW {{ message['content'] }}"))
    config = json.loads((new / "config.json").read_text())
    (new / "config.json").write_text(json.dumps({**config, "vocab_size": 2 * config["vocab_size"]}))
    old, changed = (planned(f"model.revision={commit}") for commit in (OLD, NEW))
    assert "NEW" in ModelTokens.of(changed.model).template
    assert "NEW" not in ModelTokens.of(old.model).template
    few, many = (ledger.known(each.engine(), each.model)[0] for each in (old, changed))
    assert many.sampled == 2 * few.sampled


def test_a_program_in_the_models_place_needs_no_commit(cache):
    assert planned("engine=scripted", "model.path=me/unknown").model.revision is None


def test_solve_pins_nothing_on_disk_and_follows_what_runs_have_pinned(cache, tmp_path):
    assert leap_lab.solve("a=1+2\nWhat is a?", "engine=scripted", "peers=2", "dataset=aime_2024")
    from leap_lab import api

    assert api.cell(*MODEL).model.revision == OLD
    assert not (tmp_path / "runs").exists()
    with pytest.raises(UserError, match=r"model\.revision=null: neither the hub nor the local cache"):
        leap_lab.solve("a=1+2\nWhat is a?", "model=local", "model.path=me/unknown")
    assert not (tmp_path / "runs").exists()
    planned()
    cache.points("models", "me/m", NEW)
    assert api.cell(*MODEL).model.revision == OLD


DATA = ["dataset=aime_2024", "dataset.hub_id=me/q", "engine=scripted", "tracking=none", "baseline=false", "peers=2"]
DATA += ["dataset.columns.id=''"]


def test_a_hub_dataset_is_pinned_recorded_and_settable(cache, capsys, tmp_path):
    rows = [{"problem": f"a=2{number}+31\nWhat is a?", "answer": f"{51 + number}"} for number in range(2)]
    cache.dataset("me/q", {OLD: rows[:1], NEW: rows[1:]})
    cache.points("datasets", "me/q", OLD)
    assert run(capsys, *DATA)[0] == 0
    [folder] = run_folders(tmp_path / "runs")
    assert yaml.safe_load((folder / "config.yaml").read_text())["dataset"]["revision"] == OLD
    files = group_files(tmp_path / "runs")
    cache.points("datasets", "me/q", NEW)
    status, _, err = run(capsys, *DATA)
    assert status == 0 and "nothing to decode" in err, "the hub moved on, the command did not"
    assert group_files(tmp_path / "runs") == files
    assert run(capsys, *DATA, f"dataset.revision={NEW}")[0] == 0
    assert len(run_folders(tmp_path / "runs")) == 2
    status, _, err = run(capsys, *DATA, "dataset.revision=main")
    assert status == 0 and "nothing to decode" in err
    status, _, err = run(capsys, *DATA, "dataset.revision=v9")
    assert status == 2 and "dataset.revision=v9: neither the hub nor the local cache says which commit of me/q" in err


def test_a_revision_of_a_local_copy_is_refused(cache, capsys, tmp_path):
    (tmp_path / "copy.jsonl").write_text('{"problem": "a=20+31\\nWhat is a?", "answer": "51"}\n')
    status, _, err = run(capsys, *DATA, "dataset.hub_id=copy.jsonl", "dataset.revision=main")
    assert status == 2
    assert "dataset.revision=main: only for the hub; dataset.hub_id=copy.jsonl is a file or folder" in err
