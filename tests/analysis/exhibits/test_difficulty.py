"""Runs by difficulty, on run folders whose questions are of known difficulty."""

import math
from pathlib import Path
from typing import Any

import pytest

from analysis.exhibits import difficulty
from analysis.exhibits.difficulty import buckets_of, corrected, is_reference
from analysis.measures.compare import Run
from leap_lab.errors import UserError
from tests.known_runs import write_run

REFERENCE = {"responses": 32, "seed": 2505}
RIGHT = {"very_easy": 32, "easy": 30, "medium": 16, "very_hard": 0}  # of 32; no hard questions
EACH = 8


def answers(right: int, of: int) -> list[list[str]]:
    return [["1"] * right + ["2"] * (of - right)]


def by_level(right: dict[str, int], of: int, spread: int = 1, each: int = EACH) -> dict[str, list[list[str]]]:
    """So many questions of each level, with so many right answers and up to `spread - 1` more, in turn."""
    return {
        f"{level} {index}": answers(min(of, count + index % spread), of)
        for level, count in right.items()
        for index in range(each)
    }


def write(
    runs: Path,
    right: dict[str, int],
    router: str | None = None,
    of: int = 8,
    spread: int = 1,
    each: int = EACH,
    **more: Any,
) -> Path:
    made = by_level(right, of, spread, each)
    return write_run(runs, made, router, reference=REFERENCE, difficulty={"name": "all"}, **more)


def write_reference(runs: Path, **more: Any) -> Path:
    return write(runs, RIGHT, of=32, peers=32, seed=2505, **more)


def three(runs: Path, each: int = EACH) -> list[Path]:
    """LeaP mends medium and a few very hard questions, and spoils easy ones."""
    return [
        write(runs, {"very_easy": 8, "easy": 3, "medium": 5, "very_hard": 1}, "dispersed", spread=4, each=each),
        write(runs, {"very_easy": 8, "easy": 7, "medium": 4, "very_hard": 0}, each=each),
        write_reference(runs, each=each),
    ]


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    return three(tmp_path)


def test_every_run_but_the_reference_run_is_shown_by_difficulty(folders: list[Path]) -> None:
    found = difficulty.difficulty(folders)
    assert [each.name for each in found] == ["dispersed k=4"] * 5 + ["independent"] * 5
    assert [each.difficulty for each in found[:5]] == ["very_easy", "easy", "medium", "hard", "very_hard"]
    assert [each.n for each in found[:5]] == [8, 8, 8, 0, 8]
    heard = {each.difficulty: each for each in found[:5]}
    assert heard["medium"].correct.value == pytest.approx(6.5 / 8)
    assert heard["medium"].against is not None and heard["medium"].against.difference.value == pytest.approx(2.5 / 8)
    assert heard["easy"].against is not None and heard["easy"].against.difference.value == pytest.approx(-2.5 / 8)
    assert (heard["easy"].tokens_own.value, heard["easy"].tokens_with_received.value) == (110, 150)
    assert math.isnan(heard["hard"].correct.value) and heard["hard"].against is None
    assert all(each.against is None for each in found[5:])


def test_a_difference_is_never_to_the_run_that_chose_the_questions(tmp_path: Path) -> None:
    leap = write(tmp_path, RIGHT | {"very_hard": 2}, "dispersed", of=32, peers=32)
    reference = write_reference(tmp_path)
    found = difficulty.difficulty([leap, reference])
    assert [each.against for each in found] == [None] * 5
    shown = difficulty.exhibit([leap, reference])
    assert any("no independent run with its other settings" in note for note in shown.notes)


def test_eight_questions_of_a_difficulty_decide_no_claim(folders: list[Path]) -> None:
    shown = difficulty.exhibit(folders)
    assert {claim.verdict for claim in shown.claims} == {"undecided"}
    p = 2 / 2**EACH  # all questions of a difficulty go the same way
    assert [each.against.p for each in corrected(difficulty.difficulty(folders)) if each.against] == pytest.approx(
        [1, 4 * p, 4 * p, 4 * p]
    )
    assert f"p={4 * p:.3f} corrected for the 4 comparisons of this table" in shown.claims[2].because
    assert all(f"p={4 * p:.3f}" in claim.because for claim in (shown.claims[-2], shown.claims[-1])), "corrected in both"


