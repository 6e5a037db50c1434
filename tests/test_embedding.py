"""Similarity by meaning, with a model of eight words that is made here."""

import json
from pathlib import Path
from random import Random

import numpy as np
import pytest

from leap_lab import embedding
from leap_lab.errors import UserError
from leap_lab.methods.exchange.pool import Pool
from leap_lab.path import Path as Line
from leap_lab.routing import Semantic, Speaker, ties
from leap_lab.settings import compose
from leap_lab.settings.arguments import Arguments
from leap_lab.similarity import EditCloseness, MeaningCloseness

WORDS = {"sum": (1, 0, 0), "total": (0.98, 0.2, 0), "add": (0.9, 0, 0.4), "odd": (0, 1, 0), "even": (0, 0.9, 0.3)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with a tiny model, as model2vec saves it."""
    model2vec = pytest.importorskip("model2vec")
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    tokenizer = Tokenizer(WordLevel({"[UNK]": 0, **{word: n for n, word in enumerate(WORDS, 1)}}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    vectors = np.array([(0, 0, 0), *WORDS.values()], dtype=np.float32)
    place = tmp_path_factory.mktemp("embedding")
    model2vec.StaticModel(vectors, tokenizer).save_pretrained(place)
    return str(place)


def test_vectors_have_length_one_and_unknown_words_none(folder):
    found = embedding.vectors(["sum", "sum total", "nothing known", "", "sum"], folder)
    assert np.linalg.norm(found, axis=1).tolist() == pytest.approx([1, 1, 0, 0, 1])
    assert (found[0] == found[4]).all()
    assert embedding.vectors(["sum total"], folder)[0] @ found[1] == pytest.approx(1)


def test_similarity_is_the_cosine(folder):
    matrix = MeaningCloseness(folder).matrix(["sum", "total", "odd"])
    norm = np.hypot(0.98, 0.2)
    assert matrix == pytest.approx(np.array([[1, 0.98 / norm, 0], [0.98 / norm, 1, 0.2 / norm], [0, 0.2 / norm, 1]]))
    assert MeaningCloseness(folder).to("sum", ["total", "odd"]) == pytest.approx(matrix[0, 1:])
    assert MeaningCloseness(folder).to("sum", []).shape == EditCloseness().to("sum", []).shape == (0,)


@pytest.mark.parametrize(("order", "first"), [("clustered", [1, 0, 3, 2]), ("dispersed", [2, 3, 0, 0])])
def test_a_router_by_meaning(folder, order, first):
    """Letter by letter `sum` and `odd` are as far from each other as `sum` and `total`; by meaning they are not."""
    router = Semantic(1, order=order, embedding=folder)
    speakers = [Speaker(text, Line(0, 0)) for text in ("sum", "total", "odd", "even")]
    choices = router.route(speakers, Random(0))
    assert [peer for [(peer, _)] in choices] == first
    assert ties(router, speakers, choices) == [order == "dispersed", False, False, False], "odd and even are at 0"
    assert choices[0][0][1] == pytest.approx(
        MeaningCloseness(folder).matrix(["sum", "total", "odd", "even"])[0, first[0]]
    )


def test_a_hybrid_hears_the_nearest_and_the_farthest(folder):
    router = Semantic(2, order="hybrid", embedding=folder)
    speakers = [Speaker(text, Line(0, 0)) for text in ("sum", "total", "odd", "even")]
    assert [peer for peer, _ in router.route(speakers, Random(0))[0]] == [1, 2]


def test_a_pool_by_meaning(folder):
    pool = Pool(same=0.9, closeness=MeaningCloseness(folder))
    assert [pool.add(0, text) for text in ("total", "sum", "even", "odd", "unknown", "words")] == [
        *(True, False, True, False),
        *(True, True),
    ]
    assert pool.texts == ["sum", "odd", "unknown", "words"], "of two alike the shorter stays"


@pytest.mark.parametrize("missing", embedding.FILES)
def test_a_folder_that_is_no_model_is_refused_in_one_line(folder, tmp_path, missing):
    for name in embedding.FILES:
        if name != missing:
            (tmp_path / name).write_bytes((Path(folder) / name).read_bytes())
    with pytest.raises(UserError) as refused:
        embedding.check("router.embedding", str(tmp_path))
    assert f"router.embedding={tmp_path}: has no {missing}; must be the folder" in str(refused.value)


def test_what_is_missing_is_said(folder, tmp_path, monkeypatch):
    with pytest.raises(UserError, match="router.embedding=no/such: must be the folder of a model of model2vec"):
        Semantic(embedding="no/such")
    with pytest.raises(UserError, match="router.order=far: must be clustered or dispersed or hybrid"):
        Semantic(order="far", embedding=folder)
    for name in embedding.FILES:
        (tmp_path / name).write_text("{}")
    with pytest.raises(UserError, match="model2vec cannot load it"):
        embedding.vectors(["sum"], str(tmp_path))
    monkeypatch.setattr("leap_lab.embedding.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"needs the package model2vec; install leap-lab\[semantic\]"):
        Semantic(embedding=folder)


def cell(*overrides: str):
    return compose.cell(Arguments.read(["engine=scripted", *overrides]))


def test_a_run_is_known_by_the_model_and_not_by_its_place(folder, tmp_path):
    for name in embedding.FILES:
        (tmp_path / name).write_bytes((Path(folder) / name).read_bytes())
    one, moved = (cell("router=semantic", f"router.embedding={place}") for place in (folder, tmp_path))
    assert one.run_id == moved.run_id != cell("router=dispersed").run_id
    assert folder not in json.dumps(one.identity)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"normalize": not config.get("normalize")}))
    embedding.fingerprint.cache_clear()
    assert cell("router=semantic", f"router.embedding={tmp_path}").run_id != one.run_id
    noted = [cell("method=cpt", f"method.embedding={place}").run_id for place in ("null", folder)]
    pooled = [cell("router=pool", f"router.embedding={place}").run_id for place in ("null", folder)]
    assert len({*noted, *pooled}) == 4


def test_a_folder_has_to_be_named():
    with pytest.raises(UserError, match="router.embedding: a value is needed"):
        cell("router=semantic")
