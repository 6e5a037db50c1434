"""The check on beginnings: what the choice of them does by itself, on run folders whose answers are known."""

import re
from pathlib import Path
from typing import Any

import pytest

from analysis.exhibits import trap, trap_check
from analysis.measures.compare import Run
from tests.known_runs import write_run

REFERENCE = {"responses": 32, "seed": 2505}
SHARES = {f"q{index:02}": index / 16 for index in range(2, 15)}  # p: right responses of each question


def prefix(name: str, fraction: float = 0.15) -> dict[str, Any]:
    none = name == "none"
    return {"name": name, "fraction": 0.0 if none else fraction, "good_ratio": 0.0, "per_path": False}


def write(runs: Path, name: str, right: dict[str, float], of: int = 32, **more: Any) -> Path:
    made = {q: [["1"] * round(of * share) + ["2"] * (of - round(of * share))] for q, share in right.items()}
    own = {"peers": of, "seed": 0} | more
    return write_run(runs, made, prefix=prefix(name), reference=REFERENCE, **own)


def reference(runs: Path, **more: Any) -> Path:
    return write(runs, "none", SHARES, peers=32, seed=2505, **more)


def by_choice_alone(runs: Path) -> list[Path]:
    """Right beginnings raise, wrong ones lower Pass@1 such that their mixture is what there is without."""
    right = {q: min(1.0, 2 * p) for q, p in SHARES.items()}
    wrong = {q: (p - p * right[q]) / (1 - p) for q, p in SHARES.items()}
    return [
        *(write(runs, "none", SHARES, of=320), write(runs, "good", right, of=320)),
        *(write(runs, "bad", wrong, of=320), reference(runs)),
    ]


def test_what_the_choice_of_beginnings_does_leaves_the_mixture_as_it_is(tmp_path: Path) -> None:
    folders = by_choice_alone(tmp_path)
    [check] = trap_check.checks([Run.read(folder) for folder in folders])
    assert (check.fraction, check.questions) == (0.15, len(SHARES))
    assert check.arms["wrong"].value < check.free.value - 0.1 < check.arms["right"].value
    difference, p = check.minus_free["mixture"]
    assert difference.value == pytest.approx(0, abs=2e-3) and check.arms["mixture"].value == pytest.approx(
        0.5, abs=2e-3
    )
    assert p is not None and "random" not in check.minus_free


def test_harm_by_being_given_a_beginning_is_seen(tmp_path: Path) -> None:
    """Right beginnings help nobody, wrong ones take half: the mixture is below what there is without."""
    folders = [
        *(write(tmp_path, "none", SHARES), write(tmp_path, "good", SHARES)),
        *(write(tmp_path, "bad", {q: p / 2 for q, p in SHARES.items()}), reference(tmp_path)),
        write(tmp_path, "random", {q: p * (1 + p) / 2 for q, p in SHARES.items()}),
    ]
    [check] = trap_check.checks([Run.read(folder) for folder in folders])
    for arm in ("mixture", "random"):
        difference, p = check.minus_free[arm]
        assert difference.high is not None and difference.high < 0 and p is not None and p < 0.01
        expected = sum(-share * (1 - share) / 2 for share in SHARES.values()) / len(SHARES)
        assert difference.value == pytest.approx(expected, abs=0.02)


def test_the_share_is_of_the_responses_that_have_a_beginning(tmp_path: Path) -> None:
    """A response that thought for 8 tokens or less has none; here one question's responses are all so short."""
    short = dict.fromkeys(SHARES, 100) | {"q02": 8}
    made = {q: [["1"] * round(32 * share) + ["2"] * (32 - round(32 * share))] for q, share in SHARES.items()}
    alone = by_choice_alone(tmp_path)[:3]
    source = write_run(tmp_path, made, prefix=prefix("none"), reference=REFERENCE, peers=32, seed=2505, thinks=short)
    folders = [*alone, source]
    [check] = trap_check.checks([Run.read(folder) for folder in folders])
    assert check.questions == len(SHARES) - 1


@pytest.mark.parametrize(
    ("left_out", "known"), [("reference", False), ("good", False), ("bad", False), ("none", False), ("nothing", True)]
)
def test_without_one_of_its_parts_there_is_no_mixture(tmp_path: Path, left_out: str, known: bool) -> None:
    names = ["none", "good", "bad", "reference"]
    folders = [folder for name, folder in zip(names, by_choice_alone(tmp_path), strict=True) if name != left_out]
    assert bool(trap_check.checks([Run.read(folder) for folder in folders])) is known


def test_a_reference_run_that_sampled_otherwise_says_nothing_of_p(tmp_path: Path) -> None:
    other = reference(tmp_path, sampling={"temperature": 0.5})
    folders = [*by_choice_alone(tmp_path)[:3], other]
    assert trap_check.checks([Run.read(folder) for folder in folders]) == []


def test_paths_with_peers_are_not_checked(tmp_path: Path) -> None:
    folders = [
        write_run(tmp_path, {q: [["1", "2"]] for q in SHARES}, "dispersed", prefix=prefix(name), peers=2)
        for name in ("none", "bad", "good", "random")
    ]
    assert trap_check.checks([Run.read(folder) for folder in folders]) == []


def test_the_exhibit_ends_with_the_check_and_the_figure_shows_wrong_beginnings_alone(tmp_path: Path) -> None:
    folders = [*by_choice_alone(tmp_path), write(tmp_path, "random", SHARES, of=320)]
    shown = trap.exhibit(folders)
    [further] = shown.further
    assert further.title == trap_check.TITLE
    head, line = further.table
    assert line[:2] == ["15", str(len(SHARES))] and "n/a" not in line
    for arm in ("mixture", "random"):
        assert re.match(r"[+-]0\.[01] \[", line[head.index(f"{arm} minus without")])
    assert [list(each[0].get_xdata()) for each in trap.figure(trap.trap(folders)).axes[0].containers] == [[0, 15]]
    assert len(shown.table) == 2 and trap.exhibit(folders[:1] + folders[2:3]).further == []
