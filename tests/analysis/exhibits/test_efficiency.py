"""Tokens, reflections and matched budgets on run folders with known answers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.__main__ import main
from analysis.exhibits import efficiency
from analysis.exhibits.efficiency import corrected
from analysis.exhibits.matched import Groups
from analysis.measures.budget import Budget
from analysis.measures.compare import Run
from analysis.measures.independent_pool import pools
from leap_lab.errors import UserError
from tests.known_runs import ALONE, LEAP, write_run

QUESTIONS = [f"q{index}" for index in range(8)]
THINKS = {q: 100 + 10 * index for index, q in enumerate(QUESTIONS)}  # 135 on average
AHA = {q: 5 + index % 3 for index, q in enumerate(QUESTIONS)}


def answers(*right: int, of: int = 4) -> dict[str, list[list[str]]]:
    """So many right answers to each question, the wrong ones alike; one number is for all."""
    counts = right * len(QUESTIONS) if len(right) == 1 else right
    return {q: [["1"] * count + ["2"] * (of - count)] for q, count in zip(QUESTIONS, counts, strict=True)}


def write_alone(runs: Path, *right: int, of: int = 8, **more: Any) -> Path:
    return write_run(runs, answers(*right, of=of), thinks=THINKS, aha=AHA, peers=of, **more)


def write_leap(runs: Path, *right: int, of: int = 4, router: str = "dispersed", **more: Any) -> Path:
    """Twice the thinking of independent paths the summary of 10 included, and fewer reflections."""
    thinks = {q: 2 * tokens - 10 for q, tokens in THINKS.items()}
    aha = {q: count - 1 - index % 4 for index, (q, count) in enumerate(AHA.items())}
    return write_run(runs, answers(*right, of=of), router, thinks=thinks, aha=aha, peers=of, **more)


def test_a_run_is_compared_with_as_many_paths_as_its_tokens_pay_for(tmp_path: Path) -> None:
    """Four paths of LeaP at twice the tokens: eight independent ones, of which three are right and so none wins."""
    leap = write_leap(tmp_path, 4, 4, 4, 4, 4, 4, 4, 0)
    alone, spent = efficiency.efficiency([leap, write_alone(tmp_path, 3)])
    assert (alone.name, alone.size, alone.independent, spent.size) == ("independent", 8, True, 4)
    assert (alone.correct.value, alone.cons.value, alone.tokens.value) == (3 / 8, 0, 135)
    assert (spent.tokens.value, spent.total.value, spent.critical_path) == (270, 1080, 270)
    assert spent.relative is not None and spent.relative.value == pytest.approx(2)
    tokens, flops, longest = spent.matched
    assert tokens.paths == 8 and tokens.vote is not None
    assert tokens.vote.difference.value == pytest.approx(7 / 8)
    assert tokens.vote.p == pytest.approx(2 / 2**7) and tokens.why == spent.why == ""
    assert tokens.cons is not None and tokens.cons.value == 0
    assert tokens.covers is not None and tokens.covers.difference.value == -1 / 8, (
        "one of eight is right, of LeaP's none"
    )
    assert flops.why == "the FLOPs of these runs are not known"
    assert longest.why.startswith("not measured: its critical path per question (270) are more than the 8 independent")
    assert spent.more_reflections is not None
    assert spent.more_reflections.difference.value == pytest.approx(-2.5)


def test_between_two_numbers_of_paths_the_vote_is_interpolated(tmp_path: Path) -> None:
    """One path of 2.5 times the tokens stands halfway between the vote of two independent paths and that of three."""
    folders = [write_leap(tmp_path, 1, of=1), write_alone(tmp_path, 3)]
    assert efficiency.efficiency(folders)[1].matched[0].paths == 2
    thinks = {q: round(2.5 * tokens) - 10 for q, tokens in THINKS.items()}
    run = write_run(tmp_path, answers(1, of=1), "clustered", thinks=thinks, peers=1)
    spent = efficiency.efficiency([run, folders[1]])[1].matched[0]
    [alone] = pools([Run.read(folders[1])])
    assert spent.paths == pytest.approx(2.5, abs=0.01) and spent.vote is not None
    two, three = (sum(vote[0] for vote in alone.cons(count, QUESTIONS)) / 8 for count in (2, 3))
    assert 1 - spent.vote.difference.value == pytest.approx((two + three) / 2, abs=0.01)
    assert three == pytest.approx((3 * 5 + 1) / 56, abs=0.015), "of three paths two or three are right"


def test_budgets_that_the_pool_does_not_reach_have_a_reason_and_no_number(tmp_path: Path) -> None:
    short = write_run(tmp_path, answers(1, of=1), "random", thinks=dict.fromkeys(QUESTIONS, 50), peers=1)
    folders = [write_alone(tmp_path, 3), write_leap(tmp_path, 5, of=5), short]
    _, long, little = efficiency.efficiency(folders)
    assert long.matched[0].vote is None and long.matched[0].why == (
        "not measured: its sampled tokens per question (1.35k) are more than the 8 independent paths of each question "
        "take (1.08k)"
    )
    assert little.matched[0].paths is None and little.matched[0].why == (
        "not measured: its sampled tokens per question (60) are less than one independent path takes (135)"
    )
    other = write_leap(tmp_path, 3, sampling={"temperature": 0.2})
    unmatched = efficiency.efficiency([*folders, other])[-1]
    assert unmatched.relative is None and unmatched.why.startswith("no independent run with its model")
    shown = efficiency.exhibit([*folders, other])
    assert [claim.verdict for claim in shown.claims[:3]] == ["undecided"] * 3
    assert "are more than the 8 independent paths" in shown.claims[0].because
    [table] = shown.further
    assert [row[3] for row in table.table[1:]] == ["> 8", "n/a", "> 8", "< 1", "n/a", "< 1"] and table.note.count(
        "not measured: "
    ) == 4


def test_every_budget_buys_its_own_number_of_paths(tmp_path: Path) -> None:
    """Operations are tokens computed: 4 x (90 + 270) of LeaP, 50 + 135 of an independent path on average."""
    per = {"computed": 1, "sampled": 0, "attended": 0}
    leap = write_leap(tmp_path, 4, 4, 4, 4, 4, 4, 4, 0, flops_per=per)
    thinks = {q: 300 if index else 240 for index, q in enumerate(QUESTIONS)}  # of LeaP, 270 on average: less
    alone = write_run(tmp_path, answers(3, of=16), thinks=thinks, peers=16, flops_per=per)
    tokens, flops, longest = efficiency.efficiency([leap, alone])[1].matched
    one = (7 * 300 + 240) / 8
    assert tokens.paths == pytest.approx(4 * 270 / one) and flops.paths == pytest.approx(4 * 360 / (50 + one))
    assert longest.why == (
        "not measured: its critical path per question (270) are less than one independent path takes (292)"
    )
    assert flops.covers is not None and flops.coverage is not None
    low, high = (1 - np.prod([(13 - k) / (16 - k) for k in range(count)]) for count in (4, 5))
    assert flops.coverage.value == pytest.approx(low + (flops.paths % 1) * (high - low))


def test_one_budget_alone_is_shown_and_judged(tmp_path: Path) -> None:
    per = {"computed": 1, "sampled": 0, "attended": 0}
    folders = [write_leap(tmp_path, 4, flops_per=per), write_alone(tmp_path, 3, of=16, flops_per=per)]
    shown = efficiency.exhibit(folders, Budget.FLOPS)
    assert [row[1] for row in shown.further[0].table] == ["budget", "FLOPs"]
    assert shown.claims[0].text.startswith("At a matched FLOPs budget LeaP's vote beats")
    assert shown.figures["efficiency"].axes[3].get_ylabel() == "Cons at equal\nFLOPs (points)"
    every = efficiency.exhibit(folders)
    assert [row[1] for row in every.further[0].table[1:]] == ["sampled tokens", "FLOPs", "critical path"]
    assert every.claims[0].text.startswith("At a matched token budget LeaP's vote beats")


def test_the_command_line_takes_a_budget(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [str(write_leap(tmp_path, 4)), str(write_alone(tmp_path, 3))]
    out = ["--out", str(tmp_path / "out")]
    assert main(["efficiency", *folders, *out, "--budget", "critical_path"]) == 0
    printed = capsys.readouterr().out
    assert "critical path  " in printed and "What these runs cost" not in printed
    assert "### What these runs cost" in (tmp_path / "out" / "efficiency.md").read_text()
    with pytest.raises(SystemExit):
        main(["scaling", *folders, "--budget", "money"])
    assert "invalid choice: money (choose from tokens, flops, critical_path)" in capsys.readouterr().err
    assert main(["scaling", *folders, *out, "--budget", "flops"]) == 2
    assert "--budget=flops: the FLOPs of these runs are not known" in capsys.readouterr().err


def test_every_token_of_a_group_is_counted_and_groups_may_be_several(tmp_path: Path) -> None:
    method = {**ALONE, "name": "moa", "layers": 2, "max_tokens": 700}
    several = {q: [["1", "1", "2"], ["2", "2", "2"]] for q in QUESTIONS}
    moa = Groups.of(Run.read(write_run(tmp_path, several, method=method, thinks=THINKS, peers=3)))
    assert (moa.size, moa.cost(Budget.TOKENS, QUESTIONS)) == (3, 3 * 135)
    assert moa.cost(Budget.CRITICAL_PATH, QUESTIONS) == 135
    assert [list(groups) for groups in moa.values("cons", ["q0"])] == [[1, 0]]


def test_claims_need_an_interval_and_a_p_that_is_corrected(tmp_path: Path) -> None:
    folders = [write_alone(tmp_path, 3), *(write_leap(tmp_path, 4, 4, 4, 4, 4, 4, 4, 0, router=r) for r in "abcd")]
    found = corrected(efficiency.efficiency(folders))
    assert [each.matched[0].vote.p for each in found[1:] if each.matched[0].vote] == pytest.approx([4 * 2 / 2**7] * 4)
    shown = efficiency.exhibit(folders)
    matched, fewer = shown.claims[:4], shown.claims[4:]
    assert [claim.verdict for claim in matched] == ["undecided"] * 4, "alone each would be told"
    assert "p=0.062" in matched[0].because
    assert efficiency.exhibit(folders[:2]).claims[0].verdict == "holds"
    assert [claim.verdict for claim in fewer] == ["holds"] * 4
    assert fewer[0].because.startswith("The difference is -2.50 [-")


def test_more_reflections_are_told_as_plainly(tmp_path: Path) -> None:
    folders = [write_alone(tmp_path, 3), write_leap(tmp_path, 3)]
    more = write_run(tmp_path, answers(3), "random", aha={q: 9 + 2 * i for i, q in enumerate(QUESTIONS)}, peers=4)
    same = write_run(tmp_path, answers(3), "all", k=None, aha=AHA, peers=4)
    fewer = efficiency.exhibit([*folders, more, same]).claims[3:]
    assert [claim.verdict for claim in fewer] == ["holds", "does not hold", "undecided"]


def test_table_and_figure_show_every_run(tmp_path: Path) -> None:
    folders = [write_leap(tmp_path, 4), write_alone(tmp_path, 3), write_alone(tmp_path, 5, seed=9)]
    shown = efficiency.exhibit(folders)
    [head, *rows] = shown.table
    assert {len(row) for row in rows} == {len(head)} and [row[0] for row in rows] == ["independent", "dispersed k=4"]
    assert rows[0][1:3] == ["16", "8"], "two seeds are one pool of 16 paths"
    assert set(shown.runs) == {folder.name for folder in folders}
    panels = shown.figures["efficiency"].axes
    assert [list(axes.containers[0][0].get_ydata()) for axes in panels[:2]] == [[50, 100], [135, 270]]
    assert len(panels) == 4 and list(panels[3].containers[0][0].get_xdata()) == [1]
    assert [label.get_text() for label in panels[3].get_xticklabels()] == ["independent", "dispersed k=4"]


def test_independent_runs_alone_have_nothing_to_be_compared_with(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="independent runs only"):
        efficiency.efficiency([write_alone(tmp_path, 3)])
    one = write_run(tmp_path, {"q0": [["1"]]}, "random", method=LEAP, peers=1)
    shown = efficiency.exhibit([one])
    assert [claim.verdict for claim in shown.claims] == ["undecided", "undecided"]
    assert shown.table[1][6] == "n/a"
