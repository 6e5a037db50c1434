"""CPT met by LeaP at its own cost, on run folders with known answers."""

from pathlib import Path

import pytest

from analysis.exhibits import leap_vs_cpt
from leap_lab.errors import UserError
from tests.known_runs import LEAP, write_run

QUESTIONS = [f"q{index}" for index in range(48)]
CPT = {**LEAP, "name": "cpt"}


def write(
    runs: Path, method: dict[str, object], paths: int, solved: int, thinks: int = 100, built_in: str = ""
) -> Path:
    """All paths right in the first so many questions, and wrong in all others."""
    made = {question: [["1" if place < solved else "2"] * paths] for place, question in enumerate(QUESTIONS)}
    router = "dispersed" if method is LEAP else None
    model = {"name": "mine", "path": built_in or "models/mine"}
    tokens = dict.fromkeys(QUESTIONS, thinks)
    return write_run(runs, made, router, method=method, thinks=tokens, peers=paths, model=model)


def test_cpt_is_met_where_leap_costs_the_same(tmp_path: Path) -> None:
    """Paths of LeaP sample 110 tokens, those of CPT 165, so 4 of these cost as much as 6 of those."""
    runs = [write(tmp_path, LEAP, 4, 0), write(tmp_path, LEAP, 8, 24), write(tmp_path, CPT, 4, 48, thinks=165)]
    made = leap_vs_cpt.exhibit(runs)
    head, *lines = made.table
    tokens, critical = (next(line for line in lines if line[2] == name) for name in ("sampled tokens", "critical path"))
    assert tokens[head.index("per question")] == "660" and tokens[head.index("CPT %")].startswith("100.0")
    assert tokens[head.index("LeaP %")].startswith("25.0"), "halfway between 0 and 50"
    assert tokens[head.index("difference")].startswith("+75.0") and "better" in tokens[head.index("difference")]
    assert critical[head.index("LeaP %")] == "n/a", "165 tokens are beyond the 110 of LeaP"
    verdicts = {claim.text: claim.verdict for claim in made.claims}
    assert verdicts["At equal sampled tokens CPT decides better than LeaP (cpt N=4)."] == "holds"
    assert verdicts["At equal critical path CPT decides better than LeaP (cpt N=4)."] == "undecided"
    assert verdicts["At equal FLOPs, no cache CPT decides better than LeaP (cpt N=4)."] == "undecided", "not known"


def test_the_built_in_model_decides_nothing_since_it_writes_no_notes(tmp_path: Path) -> None:
    runs = [write(tmp_path, LEAP, 8, 24, built_in="builtin:tiny"), write(tmp_path, CPT, 8, 48, built_in="builtin:tiny")]
    claims = leap_vs_cpt.exhibit(runs).claims
    assert {claim.verdict for claim in claims} == {"undecided"}
    assert all("never learned" in claim.because for claim in claims)


def test_one_of_the_two_alone_is_one_line(tmp_path: Path) -> None:
    for method in (LEAP, CPT):
        with pytest.raises(UserError, match="needed are runs of method=cpt and of method=leap"):
            leap_vs_cpt.exhibit([write(tmp_path / str(method["name"]), method, 4, 8)])
