"""Commits of hub repositories: what the hub says or, where it cannot be reached, what the local cache holds."""

import re
from pathlib import Path
from typing import Literal

from leap_lab.errors import one_line

Kind = Literal["model", "dataset"]
COMMIT = re.compile(r"[0-9a-f]{40}")
SECONDS = 10.0  # to wait for the hub


class UnknownCommit(Exception):
    """Neither the hub nor the local cache knows the commit; the message says why."""


def commit_of(kind: Kind, repository: str, revision: str | None = None) -> str:
    """The commit that `revision` (a commit, branch or tag; None: the main branch) names now.

    A whole commit needs no network. The local cache is asked where the hub does not answer. Raises `UnknownCommit`.
    """
    if revision and COMMIT.fullmatch(revision):
        return revision
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RevisionNotFoundError

    try:
        commit = HfApi().repo_info(repository, repo_type=kind, revision=revision, timeout=SECONDS).sha
        reason = "the hub names none"
    except RevisionNotFoundError as error:
        raise UnknownCommit(f"the hub has no revision {revision}") from error
    except Exception as error:  # no network, no access, no such repository: the cache may still know
        commit, reason = None, one_line(error).split(". ")[0][:160]
    commit = commit or cached_commit(kind, repository, revision)
    if commit is None:
        raise UnknownCommit(reason)
    return commit


def cached_commit(kind: Kind, repository: str, revision: str | None = None) -> str | None:
    """The commit in the local cache: what the branch or tag pointed to there or, without one, the only one there is."""
    from huggingface_hub.constants import HF_HUB_CACHE

    folder = Path(HF_HUB_CACHE) / "--".join([f"{kind}s", *repository.split("/")])
    pointer = folder / "refs" / (revision or "main")
    if pointer.is_file() and COMMIT.fullmatch(commit := pointer.read_text(encoding="utf-8").strip()):
        return commit
    snapshots = [each.name for each in (folder / "snapshots").glob("*") if COMMIT.fullmatch(each.name)]
    return snapshots[0] if len(snapshots) == 1 and revision is None else None
