"""The verdict is tried on questions of which the truth is known, and so is what it was before."""

import re

import numpy as np
import pytest

from analysis.measures.contrasts import Against
from analysis.stats import simulate
from analysis.stats.bounded import bounds
from analysis.stats.intervals import DIFFERENCE
from analysis.stats.simulate import CASES, GAIN, LARGEST_SIZE, LEAST_COVERAGE, METHODS, rates

SETS = 500  # one point of simulation error about 5%
HARM = next(case for case in CASES if case.words.startswith("rare large harm"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.words)
@pytest.mark.parametrize("questions", [10, 24, 60, 120])
def test_the_verdict_is_seldom_wrong_and_its_bounds_cover(case: simulate.Case, questions: int) -> None:
    found = rates(case, simulate.all_agree, questions, SETS)
    assert found.wrong <= LARGEST_SIZE and found.covered is not None and found.covered >= LEAST_COVERAGE


@pytest.mark.parametrize("name", ["sign flips", "sign test", "bootstrap and flips", "studentized"])
def test_rare_harm_shows_what_other_methods_do(name: str) -> None:
    """A simulation that cannot tell good methods from bad proves nothing."""
    found = rates(HARM, METHODS[name], 24, SETS)
    assert found.wrong > 0.15 and (found.covered is None or found.covered < 0.85)


def test_a_gain_is_seen_where_there_are_questions_enough() -> None:
    few, many = (rates(GAIN, simulate.all_agree, questions, SETS) for questions in (24, 120))
    assert few.decided < many.decided and many.decided > 0.5 and many.wrong == 0


def test_what_is_simulated_is_what_is_shipped() -> None:
    rng = np.random.default_rng(2)
    for case in CASES:
        sets = case.draw(rng, (4, 30))
        said, all_said = simulate.bounded(sets, rng), simulate.all_agree(sets, rng)
        for index, values in enumerate(sets):
            found = bounds(values, DIFFERENCE)
            assert found is not None and said.low_S is not None and said.high_S is not None
            assert (found.low, found.high) == pytest.approx((said.low_S[index], said.high_S[index]), abs=0.02)
            against = Against.of([[value] for value in values], [[0.0]] * 30, DIFFERENCE)
            assert {"better": 1, "worse": -1, "": 0}[against.verdict] == all_said.sign_S[index]


def test_the_cases_have_the_mean_they_name() -> None:
    rng = np.random.default_rng(3)
    for case in (*CASES, GAIN):
        values = case.draw(rng, (400, 1000))
        assert values.mean() == pytest.approx(case.mean, abs=0.002) and np.abs(values).max() <= 1


def test_the_command_prints_a_table_for_every_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.main(["--sets", "5"]) == 0
    told = capsys.readouterr().out
    assert told.count("| questions |") == len(CASES) + 1 and len(re.findall(r"(?m)^\| 120 \|", told)) == len(CASES) + 1
    with pytest.raises(SystemExit) as stopped:
        simulate.main(["--sets", "0"])
    assert stopped.value.code == 2 and "--sets=0: must be an integer >= 1" in capsys.readouterr().err
