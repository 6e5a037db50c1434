"""What judges said of answers that grading rejected: judged.json of a run folder, apart from every grade."""

import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

from leap_lab.files import read_json, write_json

NAME = "judged.json"
SAID = ("yes", "no", "unclear")  # whether an answer is the right one; unclear: not one plain yes or no
KEY = ("question_id", "group", "path", "answer")  # what a verdict is of; `gold` is the right answer it was held against


def read(folder: pathlib.Path) -> dict[str, dict[str, Any]]:
    """By the id of a judge what it is (`judge`) and its `verdicts`; empty where nobody judged."""
    found: dict[str, dict[str, Any]] = read_json(folder / NAME)
    return found


def write(folder: pathlib.Path, judge_id: str, judge: Mapping[str, Any], verdicts: Iterable[Mapping[str, Any]]) -> None:
    """Replace what this judge said, and leave what others did."""
    write_json(folder / NAME, {**read(folder), judge_id: {"judge": dict(judge), "verdicts": list(verdicts)}})
