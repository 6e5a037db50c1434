"""The exchange in parts, as settings: what does nothing is no part of a run's identity, and defaults change no id."""

import pytest

from leap_lab.settings import compose
from leap_lab.settings.arguments import Arguments

PLAIN = {
    "leap": {"name", "interval", "max_tokens", "summary_tokens", "answer_tokens"},
    "leap_s": {"name", "position", "helpers", "max_tokens", "summary_tokens", "answer_tokens"},
}


def identity(*overrides: str):
    return compose.cell(Arguments.read(["engine=scripted", *overrides])).identity


@pytest.mark.parametrize("method", PLAIN)
def test_at_the_defaults_no_id_changes(method):
    assert identity(f"method={method}")["method"].keys() == PLAIN[method]
    unread = ["method.board_text='{question} {references} x'", "method.notes.own=7"]
    assert identity(f"method={method}", *unread) == identity(f"method={method}")
    assert identity("method.novelty_stop=0.2") == identity()


@pytest.mark.parametrize(
    ("overrides", "added"),
    [
        (["method.share=tail"], {"share"}),
        (["method.share=answer", "method.board=true"], {"share", "board", "board_text"}),
        (["method.share=notes"], {"share", "notes"}),
        (["method.schedule=novelty"], {"schedule", "novelty_start", "novelty_stop"}),
        (["method.barrier=false"], {"barrier"}),
    ],
)
def test_what_is_set_is_part_of_the_identity(overrides, added):
    assert identity(*overrides)["method"].keys() - PLAIN["leap"] == added


def test_what_is_read_then_is_part_of_it_as_well():
    board = ["method.board=true"]
    assert identity(*board) != identity(*board, "method.board_text='{question} {references} x'")
    notes = ["method.share=notes"]
    assert identity(*notes) != identity(*notes, "method.notes.own=7")


def test_without_tags_only_what_is_asked_of_the_prompt_set_counts():
    assert "tag" in identity("method.board=true")["prompts"]
    assert "tag" not in identity("method.board=true", "method.share=tail")["prompts"]
    assert identity("method=cpt")["router"] is None
