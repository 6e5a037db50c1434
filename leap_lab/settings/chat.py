"""`model.thinking` and `model.chat` of a configuration, checked, and as part of a run's identity."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import date
from typing import Any

from leap_lab import checks, home
from leap_lab.engines.chat import DATE, ChatSettings
from leap_lab.errors import UserError

OWN = {field.name for field in fields(ChatSettings)} - {"thinking", "arguments"}  # any other key is the template's


def chat_settings(model: Mapping[str, Any]) -> ChatSettings:
    """The settings of a model node; `UserError` names the first that is wrong."""
    thinking, chat = model.get("thinking", "auto"), model.get("chat") or {}
    if not isinstance(chat, Mapping):
        raise UserError(f"model.chat={checks.shown(chat)}: must be keys, as in model.chat.system=TEXT")
    given = {str(key): value for key, value in chat.items() if value is not None}  # null: as if it were not there
    thinking = {True: "on", False: "off"}.get(thinking, thinking)  # YAML reads these words as booleans
    checks.one_of("model.thinking", thinking, ("auto", "on", "off"))
    own = {key: given.pop(key) for key in OWN & given.keys()}
    own["date"] = str(own.get("date", DATE))  # YAML reads some ways to write one as a number
    for key, value in own.items():
        checks.text(f"model.chat.{key}", value, "text that is not empty")
    _check_date(own["date"])
    return ChatSettings(thinking=thinking, arguments=given, **own)


def _check_date(day: str) -> None:
    """One way to write a date, so that the same day is the same run."""
    try:
        written = date.fromisoformat(day).isoformat()
    except ValueError:
        written = ""
    if written != day:
        raise UserError(f"model.chat.date={day}: must be a date, as in {DATE}")


def chat_identity(settings: ChatSettings) -> dict[str, Any]:
    """What decides how a prompt is rendered; a template of a file by its content. `UserError` where there is none."""
    identity = asdict(settings)
    if settings.template not in (None, "plain"):
        try:
            content = home.path(str(settings.template)).read_bytes()
        except OSError as error:
            raise UserError(
                f"model.chat.template={settings.template}: {error.strerror}; must be a file, or plain"
            ) from error
        identity["template"] = hashlib.sha256(content).hexdigest()[:16]
    return identity
