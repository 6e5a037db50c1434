"""Every choice in conf/ composes, validates and makes the object it names."""

import shlex
from pathlib import Path

import pytest
import yaml

from leap_lab.errors import UserError
from leap_lab.settings import compose, conf
from leap_lab.settings.arguments import Arguments
from leap_lab.settings.cell import Cell
from leap_lab.settings.datasets import Datasets
from leap_lab.settings.experiments import passes
from leap_lab.settings.objects import instantiate

ROOT = Path(__file__).parents[2]
GROUPS = {
    group.name: sorted(file.stem for file in group.glob("*.yaml"))
    for group in conf.CONF.iterdir()
    if any(group.glob("*.yaml")) and group.name != "training"  # composed by itself
}
NEEDED = {
    "local": {"model": "model.path=owner/name", "dataset": "dataset.path=questions.jsonl"},
    "server": {"engine": "engine.urls=[http://127.0.0.1:8000]"},
    "reasoning_gym": {"dataset": "dataset.task=chain_sum"},
}


def cell(*overrides: str) -> Cell:
    with conf.opened():
        return compose.composed(Arguments.read(overrides).overrides, Datasets())


def test_the_names_that_other_tools_rely_on_are_there():
    assert set(GROUPS["router"]) >= {"clustered", "dispersed", "hybrid", "random", "none", "all"}
    assert {"tiny", "tiny_t"} <= set(GROUPS["model"])
    assert {"r1_1_5b", "r1_7b", "r1_14b", "r1_32b", "qwq_32b", "qwen3_8b", "local"} <= set(GROUPS["model"])
    assert {"leap_t_1_5b", "leap_t_7b", "leap_t_14b"} <= set(GROUPS["model"])
    assert {"qwen3_0_6b", "qwen3_4b_thinking", "qwen3_4b_instruct", "r1_0528_qwen3_8b"} <= set(GROUPS["model"])
    assert {"gpt_oss_20b", "smollm3_3b"} <= set(GROUPS["model"])
    assert {"independent", "leap", "leap_s", "moa"} <= set(GROUPS["method"])
    assert set(GROUPS["dataset"]) >= {
        "arithmetic",
        "arithmetic_graded",
        "aime_2024",
        "aime_2025",
        "aimo_2025",
        "gpqa_diamond",
        "local",
    }
    assert set(GROUPS["difficulty"]) == {"all", "very_easy", "easy", "medium", "hard", "very_hard"}
    assert set(GROUPS["prefix"]) == {"none", "bad", "good", "mixed", "random"}
    assert set(GROUPS["tracking"]) == {"wandb", "none"}


OWN = {("router", "semantic")}  # needs a model in a folder: tests/test_embedding.py
CHOICES = [(group, name) for group in GROUPS for name in GROUPS[group] if (group, name) not in OWN]


@pytest.mark.parametrize(("group", "name"), CHOICES)
def test_every_choice_composes_and_validates(group, name):
    extra = [NEEDED[name][group]] if name in NEEDED else []
    found = cell(f"{group}={name}", *extra)
    assert found.config[group]["name"] == name
    assert found.method() is not None


@pytest.mark.parametrize("name", GROUPS["tracking"])
def test_every_tracker_can_be_made(name):
    assert hasattr(instantiate(cell(f"tracking={name}").config["tracking"]), "finish")


@pytest.mark.parametrize("name", GROUPS["model"])
def test_every_model_leaves_room_for_comments_and_names_its_prompts(name):
    config = cell(f"model={name}", *([NEEDED[name]["model"]] if name in NEEDED else [])).config
    tuned = name in ("tiny", "tiny_t") or name.startswith("leap_t")
    assert config["prompts"]["name"] == ("tuned" if tuned else "untuned")
    assert config["model"]["max_tokens"] + config["model"]["summary_tokens"] < config["engine"]["max_model_len"]


def test_a_prompt_set_of_the_users_choice_wins():
    assert cell("model=r1_7b", "prompts=tuned").config["prompts"]["name"] == "tuned"
    assert cell("model=r1_7b", "prompts.tag=peer_summaries").config["prompts"]["tag"] == "peer_summaries"


def test_buckets_and_beginnings_share_one_reference_run_whatever_is_swept():
    cells = [
        *(cell(f"difficulty={name}", f"router={router}") for name in ("hard", "easy") for router in ("random", "none")),
        *(cell("prefix=bad", f"prefix.fraction={fraction}", "sampling.temperature=0.5") for fraction in (0.1, 0.3)),
        cell("prefix=mixed", "method=independent", "method.max_tokens=200"),
    ]
    assert len({each.reference().run_id for each in cells}) == 1
    assert len({each.run_id for each in cells}) == len(cells)
    assert all(each.needs_reference and not each.reference().needs_reference for each in cells)
    assert not cell().needs_reference
    assert cell("difficulty=hard", "dataset.seed=4").reference().run_id != cells[0].reference().run_id


