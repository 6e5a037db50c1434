"""`leap-lab judge`: a model is asked about rejected answers; its words stand apart from every grade."""

import json
from pathlib import Path

import pytest

from analysis.measures.judged import judged as judged_of
from analysis.report import sweep
from leap_lab.judge import main
from leap_lab.runs.reading import read_groups
from tests.commands import SMALL, group_files, run, run_folders
from tests.judges import EvenSettings

ENGINE = "_target_: tests.judges.EvenSettings\nname: even\nmax_model_len: ${model.max_model_len}\n"


@pytest.fixture
def study(tmp_path, capsys):
    """A run with wrong answers in it, and the settings of a judge."""
    EvenSettings.asked, EvenSettings.fails_after = [], 10**9
    status, _, err = run(capsys, *SMALL, "method=independent", "peers=8", f"runs_dir={tmp_path / 'runs'}")
    assert status == 0, err
    (tmp_path / "conf" / "engine").mkdir(parents=True)
    (tmp_path / "conf" / "engine" / "even.yaml").write_text(ENGINE)
    [folder] = run_folders(tmp_path / "runs")
    return folder, ["--config-dir", str(tmp_path / "conf"), "engine=even"]


def ask(capsys, *arguments):
    status = main([str(each) for each in arguments])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def rejected(folder):
    rows = read_groups(folder, ["question_id", "group", "path", "answer", "gold", "correct"])
    return rows[~rows["correct"] & rows["answer"].notna()]


def test_every_rejected_answer_is_asked_about_and_no_grade_changes(study, capsys):
    folder, judge = study
    files, wrong = group_files(folder.parent), rejected(folder)
    assert len(wrong) > 3, "else nothing is tried"
    status, out, err = ask(capsys, folder, *judge)
    assert status == 0, err
    [(name, found)] = json.loads((folder / "judged.json").read_text()).items()
    said = {(each["question_id"], each["group"], each["path"]): each["said"] for each in found["verdicts"]}
    keys = wrong[["question_id", "group", "path"]].itertuples(index=False, name=None)
    assert said == {
        key: "yes" if answer[-1] in "02468" else "no" for key, answer in zip(keys, wrong["answer"], strict=True)
    }
    yes = sum(word == "yes" for word in said.values())
    assert f"judge {name} (tiny) read {len(wrong)} rejected answers: {yes} yes, {len(wrong) - yes} no, 0 unclear" in out
    assert group_files(folder.parent) == files
    once = wrong.drop_duplicates(["question_id", "answer"])
    assert sorted(EvenSettings.asked) == sorted(once["answer"]), "equal answers are asked once"


def test_the_same_command_asks_nothing_and_another_seed_is_another_judge(study, capsys):
    folder, judge = study
    ask(capsys, folder, *judge)
    asked, text = len(EvenSettings.asked), (folder / "judged.json").read_text()
    assert ask(capsys, folder, *judge)[0] == 0
    assert (len(EvenSettings.asked), (folder / "judged.json").read_text()) == (asked, text)
    assert ask(capsys, folder, *judge, "seed=1")[0] == 0
    assert len(EvenSettings.asked) == 2 * asked and len(json.loads((folder / "judged.json").read_text())) == 2


def test_a_judge_that_dies_keeps_what_it_said_and_goes_on(study, capsys):
    folder, judge = study
    EvenSettings.fails_after = 2
    status, _, err = ask(capsys, folder, *judge, "concurrency=1")
    assert status == 1 and "error: the judge is gone; verdicts are kept; rerun the same command to go on" in err
    [found] = json.loads((folder / "judged.json").read_text()).values()
    assert len({(each["question_id"], each["answer"]) for each in found["verdicts"]}) == 2
    EvenSettings.fails_after = 10**9
    assert ask(capsys, folder, *judge, "concurrency=1")[0] == 0
    assert len(EvenSettings.asked) == len(rejected(folder).drop_duplicates(["question_id", "answer"]))


def test_reports_mark_what_a_judge_says(study, capsys, tmp_path):
    folder, judge = study
    before = sweep.write([folder], tmp_path / "before")
    ask(capsys, folder, *judge)
    after = sweep.write([folder], tmp_path / "after")
    title = "What judges say of rejected answers"
    assert after.table.startswith(before.table) and title not in before.table and title in after.table
    assert (tmp_path / "before" / "table.json").read_text() == (tmp_path / "after" / "table.json").read_text()
    [found] = judged_of(folder)
    wrong, rows = rejected(folder), read_groups(folder, ["correct"])
    assert found.rejected == len(wrong) == sum(found.said.values())
    assert found.graded.value == pytest.approx(rows["correct"].mean())
    assert found.with_judge.value == pytest.approx((rows["correct"].sum() + found.said["yes"]) / len(rows))


def test_a_verdict_on_another_answer_does_not_count(study, capsys):
    folder, judge = study
    ask(capsys, folder, *judge)
    file = folder / "judged.json"
    told = json.loads(file.read_text())
    for found in told.values():
        for index, each in enumerate(found["verdicts"]):
            found["verdicts"][index] = each | ({"gold": "other"} if index else {"answer": "other"})
    file.write_text(json.dumps(told))
    [found] = judged_of(folder)
    assert not found.said and found.with_judge == found.graded


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["engine=scripted"], "run folders: none named"),
        (["RUN", "method=leap"], "method=leap: a judge is one independent path; leave this key out"),
        (["RUN", "peers=4"], "peers=4: a judge is one independent path"),
        (["RUN", "model=nobody"], "model=nobody: no such choice"),
        (["NOWHERE"], "name the folder of a run"),
    ],
)
def test_bad_input_is_one_line(study, capsys, arguments, words):
    folder, _ = study
    places = {"RUN": folder, "NOWHERE": Path(folder.parent) / "nowhere"}
    status, _, err = ask(capsys, *(places.get(each, each) for each in arguments), *(["engine=scripted"]))
    assert status == 2 and words in err and err.count("\n") == 1 and not (folder / "judged.json").exists()
