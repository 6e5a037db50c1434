"""`model.thinking` and `model.chat` of a configuration."""

import datetime

import pytest

from leap_lab.engines.chat import DATE, ChatSettings
from leap_lab.errors import UserError
from leap_lab.settings.chat import chat_identity, chat_settings
from leap_lab.settings.conf import CONF

NULLS = dict.fromkeys(["system", "template", "think_open", "think_close", "answer_open"])


def test_what_is_null_is_not_set_and_no_argument_of_the_template():
    assert chat_settings({}) == ChatSettings()
    assert chat_settings({"thinking": "auto", "chat": {**NULLS, "date": DATE}}) == ChatSettings()
    assert chat_settings({"chat": None}) == ChatSettings()
    assert chat_settings({"chat": {"reasoning_effort": None, "date": None}}) == ChatSettings()


def test_other_keys_are_arguments_of_the_template():
    found = chat_settings(
        {"chat": {**NULLS, "system": "Be brief.", "reasoning_effort": "low", "enable_thinking": False}}
    )
    assert found.system == "Be brief."
    assert found.arguments == {"reasoning_effort": "low", "enable_thinking": False}


@pytest.mark.parametrize(("given", "found"), [(True, "on"), (False, "off"), ("on", "on"), ("auto", "auto")])
def test_words_that_yaml_reads_as_booleans(given, found):
    assert chat_settings({"thinking": given}).thinking == found


def test_a_date_that_yaml_reads_as_one():
    assert chat_settings({"chat": {"date": datetime.date(2027, 2, 3)}}).date == "2027-02-03"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"thinking": "maybe"}, r"model\.thinking=maybe: must be auto or on or off"),
        ({"chat": "short"}, r"model\.chat=short: must be keys, as in model\.chat\.system=TEXT"),
        ({"chat": {"system": 3}}, r"model\.chat\.system=3: must be text that is not empty"),
        ({"chat": {"think_open": ""}}, r"model\.chat\.think_open=.*: must be text that is not empty"),
        ({"chat": {"date": "tomorrow"}}, r"model\.chat\.date=tomorrow: must be a date, as in 2026-01-01"),
        ({"chat": {"date": "2026-02-30"}}, r"model\.chat\.date=2026-02-30: must be a date"),
        ({"chat": {"date": 20260101}}, r"model\.chat\.date=20260101: must be a date"),
        ({"chat": {"date": "2026-W01-4"}}, r"model\.chat\.date=2026-W01-4: must be a date"),
        ({"chat": {"date": ""}}, r"model\.chat\.date=.*: must be text that is not empty"),
    ],
)
def test_wrong_settings_are_refused_in_one_line(model, message):
    with pytest.raises(UserError, match=message) as refused:
        chat_settings(model)
    assert "\n" not in str(refused.value)


def test_a_template_counts_by_its_content(tmp_path):
    one, two = tmp_path / "one.jinja", tmp_path / "two.jinja"
    one.write_text("{{ messages }}")
    two.write_text("{{ messages }}")
    same = [chat_identity(ChatSettings(template=str(file))) for file in (one, two)]
    assert same[0] == same[1]
    two.write_text("{{ messages }}.")
    assert chat_identity(ChatSettings(template=str(two))) != same[0]
    assert chat_identity(ChatSettings(template="plain"))["template"] == "plain"
    with pytest.raises(UserError, match=r"model\.chat\.template=\S+: .*must be a file, or plain"):
        chat_identity(ChatSettings(template=str(tmp_path / "none.jinja")))


def test_each_setting_is_part_of_the_identity():
    changed = [
        ChatSettings(),
        ChatSettings(thinking="off"),
        ChatSettings(system="Be brief."),
        ChatSettings(date="2026-01-02"),
        ChatSettings(think_open="<a>"),
        ChatSettings(think_close="</a>"),
        ChatSettings(answer_open="A:"),
        ChatSettings(arguments={"enable_thinking": True}),
    ]
    assert len({str(chat_identity(each)) for each in changed}) == len(changed)


def test_the_configuration_has_a_key_for_each_setting():
    text = (CONF / "config.yaml").read_text()
    for name in ("system", "template", "date", "think_open", "think_close", "answer_open"):
        assert f"\n    {name}: " in text