def test_a_baseline_has_the_same_questions_and_beginnings():
    base = cell("prefix=bad", "difficulty=medium").baseline()
    assert (base.config["prefix"]["name"], base.config["difficulty"]["name"]) == ("bad", "medium")
    assert base.run_id == cell("prefix=bad", "difficulty=medium", "method=independent").run_id


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["router.top_k=0"], r"router\.top_k=0: must be an integer >= 1"),
        (["router.top_k=two"], r"router\.top_k=two: must be"),
        (["router.similarity=cosine"], r"router\.similarity=cosine: must be levenshtein or indel"),
        (["peers=-1"], r"peers=-1: must be an integer from 1 to 4096"),
        (["peers=2.5"], r"peers=2\.5"),
        (["peers=true"], r"peers=True"),
        (["groups=0"], r"groups=0"),
        (["limit=0"], r"limit=0: .* or null"),
        (["seed=-1"], r"seed=-1"),
        (["baseline=maybe"], r"baseline=maybe: must be true or false"),
        (["concurrency=0"], r"concurrency=0"),
        (["sampling.temperature=-1"], r"sampling\.temperature=-1"),
        (["sampling.temperature=.nan"], r"sampling\.temperature=\.nan"),
        (["sampling.top_p=0"], r"sampling\.top_p=0"),
        (["sampling.top_p=1.5"], r"sampling\.top_p=1\.5"),
        (["sampling.top_k=0"], r"sampling\.top_k=0"),
        (["sampling.min_p=2"], r"sampling\.min_p=2"),
        (["method.interval=10", "method.summary_tokens=256"], r"method\.interval=10: shorter than a summary"),
        (["method.interval=10000"], r"method\.interval=10000: no block fits"),
        (["method.max_tokens=5000"], r"method\.max_tokens=5000: .*max_model_len=2048"),
        (["method.max_tokens=0"], r"method\.max_tokens=0"),
        (["method=leap_s", "method.position=0"], r"method\.position=0: must be an integer >= 1"),
        (
            ["method=leap_s", "method.position=480"],
            r"method\.position=480: no block fits; must be < .*=512 minus .*=32",
        ),
        (["method=leap_s", "method.helpers=0"], r"method\.helpers=0: .* or null"),
        (["method=leap_s", "method.helpers=4", "peers=4"], r"method\.helpers=4: no path is left .* < peers=4"),
        (["method=moa", "method.layers=0"], r"method\.layers=0: must be an integer >= 1"),
        (["method=moa", "method.layers=513"], r"method\.layers=513: .* must be <= method\.max_tokens=512"),
        (
            ["method=moa", "method.aggregate=refs"],
            r"method\.aggregate='refs': must name \{question\} and \{references\}",
        ),
        *(
            (
                [f"method={name}", "probes=true"],
                rf"probes=true: method={name} has no blocks at which paths could be asked; set probes=false",
            )
            for name in ("moa", "rsa", "pacore", "debate", "genselect")
        ),
        (["method=rsa", "peers=3"], r"method\.subset=4: different members of a population; must be <= peers=3"),
        (["method=debate", "peers=1"], r"peers=1: nobody to debate with; must be >= 2"),
        (["method=pacore", "method.between=4"], r"method\.between=4: must be a list of sizes"),
        (["method=genselect", "method.mode=both"], r"method\.mode=both: must be select or synthesize"),
        (["model=local"], r"model\.path: a value is needed"),
        (["dataset=local"], r"dataset\.path: a value is needed"),
        (["prefix=bad", "prefix.fraction=0"], r"prefix\.fraction=0: must be a number > 0 and < 1"),
        (["prefix=good", "prefix.fraction=1"], r"prefix\.fraction=1: must be"),
        (["prefix=mixed", "prefix.good_ratio=1.5"], r"prefix\.good_ratio=1\.5: must be a number from 0 to 1"),
        (["reference.responses=1"], r"reference\.responses=1"),
        (["seed=2505"], r"reference\.seed=2505: the same as seed"),
        (["prompts.tag=a b"], r"prompts\.tag='a b'"),
    ],
)
def test_bad_values_are_refused_in_one_line(overrides, message):
    with pytest.raises(UserError, match=message) as caught:
        cell(*overrides)
    assert "\n" not in str(caught.value)


def test_the_run_id_depends_on_what_determines_the_result_and_on_nothing_else():
    base = cell().run_id
    fast = ("engine.tensor_parallel_size=2", "engine.gpu_memory_utilization=0.5", "engine.max_num_seqs=8")
    for same in (
        "tracking=none",
        "runs_dir=elsewhere",
        "concurrency=2",
        "limit=3",
        "groups=4",
        "engine.log=true",
        *fast,
    ):
        assert cell(same).run_id == base, same
    changed = [
        *("router=clustered", "router.top_k=2", "peers=8", "seed=1", "method.interval=96", "sampling.temperature=0.7"),
        *("method=independent", "prompts=untuned", "prompts.heard=Hm.", "dataset.seed=1", "engine.max_model_len=1024"),
        *("engine.load_format=dummy", "engine.quantization=fp8", "engine.a_field_of_tomorrow=1"),
    ]
    ids = {change: cell(change).run_id for change in changed}
    assert len({base, *ids.values()}) == len(changed) + 1, ids


