"""A data set that is edited: only what is asked anew is decoded, a corrected answer is graded, nothing is mixed."""

import json
from pathlib import Path

import pandas as pd
import pytest

from leap_lab import api
from leap_lab.runs.reading import read_groups, settings
from tests.commands import ALONE, group_files, run, run_folders, table_of

SUMS = [(20, 31), (40, 17), (13, 29), (52, 38)]


def row(index: int, answer: int | None = None, second: int | None = None, **more: str) -> dict[str, str]:
    """A question with its sum; `second` is another summand, `answer` another right answer."""
    first, own = SUMS[index]
    text = f"a={first}+{own if second is None else second}\nb=a-12\nWhat is b?"
    return {"problem": text, "answer": str(first + own - 12 if answer is None else answer), **more}


class Study:
    """A file of questions, and a command that decodes them."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str], name: str = "questions.jsonl") -> None:
        self.file, self.runs, self._capsys = home / name, home / "runs", capsys
        self.key = f"dataset.path={self.file}"

    def decode(self, rows: list[dict[str, str]], *more: str) -> tuple[str, str]:
        self.file.write_text("".join(f"{json.dumps(each)}\n" for each in rows))
        status, out, err = run(self._capsys, *ALONE, "dataset=local", self.key, f"runs_dir={self.runs}", *more)
        assert status == 0, err
        return table_of(out), err

    @property
    def folder(self) -> Path:
        [folder] = run_folders(self.runs)
        return folder

    def golds(self) -> dict[str, str]:
        """The right answers that a reader finds, by question."""
        rows = read_groups(self.folder, ["question_id", "gold"])
        return dict(rows.drop_duplicates().itertuples(index=False))


@pytest.fixture
def study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Study:
    return Study(tmp_path, capsys)


IDS = [{}, {"id": "own"}]


def with_ids(rows: list[dict[str, str]], ids: dict[str, str]) -> list[dict[str, str]]:
    return [{**each, **({"id": f"own/{each['problem'][:7]}"} if ids else {})} for each in rows]


@pytest.mark.parametrize("ids", IDS)
def test_adding_reordering_and_dropping_questions_decodes_only_new_ones(study: Study, ids: dict[str, str]) -> None:
    study.decode(with_ids([row(0), row(1)], ids))
    first = group_files(study.runs)
    assert len(first) == 2
    table, _ = study.decode(with_ids([row(2), row(1), row(0)], ids))
    grown = group_files(study.runs)
    assert first.items() <= grown.items() and len(grown) == 3
    assert "3×1×4" in table
    table, err = study.decode(with_ids([row(0), row(2)], ids))
    assert "starting the engine" not in err
    assert "2×1×4" in table and set(study.golds().values()) == {"39", "30"}, "nor does any reader see a dropped one"
    assert json.loads((study.folder / "run.json").read_text())["ledger"]["questions"] == 2
    _, err = study.decode(with_ids([row(0), row(1), row(2)], ids))
    assert "starting the engine" not in err, "a question that comes back has its groups"
    assert group_files(study.runs) == grown


def test_a_corrected_answer_is_graded_and_not_decoded(study: Study) -> None:
    wrong = [row(0, answer=1), row(1), row(2)]
    study.decode(wrong, "groups=2")
    before = read_groups(study.folder)
    first = group_files(study.runs)
    table, err = study.decode([row(0), row(1), row(2)], "limit=2")
    assert "starting the engine" not in err and "2 groups were graded again" in err
    after = read_groups(study.folder)
    assert table != study.decode(wrong, "limit=2")[0]
    same = [column for column in before if column not in ("gold", "correct", "probes", "answer")]
    assert after[same].astype(str).equals(before[same].astype(str))
    [changed] = set(before[before["gold"] == "1"]["question_id"])
    mine = after["question_id"] == changed
    assert not before[mine]["correct"].any() and after[mine]["correct"].any()
    assert (after[mine]["answer"][after[mine]["correct"]] == "39").all()
    assert after[~mine].astype(str).equals(before[~mine].astype(str))
    unchanged = [file for file in first if changed not in file.name]
    assert len(unchanged) == 4
    assert {file: group_files(study.runs)[file] for file in unchanged} == {file: first[file] for file in unchanged}


def test_a_corrected_answer_changes_metrics_and_table_as_if_it_had_been_right(study: Study, tmp_path: Path) -> None:
    study.decode([row(0, answer=1), row(1)], "probes=true")
    table, _ = study.decode([row(0), row(1)], "probes=true")
    other = Study(tmp_path / "other", study._capsys)
    other.file.parent.mkdir()
    fresh, _ = other.decode([row(0), row(1)], "probes=true")
    assert table == fresh
    ours, theirs = (json.loads((each.folder / "metrics.json").read_text()) for each in (study, other))
    assert ours.pop("ledger") and theirs.pop("ledger")
    assert ours == theirs
    left_out = ["started_s", "finished_s", "run_id"]
    ours, theirs = (read_groups(each.folder).drop(columns=left_out).map(str) for each in (study, other))
    pd.testing.assert_frame_equal(ours, theirs)
    assert "'correct': True" in " ".join(ours["probes"]), "probes are graded, too"


def test_a_changed_question_is_another_one_beside_the_old(study: Study) -> None:
    old = [row(0, id="x"), row(1, id="y")]
    study.decode(old)
    first = {file: file.read_bytes() for file in group_files(study.runs)}
    changed = [row(0, id="x", second=32, answer=40), row(1, id="y")]
    table, err = study.decode(changed)
    assert "starting the engine" in err
    kept = {file.name: file.read_bytes() for file in (study.folder / "earlier").rglob("*.parquet")}
    [lost] = [file for file, data in first.items() if file.read_bytes() != data]
    assert kept == {lost.name: first[lost]}, "what was decoded is still there"
    assert study.golds() == {"x": "40", "y": "45"}
    assert len(api.siblings.analysis("load").load([study.folder])) == 8
    assert "2×1×4" in table
    _, err = study.decode(old)
    assert "starting the engine" not in err, "and is found when the text is as it was"
    assert {file: file.read_bytes() for file in group_files(study.runs)} == first


def test_unrelated_files_have_run_folders_of_their_own(study: Study, tmp_path: Path) -> None:
    study.decode([row(0)])
    other = Study(tmp_path, study._capsys, "others.jsonl")
    other.decode([row(1)])
    assert len(run_folders(study.runs)) == 2
    (tmp_path / "sub").mkdir()
    same_name = Study(tmp_path, study._capsys, "sub/questions.jsonl")
    same_name.decode([row(0), row(2)])
    assert len(run_folders(study.runs)) == 3


def test_a_local_copy_of_a_benchmark_may_be_edited_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a file and as a folder."""
    for place, file in (("copy.jsonl", "copy.jsonl"), ("folder", "folder/train.jsonl")):
        study = Study(tmp_path, capsys, file)
        study.file.parent.mkdir(exist_ok=True)
        study.runs = tmp_path / f"runs_{place}"
        study.key = f"dataset.hub_id={tmp_path / place}"
        more = ["dataset=aime_2024", "dataset.columns.problem=problem", "dataset.columns.id=''"]
        study.decode([row(0)], *more)
        first = group_files(study.runs)
        study.decode([row(2), row(0)], *more)
        assert first.items() < group_files(study.runs).items()
        assert len(run_folders(study.runs)) == 1


