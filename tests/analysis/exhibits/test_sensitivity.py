"""One setting at a time, and routers by k, on run folders whose answers are known."""

from pathlib import Path
from typing import Any

import pytest

from analysis.exhibits import main_table as routers
from analysis.exhibits.sensitivity import exhibit, sensitivity
from analysis.measures.compare import compare, corrected
from leap_lab.errors import UserError
from tests.known_runs import ALONE, EASY, HARD, LEAP, Answers, copies, write_run

MODEL = {"name": "tiny", "path": "builtin:tiny", "interval": 64}
EASIER, HARDER = copies(EASY, 6), copies(HARD, 6)  # 48 questions: enough to decide


def by_interval(runs: Path) -> list[Path]:
    """Exchanging every 32 tokens gains as EASY over HARD, every 96 nothing."""
    alone = write_run(runs, HARDER, model=MODEL)
    often, seldom = (
        write_run(runs, answers, "dispersed", 2, model=MODEL, method=LEAP | {"interval": interval})
        for interval, answers in ((32, EASIER), (96, HARDER))
    )
    return [seldom, alone, often]


def test_runs_stand_where_their_setting_is_as_a_multiple_of_the_models(tmp_path: Path) -> None:
    points = sensitivity(by_interval(tmp_path), "granularity")
    assert [point.place for point in points] == [0.5, 1.5]
    assert [round(point.row["pass@1"].value, 4) for point in points] == [0.5625, 0.25]
    assert [round(point.row.against.difference.value, 4) for point in points] == [0.3125, 0]


def test_the_claim_compares_the_two_ends(tmp_path: Path) -> None:
    shown = exhibit(by_interval(tmp_path), "granularity")
    [claim] = shown.claims
    assert claim.verdict == "holds" and "is +31.2 [" in claim.because
    assert shown.name == "granularity" and len(shown.table) == 4 and len(shown.runs) == 3


def test_the_figure_has_the_baseline_as_a_band_and_the_papers_gains(tmp_path: Path) -> None:
    above, below = exhibit(by_interval(tmp_path), "granularity").figures["granularity"].axes
    assert above.containers[0].lines[0].get_xdata().tolist() == [0.5, 1.5]
    assert [line.get_ydata()[0] for line in above.lines if line.get_label() == "independent"] == [25]
    marks = {each.get_label(): each.get_offsets().tolist() for each in below.collections if each.get_label()[:1] != "_"}
    assert marks["paper, R1-7B"][0] == pytest.approx([0.5, 64.48 - 51.35])
    assert below.containers[0].lines[0].get_ydata() == pytest.approx([31.25, 0])


def test_temperature_is_the_independent_runs_setting_too(tmp_path: Path) -> None:
    runs = [
        write_run(
            tmp_path, answers, router, sampling={"temperature": t}, model=MODEL | {"sampling": {"temperature": 1.0}}
        )
        for router, answers in ((None, HARDER), ("dispersed", EASIER))
        for t in (0.5, 1.0)
    ]
    shown = exhibit(runs, "temperature")
    above, _ = shown.figures["temperature"].axes
    assert {container.get_label() for container in above.containers} == {"leap dispersed k=4", "independent"}
    assert [claim.verdict for claim in shown.claims] == ["holds", "holds"]
    assert "p<0.001 corrected for the 2 comparisons" in shown.claims[0].because


def test_helpers_stand_on_a_line_for_each_block(tmp_path: Path) -> None:
    method = LEAP | {"name": "leap_s", "position": 32}
    alone = write_run(tmp_path, HARDER, peers=16)
    helped = [
        write_run(tmp_path, answers, "all", None, peers=k + 1, method=method | {"helpers": k, "position": position})
        for position in (32, 64)
        for k, answers in ((2, HARDER), (8, EASIER))
    ]
    shown = exhibit([alone, *helped], "single")
    above, _ = shown.figures["single"].axes
    assert {container.get_label() for container in above.containers} == {"leap_s T=32", "leap_s T=64"}
    more = [claim for claim in shown.claims if claim.text.startswith("More helpers")]
    assert [(claim.verdict, claim.text[-6:]) for claim in more] == [("holds", "T=32)."), ("holds", "T=64).")]
    assert sum("Helpers that stop" in claim.text for claim in shown.claims) == 4, "each against 16 independent paths"