def test_probes_of_independent_paths_are_part_of_a_run_where_they_are_asked_for():
    """`probe_interval` alone asks for them, and a run without them keeps the id that it had before there were any."""
    base = cell("method=independent")
    assert "probe_interval" not in base.identity["method"] and "probes" not in base.identity
    for same in ("probes=true", "probe_tokens=3", "method.probe_interval=null"):
        assert cell("method=independent", same).run_id == base.run_id, same
    probed = cell("method=independent", "method.probe_interval=16", "probe_tokens=3")
    assert probed.identity["method"]["probe_interval"] == 16 and probed.identity["probes"]["tokens"] == 3
    assert probed.method().probe_tokens == 3 and base.method().probe_tokens is None
    assert len({base.run_id, probed.run_id, probed.but(probe_tokens=4).run_id}) == 3
    assert probed.baseline().run_id == cell("probes=true").baseline().run_id == base.run_id
    assert probed.recorded["probes"] and not base.recorded["probes"]


def test_a_method_without_a_router_has_none():
    ids = {cell("method=independent", f"router={router}").run_id for router in ("clustered", "random")}
    assert len(ids) == 1
    assert cell("method=independent").recorded["router"] is None
    assert cell("method=moa").recorded["router"] is None


@pytest.mark.parametrize("method", ["moa", "rsa", "pacore", "debate", "genselect"])
def test_methods_in_rounds_say_so_and_are_probed_nowhere_in_a_sweep_with_a_baseline(method):
    """Independent sampling, which their baseline is, has no blocks either; there probes are no matter."""
    assert cell(f"method={method}").recorded["comparison"]["budget"] == "rounds"
    assert cell("method=independent", "probes=true").run_id == cell(f"method={method}").baseline().run_id


def test_the_baseline_is_the_same_for_every_router_and_is_what_independent_gives():
    baselines = {cell(f"router={router}").baseline().run_id for router in ("clustered", "dispersed")}
    assert baselines == {cell("method=independent").run_id}


ROUNDS = [["moa"], ["rsa"], ["pacore"], ["debate"], ["genselect"]]


@pytest.mark.parametrize("method", [["leap_s"], ["leap_s", "method.helpers=4", "method.position=96"], *ROUNDS])
def test_every_method_has_the_same_baseline(method):
    """The same paths with the same budget each, so that it is decoded once for all of them."""
    assert cell(f"method={method[0]}", *method[1:]).baseline().run_id == cell("method=independent").run_id


def test_a_local_dataset_is_known_by_its_content(tmp_path):
    for name in ("one.jsonl", "two.jsonl"):
        (tmp_path / name).write_text('{"problem": "p", "answer": "1"}\n')
    one, two = (cell("dataset=local", f"dataset.path={tmp_path / name}") for name in ("one.jsonl", "two.jsonl"))
    assert one.run_id == two.run_id
    (tmp_path / "two.jsonl").write_text('{"problem": "another", "answer": "1"}\n')
    assert cell("dataset=local", f"dataset.path={tmp_path / 'two.jsonl'}").run_id != one.run_id
    (tmp_path / "two.jsonl").write_text('{"problem": "p", "answer": "2"}\n')
    assert cell("dataset=local", f"dataset.path={tmp_path / 'two.jsonl'}").run_id == one.run_id, "graded again"


def test_conf_names_no_class_that_is_not_there():
    from hydra.utils import get_object

    for group in ("engine", "method", "router", "dataset", "prompts", "tracking"):
        for name in GROUPS[group]:
            fields = yaml.safe_load((conf.CONF / group / f"{name}.yaml").read_text())
            first = fields.get("defaults", [name])[0]  # a choice may be a variation of another
            base = first if isinstance(first, str) else name
            fields = yaml.safe_load((conf.CONF / group / f"{base}.yaml").read_text()) | fields
            assert callable(get_object(fields["_target_"]))


def commands() -> list[str]:
    """Every `leap_lab.run` command that the README and --help show."""
    texts = [(ROOT / "README.md").read_text(), (ROOT / "conf" / "config.yaml").read_text()]
    lines = [line.strip() for text in texts for line in text.replace("\\\n", " ").splitlines()]
    shown = [line.removeprefix("runs ").strip("`").partition("`")[0].partition("  #")[0] for line in lines]
    return [line for line in shown if line.startswith("python -m leap_lab.run ") and "=" in line and "[" not in line]


def test_every_command_that_is_shown_composes(monkeypatch):
    monkeypatch.setattr("leap_lab.hub.commit_of", lambda *_: "a" * 40)
    shown = commands()
    assert len(shown) >= 9
    for command in shown:
        asked = Arguments.read(shlex.split(command)[3:])
        with conf.opened():
            for sweep in passes(asked.overrides, asked.multirun):
                cells = [compose.composed(overrides, Datasets()) for overrides in compose.expanded(sweep)]
                assert {each.run_id for each in cells}, command
