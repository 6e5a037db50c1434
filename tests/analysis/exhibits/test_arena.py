"""All methods side by side, on run folders with known answers."""

from pathlib import Path
from typing import Any

import pytest

from analysis.exhibits import arena
from analysis.exhibits.arena_claims import TOLD
from analysis.measures.budget import Budget
from leap_lab.errors import UserError
from leap_lab.settings.conf import choices, opened
from tests.known_runs import ALONE, write_run

QUESTIONS = [f"q{index}" for index in range(48)]


def write(runs: Path, name: str, right: int, of: int, thinks: int = 100, **more: Any) -> Path:
    """A run in which every question has so many right paths."""
    made = {question: [["1"] * right + ["2"] * (of - right)] for question in QUESTIONS}
    more = {"model": {"name": "mine", "path": "models/mine"}} | more
    tokens = dict.fromkeys(QUESTIONS, thinks)
    return write_run(runs, made, method={**ALONE, "name": name}, thinks=tokens, peers=of, **more)


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Independent paths of which two in five are right, so that a vote of more of them is worse."""
    return [
        write(tmp_path, "independent", 8, 20),
        write(tmp_path, "rsa", 4, 4),
        write(tmp_path, "short", 0, 4, thinks=120),
        write(tmp_path, "budget_forcing", 4, 4, thinks=900),
    ]


def test_each_method_is_met_by_as_many_independent_paths_as_cost_the_same(folders: list[Path]) -> None:
    [found] = arena.arena(folders)
    rsa, short, forced = found.entries
    assert (rsa.method, short.method, forced.method) == ("rsa", "short", "budget_forcing")
    assert rsa.matched[Budget.TOKENS].paths == pytest.approx(4) and rsa.decision().value == 1
    assert short.matched[Budget.TOKENS].paths == pytest.approx(4.8)
    assert forced.matched[Budget.TOKENS].beyond == "> 20"
    assert rsa.matched[Budget.TOKENS].vote is not None and rsa.matched[Budget.FLOPS].vote is None, "not known here"


def test_the_front_has_what_nothing_beats(folders: list[Path]) -> None:
    [found] = arena.arena(folders)
    assert [entry.fronts[Budget.TOKENS] for entry in found.entries] == [(True, 1.0), (False, 0.0), (False, 0.0)]
    assert [entry.fronts[Budget.FLOPS] for entry in found.entries] == [None] * 3


def test_the_table_has_a_row_per_method_below_independent_paths(folders: list[Path]) -> None:
    made = arena.exhibit(folders)
    head, *lines = made.table
    assert [line[0] for line in lines] == ["independent", "rsa", "short", "budget_forcing"]
    assert {len(line) for line in lines} == {len(head)}
    column = head.index("front, sampled tokens %")
    assert [line[column] for line in lines] == ["", "100*", "0", "0"]
    assert lines[1][head.index("tokens")] == "400" and lines[1][head.index("FLOPs")] == "n/a"
    assert set(made.figures) == {f"arena_{budget}" for budget in Budget}
    assert sorted(made.runs) == sorted(folder.name for folder in folders)


def test_each_paper_s_own_claim_is_sorted(folders: list[Path]) -> None:
    by_source = {claim.source: claim.verdict for claim in arena.exhibit(folders).claims}
    assert by_source == {
        "RSA, 2509.26626": "holds",
        "short-m@k, 2505.17813": "does not hold",
        "s1, 2501.19393": "holds",
    }


def test_a_claim_beyond_what_was_measured_is_undecided(folders: list[Path], tmp_path: Path) -> None:
    long = write(tmp_path / "more", "rsa", 4, 4, thinks=900)
    [claim] = arena.exhibit([folders[0], long]).claims
    assert claim.verdict == "undecided" and "the 20 independent paths of each question take" in claim.because
    many = write(tmp_path / "many", "genselect", 32, 32)
    [claim] = arena.exhibit([folders[0], many]).claims
    assert claim.because == "There is no comparison: there are 20 independent paths of each question, not 32."


def test_every_claim_is_of_a_method_that_there_is() -> None:
    with opened():
        assert set(TOLD) <= set(choices("method"))


def test_the_built_in_model_decides_no_claim_on_what_it_has_never_learned(tmp_path: Path) -> None:
    built_in = {"model": {"name": "tiny", "path": "builtin:tiny"}}
    runs = [write(tmp_path, name, 4, 8, **built_in) for name in ("independent", "rsa", "short")]
    made = arena.exhibit(runs)
    verdicts = {claim.source: claim for claim in made.claims}
    assert verdicts["RSA, 2509.26626"].because.endswith("the built-in model has never learned to do this.")
    assert "never learned" not in verdicts["short-m@k, 2505.17813"].because
    assert [note.partition(":")[0] for note in made.notes if "trained for LeaP's tags alone" in note] == ["rsa"]


def test_runs_of_one_method_are_told_apart(folders: list[Path], tmp_path: Path) -> None:
    more = write(tmp_path / "more", "rsa", 2, 8)
    names = [entry.name for entry in arena.arena([*folders, more])[0].entries]
    assert names == ["rsa peers=4", "short", "budget_forcing", "rsa peers=8"]


def test_without_independent_runs_nothing_is_compared(folders: list[Path]) -> None:
    with pytest.raises(UserError, match="arena: nothing to compare; allowed are independent runs and others"):
        arena.exhibit(folders[1:])
    with pytest.raises(UserError, match="nothing to compare"):
        arena.exhibit(folders[:1])