def test_claims_are_of_each_difficulty(tmp_path: Path) -> None:
    shown = difficulty.exhibit(three(tmp_path, 40))
    verdicts = {claim.text: claim.verdict for claim in shown.claims}
    assert list(verdicts.values()) == ["undecided", "does not hold", "holds", "undecided", "holds", "holds"]
    assert next(iter(verdicts)) == "LeaP raises Pass@1 on very easy questions (dispersed k=4)."
    assert shown.claims[3].because == "There is no question of this difficulty."
    assert "Its Pass@1 on them is 31.2 [" in shown.claims[-1].because
    assert "that of other independent paths 0.0 [" in shown.claims[-1].because


def test_nothing_solved_is_no_proof_of_anything(tmp_path: Path) -> None:
    folders = [write(tmp_path, RIGHT, "dispersed", of=32), write_reference(tmp_path)]
    solves = difficulty.exhibit(folders).claims[-1]
    assert solves.text.startswith("LeaP solves more of the questions that no response")
    assert solves.verdict == "undecided" and solves.because == "There is no independent run to compare with."


def test_questions_that_fresh_paths_solve_as_well_prove_nothing_for_peers(tmp_path: Path) -> None:
    assert difficulty.exhibit(three(tmp_path, 40)).claims[-1].verdict == "holds", "31% with peers, none alone"
    some = {"very_easy": 8, "easy": 3, "medium": 5, "very_hard": 1}
    alike = [write(tmp_path / "alike", some, router, spread=4) for router in ("dispersed", None)]
    solves = difficulty.exhibit([*alike, write_reference(tmp_path / "alike")]).claims[-1]
    assert solves.verdict == "undecided" and "Its Pass@1 on them is 31.2 [" in solves.because


def test_the_table_lists_empty_difficulties_and_the_figure_leaves_them_out(folders: list[Path]) -> None:
    shown = difficulty.exhibit(folders)
    [head, *rows] = shown.table
    assert {len(row) for row in rows} == {len(head)}
    assert rows[3] == ["dispersed k=4", "hard", "0", "n/a", "n/a", "n/a", "n/a"]
    assert "hard: no question of this difficulty for some runs." in shown.notes
    above, gains, below = shown.figures["difficulty"].axes
    lines = [container[0] for container in above.containers]
    assert [[round(x) for x in line.get_xdata()] for line in lines] == [[0, 1, 2, 4]] * 2
    assert list(lines[0].get_ydata()) == pytest.approx([100, 56.25, 81.25, 31.25])
    [gain] = [container[0] for container in gains.containers]
    assert list(gain.get_ydata()) == pytest.approx([0, 56.25 - 87.5, 81.25 - 50, 31.25]), "paired, over the same paths"
    assert list(below.containers[0][0].get_ydata()) == [110] * 4
    assert [label.get_text() for label in below.get_xticklabels()][3:] == ["hard\n(n = 0)", "very hard\n(n = 8)"]


def test_the_reference_run_is_told_by_what_runs_say_of_it(folders: list[Path], tmp_path: Path) -> None:
    assert [is_reference(Run.read(folder)) for folder in folders] == [False, False, True]
    assert buckets_of(Run.read(folders[2]))["easy 3"] == "easy"
    with pytest.raises(UserError, match=r"its reference run \(seed=2505, responses=32\) is not among these"):
        difficulty.difficulty(folders[:2])
    other = write_reference(tmp_path, model={"name": "other", "path": "elsewhere"})
    with pytest.raises(UserError, match="its reference run"):
        difficulty.difficulty([folders[0], other])
    with pytest.raises(UserError, match="nothing to compare"):
        difficulty.difficulty(folders[2:])


def test_runs_of_one_difficulty_or_other_questions_are_refused(folders: list[Path], tmp_path: Path) -> None:
    hard = write_run(tmp_path, {"a": [["1"]]}, "random", reference=REFERENCE, difficulty={"name": "hard"})
    with pytest.raises(UserError, match="questions of one difficulty only"):
        difficulty.difficulty([*folders, hard])
    strange = write_run(tmp_path, {"a": [["1"]]}, "random", reference=REFERENCE, difficulty={"name": "all"})
    with pytest.raises(UserError, match="no question in common with its reference run"):
        difficulty.difficulty([*folders, strange])
