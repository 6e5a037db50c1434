"""Objects made from settings: a text reaches them as it was meant, `${` and backslashes included."""

from functools import partial
from pathlib import Path

import pytest

from leap_lab.errors import UserError
from leap_lab.settings import compose, conf
from leap_lab.settings.arguments import Arguments
from leap_lab.settings.cell import Cell
from leap_lab.settings.datasets import Datasets
from leap_lab.settings.objects import instantiate

PATH = "pathlib.PurePosixPath"


@pytest.mark.parametrize(
    "text", ["${x}", r"\${x}", "${", "$x$ and ${y:z}", r"\frac{1}{2} \\ ${", "${problem}$", "???", "a: {b}"]
)
def test_texts_are_not_read_again(text):
    node = {"_target_": "builtins.dict", "name": "label", "a": text, "b": [text], "c": {"d": text}}
    assert instantiate(node) == {"a": text, "b": [text], "c": {"d": text}}


def test_objects_are_made_at_any_depth():
    inner = {"_target_": PATH, "_args_": ["a", "b"]}
    made = instantiate({"_target_": "builtins.dict", "one": inner, "more": [inner, {"deep": inner}]}, extra=[inner])
    path = Path("a/b")
    assert made == {"one": path, "more": [path, {"deep": path}], "extra": [inner]}
    assert isinstance(instantiate({"_target_": PATH, "_partial_": True}), partial)


def test_an_address_that_cannot_be_imported_is_named():
    with pytest.raises(UserError, match=r"^_target_=no\.such\.Thing: cannot be imported"):
        instantiate({"_target_": "builtins.dict", "part": {"_target_": "no.such.Thing"}})


def cell(*overrides: str) -> Cell:
    with conf.opened(), compose.one_line_errors():
        return compose.composed(Arguments.read(overrides).overrides, Datasets())


def test_a_prompt_may_hold_the_characters_of_a_reference():
    found = cell(r"prompts.math='{explanation} {problem} costs \${{x}} and \${problem}$'")
    assert found.method().prompts.math == "{explanation} {problem} costs ${{x}} and ${problem}$"
    assert found.config["prompts"]["math"] == found.recorded["prompts"]["math"] == found.method().prompts.math
    assert found.run_id != cell().run_id


@pytest.mark.parametrize("text", ["${x}", "${", "${}", "${5}", "${a b}", "${a:b}", "${problem}$", "${x:"])
@pytest.mark.parametrize("multirun", [False, True])
def test_one_that_stands_for_nothing_is_one_line_with_the_way_out(text, multirun):
    given = f"prompts.math='{{explanation}} {{problem}} {text}'"
    with pytest.raises(UserError) as refused:
        compose.plan(Arguments.read([*(["-m"] if multirun else []), given, "engine=scripted", "tracking=none"]))
    message = str(refused.value)
    assert "prompts.math" in message and r"\${" in message and "\n" not in message, message


def test_a_reference_that_stands_for_something_is_followed():
    assert cell("prompts.head='{example} ${model.name}'").config["prompts"]["head"] == "{example} tiny"
