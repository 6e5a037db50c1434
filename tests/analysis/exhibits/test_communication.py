"""Types of communication, whom paths heard and whether it helped, on run folders whose probes and routes are known."""

from pathlib import Path

import pytest

from analysis.exhibits import communication
from analysis.measures.exchanges import exchanges, type_of
from leap_lab.errors import UserError
from leap_lab.path import Route
from tests.known_runs import ALONE, LEAP, exchanging_path, write_exchanges, write_run

FULL = {"consistent": 0.25, "unaffected": 0.25, "influenced": 0.25, "strayed": 0.25}
# Path 0 agrees with 1 and stays, 1 agrees with 0 and goes; 2 and 3 hear the right ones, 2 stays and 3 follows.
FOUR = [[("1", "1", [1])], [("1", "5", [0])], [("2", "2", [0, 1])], [("3", "1", [0, 1])]]


@pytest.mark.parametrize(
    "before, after, heard, kind",
    [
        ("a", "a", ["a", "a", "b"], "consistent"),
        ("a", "b", ["a", "a", "b"], "strayed"),
        ("b", "b", ["a", "a", "b"], "unaffected"),
        ("b", "a", ["a", "a", "b"], "influenced"),
        ("b", "c", ["a", "a", "b"], "influenced"),
        ("a", "a", [None, None, "a"], "consistent"),
        (None, "a", ["a"], None),
        ("a", None, ["a"], None),
        ("a", "a", [None], None),
        ("a", "a", [], None),
    ],
)
def test_the_four_types(before: str | None, after: str | None, heard: list[str | None], kind: str | None) -> None:
    assert type_of(before, after, heard) == kind
    assert type_of(before, after, heard, ties_agree=False) == kind, "none of these is a tie"


def test_a_path_with_one_side_of_a_tie_agrees_unless_told_otherwise() -> None:
    assert [type_of("a", after, ["a", "b"]) for after in "ab"] == ["consistent", "strayed"]
    assert [type_of("a", after, ["a", "b"], ties_agree=False) for after in "ab"] == ["unaffected", "influenced"]
    assert type_of("c", "c", ["a", "b"]) == "unaffected"


def test_shares_by_position_with_what_was_heard(tmp_path: Path) -> None:
    second = [[*path, (path[0][1], path[0][1], [])] for path in FOUR[:2]]
    third = [[*path, ("1", "1", [0])] for path in FOUR[2:]]
    folder = write_exchanges(tmp_path, {f"q{index}": [[*second, *third]] for index in range(8)})
    everything, first, later = communication.communication([folder])
    assert {name: share.value for name, share in first.shares.items()} == FULL
    assert (everything.turn, everything.position, first.position, later.position) == (None, None, 64, 128)
    assert (first.blocks, first.told, later.blocks, later.told) == (32, 32, 32, 16), "two heard nobody"
    assert later.shares["consistent"].value == 1
    assert everything.shares["influenced"].value == pytest.approx(1 / 6) and everything.adopted.value == 1
    head, *rows = communication.cells([everything, first, later])
    assert {len(row) for row in rows} == {len(head)} and rows[1][2] == "64"
    assert rows[2][-1] == "n/a", "nobody was influenced at the second block"


def test_right_answers_are_one_however_written_and_wrong_ones_go_by_their_text(tmp_path: Path) -> None:
    group = [[("$2$", "2", [1])], [(" 2", "1", [0])], [(None, "1", [0, 1])], [("4", "4", [2])]]
    table = exchanges(write_exchanges(tmp_path, {"q": [group]}))
    assert [None if found != found else found for found in table["type"]] == ["consistent", "strayed", None, None]


def test_an_influenced_path_may_have_gone_where_nobody_was(tmp_path: Path) -> None:
    group = [[("1", "1", [1])], [("2", "7", [0])], [("3", "1", [0])], [("4", "1", [0])]]
    everything, _ = communication.communication([write_exchanges(tmp_path, {"q": [group]})])
    assert everything.adopted.value == pytest.approx(2 / 3)


def test_groups_and_turns_do_not_hear_each_other(tmp_path: Path) -> None:
    one, other = [[("1", "1", [1])], [("1", "1", [0])]], [[("2", "2", [1])], [("3", "3", [0])]]
    everything, _ = communication.communication([write_exchanges(tmp_path, {"q": [one, other]})])
    assert everything.shares["consistent"].value == everything.shares["unaffected"].value == 0.5


