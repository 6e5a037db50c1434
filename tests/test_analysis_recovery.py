"""Transitions between probes, on run folders whose probes are known."""

from pathlib import Path

import numpy as np
import pytest
from known_runs import LEAP, config_of, reasoning_path, write_run

from analysis import recovery
from analysis.__main__ import main
from analysis.stats import ratio
from leap_lab.errors import UserError
from leap_lab.grading import Grade
from leap_lab.path import Probe
from leap_lab.problems import Problem
from leap_lab.records import RunFolder, rows

Blocks = list[list[tuple[bool, bool]]]  # by path: was right before, is right after, for every block


def write_probed(runs: Path, by_question: dict[str, Blocks]) -> Path:
    config = config_of(LEAP, {"name": "dispersed", "top_k": 4})
    folder = RunFolder.open(runs, {"of": str(by_question)}, config)
    for question, blocks_of in by_question.items():
        paths = []
        for index, blocks in enumerate(blocks_of):
            path = reasoning_path(index, True)
            for turn, (was, now) in enumerate(blocks):
                path.probes += [Probe(turn, "before", "1", was), Probe(turn, "after", "1", now)]
            paths.append(path)
        grades = [Grade("1", True)] * len(paths)
        folder.write_group(rows(folder.run_id, Problem(question, "?", "1"), 0, paths, grades, [0] * len(paths)))
    return folder.path


def test_every_transition_is_counted_once_and_by_block(tmp_path: Path) -> None:
    known = [[(True, True), (True, False)], [(False, True)], [(False, False), (False, True)], []]
    folder = write_probed(tmp_path, {f"q{index}": known for index in range(8)})
    everything, first, second = recovery.recovery([folder])
    assert (everything.turn, first.turn, second.turn) == (None, 0, 1)
    assert (everything.blocks, first.blocks, second.blocks) == (40, 24, 16)
    assert {name: share.value for name, share in everything.shares.items()} == pytest.approx(
        {"correct→correct": 0.2, "correct→incorrect": 0.2, "incorrect→correct": 0.4, "incorrect→incorrect": 0.2}
    )
    assert (everything.recovered.value, everything.harmed.value) == pytest.approx((2 / 3, 1 / 2))
    assert (first.recovered.value, first.harmed.value) == pytest.approx((1 / 2, 0))
    assert (second.recovered.value, second.harmed.value) == pytest.approx((1, 1))


def test_rates_weigh_questions_by_their_wrong_paths(tmp_path: Path) -> None:
    one = {"a": [[(False, True)]] * 3 + [[(False, False)]], "b": [[(False, False)], *[[(True, True)]] * 3]}
    everything, _ = recovery.recovery([write_probed(tmp_path, one)])
    assert everything.recovered.value == pytest.approx(3 / 5)
    assert everything.recovered.low is None and "fewer than" in everything.recovered.why
    assert everything.recovered.n == 2 and everything.harmed.n == 1


def test_a_run_without_probes_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_run(tmp_path, {"q": [["1", "2"]]}, "dispersed")
    with pytest.raises(UserError, match="no probes in it"):
        recovery.recovery([folder])
    assert main(["recovery", str(folder)]) == 2
    assert capsys.readouterr().err.endswith("allowed are runs of LeaP with probes=true\n")


def test_the_command_prints_and_writes_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_probed(tmp_path, {f"q{index}": [[(False, True)], [(True, True)]] for index in range(8)})
    assert main(["recovery", str(folder), "--out", str(tmp_path / "out")]) == 0
    assert "incorrect→correct %" in capsys.readouterr().out
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"recovery.md", "recovery.tex"}


def test_the_interval_of_a_rate_covers_what_it_claims() -> None:
    """Questions differ in how many wrong paths they have and in how many of these recover, and the two depend."""
    rng = np.random.default_rng(3)
    hits, runs, questions = 0, 400, 40

    def sample(count: int) -> tuple[np.ndarray, np.ndarray]:
        hardness = rng.beta(1, 1, count)
        wrong = rng.binomial(16, hardness)
        return rng.binomial(wrong, 0.9 - 0.6 * hardness), wrong

    parts, wholes = sample(1_000_000)
    truth = parts.sum() / wholes.sum()
    for _ in range(runs):
        found = ratio(*sample(questions), resamples=1000)
        hits += found.low <= truth <= found.high
    assert 0.92 <= hits / runs <= 0.98
