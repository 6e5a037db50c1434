"""Traces from run folders: masks token by token, filters, re-prompting, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml
from datasets import load_from_disk

from leap_lab.builtin.tokenizer import train_tokenizer
from leap_lab.engines.models import Model
from leap_lab.engines.tokens import ModelTokens, fingerprint
from leap_lab.errors import UserError
from leap_lab.path import Kind, Segment
from leap_lab.prompts import load_prompts
from leap_lab.run import main as run
from leap_lab.training import candidates, filters
from leap_lab.training.candidates import COLUMNS, Candidate, SourceRun, tokens_of
from leap_lab.training.filters import Sieve
from leap_lab.training.masks import IGNORED, KINDS, labels, sequence
from leap_lab.training.traces import main

SMALL = ["engine=scripted", "tracking=none", "peers=4", "limit=4"]
SEGMENTS = (
    Segment(Kind.PROMPT, 0, (1, 2), "question"),
    Segment(Kind.PREFIX, 0, (3,), "begun"),
    Segment(Kind.THINK, 0, (4, 5), "I think"),
    Segment(Kind.TRIGGER, 0, (6,), "sum up <summarize>"),
    Segment(Kind.SUMMARY, 0, (7, 8), "so far </summarize>"),
    Segment(Kind.COMMENT, 0, (9, 10), "peers say </think> <summarize>"),
    Segment(Kind.THINK, 1, (11,), "so</think>"),
    Segment(Kind.FINAL, 1, (12,), "answer"),
)
PATH = Candidate("run", "q", 0, 0, True, "answered", 1, SEGMENTS, summary_limit=3, probed=True)


def changed(**changes: object) -> Candidate:
    return replace(PATH, **changes)


def told(*, before: bool, after: bool | None, turn: int = 0) -> tuple[tuple[int, str, bool], ...]:
    probes = [(turn, "before", before)] + ([] if after is None else [(turn, "after", after)])
    return tuple(probes)


def test_loss_falls_on_sampled_tokens_alone():
    tokens, kinds = sequence(SEGMENTS, end=99)
    assert tokens == [*range(1, 13), 99]
    assert [KINDS[kind] for kind in kinds[-2:]] == [Kind.FINAL, Kind.FINAL]
    found = labels(tokens, kinds, {Kind.THINK, Kind.SUMMARY, Kind.FINAL})
    no = IGNORED
    assert found == [no, no, no, 4, 5, no, 7, 8, no, no, 11, 12, 99]


def test_what_carries_loss_can_be_chosen():
    tokens, kinds = sequence(SEGMENTS, end=None)
    assert labels(tokens, kinds, set(Kind)) == tokens
    assert labels(tokens, kinds, {Kind.COMMENT}) == [IGNORED] * 8 + [9, 10] + [IGNORED] * 2


def test_the_end_of_the_turn_is_the_models_only_where_it_ended_it():
    assert sequence(SEGMENTS, None)[0][-1] == 12
    ended_in_thought = sequence(SEGMENTS[:3], 99)
    assert [KINDS[kind] for kind in ended_in_thought[1]][-1] is Kind.THINK


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (PATH, None),
        (changed(correct=False), "wrong answer"),
        (changed(summary_limit=2), "a summary as long as its limit"),
        (changed(summary_limit=None, segments=SEGMENTS[:3]), None),
        (
            changed(segments=(*SEGMENTS[:5], Segment(Kind.TRIGGER, 0, (6,), "</summarize>"), *SEGMENTS[5:])),
            "a summary that the model did not close",
        ),
        (changed(segments=(*SEGMENTS[:5], Segment(Kind.TRIGGER, 1, (6,), "forced"), *SEGMENTS[6:])), None),
    ],
)
def test_the_papers_filter(candidate, reason):
    assert filters.as_in_the_paper(candidate) == reason


@pytest.mark.parametrize(
    ("probes", "recovered"),
    [
        ((), False),
        (told(before=False, after=True), True),
        (told(before=False, after=None), False),
        (told(before=True, after=True), False),
        (told(before=False, after=False) + told(before=True, after=True, turn=1), False),
        (told(before=False, after=False) + told(before=False, after=True, turn=1), True),
    ],
)
def test_recovery_is_told_by_the_probes_of_one_block(probes, recovered):
    assert changed(probes=probes).recovered is recovered
    assert (filters.not_recovered(changed(probes=probes)) is None) is recovered


def paths(question: str, right: int, wrong: int = 0) -> list[Candidate]:
    return [changed(question_id=question, path=index, correct=index < right) for index in range(right + wrong)]


def test_copies_are_kept_once_whatever_their_prompt():
    other = (Segment(Kind.PROMPT, 0, (77,), "asked otherwise"), *SEGMENTS[1:])
    sieve = Sieve.of([PATH, changed(path=1), changed(path=2, segments=other), changed(path=3, question_id="q2")])
    filters.distinct(sieve)
    assert [each.path for each in sieve.kept] == [0, 3]
    assert sieve.left_out == {"a duplicate": 2}


def test_at_most_so_many_of_a_question_drawn_by_the_seed():
    drawn = []
    for seed in range(4):
        sieve = Sieve.of([*paths("one", 6), *paths("two", 2)])
        filters.at_most(sieve, 3, seed)
        assert [each.question_id for each in sieve.kept] == ["one"] * 3 + ["two"] * 2
        drawn.append(tuple(each.path for each in sieve.kept))
    assert len(set(drawn)) > 1


def test_balance_takes_as_many_of_every_difficulty():
    read = [*paths("easy", 8), *paths("hard", 1, 7), *paths("harder", 2, 14)]
    buckets = filters.difficulty(read)
    assert buckets == {"easy": "very_easy", "hard": "hard", "harder": "hard"}
    sieve = Sieve.of(each for each in read if each.correct)
    filters.balance(sieve, buckets, seed=0)
    assert [buckets[each.question_id] for each in sieve.kept].count("very_easy") == 3 and len(sieve.kept) == 6


def test_a_control_has_the_same_questions_and_counts():
    one, other = Sieve.of([*paths("a", 5), *paths("b", 2), *paths("c", 1)]), Sieve.of([*paths("b", 4), *paths("a", 3)])
    filters.match(one, other, seed=0)
    counts = [{name: len(of) for name, of in filters.by_question(each.kept).items()} for each in (one, other)]
    assert counts[0] == counts[1] == {"a": 3, "b": 2}


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, Path]:
    """Runs of the programmatic reasoner, by method and prompt set."""
    home = tmp_path_factory.mktemp("runs")
    for settings in (["baseline=true", "probes=true"], ["baseline=false", "prompts=untuned", "method.max_tokens=600"]):
        assert run([*SMALL, *settings, f"runs_dir={home}"]) == 0
    found = [SourceRun.open(file.parent) for file in home.glob("*/config.yaml")]
    return {f"{each.config['method']['name']} {each.config['prompts']['name']}": each.folder for each in found}


def test_a_set_holds_ids_kinds_and_where_they_come_from(runs, tmp_path, capsys):
    assert main([str(runs["leap tuned"]), "--out", str(tmp_path / "set")]) == 0
    dataset = load_from_disk(tmp_path / "set")
    card = json.loads((tmp_path / "set" / "card.json").read_text())
    assert card["paths"]["kept"] == len(dataset) > 0
    assert card["paths"]["read"] == 16 == len(dataset) + sum(card["paths"]["left_out"].values())
    assert f"kept {len(dataset)} of 16 paths" in capsys.readouterr().out
    end = ModelTokens.of(Model("leap_lab/assets/tiny")).end
    by_place = {(each.question_id, each.path): each for each in SourceRun.open(runs["leap tuned"]).candidates()}
    for row in dataset:
        path = by_place[row["question_id"], row["path"]]
        assert (row["input_ids"], row["kinds"]) == sequence(path.segments, end)
        assert path.correct and row["run_id"] == runs["leap tuned"].name


def test_a_control_comes_from_runs_without_leap(runs, tmp_path, capsys):
    command = [str(runs["leap tuned"]), "--control", str(runs["independent tuned"]), "--out", str(tmp_path / "sets")]
    assert main([*command, "--distinct"]) == 0
    leap, control = (load_from_disk(tmp_path / "sets" / name) for name in ("leap", "control"))
    assert sorted(leap["question_id"]) == sorted(control["question_id"])
    assert set(control["blocks"]) == {0} and set(control["run_id"]) == {runs["independent tuned"].name}
    assert main([*command[:1], "--control", command[0], "--out", str(tmp_path / "other")]) == 2
    assert "its paths hear each other" in capsys.readouterr().err


def test_a_run_counts_once_however_its_folder_is_spelled_or_called(runs, tmp_path):
    folder = runs["leap untuned"]
    again = tmp_path / "another name"
    again.symlink_to(folder, target_is_directory=True)
    for name, folders in (("once", [folder]), ("twice", [folder, again]), ("renamed", [again])):
        assert main([*map(str, folders), "--out", str(tmp_path / name)]) == 0
    once, *others = ([*load_from_disk(tmp_path / name)] for name in ("once", "twice", "renamed"))
    assert others == [once, once]


def test_prompts_that_explain_the_tags_become_plain(runs, tmp_path):
    folder = runs["leap untuned"]
    for name, options in (("plain", []), ("kept", ["--keep-prompts"])):
        assert main([str(folder), "--out", str(tmp_path / name), *options]) == 0
    tokens = tokens_of([source := SourceRun.open(folder)])
    plain, kept = ([*load_from_disk(tmp_path / name)] for name in ("plain", "kept"))
    for row, long in zip(plain, kept, strict=True):
        asked = load_prompts("tuned").user(source.problems[row["question_id"]])
        prompt = [KINDS[kind] for kind in row["kinds"]].count(Kind.PROMPT)
        assert row["input_ids"][:prompt] == tokens.chat(asked)
        rest = [KINDS[kind] for kind in long["kinds"]].count(Kind.PROMPT)
        assert row["input_ids"][prompt:] == long["input_ids"][rest:] and rest > prompt


def test_independent_paths_are_asked_plainly_whatever_the_prompt_set_of_their_run(runs, tmp_path):
    """A run of the baseline is shared by prompt sets, and its config.yaml names the last that asked for it."""
    copied = tmp_path / runs["independent tuned"].name
    copied.mkdir()
    for name in ("groups", "identity.json"):
        (copied / name).symlink_to(runs["independent tuned"] / name)
    config, other = (
        yaml.safe_load((runs[name] / "config.yaml").read_text()) for name in ("independent tuned", "leap untuned")
    )
    (copied / "config.yaml").write_text(yaml.safe_dump({**config, "prompts": other["prompts"]}))
    for folder, name in ((runs["independent tuned"], "tuned"), (copied, "untuned")):
        assert main([str(runs["leap tuned"]), "--control", str(folder), "--out", str(tmp_path / name)]) == 0
    tuned, untuned = ([*load_from_disk(tmp_path / name / "control")] for name in ("tuned", "untuned"))
    assert tuned == untuned and tuned


def test_a_dataset_that_changed_is_not_asked_anew(runs, tmp_path, capsys):
    folder = tmp_path / runs["leap untuned"].name
    folder.symlink_to(runs["leap untuned"], target_is_directory=True)
    copied = tmp_path / "copied" / folder.name
    copied.mkdir(parents=True)
    for name in ("groups", "identity.json"):
        (copied / name).symlink_to(folder / name)
    text = (folder / "config.yaml").read_text()
    (copied / "config.yaml").write_text(text.replace("count: 2000\n  seed: 0", "count: 2\n  seed: 0"))
    assert main([str(copied), "--out", str(tmp_path / "set")]) == 2
    assert "cannot be replaced, since the dataset or the tokenizer has changed" in capsys.readouterr().err
    assert not (tmp_path / "set").exists()


def test_what_cannot_be_used_is_one_line(runs, tmp_path, capsys):
    plain, alone, out = str(runs["leap tuned"]), str(runs["independent tuned"]), str(tmp_path / "set")
    for arguments, words in (
        ([str(tmp_path), "--out", out], "no readable config.yaml"),
        ([str(runs["leap untuned"]), "--recovered", "--out", out], "has no probes; decode it with probes=true"),
        ([str(runs["independent tuned"]), "--blocks", "--out", out], "no trace is left for leap: "),
        ([plain, "--out", str(tmp_path)], "exists already"),
        ([alone, plain, "--control", alone, "--out", out], "its paths hear no peers"),
        ([plain, "--tokenizer", str(tmp_path), "--out", out], "cannot load a tokenizer"),
    ):
        assert main(arguments) == 2
        err = capsys.readouterr().err.strip().splitlines()[-1]
        assert err.startswith("error: ") and words in err
    assert not Path(out).exists()


def test_runs_of_several_tokenizers_do_not_mix(runs, tmp_path, capsys):
    copied = tmp_path / runs["independent tuned"].name
    copied.mkdir()
    for name in ("groups", "identity.json"):
        (copied / name).symlink_to(runs["independent tuned"] / name)
    train_tokenizer(["quite another text"] * 3, 300).save_pretrained(tmp_path / "other")
    text = (runs["independent tuned"] / "config.yaml").read_text()
    (copied / "config.yaml").write_text(text.replace("builtin:tiny", str(tmp_path / "other")))
    assert main([str(runs["leap tuned"]), str(copied), "--out", str(tmp_path / "set")]) == 2
    assert capsys.readouterr().err.startswith("error: mixed tokenizers: that of ")


def test_a_fingerprint_is_of_what_ids_mean():
    assert fingerprint({"a": 0, "b": 1}) == fingerprint({"b": 1, "a": 0}) != fingerprint({"a": 1, "b": 0})


def test_paths_without_tags_are_refused(monkeypatch, tmp_path):
    rows = pd.DataFrame([{**dict.fromkeys(COLUMNS), "segments": [{"kind": "again", "turn": 0}], "probes": []}])
    monkeypatch.setattr(candidates, "read_groups", lambda *_: rows)
    source = SourceRun(tmp_path, {"method": {"name": "leap"}})
    with pytest.raises(UserError, match="does not think, so its paths have no tags to learn from"):
        list(source.candidates())