def test_who_was_heard_is_compared_with_all_that_were_there(tmp_path: Path) -> None:
    """AllPeers hears one that disagrees; of the three others two do (path 3, which left, was there to be heard)."""
    group = [[("1", "1", [2])], [("1", "1", [3])], [("2", "2", [0])], [("2",)]]
    folder = write_exchanges(tmp_path, {f"q{index}": [group] for index in range(8)})
    [found] = communication.heard([folder])
    assert (found.router, found.blocks, found.similarity.value) == ("dispersed", 24, 0.25)
    assert (found.unlike.value, found.unlike_live.value) == pytest.approx((1, 2 / 3))
    assert found.difference.value == pytest.approx(1 / 3) and found.difference.n == 8
    head, row = communication.heard_cells([found])
    assert len(head) == len(row) and row[-1].startswith("+33.3 [")


def test_a_right_peer_helps_within_the_same_question_turn_and_own_rightness(tmp_path: Path) -> None:
    """Of the wrong paths 2 to 7 half hear right path 0: 2 of these 3 get right, of the other 3 one."""
    wrong = [[("2", after, [peer])] for after, peer in zip("112122", [0, 0, 0, 1, 1, 1], strict=True)]
    group = [[("1", "1", [1])], [("3", "3", [0])], *wrong]
    found = communication.helped(write_exchanges(tmp_path, {"q": [group]}))
    # Path 1 is wrong and hears path 0 as well, in vain; path 0 is alone in its stratum.
    assert found.ratio.value == pytest.approx((2 * 2) / (2 * 1))
    assert (found.strata, found.rows) == (1, 7) and found.ratio.low is None


def test_a_block_at_which_nobody_was_heard_is_no_evidence(tmp_path: Path) -> None:
    group = [[("1", "1", [1])], [("2", "1", [0])], [("2", "2", [1])], [("2", "1", [])]]
    found = communication.helped(write_exchanges(tmp_path, {"q": [group]}))
    assert found.rows == 2, "wrong ones that heard somebody"


def claims_of(runs: Path, *groups: list, questions: int = 12, **more: object) -> dict[str, tuple[str, str]]:  # type: ignore[type-arg]
    folder = write_exchanges(runs, {f"q{index}": [groups[index % len(groups)]] for index in range(questions)}, **more)
    claims = communication.exhibit([folder]).claims
    names = ("minority", "earlier", "helps")
    return {name: (claim.verdict, claim.because) for name, claim in zip(names, claims, strict=True)}


def test_most_keep_their_answer_whatever_the_rule_for_ties(tmp_path: Path) -> None:
    stays, follows = [[("1", "1", [1])], [("1", "1", [0])]], [[("1", "2", [1])], [("2", "1", [0])]]
    assert claims_of(tmp_path, stays)["minority"][0] == "holds"
    assert claims_of(tmp_path, follows)["minority"][0] == "does not hold"
    assert claims_of(tmp_path, stays, follows)["minority"][0] == "undecided"
    tied = [[("1", "4", [1, 2])], [("1",)], [("2", "4", [0, 3])], [("2",)]]
    verdict, because = claims_of(tmp_path, tied)["minority"]
    assert verdict == "does not hold" and because.startswith("0.0 ["), "strayed or influenced, by how ties count"
    assert claims_of(tmp_path, stays, questions=1)["minority"][0] == "undecided"


def test_early_and_late_blocks_are_compared_in_the_same_questions(tmp_path: Path) -> None:
    first, late = ("1", "2", [1]), ("2", "2", [1])
    falls = [[first, late], [("2", "1", [0]), ("1", "1", [0])]]
    assert claims_of(tmp_path, falls)["earlier"][0] == "holds"
    assert claims_of(tmp_path, [path[::-1] for path in falls])["earlier"][0] == "does not hold"
    verdict, because = claims_of(tmp_path, [path[:1] for path in falls])["earlier"]
    assert verdict == "undecided" and because == "No later block has 6 questions in common with the first."
    few = claims_of(tmp_path, [path[:1] for path in falls], [path[:1] for path in falls], falls, questions=15)
    assert few["earlier"][0] == "undecided", "five questions reach the second block"


def test_the_odds_decide_only_with_an_interval(tmp_path: Path) -> None:
    """Wrong paths that hear right path 0 get right in `gain` of 4 cases, and in `luck` of 4 without."""

    def group(gain: int, luck: int) -> list:  # type: ignore[type-arg]
        heard = [("1" if index < gain else "2", [0]) for index in range(4)]
        others = [("1" if index < luck else "2", [1]) for index in range(4)]
        return [[("1", "1", [1])], [("2", "2", [])], *([("2", *each)] for each in [*heard, *others])]

    helps = [group(3, 1), group(4, 1), group(3, 2), group(2, 1), group(3, 0)]
    assert claims_of(tmp_path, *helps, questions=20)["helps"][0] == "holds"
    hurts = [group(1, 3), group(1, 4), group(2, 3), group(1, 2), group(0, 3)]
    assert claims_of(tmp_path, *hurts, questions=20)["helps"][0] == "does not hold"
    assert claims_of(tmp_path, *helps, *hurts, questions=20)["helps"][0] == "undecided"
    verdict, because = claims_of(tmp_path, *helps, questions=5)["helps"]
    assert verdict == "undecided" and "There is no interval: fewer than" in because


