"""What an analysis hands over: claims that intervals decide, files, and figures compared by what they hold."""

import json
import re
from pathlib import Path

import pytest

from analysis.drawing.curves import Marks, Panel, Series, curves, shares
from analysis.exhibits.base import Asked, Claim, Exhibit, decided, directional
from analysis.measures.contrasts import Against
from analysis.stats.intervals import DIFFERENCE, Estimate
from leap_lab.errors import UserError

UP, OPEN = Estimate(0.2, 0.1, 0.3, 40), Estimate(0.02, -0.1, 0.14, 40)
NONE = Estimate(0.5, None, None, 1, "an interval over questions needs more than one question")


def against(*gains: float, times: int = 1) -> Against:
    return Against.of_zero([[gain] for gain in gains * times], DIFFERENCE)


GAIN = against(0.1, 0.2, 0.3, times=40)
LOSS = against(-0.1, -0.2, -0.3, times=40)
NEITHER = against(0.3, -0.28, 0.1, -0.12, times=30)
FEW_GAIN = against(0.05, 0.1, 0.15, times=8)


@pytest.mark.parametrize(
    ("found", "up", "verdict"),
    [
        (GAIN, True, "holds"),
        (GAIN, False, "does not hold"),
        (LOSS, False, "holds"),
        (LOSS, True, "does not hold"),
        (NEITHER, True, "undecided"),
        (against(0.5), True, "undecided"),
        (FEW_GAIN, True, "undecided"),
        (against(0.3, times=5), True, "undecided"),
    ],
)
def test_only_a_verdict_decides_a_claim(found: Against, up: bool, verdict: str) -> None:
    assert directional("Peers help.", "Table 1", found, up).verdict == verdict


def test_a_claim_says_what_decides_it_or_why_nothing_does() -> None:
    because = directional("c", "s", GAIN, True, "gain").because
    assert re.fullmatch(
        r"The gain is \+20\.0 \[\+18\.\d, \+21\.\d\] points over 120 questions, p<0\.001 \(120 up, 0 same, 0 down\)\.",
        because,
    )
    told = directional("c", "s", NEITHER, True).because
    assert told.endswith("(60 up, 0 same, 60 down, the worst by 28.0). The data cannot tell its sign.")
    assert "There is no verdict: an interval over questions needs" in directional("c", "s", against(0.5), True).because
    few = directional("c", "s", against(0.3, 0.0, 0.0, times=5), True).because
    assert few.endswith("There is no verdict: fewer than 6 questions differ: too few to resample.")
    rare = directional("c", "s", FEW_GAIN, True).because
    assert re.search(
        r"Rare questions that were not asked could undo it: bounds for these are \[-\d+\.\d, \+\d+\.\d\]\.$", rare
    )


def test_claims_that_are_a_family_are_corrected_and_say_so() -> None:
    some = against(*[0.3, 0.4] * 10)
    alone, *_ = decided([Asked("c", "s", some, True)], "claims of a test")
    among, *others = decided([Asked("c", "s", some, True)] * 30, "claims of a test")
    assert alone.verdict == "holds" and "corrected" not in alone.because
    assert among.verdict == "undecided" and "p=0.006 corrected for the 30 claims of a test (20 up" in among.because
    assert "at the level of so many comparisons" in among.because and others == [among] * 29
    assert decided([], "claims of a test") == []


def exhibit() -> Exhibit:
    drawn = curves([Panel("Pass@1 (%)", [Series("leap", [(1, UP), (2, OPEN)])])], "k")
    claim = Claim("Peers help.", "Table 1", "holds", "By 20 points.")
    return Exhibit("top_k", "Peers", "Figure 8", [["run", "x"], ["leap", "1"]], ["A note."], {"top_k": drawn}, [claim])


def test_an_exhibit_is_written_in_every_form(tmp_path: Path) -> None:
    files = exhibit().write(tmp_path / "out")
    assert [file.name for file in files] == ["top_k.md", "top_k.tex", "top_k.json", "top_k.png", "top_k.pdf"]
    text = files[0].read_text()
    assert "| leap |" in text and "A note." in text and "- **holds**: Peers help. (Table 1) By 20 points." in text
    assert r"\toprule" in files[1].read_text()
    assert json.loads(files[2].read_text())["claims"][0]["verdict"] == "holds"
    assert files[3].read_bytes().startswith(b"\x89PNG") and files[4].read_bytes().startswith(b"%PDF")


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"--out=.*file: cannot write there"):
        exhibit().write(tmp_path / "file")


