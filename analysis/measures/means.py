"""Means over data sets: one more row for every setting that several data sets were asked with, each with equal weight.

A mean has an interval and a p (`stats.equal_weights`) and no verdict: bounds that hold whatever rare questions do are
known for questions of one kind, not for a mean over several.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ..labels import labels, names_of
from ..stats import equal_weights
from .compare import Row
from .contrasts import Against
from .shared import determining

APART = ("dataset", "seed")  # groups of keys that rows of one mean may differ in


def means(rows: Sequence[Row]) -> list[Row]:
    """A mean row for each setting with rows of several data sets, in the order of the first of these."""
    alike: dict[str, list[Row]] = {}
    for row in rows:
        own = {**determining(row.settings, APART), "engine.name": row.settings.get("engine.name")}
        alike.setdefault(repr(sorted(own.items())), []).append(row)
    found = [own for own in alike.values() if len(own) > 1 and len({data_set(row) for row in own}) == len(own)]
    kept = [_settings(own) for own in found]
    names = names_of(kept, [own[0].run_id for own in found])
    return [_mean(own, name, of) for own, name, of in zip(found, names, kept, strict=True)]


def data_set(row: Row) -> str:
    """All that says which data set a row is of."""
    return repr(sorted((k, str(v)) for k, v in determining(row.settings).items() if k.startswith("dataset.")))


def _settings(rows: Sequence[Row]) -> dict[str, Any]:
    """What the rows have in common."""
    own = {key: value for key, value in rows[0].settings.items() if not key.startswith("dataset.")}
    return {**own, "dataset.name": f"mean of {len(rows)}", "seed": None}


def _mean(rows: Sequence[Row], name: str, settings: Mapping[str, Any]) -> Row:
    estimates = [key for key in rows[0].estimates if all(key in row.estimates for row in rows)]
    found = sum(row.found for row in rows)
    return Row(
        run_ids=tuple(run for row in rows for run in row.run_ids),
        name=f"{name}, mean of {len(rows)} data sets",
        labels=labels(settings),
        questions=sum(row.questions for row in rows),
        groups=max(row.groups for row in rows),
        paths=rows[0].paths,
        found=found,
        asked=found,  # what is missing, the rows of the data sets say
        estimates={key: equal_weights.mean([row.estimates[key] for row in rows]) for key in estimates},
        against=_against([row.against for row in rows]),
        others=_by_metric([row.others for row in rows]),
        over_control=_by_metric([row.over_control for row in rows]),
        these=rows[0].these,
        seeds=tuple(dict.fromkeys(seed for row in rows for seed in row.seeds)),
        data_sets=tuple(str(row.labels["dataset"]) for row in rows),
        settings=settings,
    )


def _by_metric(found: Sequence[Mapping[str, Against]]) -> dict[str, Against]:
    names = [name for name in found[0] if all(name in own for own in found)]
    return {name: mean for name in names if (mean := _against([own[name] for own in found])) is not None}


def _against(found: Sequence[Against | None]) -> Against | None:
    """The mean of one comparison over data sets; None where one has none."""
    there = [each for each in found if each is not None]
    if len(there) < len(found):
        return None
    these = there[0].these
    return Against(
        difference=equal_weights.mean([each.difference for each in there]),
        p=None if these else equal_weights.p_of([each.by_question for each in there]),
        by_question=tuple(value for each in there for value in each.by_question),
        these=these,
    )
