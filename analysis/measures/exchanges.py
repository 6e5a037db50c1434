"""LeaP blocks as a table: what a path answered before and after each, and what the peers it heard answered before."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from leap_lab.errors import UserError

from ..load import load
from .probes import ALLOWED, KEY, blocks_of, probes_of

INFLUENCED, UNAFFECTED, CONSISTENT, STRAYED = TYPES = ("influenced", "unaffected", "consistent", "strayed")
COLUMNS = ("type", "strict_type", "adopted", "similarity", "unlike", "unlike_live", "right_peer")
NOBODY: Mapping[str, Any] = {"peers": (), "similarity": ()}
Said = tuple[str | None, bool]  # the name of an answer, None without one; whether it is right
Live = dict[int, Said]  # by path


def exchanges(folder: str | Path) -> pd.DataFrame:
    """A row a block that a path took. `UserError` when there is none whose type can be told.

    Columns: question, group, path, turn; `before`, `after`: whether right; `type` and `strict_type`: of `TYPES` or
    None, with ties as in `type_of`; `adopted`: whether the answer after is one that it heard; `similarity`: mean to the
    peers it heard; `unlike` and `unlike_live`: of the peers it heard, and of all it could have heard, the share that
    answered otherwise; `right_peer`: 1.0 if one it heard was right, 0.0 if none was. nan: not known.
    """
    table = exchanges_of(folder, probes_of(folder))
    if table["type"].isna().all():
        raise UserError(f"{folder}: no block at which a path and a peer it heard answered; {ALLOWED} and a router")
    return table


def exchanges_of(folder: str | Path, probes: pd.DataFrame) -> pd.DataFrame:
    """The same from the probes of this run, also where nothing can be told."""
    blocks, live, routes = blocks_of(probes), _live(probes), _routes(folder)
    rows = [_exchange(block, live, routes) for block in blocks.to_dict("records")]
    return pd.concat([blocks, pd.DataFrame(rows, columns=list(COLUMNS), index=blocks.index)], axis=1)


def type_of(before: str | None, after: str | None, heard: Sequence[str | None], ties_agree: bool = True) -> str | None:
    """The type of one communication by its answers (as `votes.named` names them); None where it cannot be told.

    The majority is the most common answer of the heard peers that answered. Where several are equally common a path
    with one of them agrees or, without `ties_agree`, disagrees.
    """
    counts = Counter(answer for answer in heard if answer is not None)
    if before is None or after is None or not counts:
        return None
    most = [answer for answer, count in counts.items() if count == max(counts.values())]
    if before in most and (ties_agree or len(most) == 1):
        return CONSISTENT if after == before else STRAYED
    return UNAFFECTED if after == before else INFLUENCED


def _live(probes: pd.DataFrame) -> dict[tuple[Any, ...], Live]:
    """By question, group and turn: what every path that was there would have answered before the block."""
    found: dict[tuple[Any, ...], Live] = {}
    columns = ["question_id", "group", "turn", "path", "said", "right"]
    for *place, path, said, right in probes.loc[probes["phase"] == "before", columns].itertuples(
        index=False, name=None
    ):
        found.setdefault(tuple(place), {})[path] = (said, right)
    return found


def _routes(folder: str | Path) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    """By question, group, path and turn: the route, with peers and similarity."""
    paths = load([folder], columns=(*KEY, "routes"))
    columns = (paths[name] for name in (*KEY, "routes"))
    return {(*key, route["turn"]): route for *key, routes in zip(*columns, strict=True) for route in routes}


def _exchange(
    block: Mapping[Any, Any], live: Mapping[tuple[Any, ...], Live], routes: Mapping[tuple[Any, ...], Mapping[str, Any]]
) -> tuple[Any, ...]:
    """The `COLUMNS` of one block. A peer without a probe, such as a helper, counts as not heard."""
    question, group, path, turn = (block[name] for name in (*KEY, "turn"))
    before, after = block["said_before"], block["said_after"]
    present = live[question, group, turn]
    route = routes.get((question, group, path, turn), NOBODY)
    heard = [present[peer] for peer in route["peers"] if peer in present]
    said = [answer for answer, _ in heard]
    others = [answer for peer, (answer, _) in present.items() if peer != path]
    return (
        type_of(before, after, said),
        type_of(before, after, said, ties_agree=False),
        after is not None and after in said,
        float(np.mean(route["similarity"])) if len(route["similarity"]) else np.nan,
        _unlike(before, said),
        _unlike(before, others),
        float(any(right for _, right in heard)) if heard else np.nan,
    )


def _unlike(own: str | None, others: Sequence[str | None]) -> float:
    """Of those that answered the share that answered otherwise; nan without an answer on either side."""
    answered = [answer for answer in others if answer is not None]
    return float(np.mean([answer != own for answer in answered])) if answered and own is not None else np.nan
