"""What stands on a command line: `~` for the home folder wherever a path may stand, and texts that stay as they are."""

from pathlib import Path

import pytest

from leap_lab.errors import UserError
from leap_lab.settings import compose, conf
from leap_lab.settings.arguments import Arguments, parsed, prepared, quoted
from leap_lab.settings.cell import Cell
from leap_lab.settings.datasets import Datasets
from leap_lab.settings.rules import resolve

LOCAL = ("dataset=local", "model=local")
KEYS = ("runs_dir", "dataset.path", "model.path", "model.lora", "model.chat.template", "tracking.dir")
KEYS += ("engine.download_dir", "engine.tokenizer")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder whose name is no word of Hydra's grammar."""
    place = tmp_path / "José's (home), 2"
    place.mkdir()
    monkeypatch.setenv("HOME", str(place))
    return place


def settings(*overrides: str) -> dict:
    with conf.opened(), compose.one_line_errors():
        given = [*LOCAL, "dataset.path=q.jsonl", "model.path=m", *overrides]
        return resolve(conf.compose(Arguments.read(given).overrides))


def value(found: dict, key: str):
    for part in key.split("."):
        found = found[part]
    return found


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("written", ["~/a/b-1.x", "~", "'~/a/b-1.x'", '"~/a/b-1.x"', "~/été/b c.x", "~/${peers}/b"])
def test_the_home_folder_may_stand_in_every_setting_that_is_a_path(key, written, home):
    meant = written.strip("'\"").replace("${peers}", "16")
    assert value(settings(f"{key}={written}"), key) == str(home) + meant.removeprefix("~")


def test_values_of_settings_files_are_expanded_too(home):
    found = settings("+dataset.files=[~/a,~/b,c]", "+dataset.more={one:~/a,two:'~/b',three:'a~b'}")["dataset"]
    assert found["files"] == [f"{home}/a", f"{home}/b", "c"]
    assert found["more"] == {"one": f"{home}/a", "two": f"{home}/b", "three": "a~b"}


def test_every_value_of_a_sweep_may_begin_with_it():
    given = Arguments.read(["-m", "dataset.path=~/a.jsonl, ~/b.jsonl,c.jsonl"])
    assert [values[0].partition("=")[2] for values in map(list, compose.combinations(given.overrides))] == [
        "'~/a.jsonl'",
        "'~/b.jsonl'",
        "c.jsonl",
    ]


@pytest.mark.parametrize(
    "override",
    ["~router", "~router=random", "peers=4", "prompts.head='it is ~/a, ~/b and {example}'", 'model.path="a,~/b"'],
)
def test_anything_else_stays_as_it_was_written(override):
    assert prepared(override) == override


def test_words_are_no_paths():
    assert settings("prompts.head='~/ {example}'")["prompts"]["head"] == "~/ {example}"


def test_folders_of_settings_may_be_at_home(home):
    (home / "conf" / "router").mkdir(parents=True)
    (home / "conf" / "router" / "mine.yaml").write_text("_target_: leap_lab.routing.All\nname: mine\n")
    for flag in ("--config-dir=~/conf", "hydra.searchpath=[~/conf]", "hydra.searchpath=[file://~/conf]"):
        arguments = Arguments.read([flag])
        with conf.opened(arguments.search):
            assert "mine" in conf.choices("router"), flag
            assert conf.compose(["router=mine", *arguments.overrides])["router"]["name"] == "mine"
        assert all("~" not in place for place in arguments.folders)


def test_a_user_who_does_not_exist_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"dataset\.path=~nobody-here/q\.jsonl: no such file"):
        cell("dataset.path=~nobody-here/q.jsonl").questions()


def cell(*overrides: str) -> Cell:
    with conf.opened():
        return compose.composed(Arguments.read(["dataset=local", *overrides]).overrides, Datasets())


@pytest.mark.parametrize("text", ["a", "it's", "\\", "a\\'b", "a\\\\", "é (1), {x}: [y]=z", "'", "", '"'])
def test_a_quoted_text_is_taken_literally(text):
    assert parsed(f"key={quoted(text)}").value() == text


def test_hydras_own_settings_may_be_referred_to(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "q.jsonl").write_text('{"problem": "1+1?", "answer": "2"}\n')
    found = cell("dataset.path=${hydra:runtime.cwd}/q.jsonl", "runs_dir=x")
    assert found.config["dataset"]["path"] == f"{tmp_path}/q.jsonl" and len(found.questions()) == 1
    assert cell("dataset.path=${hydra:run.dir}", "runs_dir=x").config["dataset"]["path"] == "x/.hydra"
    assert cell("dataset.path=\\${hydra:run.dir}").config["dataset"]["path"] == "${hydra:run.dir}"


@pytest.mark.parametrize("name", ["job.num", "runtime.output_dir", "no.such.key"])
def test_what_hydra_does_not_know_yet_is_named(name):
    with pytest.raises(UserError, match=rf"^dataset\.path: \$\{{hydra:{name}\}} is not known"):
        cell(f"dataset.path=${{hydra:{name}}}/q.jsonl")


def test_a_surrounding_program_of_hydras_keeps_its_own(monkeypatch):
    from hydra.core.hydra_config import HydraConfig

    monkeypatch.setattr(HydraConfig.instance(), "cfg", "theirs")
    cell("dataset.path=q")
    assert HydraConfig.instance().cfg == "theirs"


@pytest.mark.parametrize("key", ["hydra.sweeper.params.peers", "hydra.sweeper.params"])
@pytest.mark.parametrize("sign", ["", "+", "++"])
@pytest.mark.parametrize("multirun", [True, False])
def test_parameters_for_hydras_sweeper_are_one_line(key, sign, multirun):
    given = "2,4" if key.endswith("peers") else "{peers:'2,4'}"
    with pytest.raises(UserError) as refused:
        compose.plan(Arguments.read([*(["-m"] if multirun else []), f"{sign}{key}={given}", "engine=scripted"]))
    assert str(refused.value).startswith("hydra.sweeper.params") and "\n" not in str(refused.value)
