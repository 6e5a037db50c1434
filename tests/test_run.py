"""The command line as a user types it, decoding with the programmatic reasoner instead of a model."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import yaml

from leap_lab.tasks.problem import Problem
from tests.commands import SMALL, group_files, run, run_folders, table_of
from tests.doubles import as_in_a_terminal


def test_a_sweep_ends_with_a_table_a_figure_and_its_folders(tmp_path, capsys):
    status, out, err = run(capsys, "-m", "router=clustered,dispersed", *SMALL, f"runs_dir={tmp_path}")
    assert status == 0, err
    for name in ("independent", "clustered k=4", "dispersed k=4"):
        assert name in out
    assert len(run_folders(tmp_path)) == 3
    assert out.count("run folder: ") == 3
    figures = [Path(line.removeprefix("report: ")) for line in out.splitlines() if line.endswith((".png", ".pdf"))]
    assert {file.suffix for file in figures if file.is_file()} == {".png", ".pdf"}
    assert out.splitlines()[-1].startswith("Look next at ")
    folders = [line.removeprefix("run folder: ") for line in out.splitlines() if line.startswith("run folder: ")]
    assert out.splitlines()[-2] == f"paths in a browser: python -m analysis view {' '.join(folders)}"


def test_a_run_folder_holds_what_the_schema_says(tmp_path, capsys):
    run(capsys, *SMALL, "baseline=false", f"runs_dir={tmp_path}")
    (folder,) = run_folders(tmp_path)
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert (config["method"]["name"], config["router"]["name"], config["peers"]) == ("leap", "dispersed", 4)
    told = json.loads((folder / "run.json").read_text())
    assert told["status"] == "finished" and told["sessions"][0]["groups"] == 3
    assert set(told["sessions"][0]["engine"]) == {"busy", "requests_in_flight"}
    assert not (folder / "journal").exists(), "of groups in flight only"
    metrics = json.loads((folder / "metrics.json").read_text())
    assert set(metrics["pass@1"]) >= {"value", "low", "high", "n"}
    paths = pd.concat(pd.read_parquet(file) for file in (folder / "groups").iterdir())
    assert len(paths) == 12 and set(paths["run_id"]) == {folder.name}
    assert (paths["tokens_summary"] > 0).any() and (paths["tokens_comment"] > 0).any()
    first = paths.iloc[0]
    assert first["segments"][0]["kind"] == "prompt"
    assert sum(len(part["tokens"]) for part in first["segments"] if part["kind"] == "prompt") == first["tokens_prompt"]


def test_the_same_command_decodes_nothing_and_prints_the_same_table(tmp_path, capsys):
    command = ["-m", "router=clustered,random", *SMALL, f"runs_dir={tmp_path}"]
    _, first, _ = run(capsys, *command)
    files = group_files(tmp_path)
    status, second, err = run(capsys, *command)
    assert status == 0
    assert table_of(second) == table_of(first)
    assert group_files(tmp_path) == files
    assert "starting the engine" not in err


def test_more_questions_or_groups_extend_a_run(tmp_path, capsys):
    command = [*SMALL, "baseline=false", f"runs_dir={tmp_path}"]
    _, first, _ = run(capsys, *command)
    files = group_files(tmp_path)
    run(capsys, *command, "limit=5", "groups=2")
    after = group_files(tmp_path)
    assert len(files) == 3 and len(after) == 10
    assert files.items() <= after.items()
    _, again, _ = run(capsys, *command)
    assert table_of(again) == table_of(first)


def test_a_lost_group_is_decoded_again_and_only_that_one(tmp_path, capsys):
    command = [*SMALL, "baseline=false", f"runs_dir={tmp_path}"]
    _, first, _ = run(capsys, *command)
    lost, *kept = group_files(tmp_path)
    before = group_files(tmp_path)
    lost.write_bytes(lost.read_bytes()[:100])
    status, again, _ = run(capsys, *command)
    after = group_files(tmp_path)
    assert status == 0 and table_of(again) == table_of(first)
    assert [after[file] for file in kept] == [before[file] for file in kept]
    assert after[lost] != before[lost]


def test_the_baseline_is_decoded_once_and_can_be_left_out(tmp_path, capsys):
    _, _, err = run(capsys, "-m", "router=clustered,dispersed,random", *SMALL, f"runs_dir={tmp_path}")
    assert err.count("\nindependent:") + err.startswith("independent:") == 1
    assert len(run_folders(tmp_path)) == 4
    run(capsys, *SMALL, "baseline=false", f"runs_dir={tmp_path / 'other'}")
    assert len(run_folders(tmp_path / "other")) == 1


def test_concurrency_changes_nothing_but_speed(tmp_path, capsys):
    _, one, _ = run(capsys, *SMALL, "concurrency=1", f"runs_dir={tmp_path / 'one'}")
    _, many, _ = run(capsys, *SMALL, "concurrency=16", f"runs_dir={tmp_path / 'many'}")
    assert table_of(one) == table_of(many)


def test_a_local_file_is_answered(tmp_path, capsys):
    questions = tmp_path / "questions.jsonl"
    questions.write_text('{"id": "mine/1", "problem": "a=20+31\\nWhat is a?", "answer": "051"}\n')
    local = ["dataset=local", f"dataset.path={questions}", "engine=scripted", "tracking=none", "peers=8"]
    status, out, err = run(capsys, *local, f"runs_dir={tmp_path / 'runs'}")
    assert status == 0, err
    assert "1×1×8" in out


def test_the_flag_of_a_sweep_may_stand_anywhere(tmp_path, capsys):
    status, out, err = run(capsys, *SMALL, "router=clustered,random", f"runs_dir={tmp_path}", "-m")
    assert status == 0, err
    assert "clustered k=4" in out and "random k=4" in out


def test_a_home_folder_is_where_a_user_expects_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    status, _, err = run(capsys, *SMALL, "baseline=false", "runs_dir='~/runs'")
    assert status == 0, err
    assert len(run_folders(tmp_path / "runs")) == 1
    assert not (tmp_path / "~").exists(), "nor is a folder of that name left where the command ran"


def test_a_local_copy_of_a_benchmark_is_known_by_its_content(tmp_path, capsys):
    file = tmp_path / "copy.jsonl"
    command = ["engine=scripted", "tracking=none", "baseline=false", "peers=2", "dataset=aime_2024"]
    command += [f"dataset.hub_id={file}", "dataset.columns.id=id", f"runs_dir={tmp_path / 'runs'}"]
    config = yaml.safe_load((Path(__file__).parents[1] / "conf" / "dataset" / "aime_2024.yaml").read_text())["columns"]
    for second in (31, 32):
        row = {"id": "1", config["problem"]: f"a=20+{second}\nWhat is a?", config["answer"]: str(20 + second)}
        file.write_text(json.dumps(row))
        status, _, err = run(capsys, *command)
        assert status == 0, err
    assert len(run_folders(tmp_path / "runs")) == 2


def test_groups_that_fail_are_counted_and_the_rest_goes_on(tmp_path, capsys):
    questions = tmp_path / "questions.jsonl"
    rows = [{"problem": "a=20+31\nWhat is a?", "answer": "51"}, {"problem": "no sum at all", "answer": "1"}]
    questions.write_text("\n".join(map(json.dumps, rows)))
    command = ["dataset=local", f"dataset.path={questions}", "engine=scripted", "tracking=none", "baseline=false"]
    status, out, err = run(capsys, *command, "peers=2", f"runs_dir={tmp_path / 'runs'}")
    assert status == 1
    question = f"q-{Problem('', 'no sum at all', '1').content}"
    assert f"failed: leap dispersed-4, question {question}, group 0: ValueError: no first sum" in err
    assert "1 groups failed" in err and "run folder: " in out
    (folder,) = run_folders(tmp_path / "runs")
    assert json.loads((folder / "run.json").read_text())["status"] == "failed groups"


def test_a_bucket_is_decoded_after_its_reference_run(tmp_path, capsys):
    command = ["engine=scripted", "tracking=none", "peers=4", "limit=12", f"runs_dir={tmp_path}"]
    status, out, err = run(capsys, "-m", "difficulty=easy,medium,hard", *command)
    assert status == 0, err
    assert err.count("reference, independent: 12/12 questions") == 1
    assert len(run_folders(tmp_path)) == 7  # three times LeaP and independent, and the reference
    for bucket in ("easy", "medium", "hard"):
        assert f"dispersed k=4 difficulty={bucket}" in out
    assert "groups are there" not in out
    sizes = [int(line.split("×")[0].split()[-1]) for line in out.splitlines() if line.startswith("independent ")]
    assert len(sizes) == 3 and 0 < sum(sizes) < 12
    _, again, _ = run(capsys, "-m", "difficulty=easy,medium,hard", *command)
    assert table_of(again) == table_of(out)


def test_beginnings_are_continued_and_cost_nothing(tmp_path, capsys):
    command = ["engine=scripted", "tracking=none", "peers=4", "limit=10", "baseline=false", f"runs_dir={tmp_path}"]
    status, _, err = run(capsys, "prefix=bad", "prefix.fraction=0.3", "method=independent", *command)
    assert status == 0, err
    told = {
        file.parent: yaml.safe_load((file.parent / "config.yaml").read_text()) for file in tmp_path.glob("*/run.json")
    }
    (folder,) = [folder for folder, config in told.items() if config["prefix"]["name"] == "bad"]
    paths = pd.concat(pd.read_parquet(file) for file in (folder / "groups").iterdir())
    assert (paths["tokens_prefix"] > 0).all()
    for _, path in paths.iterrows():
        kinds = [part["kind"] for part in path["segments"]]
        assert kinds[:2] == ["prompt", "prefix"]
        sampled = sum(len(part["tokens"]) for part in path["segments"] if part["kind"] in ("think", "final"))
        assert path["tokens_think"] == sampled
    for _, group in paths.groupby("question_id"):
        assert len({part["text"] for path in group["segments"] for part in path if part["kind"] == "prefix"}) == 1


def test_probes_are_graded_and_counted_apart(tmp_path, capsys):
    command = [*SMALL, "baseline=false"]
    for probes in ("true", "false"):
        status, _, err = run(capsys, f"probes={probes}", *command, f"runs_dir={tmp_path / probes}")
        assert status == 0, err
    probed, plain = (
        pd.concat(pd.read_parquet(file) for file in sorted((tmp_path / name).glob("*/groups/*.parquet")))
        for name in ("true", "false")
    )
    assert (plain["tokens_probe"] == 0).all() and (probed["tokens_probe"] > 0).any()
    for column in ("answer", "tokens_think", "tokens_summary", "tokens_comment", "tokens_prefilled", "blocks"):
        assert list(probed[column]) == list(plain[column]), column
    for _, path in probed.iterrows():
        assert [(probe["turn"], probe["phase"]) for probe in path["probes"]] == [
            (route["turn"], phase) for route in path["routes"] for phase in ("before", "after")
        ]
        assert all(probe["correct"] == (probe["answer"] == path["gold"]) for probe in path["probes"])


def printed_and_imported(arguments: list[str], *modules: str) -> str:
    """What a command prints in a process of its own, and then which of the modules it imported."""
    code = "import sys; from leap_lab.run import main; names = sys.argv[1].split(); main(sys.argv[2:])"
    code += "; print(sorted({*names} & {*sys.modules}))"
    command = [sys.executable, "-c", code, " ".join(modules), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_help_is_quick_to_import_and_names_the_groups():
    found = printed_and_imported(["--help"], "vllm", "torch", "wandb")
    assert found.splitlines()[-1] == "[]"
    for words in (
        "router: all, clustered, dispersed",
        "python -m leap_lab.run -m router=clustered,dispersed",
        "peers=16",
    ):
        assert words in found


def test_no_tracking_imports_no_wandb_and_decoding_nothing_of_training(tmp_path):
    found = printed_and_imported([*SMALL, f"runs_dir={tmp_path}"], "vllm", "wandb", "trl", "accelerate", "peft")
    assert found.splitlines()[-1] == "[]"


def test_ctrl_c_keeps_what_is_finished_and_the_same_command_goes_on(tmp_path, capsys):
    command = ["engine=scripted", "tracking=none", "baseline=false", "limit=1000", f"runs_dir={tmp_path}"]
    started = subprocess.Popen(
        [sys.executable, "-m", "leap_lab.run", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=as_in_a_terminal,
    )
    deadline = time.monotonic() + 120
    while len(group_files(tmp_path)) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    started.send_signal(signal.SIGINT)
    _, err = started.communicate(timeout=60)
    assert started.returncode == 130
    assert "rerun the same command to resume" in err and "Traceback" not in err
    kept = group_files(tmp_path)
    assert 3 <= len(kept) < 1000
    (folder,) = run_folders(tmp_path)
    assert json.loads((folder / "run.json").read_text())["status"] == "interrupted"
    status, _, _ = run(capsys, *command[:3], f"limit={len(kept) + 2}", f"runs_dir={tmp_path}")
    assert status == 0
    assert kept.items() <= group_files(tmp_path).items()
