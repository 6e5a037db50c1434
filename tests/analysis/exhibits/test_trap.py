"""The trap and the counterparts, on run folders whose answers are known."""

from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.exhibits import trap
from analysis.measures.counterparts import outcomes
from leap_lab.errors import UserError
from tests.known_runs import EASY, HARD, copies, write_run

EASIER, HARDER = copies(EASY, 6), copies(HARD, 6)  # 48 questions: enough to decide
NONE = {"name": "none", "fraction": 0.0, "good_ratio": 0.0, "per_path": False}
BAD = {"name": "bad", "fraction": 0.15, "good_ratio": 0.0, "per_path": False}


def test_the_gap_is_over_the_questions_that_have_a_beginning(tmp_path: Path) -> None:
    free = write_run(tmp_path, EASY, prefix=NONE)
    some = {question: groups for question, groups in HARD.items() if question != "q1"}
    begun = write_run(tmp_path, some, prefix=BAD)
    [gap] = trap.trap([free, begun])
    assert (gap.run_id, gap.questions) == (begun.name, 7)
    assert gap.free.value == pytest.approx(sum(range(2, 9)) / 56)
    assert gap.gap.difference.value == pytest.approx(-(1 + 2 + 2 + 3 + 3 + 4 + 4) / 56)
    assert gap.gap.p == pytest.approx(2 / 2**7), "seven questions, all of them worse"
    head, row = trap.cells([gap])
    assert len(head) == len(row) and row[-1].startswith("-33.9 [")


def test_every_run_meets_the_one_that_is_the_same_without_beginnings(tmp_path: Path) -> None:
    free, routed = write_run(tmp_path, EASY, prefix=NONE), write_run(tmp_path, HARD, "dispersed", prefix=NONE)
    begun = [
        write_run(tmp_path, HARD, prefix=BAD),
        write_run(tmp_path, HARD, "dispersed", prefix=BAD),
        write_run(tmp_path, EASY, "dispersed", prefix=BAD | {"fraction": 0.3}),
    ]
    gaps = trap.trap([*begun, routed, free])
    assert [gap.run_id for gap in gaps] == [folder.name for folder in begun]
    assert [round(56 * gap.gap.difference.value * 8 / 7) for gap in gaps] == [-20, 0, 20]
    assert len({gap.name for gap in gaps}) == 3


def test_without_a_run_to_compare_with_it_says_so(tmp_path: Path) -> None:
    free, begun = write_run(tmp_path, EASY, prefix=NONE), write_run(tmp_path, HARD, "dispersed", prefix=BAD)
    with pytest.raises(UserError, match="none of these runs has beginnings"):
        trap.trap([free])
    with pytest.raises(UserError, match="no run without beginnings but with its other settings"):
        trap.trap([free, begun])


def test_counterparts_tell_what_was_mended_and_what_was_spoiled(tmp_path: Path) -> None:
    alone = {f"q{index}": [["1", "1", "2", "2"]] for index in range(8)}
    heard = {f"q{index}": [["1", "2", "1", "1"]] for index in range(8)}
    found = outcomes(write_run(tmp_path, heard, "dispersed", peers=4), write_run(tmp_path, alone, peers=4))
    assert (found.mended.value, found.spoiled.value, found.net.value) == (0.5, 0.25, 0.25)
    assert found.mended.low > 0 and found.mended.n == 8


def test_runs_of_another_seed_have_no_counterparts(tmp_path: Path) -> None:
    one, other = write_run(tmp_path, EASY, "dispersed"), write_run(tmp_path, EASY, seed=1)
    with pytest.raises(UserError, match="no counterparts"):
        outcomes(one, other)
    third = write_run(tmp_path, {"elsewhere": [["1"] * 8]})
    with pytest.raises(UserError, match="no question in common"):
        outcomes(one, third)


def test_the_command_prints_and_writes_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [write_run(tmp_path, EASIER, prefix=NONE), write_run(tmp_path, HARDER, prefix=BAD)]
    assert main(["trap", *map(str, folders), "--out", str(tmp_path / "out")]) == 0
    out, _ = capsys.readouterr()
    assert "Pass@1 % with" in out and "-31.2 [" in out
    assert "holds: A wrong beginning lowers the Pass@1 of independent paths (15% of a response)." in out
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        f"trap.{s}" for s in ("md", "tex", "json", "png", "pdf")
    }
    assert main(["trap", str(folders[0])]) == 2
    assert "error: experiment=trap: none of these runs has beginnings" in capsys.readouterr().err


def repaired(runs: Path) -> list[Path]:
    """Independent paths fall as from EASY to HARD, paths with peers do not fall at all."""
    alone = [write_run(runs, EASIER, prefix=NONE), write_run(runs, HARDER, prefix=BAD)]
    return [*alone, *(write_run(runs, EASIER, "dispersed", prefix=prefix) for prefix in (NONE, BAD))]


def test_whether_peers_make_the_trap_smaller_is_decided_question_by_question(tmp_path: Path) -> None:
    shown = trap.exhibit(repaired(tmp_path))
    fall, smaller = shown.claims
    assert (fall.verdict, smaller.verdict) == ("holds", "holds")
    assert "gap with peers minus gap alone is +31.2 [" in smaller.because
    assert len(shown.runs) == 4
    assert [claim.verdict for claim in trap.exhibit(repaired(tmp_path)[:2]).claims] == ["holds"]


def test_gaps_and_their_comparisons_are_families(tmp_path: Path) -> None:
    begun = [write_run(tmp_path, HARDER, prefix=BAD | {"fraction": fraction}) for fraction in (0.15, 0.3)]
    gaps = trap.trap([write_run(tmp_path, EASIER, prefix=NONE), *begun])
    assert {str(gap.gap.family) for gap in gaps} == {"corrected for the 2 gaps of this table"}


def test_the_trap_with_peers_is_compared_with_that_of_paths_that_were_asked_alike(tmp_path: Path) -> None:
    other = [
        write_run(tmp_path, answers, prefix=prefix, sampling={"temperature": 0.5})
        for answers, prefix in ((EASY, NONE), (EASY, BAD))
    ]
    claims = trap.exhibit([*repaired(tmp_path), *other]).claims
    assert sum("the trap is smaller" in claim.text for claim in claims) == 1


def test_a_good_beginning_is_another_claim(tmp_path: Path) -> None:
    good = [write_run(tmp_path, HARDER, prefix=NONE), write_run(tmp_path, EASIER, prefix=BAD | {"name": "good"})]
    shown = trap.exhibit(good, "good_beginnings")
    [claim] = shown.claims
    assert (claim.verdict, claim.source, shown.name) == ("holds", "Figure 17", "good_beginnings")
    assert claim.text.startswith("A right beginning raises")


def test_the_figure_begins_at_no_beginning_and_has_the_papers_drops(tmp_path: Path) -> None:
    above, below = trap.figure(trap.trap(repaired(tmp_path))).axes
    lines = {container.get_label(): container.lines[0] for container in above.containers}
    assert lines["independent"].get_ydata() == pytest.approx([100 * 36 / 64, 100 * 16 / 64])
    assert lines["leap"].get_ydata() == pytest.approx([56.25, 56.25])
    gaps = {container.get_label(): container.lines[0].get_ydata()[0] for container in below.containers}
    assert gaps == pytest.approx({"independent": -31.25, "leap": 0})
    marks = {each.get_label(): each.get_offsets().tolist() for each in below.collections if each.get_label()[:1] != "_"}
    assert [15.0, -18.95] in marks["paper, independent"] and [15.0, -7.81] in marks["paper, leap"]
