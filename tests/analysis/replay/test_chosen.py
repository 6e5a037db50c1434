"""From a command line to policies."""

import inspect
import re
from pathlib import Path

import pytest

from analysis.replay import policies
from analysis.replay.chosen import BUILT_IN, chosen
from analysis.replay.view import play
from leap_lab.errors import UserError
from tests.analysis.replay.known import record
from tests.analysis.replay.test_view import check_it_does_not_see_the_future

MINE = """
limit = 3

def first(group, patience: int = 1):
    "The answer of the path that ends first."
    group.start()
    for _ in range(patience):
        group.next_end()
    return group.votes()
"""


def test_names_lists_and_all() -> None:
    assert [each.name for each in chosen("all")] == list(BUILT_IN)
    assert [each.name for each in chosen("short, majority,short")] == ["short", "majority"]
    assert [each.name for each in chosen("oracle,all")][:2] == ["oracle", "majority"]
    assert [each.name for each in chosen("all") if each.best] == ["oracle"]
    assert chosen("short")[0].decide is policies.short


def test_settings_are_part_of_the_name() -> None:
    of = record([10, 20, 30], [1, 2, 2])
    one, two = chosen("short:m=1,short:m=2")
    assert (one.name, two.name) == ("short:m=1", "short:m=2")
    assert [play(each.decide, of, range(3), 3).critical_path for each in (one, two)] == [10, 20]
    [both] = chosen("deepconf:keep=0.5:score=bottom")
    assert both.decide.keywords == {"keep": 0.5, "score": "bottom"}  # type: ignore[attr-defined]


def test_the_policy_of_the_docs_runs_and_does_not_see_the_future(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[3] / "docs" / "replay.md").read_text()
    [text] = re.findall(r'^```python title="my_policies.py"\n(.*?)^```$', page, re.M | re.S)
    (tmp_path / "docs_policies.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    [patient] = chosen("docs_policies.patient:lead=2")
    assert play(patient.decide, record([10, 20, 30, 40], [1, 2, 1, 1]), range(4), 4).critical_path == 40
    assert play(patient.decide, record([10, 20, 30, 40], [1, 1, 2, 1]), range(4), 4).critical_path == 20
    check_it_does_not_see_the_future(patient.decide)


def test_every_policy_and_setting_stands_in_the_docs() -> None:
    page = (Path(__file__).parents[3] / "docs" / "replay.md").read_text()
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    for policy in policies.ALL:
        name = policy.__name__  # type: ignore[attr-defined]
        settings = list(inspect.signature(policy).parameters.values())[1:]
        assert all(f"`{each.name}={each.default}`" in rows[name] for each in settings), name


def test_a_policy_of_ones_own_is_named_by_its_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_policies.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)
    own, patient = chosen("my_policies.first,my_policies.first:patience=2")
    of = record([10, 20, 30], [1, 2, 2])
    assert [play(each.decide, of, range(3), 3).critical_path for each in (own, patient)] == [10, 20]
    with pytest.raises(UserError, match=r"policy my_policies.limit: not a function"):
        chosen("my_policies.limit")
    with pytest.raises(UserError, match=r"policy my_policies.second: cannot be imported \(.*second"):
        chosen("my_policies.second")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("vote", "policy vote: no such policy; allowed are all, majority, .*, oracle, and addresses such as my_module"),
        ("", "policy : no such policy"),
        ("majority,,asc", "policy : no such policy"),
        ("no_such_module.policy", r"policy no_such_module.policy: cannot be imported \(No module named"),
        ("short:k=1", "policy short:k=1: no setting k; allowed are m"),
        ("short:", "policy short:: no setting ; allowed are m"),
        ("majority:m=1", "policy majority:m=1: no setting m; it has none"),
        ("short:m=two", "policy short:m=two: m=two: must be an integer"),
        ("asc:threshold=high", "must be a number"),
    ],
)
def test_what_is_no_policy_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        chosen(text)
    assert "\n" not in str(caught.value)
