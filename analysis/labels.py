"""What a run is called: its settings as labels, and a name made of what differs between runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from leap_lab.runs.groupfile import SCHEMA

Settings = Mapping[str, Any]  # of a run, by dotted keys (`runs.reading.settings`)

# Groups of the configuration in the order in which their labels are told; others of the user's own come after these.
GROUPS = ("model", "dataset", "method", "router", "prompts", "sampling", "difficulty", "prefix")
DETAILED = ("method", "router", "sampling", "prefix")  # groups of which all keys are labels, not the name alone
RUN = ("peers", "seed")  # keys in no group
OWNERS = {"temperature": "sampling", "top_p": "sampling", "min_p": "sampling", "top_k": "router"}
NO_GROUPS = ("tracking", "hydra", "engine", "reference", "experiment", "comparison")  # where, how and what for it ran
HOW_MUCH = ("runs_dir", "limit", "groups", "baseline", "concurrency", "dataset.limit", "dataset.few")
DEFAULT_METHOD = "leap"  # what a router alone stands for in a name


def labels(settings: Settings) -> dict[str, Any]:
    """The settings of a run as labels: single values by short names, in the order in which names of runs tell them.

    The label of a group is its choice: `method` is `method.name`, None where the run has no such group. The keys of
    `DETAILED` groups go by their last part, such as `interval`, unless that is taken: by a column of the rows, by a
    group, by another key of the run, or by its owner in `OWNERS`. Then the label is the whole key, `sampling.top_k`.
    """
    return {label: settings.get(key) for label, key in label_keys(settings).items()}


def aligned(runs: Sequence[Settings]) -> list[dict[str, Any]]:
    """The labels of several runs, every run with the labels of all: None where it has no such setting."""
    keys = {label: key for run in runs for label, key in label_keys(run).items()}
    groups = list(dict.fromkeys([*GROUPS, *(key.partition(".")[0] for key in keys.values() if key not in RUN), *RUN]))
    ordered = sorted(keys, key=lambda label: groups.index(keys[label].partition(".")[0]))
    own = [labels(run) for run in runs]
    return [{label: each.get(label) for label in ordered} for each in own]


def label_keys(settings: Settings) -> dict[str, str]:
    """The labels of a run, each with its key, in order."""
    named = [key.removesuffix(".name") for key in settings if key.count(".") == 1 and key.endswith(".name")]
    groups = [*GROUPS, *(group for group in named if group not in (*GROUPS, *NO_GROUPS))]
    choices = {f"{group}.name": group for group in groups if group != "sampling"}
    details = [key for key in settings if key.partition(".")[0] in DETAILED and _is_label(key, settings[key])]
    short = {key: key.removesuffix(".name").rpartition(".")[2] for key in details if key not in choices}
    taken = [*choices.values(), *RUN, *SCHEMA.names, "flops", *short.values()]
    found: dict[str, str] = {}
    for group in groups:
        if (key := f"{group}.name") in choices:
            found[key if group in SCHEMA.names else group] = key
        own = {key: name for key, name in short.items() if key.startswith(f"{group}.")}
        for key, name in own.items():
            free = taken.count(name) == 1 if name not in OWNERS else OWNERS[name] == group
            found[name if free else key] = key
    return found | {key: key for key in RUN}


def _is_label(key: str, value: Any) -> bool:
    """Whether a key of a detailed group is a setting with a single value."""
    return not key.endswith("._target_") and not isinstance(value, list | Mapping)


def names_of(runs: Sequence[Settings], run_ids: Sequence[str]) -> list[str]:
    """What tells runs apart, in words: router and k or else the method, and any other label that differs.

    Where that leaves several runs with one name, they also get the other settings that differ, or else their ids.
    """
    own = [labels(run) for run in runs]
    routed = {label["method"] for label in own if label["router"] is not None}
    rest = dict.fromkeys(key for label in own for key in label if key not in ("method", "router", "top_k"))
    differing = {key for key in rest if _names({label.get(key) for label in own} - {None})}
    names = [_name(label, routed != {DEFAULT_METHOD}, differing) for label in own]
    return [
        name if names.count(name) == 1 else _told_apart(index, names, runs, run_ids) for index, name in enumerate(names)
    ]


def _names(values: set[Any]) -> bool:
    """Whether these values of a setting tell runs apart in a name; wordings, of several lines, do not."""
    return len(values) > 1 and not any("\n" in str(value) for value in values)


def _name(label: Mapping[str, Any], with_method: bool, differing: set[str]) -> str:
    router, k = label["router"], label.get("top_k")
    words = [str(label["method"])] if router is None or with_method else []
    if router is not None:
        words += [f"router {router}"] if k is None else [f"{router} k={k}"]
    words += [f"{key}={value}" for key, value in label.items() if key in differing and value is not None]
    return " ".join(words)


def _told_apart(index: int, names: Sequence[str], runs: Sequence[Settings], run_ids: Sequence[str]) -> str:
    """A name with all other settings that differ among runs of that name; with the run's id if none does."""
    alike = [run for run, name in zip(runs, names, strict=True) if name == names[index]]
    short = {key: label for label, key in label_keys(runs[index]).items()}
    keys = [key for key in runs[index] if _tells(key) and len({str(run.get(key)) for run in alike}) > 1]
    words = [f"{short.get(key, key)}={runs[index][key]}" for key in keys]
    return " ".join([names[index], *(words or [run_ids[index]])])


def _tells(key: str) -> bool:
    """Whether a key may tell runs apart: nothing of how much was asked for, where it went, or where code lies."""
    return key not in HOW_MUCH and not key.startswith(("tracking.", "hydra.", "comparison.")) and "_target_" not in key