def test_the_exhibit_has_a_panel_a_type_and_the_papers_values_in_that_of_the_influenced(tmp_path: Path) -> None:
    paths = [[*path, ("1", "1", [(index + 1) % 4])] for index, path in enumerate(FOUR)]
    method = LEAP | {"interval": 4096}
    folder = write_exchanges(tmp_path, {f"q{index}": [paths] for index in range(8)}, method=method)
    made = communication.exhibit([folder])
    assert (made.name, made.source, made.runs) == ("communication_types", "Figure 9", [folder.name])
    panels = {axes.get_title(loc="left"): axes for axes in made.figures["communication_types"].axes}
    assert list(panels) == ["influenced", "unaffected", "consistent", "strayed"]
    assert list(panels["consistent"].containers[0][0].get_ydata()) == [25, 100]
    marks = {name: axes.get_legend_handles_labels() for name, axes in panels.items()}
    assert {name: labels for name, (_, labels) in marks.items() if labels} == {"influenced": ["paper, QwQ-32B"]}
    assert marks["influenced"][0][0].get_offsets().tolist() == [[0, 12.9], [1, 17.9]]
    assert [label.get_text() for label in panels["strayed"].get_xticklabels()] == ["4096", "8192"]
    assert "classified" in made.table[0] and "told" not in made.table[0]
    assert {file.name for file in made.write(tmp_path / "out")} >= {"communication_types.md", "communication_types.png"}


def test_a_single_block_stands_at_its_position(tmp_path: Path) -> None:
    method = {"name": "leap_s", "max_tokens": 512, "answer_tokens": 32, "position": 192, "summary_tokens": 32}
    _, only = communication.communication([write_exchanges(tmp_path, {"q": [FOUR]}, method=method)])
    assert (only.turn, only.position) == (0, 192)
    with pytest.raises(UserError, match=r"names neither method\.interval nor method\.position"):
        communication.communication([write_exchanges(tmp_path, {"q": [FOUR]}, method=ALONE)])


def test_runs_without_anything_to_tell_are_named_or_refused(tmp_path: Path) -> None:
    full = write_exchanges(tmp_path, {f"q{index}": [FOUR] for index in range(8)})
    mute = write_exchanges(tmp_path, {"q": [[[("1", "1", [])], [("2", "2", [])]]]}, "none")
    helpers = write_exchanges(tmp_path, {"q": [[[("1", "1", [6, 7])]]]})
    alone = write_run(tmp_path, {"q": [["1"]]})
    made = communication.exhibit([full, mute, alone])
    assert made.runs == [full.name] and set(made.figures) == {"communication_types"}
    assert [note.split(": ")[1] for note in made.notes[-2:]] == [
        "left out, it has no probes.",
        "left out, no block can be told.",
    ]
    for folder in (mute, helpers, alone):
        with pytest.raises(UserError, match="no block at which a path and a peer it heard answered"):
            communication.communication([folder])
    with pytest.raises(UserError, match="no path and peer it heard answered at a block"):
        communication.exhibit([mute, helpers])
    with pytest.raises(UserError, match="none of these runs has probes"):
        communication.exhibit([alone])


def test_several_runs_have_a_figure_and_claims_each(tmp_path: Path) -> None:
    groups = {f"q{index}": [FOUR] for index in range(8)}
    runs = [write_exchanges(tmp_path, groups, router) for router in ("dispersed", "clustered")]
    made = communication.exhibit(runs)
    assert set(made.figures) == {f"communication_types_{folder.name}" for folder in runs}
    assert len(made.claims) == 6 and made.claims[3].because.startswith("clustered k=2: ")
    assert any(note.startswith("clustered k=2: router clustered") for note in made.notes)


def test_the_doubles_write_what_they_say() -> None:
    path = exchanging_path(0, [("1", "2", [3]), ("2",)])
    assert [(probe.turn, probe.phase, probe.correct) for probe in path.probes] == [
        (0, "before", True),
        (0, "after", False),
        (1, "before", False),
    ]
    assert path.routes == [Route(0, (3,), (0.25,))]
