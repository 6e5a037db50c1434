"""Labels follow the configuration of a run, whatever method, router or group of settings it has."""

from pathlib import Path
from typing import Any

import pytest

from analysis.labels import aligned, labels, names_of
from analysis.load import load
from tests.known_runs import write_run

RSA = {
    "method._target_": "mine.Rsa",
    "method.name": "rsa",
    "comparison.budget": "rounds",
    "comparison.shares": ["max_tokens"],
    "method.population": 16,
    "method.rounds": 3,
    "method.stop": ["a", "b"],
    "method.temperature": 0.2,
    "method.path": "x",
    "method.seed": 5,
    "method.router": "y",
    "method.share.name": "tail",
    "method.share.size": 64,
    "method.share._target_": "mine.Tail",
}


def run(**more: Any) -> dict[str, Any]:
    """The settings of a run as its folder has them, with the built-in model."""
    base = {"model.name": "tiny", "model.max_tokens": 512, "dataset.name": "arithmetic", "dataset.seed": 0}
    base |= {"sampling.temperature": 1.0, "sampling.top_p": 0.95, "sampling.top_k": -1, "sampling.min_p": 0.0}
    base |= {"tracking.name": "none", "engine.name": "vllm", "hydra.name": "x", "peers": 8, "seed": 0, "limit": 24}
    return base | more


def test_a_method_with_settings_of_its_own_is_labelled_without_being_known_here() -> None:
    own = labels(run(**RSA))
    assert {"method": "rsa", "population": 16, "rounds": 3, "share": "tail", "size": 64}.items() <= own.items()
    assert not {"budget", "shares", "stop", "_target_", "max_tokens", "limit"} & set(own)


def test_a_name_that_is_taken_is_told_in_full() -> None:
    """By a column of the rows, by a group, by the run, and by the sampling, whose name `temperature` is."""
    own = labels(run(**RSA))
    assert (own["method.path"], own["method.router"], own["method.seed"]) == ("x", "y", 5)
    assert (own["temperature"], own["method.temperature"]) == (1.0, 0.2)
    assert own["router"] is None and own["seed"] == 0 and "path" not in own
    own = labels(run(**{"router.name": "mine", "router.top_k": 3, "router.window": 1, "method.window": 2}))
    assert (own["top_k"], own["sampling.top_k"]) == (3, -1)
    assert (own["router.window"], own["method.window"]) == (1, 2) and "window" not in own


def test_a_group_of_the_users_own_is_a_label_and_where_a_run_was_decoded_is_none() -> None:
    own = labels(run(**{"schedule.name": "novelty", "schedule.step": 3, "answer.name": "short"}))
    assert own["schedule"] == "novelty" and own["answer.name"] == "short"
    assert not {"tracking", "engine", "hydra", "step", "answer"} & set(own)


def test_labels_of_several_runs_are_those_of_all_of_them_group_by_group() -> None:
    leap = run(**{"method.name": "leap", "method.interval": 64, "router.name": "dispersed", "router.top_k": 4})
    prefix = {"prefix.name": "bad", "prefix.fraction": 0.15}
    found = aligned([leap, run(**RSA, **prefix, **{"schedule.name": "novelty"})])
    assert [list(each) for each in found] == [list(found[0])] * 2
    order = [*("model", "dataset", "method", "interval", "population"), *("router", "top_k", "prompts", "temperature")]
    order += ["difficulty", "prefix", "fraction", "schedule", "peers", "seed"]
    assert [label for label in found[0] if label in order] == order
    assert (found[0]["population"], found[1]["interval"], found[1]["top_k"]) == (None, None, None)


def test_columns_of_a_new_method_stand_beside_its_rows(tmp_path: Path) -> None:
    method = {"name": "rsa", "max_tokens": 512, "rounds": 3, "blocks": 7}
    table = load([write_run(tmp_path, {"q": [["1"]]}, method=method), write_run(tmp_path, {"q": [["1"]]}, "dispersed")])
    assert list(table["rounds"]) == [3, None] and list(table["top_k"]) == [None, 4]
    assert list(table["method.blocks"]) == [7, None] and list(table["blocks"]) == [0, 0]


def test_runs_of_a_new_method_are_named_by_its_own_settings() -> None:
    runs = [run(**RSA | {"method.rounds": rounds, "peers": peers}) for peers in (8, 16) for rounds in (1, 2)]
    expected = [f"rsa rounds={rounds} peers={peers}" for peers in (8, 16) for rounds in (1, 2)]
    assert names_of(runs, ["a", "b", "c", "d"]) == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ([{"router.top_k": 2}, {"router.top_k": 4}], ["dispersed k=2", "dispersed k=4"]),
        (
            [{"method.interval": 64}, {"method.interval": 96}],
            ["dispersed k=4 interval=64", "dispersed k=4 interval=96"],
        ),
        ([{"method.name": "leap_s"}, {}], ["leap_s dispersed k=4", "leap dispersed k=4"]),
        ([{"router.name": "all", "router.top_k": None}, {}], ["router all", "dispersed k=4"]),
        ([{"router.name": None}, {}], ["leap", "dispersed k=4"]),
        (
            [{"router.similarity": "indel"}, {"router.similarity": "levenshtein"}],
            ["dispersed k=4 similarity=indel", "dispersed k=4 similarity=levenshtein"],
        ),
        ([{"sampling.top_k": 20}, {"sampling.top_k": -1}], [f"dispersed k=4 sampling.top_k={k}" for k in (20, -1)]),
        ([{"dataset.seed": 1}, {"dataset.seed": 2}], ["dispersed k=4 dataset.seed=1", "dispersed k=4 dataset.seed=2"]),
        ([{"method.helpers": 2}, {"method.helpers": None}], ["dispersed k=4 helpers=2", "dispersed k=4 helpers=None"]),
        ([{"limit": 4}, {"limit": 8}], ["dispersed k=4 id0", "dispersed k=4 id1"]),
        ([{"method._target_": "a.B"}, {"method._target_": "c.B"}], ["dispersed k=4 id0", "dispersed k=4 id1"]),
        ([{"comparison.budget": "path"}, {}], ["dispersed k=4 id0", "dispersed k=4 id1"]),
    ],
)
def test_runs_are_named_by_what_differs(settings: list[dict[str, Any]], expected: list[str]) -> None:
    base = {"model.name": "tiny", "method.name": "leap", "router.name": "dispersed", "router.top_k": 4, "peers": 8}
    assert names_of([base | each for each in settings], ["id0", "id1"]) == expected
