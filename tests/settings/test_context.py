"""The context of a model folder: what fits is found, and what does not is refused in one message."""

import json

import pytest

from leap_lab import api
from leap_lab.errors import UserError
from leap_lab.settings.context import positions


@pytest.fixture
def folder(tmp_path):
    def make(**config):
        (tmp_path / "config.json").write_text(json.dumps(config))
        return str(tmp_path)

    return make


@pytest.mark.parametrize(("config", "found"), [({"max_position_embeddings": 2048}, 2048), ({}, None)])
def test_positions_of_a_folder(folder, config, found):
    assert positions(folder(**config)) == found
    assert positions(folder(text_config=config)) == found
    assert positions("owner/name") is None


@pytest.mark.parametrize(
    ("length", "budget", "interval"), [(2048, 1024, 256), (8192, 4096, 1024), (131072, 16384, 4096)]
)
def test_a_local_model_gets_a_budget_that_fits(folder, length, budget, interval):
    model = folder(max_position_embeddings=length)
    method = api.cell("model=local", {"model.path": model, "dataset": "arithmetic"}).config["method"]
    assert (method["max_tokens"], method["interval"]) == (budget, interval)


def test_one_message_names_all_settings_that_fit(folder):
    model = folder(max_position_embeddings=2048)
    with pytest.raises(UserError, match="the model has 2048 positions") as caught:
        api.cell("model=qwen3_8b", {"model.path": model})
    fitting = str(caught.value).partition("these fit: ")[2].split()
    assert api.cell("model=qwen3_8b", {"model.path": model}, *fitting).config["engine"]["max_model_len"] == 2048
