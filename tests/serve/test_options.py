"""The endpoint's own settings: told, checked, and apart from those of a run."""

import inspect
import re
from pathlib import Path

import pytest

from leap_lab import cli
from leap_lab.engines.server import ServerSettings
from leap_lab.errors import UserError
from leap_lab.serve.__main__ import main
from leap_lab.serve.options import Options, divided

DOCS = Path(__file__).parents[2] / "docs"


def test_every_option_is_told_with_its_default(capsys):
    assert main(["--help"]) == 0
    usage, page = capsys.readouterr().out, (DOCS / "serve.md").read_text()
    for name, field in Options.__dataclass_fields__.items():
        shown = {None: "null", False: "false"}.get(field.default, str(field.default))
        assert re.search(rf"(serve\.)?{name}=", usage), name
        assert re.search(rf"^\| `serve\.{name}`.*\| `?{re.escape(shown)}`? \|", page, re.MULTILINE), name


def test_every_setting_of_servers_is_told_with_its_default():
    page = (DOCS / "servers.md").read_text()
    for name, given in inspect.signature(ServerSettings).parameters.items():
        if given.default is not inspect.Parameter.empty:
            shown = "null" if given.default is None else str(given.default)
            assert re.search(rf"^\| `engine\.{name}` \| `?{shown}`? \|", page, re.MULTILINE), name


def test_options_are_taken_out_of_a_command_line():
    options, rest = divided(["model=tiny", "port=9000", "serve.keep=true", "method.interval=32", "serve.host=0.0.0.0"])
    assert options == Options(port=9000, keep=True, host="0.0.0.0")
    assert rest == ["model=tiny", "method.interval=32"]


BAD = {
    "port=70000": "serve.port=70000: must be an integer from 0 to 65535",
    "serve.queue=-1": "serve.queue=-1: must be",
    "serve.keep=2": "serve.keep=2: must be true or false",
    "serve.colour=red": "serve.colour: no such key",
    "port=1,2": "one value is needed",
    "serve.key_variable=sk-1": "must be the name of an environment variable",
}


@pytest.mark.parametrize("bad, message", BAD.items())
def test_a_bad_option_is_refused_in_one_line(bad, message):
    with pytest.raises(UserError, match=re.escape(message)):
        divided([bad])


COMMANDS = {
    "-m": "not for leap_lab.serve",
    "--cfg": "not for leap_lab.serve",
    "peers=2,3": "several values are a sweep",
    "peers=4096": "peers=4096: must be at most 64",
    "difficulty=hard": "an endpoint has none",
    "method=psychic": "no such choice",
}


@pytest.mark.parametrize("bad, message", COMMANDS.items())
def test_a_command_that_cannot_be_served_ends_in_one_line(capsys, bad, message):
    assert cli.main(["serve", "engine=scripted", bad]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1
