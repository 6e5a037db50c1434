"""The programmatic reasoner: every step exact, checks always right, and peers are verified, never obeyed."""

import re
from collections import Counter

import pytest

from leap_lab.builtin.policy import DRILL, WRONG_SNAP, Chain, doubt_of, read, write
from leap_lab.engines.base import Request
from leap_lab.tasks.arithmetic import generate

QUESTION = "a=38+29\nb=a-5\nc=b+4\nd=c+2\nWhat is d?[assistant]<think>\n"
RIGHT, WRONG = "a=38+29=67.\n\n", "a=38+29=57.\n\n"


def ask(text: str, seed: int = 0) -> str:
    return write(text, Request([], 1, seed))


def block(*peers: str, summary: str = "a=57.") -> str:
    lines = "".join(f'Peer {number}: "{peer}"\n' for number, peer in enumerate(peers, start=1))
    return f"Stop.\n<summarize> So far: {summary} </summarize>\n<comment>\n{lines}</comment>\n\nCompare.\n\n"


@pytest.mark.parametrize("problem", generate(40, seed=2, split="train"), ids=lambda problem: problem.id)
def test_later_steps_are_exact_whatever_the_first_value_is(problem):
    text = ask(f"{problem.text}<think>\n", seed=int(problem.id.split("-")[-1]))
    snap = int(re.search(r"^a=\d+\+\d+=(\d+)\.", text)[1])
    chain = Chain.parse(problem.text)
    error = 0 if "Check a" in text else snap - (chain.first + chain.second)
    assert text.endswith(f"\\boxed{{{int(problem.answer) + error}}}.")


def test_snap_results_are_wrong_at_the_rate_of_their_level():
    for problem in generate(5, seed=9, split="train"):
        chain = Chain.parse(problem.text)
        snaps = [int(ask(f"{problem.text}<think>\n", seed).split(".")[0].split("=")[-1]) for seed in range(800)]
        wrong = sum(snap != chain.first + chain.second for snap in snaps) / 800
        level = int(problem.id.split("-")[-1]) % 5 + 1
        assert wrong == pytest.approx(WRONG_SNAP[level], abs=0.06)


def test_without_a_differing_peer_there_is_no_doubt():
    state = read(WRONG + block("a=57, c=56.", "a=57 (checked)."))
    assert doubt_of(state) == 0


def test_doubt_grows_with_every_differing_peer_and_most_with_a_checked_one():
    peers = ["a=67.", "a=67, b=62.", "a=77 (checked), c=1."]
    doubts = [doubt_of(read(WRONG + block(*peers[:count]))) for count in range(4)]
    assert doubts[0] < doubts[1] < doubts[2] < doubts[3]
    assert doubts[3] - doubts[2] > doubts[2] - doubts[1]


def test_a_right_path_is_never_talked_out_of_its_value():
    for seed in range(200):
        text = ask(QUESTION + RIGHT + block("a=57.", "a=57.", "a=57 (checked).", "a=57.", summary="a=67."), seed)
        assert text.startswith("a: mine 67, peers 57, 57, 57, 57.")
        assert text.endswith("\\boxed{68}.")


def test_a_wrong_path_changes_only_by_a_check():
    outcomes = Counter()
    for seed in range(300):
        text = ask(QUESTION + WRONG + block("a=67.", "a=77.", "a=57."), seed)
        right, checked = text.endswith("\\boxed{68}."), "Check a=38+29: 30+20=50, 8+9=17, 50+17=67." in text
        outcomes[right, checked] += 1
    assert set(outcomes) == {(True, True), (False, False)}
    assert outcomes[True, True] > 80


def test_after_a_correction_the_chain_starts_again():
    corrected = WRONG + "b=a-5=57-5=52.\n\nCheck a=38+29: 30+20=50, 8+9=17, 50+17=67.\n\n"
    assert ask(QUESTION + corrected).startswith("Mine 57, check 67: wrong. So a=67.\n\nb=a-5=67-5=62.")
    assert ask(QUESTION + corrected + "Stop.\n<summarize> So far:") == " a=67 (checked). </summarize>"


def test_a_checked_path_says_so_and_stays():
    checked = WRONG + "Check a=38+29: 30+20=50, 8+9=17, 50+17=67.\n\nMine 57, check 67: wrong. So a=67.\n\n"
    for seed in range(50):
        text = ask(QUESTION + checked + block("a=57.", "a=57.", summary="a=67 (checked)."), seed)
        assert text.startswith("a: mine 67 checked, peers 57, 57.\n\nb=")


def test_summaries_hold_what_is_current():
    assert ask(QUESTION + "Stop.\n<summarize> So far:") == " nothing yet. </summarize>"
    assert ask(QUESTION + RIGHT + "Stop.\n<summarize> So far:") == " a=67. </summarize>"
    steps = RIGHT + "b=a-5=67-5=62.\n\nc=b+4=62+4=66.\n\n"
    assert ask(QUESTION + steps + "Stop.\n<summarize> So far:") == " a=67, c=66. </summarize>"


def test_what_peers_write_is_not_taken_for_own_words():
    hostile = block("a=38+29=11.", "Check a=1+1: 1+1=2.", "b=a-5=9-5=4.")
    state = read(WRONG + hostile)
    assert (state.first, state.values, state.checked) == (57, [57], False)


def test_a_forced_answer_is_the_last_value():
    assert ask(QUESTION + RIGHT + "b=a-5=67-5=62.\n\n\n</think>\n\nThe final answer is \\boxed{") == "62}."


def test_a_drill_is_the_check_alone():
    text = ask(f"{DRILL} 38+29[assistant]<think>\n")
    assert text.startswith("Check a=38+29: 30+20=50, 8+9=17, 50+17=67.")
    assert text.endswith("\\boxed{67}.")


@pytest.mark.parametrize(
    "begun", ["a=3", "a=38+29=", "a=38+29=6", "a=38+29=57.", "a=38+29=57.\n\nb=a-5=5", "a=38+29=57.\n\nChe"]
)
def test_a_line_that_was_begun_is_finished_as_it_began(begun):
    text = begun + ask(QUESTION + begun)
    first, *_ = text.split("\n\n")
    assert re.fullmatch(r"a=38\+29=\d+\.", first)
    snap = int(first.removesuffix(".").rpartition("=")[2])
    right = text.endswith("\\boxed{68}.")
    assert right == (snap == 67 or "check 67" in text)
    assert "\n\nb=a-5=" in text
