"""What a user may get wrong at the command line: one line that names it, and nothing is decoded."""

from pathlib import Path

import pytest

from tests.commands import SMALL, run, run_folders


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["router=foo"], "router=foo: no such choice; allowed are all, clustered, dispersed, hybrid, none, random"),
        (["model=gpt"], "model=gpt: no such choice; allowed are gpt_oss_20b, leap_t_14b"),
        (
            ["method=magic"],
            "method=magic: no such choice; allowed are best_of_n, budget_forcing, deepconf, independent, leap, leap_s, "
            "moa, prune, short",
        ),
        (["router.top_k=0"], "router.top_k=0: must be an integer >= 1"),
        (["-m", "router.top_k=2,0"], "router.top_k=0"),
        (["-m", "router=clustered,foo"], "router=foo"),
        (["peers=-1"], "peers=-1"),
        (["peer=4"], "peer: no such key; did you mean peers?"),
        (["method.intervall=4"], "method.intervall: no such key; did you mean method.interval?"),
        (["router=clustered,dispersed"], "router=clustered,dispersed: several values are a sweep; add -m"),
        (["peers"], "peers: unrecognized argument"),
        (["--peers=4"], "--peers=4: unrecognized argument"),
        (
            ["difficulty=tough"],
            "difficulty=tough: no such choice; allowed are all, easy, hard, medium, very_easy, very_hard",
        ),
        (["prefix=bad", "prefix.fraction=2"], "prefix.fraction=2: must be a number >= 0 and < 1"),
        (["method.interval=10", "method.summary_tokens=256"], "method.interval=10: shorter than a summary"),
        (["dataset=local", "dataset.path=nowhere.jsonl"], "dataset.path=nowhere.jsonl: no such file"),
        (["router.top_k="], "router.top_k="),
        (["peers=[1"], "peers=[1"),
        (
            ["-m", "router=foo"],
            "router=foo: no such choice; allowed are all, clustered, dispersed, hybrid, none, random\n",
        ),
        (["router=null"], "router=null: invalid setting"),
        (["sampling=null"], "sampling=null: invalid setting"),
        (["~peers"], "peers: a value is needed"),
        (["+method.foo=3"], "method.foo: no such key"),
        (["+peer=4"], "peer: no such key; did you mean peers?"),
        (["++dataset.foo=4"], "dataset.foo: no such key"),
        (["+tracking.foo=4"], "tracking.foo: no such key"),
        (["+prefix.foo=4"], "prefix.foo: no such key"),
        (["router.name=clustered"], "router.name: is set by the choice; use router=NAME"),
        (["method._target_=os.abort"], "method._target_: is set by the choice; use method=NAME"),
        (["engine.name=vllm"], "engine.name: is set by the choice"),
        (["peers=1000000000"], "peers=1000000000: must be an integer from 1 to 4096"),
        (["groups=1000000000"], "groups=1000000000: must be an integer from 1 to 1000"),
        (["concurrency=1000000000"], "concurrency=1000000000: must be an integer from 1 to 10000"),
        (["dataset.count=1000000000"], "dataset.count=1000000000: must be an integer from 1 to 100000"),
        (["prefix=none", "prefix.fraction=2"], "prefix.fraction=2: must be"),
        (["sampling.temperature=1" + 400 * "0"], "must be a number >= 0"),
        (["-m", "router=glob(*)"], "router=glob(*): patterns work only for experiment"),
        (["-m", "--cfg", "job"], "--cfg: shows one configuration"),
        (["engine.hf_token=hf_x"], "engine.hf_token: the run folder would keep it"),
        (["prompts.tag=9"], "prompts.tag=9"),
        (["prompts.math='{foo}'"], "prompts.math='{foo}': must be text with {explanation} and {problem}"),
        (["prompts.head='{'"], "prompts.head='{': must be text with {example}"),
        (["tracking=wandb", "tracking.mode=foo"], "tracking.mode=foo: must be one of auto, online, offline"),
    ],
)
def test_bad_input_is_one_line_and_starts_nothing(tmp_path, capsys, arguments, message):
    status, out, err = run(capsys, *SMALL[:2], *arguments, f"runs_dir={tmp_path / 'runs'}")
    assert status == 2
    assert err.startswith("error: ") and message in err
    assert err.count("\n") == 1 and not out
    assert not run_folders(tmp_path / "runs")


def test_more_peers_to_hear_than_there_are_is_told_once(tmp_path, capsys):
    status, _, err = run(capsys, "-m", "router=clustered,random", *SMALL, f"runs_dir={tmp_path}")
    assert status == 0
    note = "note: router.top_k=4 with peers=4: every path hears all 3 others, as with router=all\n"
    assert err.count(note) == err.count("note:") == 1


def test_a_disk_that_is_full_is_one_line(tmp_path, capsys, monkeypatch):
    from leap_lab.runs import folder as records

    def full(file: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device", str(file))

    monkeypatch.setattr(records, "write_whole", full)
    status, _, err = run(capsys, *SMALL, f"runs_dir={tmp_path}")
    assert status == 1
    assert err.splitlines()[-1].startswith("error: ") and "No space left on device" in err and "Traceback" not in err


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    status, _, err = run(capsys, *SMALL, f"runs_dir={tmp_path / 'file'}")
    assert status == 2 and err.splitlines()[-1].startswith("error: runs_dir=")


def test_an_empty_bucket_says_what_the_others_hold(tmp_path, capsys):
    command = ["engine=scripted", "tracking=none", "peers=4", "limit=1", f"runs_dir={tmp_path}"]
    status, _, err = run(capsys, "difficulty=very_hard", *command)  # the first question is of the lowest level
    assert status == 2
    told = err.splitlines()[-1]
    assert told.startswith("error: difficulty=very_hard: none of the 1 questions is in this bucket (very_easy")
