"""The commit of a hub repository: from the hub, else from the local cache, else it is not known."""

from types import SimpleNamespace

import pytest

from leap_lab.hub import UnknownCommit, commit_of
from tests.hubs import NEW, OLD, Cache


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Cache:
    return Cache(tmp_path, monkeypatch)


def test_the_hub_is_asked_first(cache, monkeypatch):
    asked = []

    def info(self, repository, **known):
        asked.append((repository, known["repo_type"], known["revision"]))
        return SimpleNamespace(sha=NEW)

    cache.model("me/m", OLD)
    cache.points("models", "me/m", OLD)
    monkeypatch.setattr("huggingface_hub.HfApi.repo_info", info)
    assert commit_of("model", "me/m") == NEW
    assert commit_of("dataset", "me/q", "v2") == NEW
    assert asked == [("me/m", "model", None), ("me/q", "dataset", "v2")]


def test_a_whole_commit_is_taken_at_its_word(monkeypatch):
    monkeypatch.setattr("huggingface_hub.HfApi.repo_info", lambda *_, **__: pytest.fail("asked the hub"))
    assert commit_of("model", "me/m", OLD) == OLD


def test_without_a_network_the_cache_says_where_a_branch_was(cache):
    cache.model("me/m", OLD, NEW)
    cache.points("models", "me/m", OLD)
    cache.points("models", "me/m", NEW, "v2")
    assert [commit_of("model", "me/m"), commit_of("model", "me/m", "v2")] == [OLD, NEW]
    with pytest.raises(UnknownCommit, match="offline"):
        commit_of("model", "me/m", "v3")


def test_without_a_branch_the_only_commit_in_the_cache_is_meant_and_several_are_none(cache):
    cache.model("me/m", NEW)
    assert commit_of("model", "me/m") == NEW
    cache.model("me/m", OLD)
    with pytest.raises(UnknownCommit):
        commit_of("model", "me/m")


def test_what_nobody_knows_is_not_guessed(cache, monkeypatch):
    cache.model("me/m", OLD)
    for name in ("me/other", "gpt2"):
        with pytest.raises(UnknownCommit):
            commit_of("model", name)
    with pytest.raises(UnknownCommit):
        commit_of("dataset", "me/m")


def test_a_revision_that_the_hub_does_not_have_is_not_looked_for_in_the_cache(cache, monkeypatch):
    from huggingface_hub.errors import RevisionNotFoundError

    def info(*_, **__):
        raise RevisionNotFoundError.__new__(RevisionNotFoundError)

    cache.model("me/m", OLD)
    cache.points("models", "me/m", OLD, "gone")
    monkeypatch.setattr("huggingface_hub.HfApi.repo_info", info)
    with pytest.raises(UnknownCommit, match="the hub has no revision gone"):
        commit_of("model", "me/m", "gone")
