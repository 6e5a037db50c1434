"""What the experiments on one setting vary: where a run stands on the axis, and the paper's gains there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..drawing.curves import Marks
from .published import published

Settings = Mapping[str, Any]


def _relative(key: str, own: str) -> Callable[[Settings], float | None]:
    """A setting as a multiple of the model's own; None for a run without either."""
    return lambda found: round(found[key] / found[own], 4) if found.get(key) and found.get(own) else None


@dataclass(frozen=True)
class Axis:
    """What an experiment varies: its name on the x axis, where it stands, and the published gains.

    `keys` are the settings that it varies. Runs that differ in another one as well stand on different lines.
    """

    name: str
    keys: tuple[str, ...]
    place: Callable[[Settings], float | None]
    marks: Callable[[], list[Marks]]


def _gains(series: Mapping[str, Mapping[float, float]], bases: Mapping[str, float], unit: float) -> list[Marks]:
    return [
        Marks(model, [(place / unit, value - bases[model]) for place, value in values.items()])
        for model, values in series.items()
    ]


def _granularity_marks() -> list[Marks]:
    told = published()["granularity"]
    return _gains({m: each["T"] for m, each in told.items()}, {m: each["baseline"] for m, each in told.items()}, 4096)


def _top_k_marks() -> list[Marks]:
    told = published()["top_k"]["R1-14B"]
    return _gains({"R1-14B": {1: told["k1"], told["peak_k"]: told["peak"]}}, {"R1-14B": told["baseline"]}, 1)


def _position_marks() -> list[Marks]:
    told = published()["single_position"]["R1-14B"]
    places = {place: value for place, value in told.items() if not isinstance(place, str)}
    return _gains({"R1-14B": places}, {"R1-14B": told["none"]}, 4096)


def _helpers_marks() -> list[Marks]:
    told, base = published()["single_k"], published()["pass_at_1"]["aime_2024"]["R1-14B"]["baseline"]
    series: dict[str, dict[float, float]] = {
        f"R1-14B {name}": {k: each[f"k{k}"] for k in (2, 4, 8)} for name, each in told.items()
    }
    return _gains(series, dict.fromkeys(series, base), 1)


AXES = {
    "granularity": Axis(
        "T, multiples of the model's",
        ("method.interval",),
        _relative("method.interval", "model.interval"),
        _granularity_marks,
    ),
    "top_k": Axis("k, peers heard", ("router.top_k",), lambda found: found.get("router.top_k"), _top_k_marks),
    "position": Axis(
        "position of the block, multiples of T",
        ("method.position",),
        _relative("method.position", "model.interval"),
        _position_marks,
    ),
    "single": Axis(
        "k, helpers that stop at the block",
        ("method.helpers", "peers"),  # the paths that go on stay as many
        lambda found: found.get("method.helpers"),
        _helpers_marks,
    ),
    "temperature": Axis(
        "temperature, multiples of the model's",
        ("sampling.temperature",),
        _relative("sampling.temperature", "model.sampling.temperature"),
        list,
    ),
}

TITLES = {
    "granularity": ("How often paths exchange", "Figures 7 and 28"),
    "top_k": ("How many peers a path hears", "Figure 8"),
    "position": ("A single block, by its position", "Figures 10 and 29"),
    "single": ("One path with helpers that stop at the block", "Tables 3 and 4"),
    "temperature": ("Sampling temperature", "Figure 27"),
}