@pytest.mark.parametrize(
    ("axis", "other"),
    [
        ("granularity", {"router": "clustered"}),
        ("granularity", {"k": 4}),
        ("granularity", {"prompts": {"name": "untuned"}}),
        ("top_k", {"method": LEAP | {"interval": 32}}),
        ("top_k", {"seed": 1}),
        ("position", {"router": "clustered"}),
        ("temperature", {"method": LEAP | {"interval": 32}}),
    ],
)
def test_only_runs_that_differ_in_one_setting_are_contrasted(tmp_path: Path, axis: str, other: dict[str, Any]) -> None:
    """Two lines, on one the setting gains nothing, on the other there is no second run: across them it would gain."""
    model = MODEL | {"sampling": {"temperature": 1.0}}
    kinds: dict[str, list[dict[str, Any]]] = {
        "granularity": [{"method": LEAP | {"interval": interval}} for interval in (32, 64, 96)],
        "top_k": [{"k": k} for k in (1, 4, 8)],
        "position": [{"method": LEAP | {"name": "leap_s", "position": place}} for place in (128, 64, 96)],
        "temperature": [{"sampling": {"temperature": t}} for t in (1.5, 1.0, 1.25)],
    }

    def write(answers: Answers, **more: Any) -> Path:
        found = {"router": "dispersed", "k": 2, "model": model} | more
        return write_run(tmp_path, answers, found.pop("router"), found.pop("k"), **found)

    runs = [write(EASY, **kinds[axis][1]), write(EASY, **kinds[axis][2])]
    alien = other | kinds[axis][0]
    if "method" in other and "method" in kinds[axis][0]:
        alien["method"] = kinds[axis][0]["method"] | other["method"]
    runs.append(write(HARD, **alien))
    shown = exhibit(runs, axis)
    assert len(shown.figures[axis].axes[0].containers) == 2, "a line each"
    contrasts = [claim for claim in shown.claims if "difference between" in claim.because]
    assert {claim.verdict for claim in contrasts} == {"undecided"}


def test_every_line_has_its_own_contrast_and_says_which(tmp_path: Path) -> None:
    runs = by_interval(tmp_path)
    runs += [
        write_run(tmp_path, EASY, "clustered", 2, model=MODEL, method=LEAP | {"interval": interval})
        for interval in (32, 96)
    ]
    claims = {claim.text: claim.verdict for claim in exhibit(runs, "granularity").claims}
    text = "Exchanging more often is better than exchanging seldom"
    assert claims == {f"{text} (leap dispersed k=2).": "holds", f"{text} (leap clustered k=2).": "undecided"}


def test_lines_that_would_have_one_name_are_told_apart(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path, EASY, "dispersed", k, model=MODEL, method=LEAP | {"interval": interval})
        for k in (2, 4)
        for interval in (32, 64)
    ]
    above = exhibit(runs, "top_k").figures["top_k"].axes[0]
    assert {container.get_label() for container in above.containers} == {
        "dispersed interval=32",
        "dispersed interval=64",
    }


def test_runs_without_the_setting_say_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"position: none of these runs has such a setting"):
        exhibit([write_run(tmp_path, EASIER), write_run(tmp_path, EASIER, "dispersed")], "position")


def test_a_family_of_comparisons_is_corrected(tmp_path: Path) -> None:
    runs = [write_run(tmp_path, HARD), *(write_run(tmp_path, EASY, "dispersed", k) for k in (1, 2, 3, 4))]
    bare, family = compare(runs), corrected(compare(runs))
    assert [row.against.p for row in bare[1:]] == pytest.approx([2 / 2**8] * 4)
    assert [row.against.p for row in family[1:]] == pytest.approx([8 / 2**8] * 4)


def test_a_verdict_is_of_the_family(tmp_path: Path) -> None:
    easy, hard = copies(EASY, 2), copies(HARD, 2)
    runs = [write_run(tmp_path, hard), write_run(tmp_path, easy, "dispersed", 1)]
    assert corrected(compare(runs))[1].against.verdict == "better"
    more = [write_run(tmp_path, easy, "dispersed", k) for k in range(2, 9)]
    assert {row.against.verdict for row in corrected(compare([*runs, *more]))[1:]} == {""}


def test_the_main_table_compares_routers_at_the_same_k(tmp_path: Path) -> None:
    runs = [write_run(tmp_path, HARDER)]
    for router, answers in (("clustered", HARDER), ("dispersed", EASIER), ("random", EASIER)):
        runs += [write_run(tmp_path, answers, router, k) for k in (2, 4)]
    shown = routers.exhibit(runs)
    gains = {claim.text: claim.verdict for claim in shown.claims if claim.source == "Table 1"}
    assert len(gains) == 6 and gains["Peers raise Pass@1 (dispersed k=4)."] == "holds"
    assert gains["Peers raise Pass@1 (clustered k=4)."] == "undecided"
    between = {claim.text: claim.verdict for claim in shown.claims if claim.source == "Section 4.2"}
    assert between == {
        "Dispersed routing is better than clustered (k=2).": "holds",
        "Dispersed routing is better than clustered (k=4).": "holds",
        "Dispersed routing is better than random (k=2).": "undecided",
        "Dispersed routing is better than random (k=4).": "undecided",
    }
    assert any("R1-7B +9.2 (dispersed k=4)" in note for note in shown.notes)
    assert any("Holm" in note for note in shown.notes)


def test_pass1_of_another_number_of_independent_paths_is_a_baseline_the_budget_is_not(tmp_path: Path) -> None:
    alone, heard = write_run(tmp_path, HARD, peers=16), write_run(tmp_path, EASY, "dispersed", peers=8)
    assert compare([alone, heard])[1].against.difference.value == pytest.approx(0.3125)
    richer = write_run(tmp_path, EASY, "dispersed", method=LEAP | {"max_tokens": 1024}, peers=8)
    assert compare([alone, richer])[1].against is None
    exact = write_run(tmp_path, EASY, peers=8, method=ALONE)
    assert compare([alone, exact, heard])[2].against.difference.value == 0
