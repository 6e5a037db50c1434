"""What is kept of log-probabilities: how it names a run, what a method needs, and what an engine can tell."""

import pytest

from leap_lab.confidence import Recording
from leap_lab.errors import UserError
from tests.settings.test_conf import cell

SCORING = ("best_of_n", "deepconf", "prune", "short", "budget_forcing")


def test_a_run_without_them_has_the_id_that_it_had():
    assert cell().run_id == cell("confidence.window=7", "confidence.per_token=true").run_id
    assert "confidence" not in cell().identity


@pytest.mark.parametrize("key", ["top_logprobs=5", "window=7", "per_token=true"])
def test_all_that_is_kept_names_a_run(key):
    asked = ("confidence.top_logprobs=20", "confidence.window=64")
    assert len({cell().run_id, cell(*asked).run_id, cell(*asked, f"confidence.{key}").run_id}) == 3


def test_a_baseline_keeps_them_too_and_a_reference_run_never_does():
    asked = cell("confidence.top_logprobs=20", "difficulty=hard")
    plain = cell("difficulty=hard")
    assert asked.baseline().recording == asked.recording == Recording(20, 64)
    assert asked.baseline().run_id != plain.baseline().run_id
    assert asked.reference().run_id == plain.reference().run_id


@pytest.mark.parametrize("method", ["best_of_n", "deepconf", "prune"])
def test_what_a_method_decides_by_is_its_own(method):
    one, two = cell(f"method={method}"), cell(f"method={method}", "confidence.top_logprobs=3")
    assert one.run_id == two.run_id
    assert one.method().records(Recording(3, 9)).top_logprobs == 20
    assert one.run_id != cell(f"method={method}", "method.top_logprobs=10").run_id
    assert one.run_id != cell(f"method={method}", "confidence.per_token=true").run_id
    assert one.baseline().run_id == cell().baseline().run_id


@pytest.mark.parametrize("method", ["short", "budget_forcing", "leap"])
def test_other_methods_keep_what_the_run_asks_for(method):
    assert cell(f"method={method}").method().records(Recording(3, 9, True)) == Recording(3, 9, True)


@pytest.mark.parametrize("method", SCORING)
@pytest.mark.parametrize("peers", [2, 16, 256])
def test_the_defaults_of_a_method_fit_any_number_of_peers(method, peers):
    if (method, peers) == ("short", 2):
        with pytest.raises(UserError, match="method.m=3: there are not as many paths; must be <= peers=2"):
            cell(f"method={method}", f"peers={peers}")
        return
    cell(f"method={method}", f"peers={peers}")


def test_the_defaults_are_those_of_the_papers_where_the_budget_is_theirs():
    found = cell("model=r1_7b", "engine=scripted", "method=deepconf", "peers=256").config["method"]
    assert [found[key] for key in ("warmup", "eta", "window", "chunk", "top_logprobs")] == [16, "low", 2048, 256, 20]
    found = cell("model=r1_7b", "engine=scripted", "method=prune", "peers=64").config["method"]
    assert [found[key] for key in ("prefix", "keep")] == [2048, 8]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["confidence.top_logprobs=-1"], "confidence.top_logprobs=-1: must be an integer >= 0"),
        (["confidence.window=0"], "confidence.window=0: must be an integer >= 1"),
        (["confidence.per_token=3"], "confidence.per_token=3: must be true or false"),
        (["+confidence.k=3"], "confidence.k: no such key"),
        (
            ["confidence.top_logprobs=21"],
            "confidence.top_logprobs=21: must be <= engine.max_logprobs=20; set both",
        ),
        (
            ["confidence.top_logprobs=9", "+engine.max_logprobs=5"],
            "confidence.top_logprobs=9: must be <= engine.max_logprobs=5; set both",
        ),
        (
            ["method=deepconf", "method.top_logprobs=21"],
            "method.top_logprobs=21: must be <= engine.max_logprobs=20; set both",
        ),
        (["method=deepconf", "peers=1"], "method.warmup=1: no path is left to end; must be < peers=1"),
        (["method=prune", "method.scorer=luck"], "method.scorer=luck: must be random, length"),
    ],
)
def test_what_cannot_work_is_one_line(settings, message):
    with pytest.raises(UserError) as error:
        cell(*settings)
    assert str(error.value).startswith(message) and "\n" not in str(error.value)


@pytest.mark.parametrize("most", [-1, 30])
def test_an_engine_may_be_set_to_tell_more(most):
    assert cell("confidence.top_logprobs=30", f"+engine.max_logprobs={most}").recording.top_logprobs == 30
    assert cell(f"+engine.max_logprobs={most}").run_id == cell().run_id
    assert cell("engine=scripted", "confidence.top_logprobs=500").recording.top_logprobs == 500
