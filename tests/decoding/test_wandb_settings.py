"""What W&B is told: our settings, else its own variables, else what suits a sweep; and it never asks."""

import pathlib
from typing import Any

import pytest

from leap_lab.decoding import wandb_settings
from leap_lab.decoding.tracking import WandbTracker
from leap_lab.errors import UserError
from tests.decoding.trackers import FakeWandb, tell_everything

pytestmark = pytest.mark.usefixtures("no_key_and_no_home")

# The variables of W&B with the argument that each decides, a value, and what the argument then is.
VARIABLES = [
    ("PROJECT", "project", "theirs", "theirs"),
    ("ENTITY", "entity", "team", "team"),
    ("NAME", "name", "my run", "my run"),
    ("RUN_GROUP", "group", "my group", "my group"),
    ("TAGS", "tags", "a, b,", ["a", "b"]),
    ("DIR", "dir", "~/w", "{home}/w"),
    ("JOB_TYPE", "job_type", "night", "night"),
    ("MODE", "mode", "offline", "offline"),
]
SETTINGS = {"PROJECT": "project", "ENTITY": "entity", "NAME": "run_name", "RUN_GROUP": "group", "DIR": "dir"}


def told(folder: pathlib.Path, **settings: Any) -> dict[str, Any]:
    wandb = FakeWandb()
    tell_everything(WandbTracker(**settings, connect=wandb), folder)
    return dict(wandb.told["init"])


@pytest.mark.parametrize(("variable", "argument", "value", "expected"), VARIABLES)
def test_a_variable_decides_what_is_not_set(folder, monkeypatch, tmp_path, variable, argument, value, expected):
    before = told(folder)
    monkeypatch.setenv(f"WANDB_{variable}", value)
    after = told(folder)
    expected = expected.format(home=tmp_path) if isinstance(expected, str) else expected
    assert after == {**before, argument: expected}
    monkeypatch.setenv(f"WANDB_{variable}", "")
    assert told(folder) == before, "an empty variable is none"


@pytest.mark.parametrize("variable", SETTINGS)
def test_a_setting_of_ours_wins(folder, monkeypatch, tmp_path, variable):
    monkeypatch.setenv(f"WANDB_{variable}", str(tmp_path / "theirs"))
    key = SETTINGS[variable]
    assert told(folder, **{key: str(tmp_path / "ours")})[key.removeprefix("run_")] == str(tmp_path / "ours")


def test_tags_of_ours_win(folder, monkeypatch):
    monkeypatch.setenv("WANDB_TAGS", "theirs")
    assert told(folder, tags=["a", "b"])["tags"] == told(folder, tags="a,b")["tags"] == ["a", "b"]
    assert told(folder, tags=[])["tags"] is None


@pytest.mark.parametrize("variable", ["RUN_ID", "SWEEP_ID", "RESUME"])
def test_a_run_keeps_its_own_id(folder, monkeypatch, variable):
    monkeypatch.setenv(f"WANDB_{variable}", "theirs")
    found = told(folder)
    assert (found["id"], found["resume"]) == ("abc123", "allow")


@pytest.mark.parametrize(
    ("environment", "mode"),
    [
        ({}, "offline"),
        ({"API_KEY": "key"}, "online"),
        ({"IDENTITY_TOKEN_FILE": "file"}, "online"),
        ({"API_KEY": "key", "MODE": "offline"}, "offline"),
        ({"API_KEY": "key", "MODE": "dryrun"}, "offline"),
        ({"API_KEY": "key", "MODE": "run"}, "online"),
        ({"API_KEY": "key", "MODE": "shared"}, "shared"),
        ({"MODE": "disabled"}, "disabled"),
        *(({"API_KEY": "key", "DISABLED": value}, "disabled") for value in ("true", "1", "YES", "on")),
        *(({"API_KEY": "key", "DISABLED": value}, "online") for value in ("false", "0", "")),
        ({"MODE": "online", "DISABLED": "true"}, "disabled"),
    ],
)
def test_the_mode_is_that_of_the_environment(monkeypatch, environment, mode):
    for name, value in environment.items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    assert wandb_settings.mode_of("auto") == mode
    assert wandb_settings.mode_of("offline") == "offline", "ours wins"
    if "API_KEY" in environment:
        assert wandb_settings.mode_of("online") == "online"


@pytest.mark.parametrize("how", ["tracking.mode", "WANDB_MODE"])
def test_without_a_key_nobody_is_asked_for_one(monkeypatch, how):
    if how == "WANDB_MODE":
        monkeypatch.setenv("WANDB_MODE", "online")
    with pytest.raises(UserError, match=rf"^{how}=online: there is no key for W&B; set WANDB_API_KEY, .*offline$"):
        WandbTracker(mode="online" if how == "tracking.mode" else "auto")


def test_an_unknown_mode_is_refused(monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "on-line")
    with pytest.raises(UserError, match=r"^WANDB_MODE=on-line: must be one of online, offline, disabled, shared"):
        WandbTracker()


@pytest.mark.parametrize("variable", [("WANDB_MODE", "disabled"), ("WANDB_DISABLED", "true")])
def test_a_disabled_tracker_does_nothing_at_all(folder, monkeypatch, variable):
    monkeypatch.setenv(*variable)
    wandb, before = FakeWandb(), sorted(folder.parent.rglob("*"))
    tracker = WandbTracker(connect=wandb)
    tell_everything(tracker, folder)
    tracker.report("s1", folder.parent, {"trap": [["run"], ["leap"]]}, {})
    assert not wandb.calls and sorted(folder.parent.rglob("*")) == before


@pytest.mark.parametrize(
    ("address", "machine", "found"),
    [
        (None, "machine api.wandb.ai login u password k", True),
        (None, 'machine api.wandb.ai login u password ""', False),
        (None, "default login u password k", True),
        ("https://w.example.org", "machine api.wandb.ai login u password k", False),
        ("https://w.example.org", "machine w.example.org login u password k", True),
        ("http://localhost:8080", "machine localhost login u password k", False),
    ],
)
def test_a_key_counts_where_every_version_of_wandb_finds_it(monkeypatch, tmp_path, address, machine, found):
    (tmp_path / "mine").write_text(f"{machine}\n")
    monkeypatch.setenv("NETRC", "~/mine")
    if address:
        monkeypatch.setenv("WANDB_BASE_URL", address)
    assert wandb_settings.has_key() is found
