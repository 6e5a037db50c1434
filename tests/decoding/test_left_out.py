"""Questions that do not fit the context are left out and counted; they never stop a run."""

import json

from leap_lab.runs.reading import read_groups
from tests.commands import ALONE, run, run_folders

LONG = "x" * 4000


def decode(tmp_path, capsys, short: int, long: int):
    rows = [{"problem": f"a={number}+1\nWhat is a?", "answer": number + 1} for number in range(short)]
    rows[0:0] = [{"problem": f"{LONG} {number}", "answer": 1} for number in range(long)]
    file = tmp_path / "questions.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return run(capsys, *ALONE, "dataset=local", f"dataset.path={file}", f"runs_dir={tmp_path / 'runs'}", "limit=null")


def test_long_questions_are_left_out_and_all_others_decoded(tmp_path, capsys):
    status, out, err = decode(tmp_path, capsys, short=5, long=12)
    assert status == 0, err
    assert "note: 12 groups are left out, since their questions do not fit the context; the first: " in err
    [folder] = run_folders(tmp_path / "runs")
    assert read_groups(folder, ["question_id"])["question_id"].nunique() == 5
    recorded = json.loads((folder / "run.json").read_text())
    assert (recorded["status"], len(recorded["left_out"]), recorded["failures"]) == ("finished", 12, [])


def test_a_run_of_long_questions_alone_is_no_result(tmp_path, capsys):
    status, out, err = decode(tmp_path, capsys, short=0, long=2)
    assert status == 1
    assert "note: 2 groups are left out" in err and "Look next" not in out
