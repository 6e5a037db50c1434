"""`leap-lab regrade`: runs graded again without decoding; what changes is listed, and the old grades are kept."""

import json

import pytest

from leap_lab.regrade import main
from leap_lab.runs.reading import read_groups
from tests.commands import ALONE, group_files, run, run_folders

QUESTION = "a=20+31\nb=a-12\nWhat is b?"


@pytest.fixture
def study(tmp_path, capsys):
    """A file with one question whose right answer was given wrong, and a run of it."""
    file = tmp_path / "questions.jsonl"

    def say(answer: str) -> None:
        file.write_text(json.dumps({"problem": QUESTION, "answer": answer}) + "\n")

    say("7")
    status, _, err = run(capsys, *ALONE, "dataset=local", f"dataset.path={file}", f"runs_dir={tmp_path / 'runs'}")
    assert status == 0, err
    [folder] = run_folders(tmp_path / "runs")
    return folder, say


def grades(folder):
    return read_groups(folder, ["gold", "answer", "correct"])


def regrade(capsys, *arguments):
    status = main([str(each) for each in arguments])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_a_corrected_answer_changes_the_grades_and_keeps_the_old_ones(study, capsys):
    folder, say = study
    before = grades(folder)
    assert not before["correct"].any()
    say("39")
    status, out, err = regrade(capsys, folder)
    after = grades(folder)
    right = int((before["answer"] == "39").sum())
    assert status == 0, err
    assert right > 0 and int(after["correct"].sum()) == right and set(after["gold"]) == {"39"}
    assert f"4 paths graded again, 4 changed, +{right} right" in out and "'39' wrong (gold '7') -> '39' right" in out
    kept = json.loads((folder / "earlier_grades.json").read_text())["grades"]
    assert [grade["gold"] for grade in kept] == ["7"] * 4 and not any(grade["correct"] for grade in kept)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["pass@1"]["value"] == pytest.approx(right / 4 * (100 if metrics["pass@1"]["value"] > 1 else 1))


def test_a_dry_run_lists_and_changes_nothing(study, capsys):
    folder, say = study
    say("39")
    files = group_files(folder.parent)
    status, out, _ = regrade(capsys, "--dry-run", folder)
    assert status == 0 and "4 would change" in out
    assert group_files(folder.parent) == files and not (folder / "earlier_grades.json").exists()


def test_what_has_not_changed_is_not_written(study, capsys):
    folder, _ = study
    files = group_files(folder.parent)
    status, out, _ = regrade(capsys, folder)
    assert status == 0 and "4 paths graded again, 0 changed" in out
    assert group_files(folder.parent) == files


def test_groups_of_dropped_questions_stay(study, capsys, tmp_path):
    folder, _ = study
    (tmp_path / "questions.jsonl").write_text(json.dumps({"problem": "a=1+1\nWhat is a?", "answer": "2"}) + "\n")
    status, out, _ = regrade(capsys, folder)
    assert status == 0 and "1 groups are of questions that the data set no longer has" in out
    assert set(grades(folder)["gold"]) == {"7"}


def test_what_is_no_run_is_refused_in_one_line(tmp_path, capsys):
    status, _, err = regrade(capsys, tmp_path)
    assert status == 2 and err.startswith("error: ") and "name the folder of a run" in err and err.count("\n") == 1
