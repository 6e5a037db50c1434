"""The order of the tests: two processes share the files, and the longest ones have to come first to fill both."""

import pytest

LONGEST = ("test_vllm", "test_leap_t", "test_sft", "test_pool", "test_experiments", "test_notebooks", "test_faults")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A stable sort: the rest stays in its order."""
    rank = {name: index for index, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(LONGEST)))