def test_beginnings_follow_a_corrected_answer(study: Study) -> None:
    """A response that was wrong and is right is no bad beginning: such a group is decoded anew, and kept apart."""
    rows = [row(0), row(1), row(2), row(3)]
    command = ["prefix=bad", "method=independent", "reference.responses=8"]
    study.decode(rows, *command)
    runs = {bool(settings(folder)["prefix.fraction"]): folder for folder in run_folders(study.runs)}
    begun, reference = runs[True], runs[False]
    [question, *_] = read_groups(begun, ["question_id"])["question_id"]
    [(index, _)] = [(n, r) for n, r in enumerate(rows) if api.Problem("", r["problem"], "").content in question]
    wrong = read_groups(reference, ["question_id", "answer", "correct"])
    wrong = wrong[(wrong["question_id"] == question) & ~wrong["correct"]]["answer"].dropna()
    rows[index]["answer"] = wrong.iloc[0]
    _, err = study.decode(rows, *command)
    assert "starting the engine" in err and "reference, independent: right answers have changed" in err
    assert list((begun / "earlier").rglob(f"*{question}*"))


def test_two_versions_of_a_file_are_not_decoded_by_one_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, answer in (("one", 39), ("two", 38)):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row(0, answer=answer)))
    files = f"dataset.path={tmp_path / 'one.jsonl'},{tmp_path / 'two.jsonl'}"
    status, _, err = run(capsys, "-m", *ALONE, "dataset=local", files, f"runs_dir={tmp_path / 'runs'}")
    assert status == 2
    assert "two.jsonl: the questions of " in err and "with other ids or answers" in err
