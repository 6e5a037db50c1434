"""The published values: read from the package, and consistent with each other."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from analysis.exhibits.published import published


def numbers(node: Any) -> Iterator[float]:
    if isinstance(node, Mapping):
        for value in node.values():
            yield from numbers(value)
    elif isinstance(node, list):
        for value in node:
            yield from numbers(value)
    else:
        yield node


def test_the_file_holds_numbers_and_is_read_once() -> None:
    found = published()
    assert found is published()
    assert all(isinstance(value, int | float) and value >= 0 for value in numbers(found))


def test_values_that_the_paper_gives_twice_agree() -> None:
    found = published()
    table = found["pass_at_1"]["aime_2024"]
    for model in ("R1-7B", "R1-14B"):
        assert found["granularity"][model]["T"][4096] == table[model]["dispersed_2"]
        assert found["granularity"][model]["baseline"] == table[model]["baseline"]
    assert found["single_position"]["R1-14B"]["full"] == table["R1-14B"]["dispersed_2"]
    assert found["top_k"]["R1-14B"]["peak"] == pytest.approx(table["R1-14B"]["dispersed_4"], abs=0.05)


def test_shares_of_communications_and_transitions_add_up() -> None:
    types = published()["communication_types"]
    for column in zip(*(types[name] for name in ("influenced", "unaffected", "consistent")), strict=True):
        assert sum(column) == pytest.approx(100, abs=0.6)  # rounded to one decimal by the paper
    assert len(types["position"]) == len(types["influenced"])
    assert sum(published()["transitions"]["leap"].values()) == pytest.approx(100)