def test_curves_show_every_point_with_its_interval_and_the_papers_marks() -> None:
    top = Panel("Pass@1 (%)", [Series("leap", [(1, UP), (2, OPEN)])], bands={"independent": UP})
    low = Panel("gain (points)", [Series("leap", [(1, NONE)])], marks=[Marks("R1-7B", [(1, 9.0), (2, 8.0)])], zero=True)
    above, below = curves([top, low], "k", ticks=[1, 2]).axes
    line = above.containers[0]
    assert line.get_label() == "leap"
    assert line.lines[0].get_ydata() == pytest.approx([20, 2])
    [bars] = line.lines[2]
    assert [segment[:, 1] for segment in bars.get_segments()] == [pytest.approx([10, 30]), pytest.approx([-10, 14])]
    assert [each.get_ydata()[0] for each in above.lines if each.get_label() == "independent"] == [20]
    [points] = [each for each in below.collections if each.get_label() == "paper, R1-7B"]
    assert points.get_offsets().tolist() == [[1, 9], [2, 8]]
    assert below.get_xlabel() == "k" and [tick.get_text() for tick in below.get_xticklabels()] == ["1", "2"]
    [none] = below.containers[0].lines[2]
    assert none.get_segments()[0][:, 1] == pytest.approx([50, 50]), "no interval, no bar"


def test_lines_at_the_same_places_do_not_hide_each_other() -> None:
    panel = Panel("y", [Series("one", [(1, UP), (2, UP)]), Series("other", [(1, UP), (2, UP)])])
    [axes] = curves([panel], "x").axes
    places = [container.lines[0].get_xdata() for container in axes.containers]
    assert places[0][0] < 1 < places[1][0] and places[1][0] - places[0][0] < 0.2


def test_every_share_has_a_panel_of_its_own() -> None:
    parts = {
        "same": [Estimate(0.75, 0.6, 0.9, 9)] * 2,
        "changed": [Estimate(0.25, 0.1, 0.4, 9)] * 2,
        "lost": [Estimate(0, None, None, 9)] * 2,
    }
    figure = shares(["64", "128"], parts, "position", "share (%)", {"changed": Marks("QwQ-32B", [(0, 12.9)])})
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in shown] == ["same", "changed", "lost"]
    assert [list(axes.containers[0][0].get_ydata()) for axes in shown] == [[75, 75], [25, 25], [0, 0]]
    for axes in shown[1:]:
        assert [tick.get_text() for tick in axes.get_xticklabels()] == ["64", "128"], "nothing is below it"
    assert {axes.get_ylim() for axes in shown} == {(0, 100)}
    assert [axes.get_legend_handles_labels()[1] for axes in shown] == [[], ["paper, QwQ-32B"], []]


def test_long_names_get_a_column_of_their_own() -> None:
    def columns(*names: str) -> int:
        [axes] = curves([Panel("y", [Series(name, [(1, UP), (2, UP)]) for name in names])], "x" * 30).axes
        return axes.get_legend()._ncols

    assert columns("leap", "independent") == 2 and columns("leap", "leap_s with dispersed routing k=4") == 1


@pytest.mark.parametrize("count", [1, 2, 6])
def test_a_legend_takes_no_room_from_its_panel(count: int) -> None:
    named = [Series(f"leap_s with dispersed routing k={k}", [(1, UP), (2, UP)]) for k in range(count)]
    figure = curves([Panel("y", named), Panel("gain", named)], "x")
    figure.draw_without_rendering()
    assert min(axes.get_window_extent().height for axes in figure.axes) > 1.1 * figure.dpi


def test_a_line_looks_the_same_in_every_panel() -> None:
    one, other = Series("independent", [(1, UP)]), Series("leap", [(1, UP)])
    above, below = curves([Panel("y", [one, other]), Panel("gain", [other])], "x").axes
    looks = [{each.get_label(): each.lines[0].get_color() for each in axes.containers} for axes in (above, below)]
    assert looks[0]["leap"] == looks[1]["leap"] != looks[0]["independent"]
