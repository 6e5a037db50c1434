"""What the paper reports (arXiv 2505.07787), for figures that show it beside what was measured here."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def published() -> Mapping[str, Any]:
    """The numbers of `published.yaml`, which says what each of them is and where the paper has it."""
    text = Path(__file__).with_name("published.yaml").read_text(encoding="utf-8")
    numbers: dict[str, Any] = yaml.safe_load(text)
    return numbers
