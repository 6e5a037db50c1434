"""Transitions between probes, on run folders whose probes are known."""

from pathlib import Path

import numpy as np
import pytest

from analysis.__main__ import main
from analysis.exhibits import transitions as recovery
from analysis.stats.intervals import ratio
from leap_lab.errors import UserError
from leap_lab.grading.grade import Grade
from leap_lab.path import Probe
from leap_lab.runs.folder import RunFolder
from leap_lab.runs.rows import rows
from leap_lab.tasks.problem import Problem
from tests.known_runs import LEAP, config_of, reasoning_path, write_exchanges, write_run

R, W = "1", "2"
RIGHT, RECOVERS, WRONG, HARMED = [(R, R, [1])], [(W, R, [1])], [(W, W, [1])], [(R, W, [1])]
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
    assert main(["transitions", str(folder)]) == 2
    assert capsys.readouterr().err.endswith("allowed are runs of LeaP with probes=true\n")


def test_the_command_prints_and_writes_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_probed(tmp_path, {f"q{index}": [[(False, True)], [(True, True)]] for index in range(8)})
    assert main(["transitions", str(folder), "--out", str(tmp_path / "out")]) == 0
    assert "incorrect→correct %" in capsys.readouterr().out
    written = {file.name for file in (tmp_path / "out").iterdir()}
    assert {"transitions.md", "transitions.tex", "transitions.json", "survival.png", "diversity.pdf"} < written


@pytest.mark.parametrize(("probe_tokens", "verdict"), [(0, "does not hold"), (512, "undecided")])
def test_harm_of_probes_that_are_samples_is_partly_chance(tmp_path: Path, probe_tokens: int, verdict: str) -> None:
    harmed = {f"q{index}": [[(True, False)], [(True, index > 3)], [(True, True)]] for index in range(16)}
    folder = write_probed(tmp_path, harmed)
    file = folder / "config.yaml"
    file.write_text(f"{file.read_text()}probe_tokens: {probe_tokens}\n")
    stay = recovery.exhibit([folder]).claims[1]
    assert (stay.text, stay.verdict) == ("Paths that were right stay right.", verdict)
    assert ("samples" in stay.because) == (verdict == "undecided")


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


def test_time_to_recovery_counts_from_the_first_probe_and_ends_at_the_last_block(tmp_path: Path) -> None:
    """Wrong at first: A recovers at block 1 (and is harmed later), B at 2, C at 3; D leaves after 1, E after 3."""
    paths = [
        [(W, R, []), (R, W, []), (W, R, [])],  # A
        [(W, W, []), (R, R, [])],  # B: right by itself, which counts to the block after
        [(W, W, []), (W, W, []), (None, R, [])],  # C: no answer is not right
        [(W, W, []), (R,)],  # D: the comment of block 2 did not fit
        [(W, W, []), (R, W, []), (W, W, [])],  # E
        [(R, W, []), (W, R, [])],  # began right: not counted
        [(W,)],  # took no block
    ]
    steps = recovery.waiting(write_exchanges(tmp_path, {"q": [paths]}))
    assert [(step.time, step.at_risk, step.events) for step in steps] == [(1, 5, 1), (2, 3, 1), (3, 2, 1)]
    assert [step.surviving.value for step in steps] == pytest.approx([4 / 5, 4 / 5 * 2 / 3, 4 / 5 * 2 / 3 / 2])


def test_paths_are_told_apart_by_question_and_group(tmp_path: Path) -> None:
    folder = write_exchanges(tmp_path, {q: [[RECOVERS[:], WRONG[:]], [WRONG[:]]] for q in ("a", "b")})
    [step] = recovery.waiting(folder)
    assert (step.at_risk, step.events) == (6, 2)


def test_a_run_in_which_all_begin_right_has_no_wait(tmp_path: Path) -> None:
    folder = write_exchanges(tmp_path, {"q": [[RIGHT]]})
    assert recovery.waiting(folder) == []
    made = recovery.exhibit([folder])
    assert any("no path was wrong" in note for note in made.notes)
    assert [claim.verdict for claim in made.claims] == ["undecided", "undecided"], "one question decides nothing"
    assert made.write(tmp_path / "out")


def claims_of(runs: Path, groups: list[list[list[tuple]]], questions: int = 12) -> list[str]:
    folder = write_exchanges(runs, {f"q{index}": [groups[index % len(groups)]] for index in range(questions)})
    return [claim.verdict for claim in recovery.exhibit([folder]).claims]


def test_what_the_data_say_of_the_claims(tmp_path: Path) -> None:
    assert claims_of(tmp_path, [[RECOVERS, RIGHT]]) == ["holds", "undecided"], "12 questions leave room for 2% of harm"
    assert claims_of(tmp_path, [[HARMED, RIGHT], [HARMED, WRONG]]) == ["does not hold", "does not hold"]
    assert claims_of(tmp_path, [[RECOVERS, HARMED]])[0] == "undecided", "as many of the one as of the other"
    assert claims_of(tmp_path, [[RECOVERS]]) == ["holds", "undecided"], "nobody was right, so nobody could be harmed"
    assert claims_of(tmp_path, [[RIGHT, RIGHT]], 200) == ["undecided", "holds"]


def test_the_exhibit_shows_shares_by_block_and_the_curve(tmp_path: Path) -> None:
    paths = [[(W, R, []), (R, R, [])], [(W, W, []), (W, W, [])], [(W, W, []), (W, R, [])], [(R, R, [])]]
    folder = write_exchanges(tmp_path, {f"q{index}": [paths] for index in range(8)})
    made = recovery.exhibit([folder])
    assert (made.name, made.source, made.runs) == ("transitions", "Figure 13", [folder.name])
    assert set(made.figures) == {"transitions", "survival", "diversity"}
    panels = {axes.get_title(loc="left"): axes.containers[0][0] for axes in made.figures["transitions"].axes}
    assert list(panels["incorrect→correct"].get_ydata()) == pytest.approx([25, 100 / 3])
    assert list(panels["correct→correct"].get_ydata()) == pytest.approx([25, 100 / 3])
    assert len(panels) == 4
    line = made.figures["survival"].axes[0].containers[0].lines[0]
    assert list(line.get_xdata()) == [0, 1, 2] and line.get_drawstyle() == "steps-post"
    assert list(line.get_ydata()) == pytest.approx([100, 200 / 3, 100 / 3])
    assert any("40.62%" in note and "QwQ-32B" in note for note in made.notes)


def test_several_runs_have_a_figure_and_claims_each_and_others_are_named(tmp_path: Path) -> None:
    groups = {f"q{index}": [[RECOVERS, RIGHT]] for index in range(8)}
    probed = [write_exchanges(tmp_path, groups, router) for router in ("dispersed", "clustered")]
    alone = write_run(tmp_path, {"q0": [["1", "2"]]})
    made = recovery.exhibit([*probed, alone, probed[0]])
    assert set(made.figures) == {*(f"transitions_{folder.name}" for folder in probed), "survival", "diversity"}
    assert len(made.claims) == 4 and made.claims[2].because.startswith("clustered k=2: ")
    assert f"{alone.name}: left out, it has no probes." in made.notes
    assert [text.get_text() for text in made.figures["survival"].axes[0].get_legend().get_texts()] == [
        "dispersed k=2",
        "clustered k=2",
    ]
    with pytest.raises(UserError, match="none of these runs has probes; allowed are"):
        recovery.exhibit([alone])
