"""Routers: the paper's similarity, who is chosen, and what holds for any summaries."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leap_lab.errors import UserError
from leap_lab.path import Path
from leap_lab.routing import (
    AllPeers,
    Clustered,
    Dispersed,
    Hybrid,
    NoPeers,
    RandomPeers,
    Speaker,
    similarity_matrix,
    ties,
)

ROUTERS = [Clustered, Dispersed, Hybrid, RandomPeers]
summaries = st.lists(st.text(alphabet="ab ", max_size=8), min_size=1, max_size=9)


def peers(router, texts, seed=0):
    return [
        [peer for peer, _ in heard]
        for heard in router.route([Speaker(text, Path(0, 0)) for text in texts], Random(seed))
    ]


def levenshtein(left: str, right: str) -> int:
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, start=1):
        previous, row[0] = row[0], i
        for j, b in enumerate(right, start=1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]


def test_similarity_of_known_pairs():
    assert similarity_matrix(["kitten", "sitting"])[0, 1] == pytest.approx(1 - 3 / 7)
    assert similarity_matrix(["kitten", "sitting"], "indel")[0, 1] == pytest.approx(1 - 5 / 13)
    assert similarity_matrix(["", ""])[0, 1] == 1
    assert similarity_matrix(["", "abc"])[0, 1] == 0


@given(summaries)
def test_similarity_is_equation_4(texts):
    matrix = similarity_matrix(texts)
    for i, left in enumerate(texts):
        for j, right in enumerate(texts):
            longest = max(len(left), len(right))
            expected = 1 - levenshtein(left, right) / longest if longest else 1
            assert matrix[i, j] == pytest.approx(expected)


def test_each_router_picks_what_it_says():
    texts = ["aaaa", "aaab", "aabb", "bbbb"]
    assert peers(Clustered(1), texts)[0] == [1]
    assert peers(Dispersed(1), texts)[0] == [3]
    assert peers(Clustered(2), texts)[0] == [1, 2]
    assert peers(Dispersed(2), texts)[0] == [3, 2]
    assert peers(Hybrid(2), texts)[0] == [1, 3]
    assert peers(Hybrid(3), texts)[0] == [1, 2, 3]
    assert peers(AllPeers(), texts)[1] == [2, 3, 0]
    assert peers(NoPeers(), texts) == [[], [], [], []]


def test_equal_summaries_are_heard_equally_often():
    heard = [peer for chosen in peers(Clustered(2), ["same"] * 6) for peer in chosen]
    assert sorted(heard) == sorted(list(range(6)) * 2)


def test_random_routing_follows_its_seed():
    texts = [str(number) for number in range(12)]
    assert peers(RandomPeers(3), texts, seed=1) == peers(RandomPeers(3), texts, seed=1)
    assert peers(RandomPeers(3), texts, seed=1) != peers(RandomPeers(3), texts, seed=2)


@pytest.mark.parametrize("router", ROUTERS)
@given(texts=summaries, k=st.integers(1, 12), seed=st.integers(0, 9))
def test_no_peer_twice_never_oneself_never_too_many(router, texts, k, seed):
    for path, chosen in enumerate(peers(router(k), texts, seed)):
        assert len(set(chosen)) == len(chosen) == min(k, len(texts) - 1)
        assert path not in chosen


@given(texts=summaries, k=st.integers(1, 8))
def test_clustered_and_dispersed_are_extremes(texts, k):
    matrix = similarity_matrix(texts)
    for path, (near, far) in enumerate(zip(peers(Clustered(k), texts), peers(Dispersed(k), texts), strict=True)):
        others = sorted((matrix[path, peer] for peer in range(len(texts)) if peer != path), reverse=True)
        assert [matrix[path, peer] for peer in near] == others[: len(near)]
        assert [matrix[path, peer] for peer in far] == others[::-1][: len(far)]


@given(texts=summaries, k=st.integers(1, 8))
def test_hybrid_is_half_of_each(texts, k):
    near, far = peers(Clustered(k), texts), peers(Dispersed(len(texts) + k), texts)
    for path, chosen in enumerate(peers(Hybrid(k), texts)):
        similar = (len(chosen) + 1) // 2
        assert chosen[:similar] == near[path][:similar]
        rest = [peer for peer in far[path] if peer not in chosen[:similar]]
        assert chosen[similar:] == rest[: len(chosen) - similar]


@pytest.mark.parametrize("router", ROUTERS)
@pytest.mark.parametrize("k", [0, -1, True, 2.5])
def test_a_bad_k_is_refused(router, k):
    with pytest.raises(UserError, match=r"router\.top_k"):
        router(k)


def test_an_unknown_similarity_is_refused():
    with pytest.raises(UserError, match=r"router\.similarity=cosine: must be levenshtein or indel"):
        Clustered(2, "cosine")


def tied(router, texts):
    speakers = [Speaker(text, Path(0, 0)) for text in texts]
    return ties(router, speakers, router.route(speakers, Random(0)))


def test_a_tie_is_a_peer_left_out_that_is_as_similar_as_one_heard():
    assert tied(Clustered(1), ["aa", "ab", "ba", "zz"]) == [True, False, False, True], "ab and ba are not alike"
    assert tied(Clustered(2), ["aaaa", "aaab", "aabb", "abbb"]) == [False, False, False, False]
    assert tied(Dispersed(1), ["aaaa", "aaab", "aabb", "bbbb"]) == [False, False, True, False]
    assert tied(Clustered(3), ["same"] * 4) == [False] * 4, "nobody is left out"
    assert tied(Clustered(2), ["same"] * 4) == tied(Hybrid(2), ["same"] * 4) == [True] * 4
    assert tied(Clustered(2), ["alone"]) == [False]


@pytest.mark.parametrize("router", [RandomPeers(1), AllPeers(), NoPeers()])
def test_routers_that_do_not_look_at_similarity_have_no_ties(router):
    assert tied(router, ["same"] * 3) == [None] * 3


@given(texts=summaries, k=st.integers(1, 8))
def test_without_a_tie_the_order_of_paths_decides_nothing(texts, k):
    backwards = [[len(texts) - 1 - peer for peer in chosen] for chosen in peers(Clustered(k), texts[::-1])][::-1]
    for one, other, is_tied in zip(peers(Clustered(k), texts), backwards, tied(Clustered(k), texts), strict=True):
        assert is_tied or set(one) == set(other)
