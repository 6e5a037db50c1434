"""What is read of run folders: lengths, answers that are one, probes and where they stand."""

from pathlib import Path

import pandas as pd
import pytest

from analysis.replay.records import CONFIDENCES, read, records_of
from leap_lab.errors import UserError
from tests.analysis.replay.folders import write_probed
from tests.known_runs import EASY, write_run

ONE, ALSO_ONE, TWO, NONE = ("1", 0), ("1.0", 0), ("2", 1), (None, None)


def test_equal_answers_are_one_whoever_gave_them(tmp_path: Path) -> None:
    """By their clusters within a group, and by what they read across groups, of paths and probes alike."""
    groups = [
        [(35, ONE, [TWO, NONE, ALSO_ONE]), (20, TWO, [("3", 2)])],
        [(15, ("1.0", 4), [("2", 7)]), (10, NONE, [])],
    ]
    [record] = read([write_probed(tmp_path, {"q": groups})]).questions
    assert record.lengths == (35, 20, 15, 10)
    one, two, again, none = record.answers
    assert one == again and two != one and none is None
    third = record.probes[1][0]
    assert record.probes == ((two, None, one), (third,), (two,), ()) and third not in (one, two)
    assert one is not None and two is not None and third is not None
    assert [record.worth[number] for number in (one, two, third)] == [1.0, 0.0, 0.0]
    assert record.step == 10 and record.prices == (3.0, 3.0, 3.0, 0.0)
    assert record.scores == dict.fromkeys(CONFIDENCES)


def test_runs_of_one_setting_are_one_record_and_each_path_counts_once(tmp_path: Path) -> None:
    """Another seed has other paths; a run with probes holds the same paths as one without, and tells more."""
    probed, plain = [(35, ONE, [TWO, ONE, ONE])], [(35, ONE, [])]
    folders = [
        write_probed(tmp_path, {"q": [plain]}, None, peers=1),
        write_probed(tmp_path, {"q": [probed]}, 10, peers=1),
        write_probed(tmp_path, {"q": [[(50, TWO, [ONE] * 4)]]}, 10, peers=1, seed=1),
    ]
    found = read(folders)
    assert found.runs == tuple(folder.name for folder in folders) and found.size == 2
    assert found.questions[0].lengths == (35, 50)
    assert [len(own) for own in found.questions[0].probes] == [3, 4] and found.questions[0].step == 10
    assert read(folders[:1]).questions[0].step is None
    mixed = [*folders[:2], write_probed(tmp_path, {"q": [plain]}, None, peers=1, seed=2)]
    assert read(mixed).questions[0].step is None, "one path has no probes"


def test_confidences_count_where_every_path_has_them() -> None:
    row = {"run_id": "r", "seed": 0, "question_id": "q", "group": 0, "answer": "1", "cluster": 0, "correct": True}
    row |= {"tokens": 10.0, "tokens_probe": 0, "probes": [], "probe_clusters": [], "step": None}
    paths = pd.DataFrame([row | {"path": path, "confidence_mean": 9.0 + path} for path in range(3)])
    paths["confidence_tail"] = [5.0, None, 6.0]
    [record] = records_of(paths)
    assert record.scores == {"mean": (9.0, 10.0, 11.0), "tail": None, "lowest": None, "bottom": None}


def test_a_run_without_clusters_goes_by_what_answers_read(tmp_path: Path) -> None:
    [record] = read([write_probed(tmp_path, {"q": [[(5, ("7 ", None), []), (5, ("7", None), [])]]})]).questions
    assert record.answers[0] == record.answers[1] is not None


def test_only_independent_runs_of_one_setting_can_be_replayed(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="method=leap; replay needs method=independent without method.explain"):
        read([write_run(tmp_path, EASY, "dispersed")])
    alone, other = write_run(tmp_path, EASY), write_run(tmp_path, EASY, sampling={"temperature": 0.5})
    with pytest.raises(UserError, match=rf"{other}: another sampling.temperature than {alone}; name runs of one"):
        read([alone, other])
    with pytest.raises(UserError, match="no such folder"):
        read([tmp_path / "nowhere"])
