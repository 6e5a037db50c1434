"""The order of the tests: two processes share the files, and the longest ones have to come first to fill both."""

import os

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"  # no test asks the hub; read when huggingface_hub is imported

FIRST = (
    "test_vllm",
    "test_vllm_commands",
    "test_real_model",
    "test_adapters",
    "test_leap_t",
    "test_scheduler",
    "test_experiments",
    "test_notebooks",
    "test_faults",
    "test_disk_faults",
    "test_docs_snippets",
)
LAST = ("test_sft",)  # it starts an engine, too: two at once wait for the same core


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A stable sort: the rest stays in its order."""
    rank = {name: index - len(FIRST) for index, name in enumerate(FIRST)} | dict.fromkeys(LAST, 1)
    items.sort(key=lambda item: rank.get(item.path.stem, 0))
