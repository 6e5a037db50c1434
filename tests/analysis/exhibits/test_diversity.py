"""Distinct and effective answers of groups whose probes are known."""

from pathlib import Path

import numpy as np
import pytest

from analysis.exhibits import diversity
from leap_lab.errors import UserError
from tests.known_runs import write_exchanges, write_run


def test_right_answers_are_one_and_so_are_wrong_ones_that_read_the_same(tmp_path: Path) -> None:
    """Before: 1 1 2 "$ 2 $" 3 and no answer; after: all right but one without an answer."""
    before = ["1", "1", "2", "$ 2 $", "3", None]
    paths = [[(answer, "1" if index else None, [])] for index, answer in enumerate(before)]
    [found] = diversity.diversity([write_exchanges(tmp_path, {f"q{index}": [paths] for index in range(8)})])
    assert (found.turn, found.groups) == (0, 8)
    assert found.distinct["before"].value == pytest.approx(3 / 5) and found.distinct["after"].value == 1 / 5
    effective = 1 / (0.4**0.4 * 0.4**0.4 * 0.2**0.2)  # exp of the entropy of 2, 2 and 1 of 5
    assert found.effective["before"].value == pytest.approx(effective)
    assert found.effective["after"].value == 1
    assert found.change.value == pytest.approx(1 - effective)
    assert found.effective["after"].low >= 1 and found.effective["before"].high <= 6, "it lies between 1 and N"


def test_before_and_after_are_of_the_same_paths_and_groups_that_answered(tmp_path: Path) -> None:
    group = [[("1", "1", [])], [("2", "1", [])], [("3",)]]  # the last one left at this block
    silent = [[(None, "1", [])], [(None, "2", [])]]
    [found] = diversity.diversity([write_exchanges(tmp_path, {"a": [group], "b": [silent]})])
    assert found.groups == 1
    assert (found.distinct["before"].value, found.distinct["after"].value) == (1, 1 / 2)
    assert found.change.value == pytest.approx(-1) and found.change.low is None


def test_every_block_is_a_point_of_two_lines(tmp_path: Path) -> None:
    paths = [[("1", "2", []), ("2", "2", [])], [("2", "2", []), ("2", "1", [])]]
    found = diversity.diversity([write_exchanges(tmp_path, {f"q{index}": [paths] for index in range(7)})])
    above, below = diversity.figure({"run": found}).axes
    lines = {each.get_label(): each.lines[0].get_ydata() for each in above.containers}
    assert {name: list(values) for name, values in lines.items()} == {
        "run before": pytest.approx([100, 50]),
        "run after": pytest.approx([50, 100]),
    }
    assert np.allclose([each.lines[0].get_ydata() for each in below.containers], [[2, 1], [1, 2]])
    head, *rows = diversity.cells(found)
    assert [len(row) for row in rows] == [len(head)] * 2 and rows[0][1] == "1"
    assert "block 2: 1.00 before, 2.00 after, change +1.00" in diversity.told(found)


def test_without_answers_or_probes_it_says_so(tmp_path: Path) -> None:
    silent = write_exchanges(tmp_path, {"q": [[[(None, None, [])]]]})
    assert diversity.diversity([silent]) == [] and "no group answered" in diversity.told([])
    with pytest.raises(UserError, match="no probes in it"):
        diversity.diversity([write_run(tmp_path, {"q": [["1"]]}, "dispersed")])
