"""Runs side by side as a table, in three forms."""

import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from analysis.drawing import differences, figures, numerals, tables
from analysis.measures.compare import compare, corrected
from analysis.report import sweep as report
from tests.known_runs import ALONE, EASY, HARD, copies, write_run

HOSTILE = [["run", "n"], ["a|b_c\\d 50% #1 & {x} ~ ^ <b> $y$", "-1.5"]]


def test_the_table_holds_the_numbers(sweep: list[Path]) -> None:
    head, baseline, dispersed, clustered = tables.cells(compare(sweep))
    assert head[1:5] == ["Q×G×N", "Pass@1 %", "vs independent", "Cons@8 %"]
    assert baseline[1] == "8×1×8" and baseline[3] == ""
    assert baseline[2].startswith("25.0 [") and dispersed[2].startswith("56.2 [")
    assert dispersed[3].startswith("+31.2 [") and dispersed[3].endswith("p=0.008")
    assert clustered[3] == "+0.0 [n/a] p=1.000"
    assert "n/a: fewer than 6 questions differ: too few to resample." in tables.notes(compare(sweep))
    assert baseline[4].startswith("6.2 [") and dispersed[4].startswith("56.2 [")  # a tie of 4 to 4 counts half
    assert head[-6:] == ["sampled", "heard", "wrapper", "prefilled", "FLOPs", "critical path"]
    assert baseline[-6:] == ["100", "0", "0", "50 (30–70)", "n/a", "100"]
    assert dispersed[-6:] == ["110", "30", "10", "90 (70–110)", "n/a", "110"]


def test_a_verdict_is_told_with_the_difference(tmp_path: Path) -> None:
    easy, hard = copies(EASY, 6), copies(HARD, 6)
    *_, line = tables.cells(compare([write_run(tmp_path, easy, "dispersed"), write_run(tmp_path, hard)]))
    assert re.fullmatch(r"\+31\.2 \[\+\d+\.\d, \+\d+\.\d\] p<0\.001 better", line[3])


def test_notes_name_the_family_or_that_there_is_none(sweep: list[Path]) -> None:
    bare, family = "\n".join(tables.notes(compare(sweep))), "\n".join(tables.notes(corrected(compare(sweep))))
    assert "p is not corrected for being one of 2." in bare and "corrected for the" not in bare
    assert "p is corrected for the 2 comparisons with independent in this table (Holm)." in family
    alone = "\n".join(tables.notes(corrected(compare(sweep[1:]))))
    assert "corrected" not in alone, "one comparison is no family"


def test_every_row_says_what_could_be_told(sweep: list[Path], tmp_path: Path) -> None:
    told = [
        note
        for note in tables.notes(corrected(compare(sweep)))
        if note.split(": ")[0] in ("dispersed k=4", "clustered k=4")
    ]
    assert (
        len(told) == 2 and "0 of 8 questions differ: with fewer than 6 that differ nothing can be decided." in told[1]
    )
    many = [write_run(tmp_path, copies(EASY, 10), "dispersed"), write_run(tmp_path, copies(HARD, 10))]
    [power] = [note for note in tables.notes(compare(many)) if "80% power" in note]
    assert re.match(r"dispersed k=4: a true difference of about \d+ points would be called better with", power)


def test_the_differences_tell_what_became_of_questions(sweep: list[Path]) -> None:
    rows = corrected(compare(sweep))
    head, dispersed, votes, *others = differences.cells(rows)
    assert head == ["run", "metric", "difference", "bounds", "a/b/c", "signs"]
    assert dispersed[:2] == ["dispersed k=4", "Pass@1"] and dispersed[2].startswith("+31.2 [")
    assert dispersed[4:] == ["8/0/0", "p=0.016"] and votes[1] == "Cons@8" and len(others) == 2
    assert re.fullmatch(r"\[-\d+\.\d, \+\d+\.\d\]", dispersed[3])
    covered = differences.cells(rows, coverage=True)
    assert [line[1] for line in covered[1:]] == ["pass@2", "pass@4", "pass@8"] * 2
    assert "2 comparisons with independent in this table" in differences.note(rows)
    assert differences.cells(rows[:1]) == [head]


def test_a_loss_is_told_with_the_largest(tmp_path: Path) -> None:
    _, row = compare([write_run(tmp_path, HARD, "dispersed"), write_run(tmp_path, EASY)])
    assert row.against is not None and numerals.counts(row.against) == "0/0/8, worst -50.0"
    assert numerals.words(row.against) == "0 up, 0 same, 8 down, the worst by 50.0"
    assert numerals.counted(row.against).endswith("p=0.008 0/0/8, worst -50.0") and numerals.counted(None) == "n/a"


def test_a_margin_says_which_differences_are_within_it(tmp_path: Path) -> None:
    easy = copies(EASY, 15)
    rows = compare([write_run(tmp_path, easy, "dispersed"), write_run(tmp_path, easy)])
    assert [line[-1] for line in differences.cells(rows, margin=5)] == ["within ±5", "yes", "yes"]
    assert [line[-1] for line in differences.cells(rows, margin=0.5)] == ["within ±0.5", "not shown", "not shown"]
    assert "two one-sided tests" in differences.note(rows, 5) and "one-sided" not in differences.note(rows)


def test_operations_are_shown_where_the_run_knows_them(tmp_path: Path) -> None:
    """Two operations per token computed, a path has 50 in its prompt and 100 that it samples; ten per token sampled."""
    per = {"computed": 2_000_000, "sampled": 10_000_000, "attended": 5}
    folder = write_run(tmp_path / "runs", EASY, flops_per=per)
    made = report.write([folder], tmp_path / "out")
    assert tables.cells(compare([folder]))[1][-2] == "1.31G (1.27G–1.35G)"
    [row] = json.loads(made.files[2].read_text())["rows"]
    assert row["metrics"]["flops"]["value"] == 2e6 * 150 + 1e7 * 101
    assert row["ledger"]["flops"] == 64 * (2e6 * 150 + 1e7 * 101)
    assert row["ledger"]["flops_least"] == 64 * (2e6 * 130 + 1e7 * 101), "30 of its prompt, and what it samples"
    assert row["metrics"]["flops_most"]["value"] == 2e6 * 170 + 1e7 * 101
    assert (row["ledger"]["sampled"], row["ledger"]["cached"], row["ledger"]["critical_path_max"]) == (6400, 1280, 100)
    assert "What these runs cost" in made.files[0].read_text() and "83.8G" in made.files[0].read_text()


def test_what_the_engine_does_not_report_is_shown_as_such(tmp_path: Path) -> None:
    per = {"computed": 2_000_000, "sampled": 10_000_000, "attended": 5}
    folders = [write_run(tmp_path, EASY, flops_per=per), write_run(tmp_path, HARD, "all", flops_per=per, reports=False)]
    known, unknown = tables.cells(compare(folders))[1:]
    assert known[-6:] == ["100", "0", "0", "50 (30–70)", "1.31G (1.27G–1.35G)", "100"]
    assert unknown[-6:] == ["110", "30", "10", "n/a (70–110)", "n/a (1.47G–1.55G)", "110"]
    notes = [note for note in tables.notes(compare(folders)) if "engine" in note]
    assert notes == ["all k=4: prefilled is n/a, because the engine does not report it."]
    made = report.write(folders, tmp_path / "out")
    known, unknown = (row["ledger"] for row in json.loads(made.files[2].read_text())["rows"])
    assert (unknown["prefilled"], unknown["cached"], unknown["flops"], unknown["sampled"]) == (None, None, None, 7040)
    ledger = made.tables["ledger"]
    columns = [ledger[0].index(name) for name in ("prefilled", "cached", "FLOPs", "sampled")]
    assert [ledger[2][column] for column in columns] == ["n/a", "n/a", "n/a", "7.04k"]


def test_a_run_that_did_not_count_peers_words_apart_says_so(tmp_path: Path) -> None:
    old, new = write_run(tmp_path, EASY, "all"), write_run(tmp_path, EASY, "dispersed")
    for file in (old / "groups").glob("*.parquet"):
        table = pq.read_table(file)
        later = ["tokens_heard", *(name for name in table.column_names if name.endswith(("_least", "_most")))]
        stamp = json.loads(table.schema.metadata[b"leap_lab"])
        del stamp["columns"]
        made = table.drop_columns(later).replace_schema_metadata({"leap_lab": json.dumps(stamp)})
        pq.write_table(made, file, write_page_checksum=True)
    found = compare([old, new])
    assert [line[-6:-2] for line in tables.cells(found)[1:]] == [
        ["110", "n/a", "n/a", "90"],
        ["110", "30", "10", "90 (70–110)"],
    ]
    told = [note for note in tables.notes(found) if "count them apart" in note]
    assert [note[:10] for note in told] == ["all k=4: h"] and told[0].endswith("together they are 40.")
    bars = [each for each in figures.overview(found).axes[-1].containers if hasattr(each, "patches")]
    assert [each.get_label() for each in bars] == ["own", "received"]


@pytest.mark.parametrize(
    ("value", "told"),
    [(0, "0"), (999, "999"), (999.7, "1.00k"), (1234, "1.23k"), (99_960, "100k"), (999_600, "1.00M"), (3e15, "3.00P")],
)
def test_large_numbers_are_told_in_three_digits(value: float, told: str) -> None:
    assert numerals.short(value) == told


def test_a_number_that_is_not_known_is_said_to_be() -> None:
    assert numerals.short(None) == numerals.short(float("nan")) == "n/a"


def test_without_a_baseline_there_is_no_column_for_it(sweep: list[Path]) -> None:
    found = compare(sweep[:2])
    assert {len(line) for line in tables.cells(found)} == {11}
    assert "independent" not in "\n".join([tables.console(tables.cells(found)), *tables.notes(found)])


def test_decisions_and_costs_of_groups_are_shown_where_a_run_decides_otherwise(tmp_path: Path) -> None:
    """One row with the bill of a group: its mean per path would be compared with that of one among eight."""
    single = {question: [group[:1] for group in groups] for question, groups in EASY.items()}
    spent = {"method": {**ALONE, "name": "pacore"}, "thinks": dict.fromkeys(EASY, 900)}
    folders = [write_run(tmp_path, HARD), write_run(tmp_path, single, **spent)]
    rows = corrected(compare(folders))
    head, alone, pacore = tables.cells(rows)
    assert head[-2:] == ["final %", "sampled per group"]
    assert alone[-1] == "800" and pacore[-1] == "900" and pacore[-2].startswith("100.0 [")
    assert any(note.startswith("sampled per group: ") for note in tables.notes(rows))
    told = [line[:2] for line in differences.cells(rows)[1:]]
    assert told == [["pacore", "Pass@1"], ["pacore", "Final"]]
    plain = corrected(compare([folders[0], write_run(tmp_path, EASY, "random")]))
    assert "final %" not in tables.cells(plain)[0] and not any("Final" in line for line in differences.cells(plain))
    assert not any(note.startswith(("final", "sampled per group")) for note in tables.notes(plain))


def test_one_question_is_shown_without_intervals(tmp_path: Path) -> None:
    one = {"q": [["1", "2"]]}
    found = compare([write_run(tmp_path, one, "dispersed", peers=2), write_run(tmp_path, one, peers=2)])
    assert tables.cells(found)[2][2:5] == ["50.0 [n/a]", "+0.0 [n/a]", "50.0 [n/a]"]
    assert tables.notes(found)[-1] == "n/a: an interval over questions needs more than one question."
    figures.overview(found)


def test_console_columns_are_of_one_width(sweep: list[Path]) -> None:
    lines = tables.console(tables.cells(compare(sweep))).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert len(lines) == 5


def test_markdown_is_escaped() -> None:
    head, rule, row = tables.markdown(HOSTILE).splitlines()
    assert re.fullmatch(r"\|-+\|-+:\|", rule)
    assert len(re.findall(r"(?<!\\)\|", row)) == len(re.findall(r"(?<!\\)\|", head)) == 3
    assert r"a\|b\_c\\d" in row and r"\<b>" in row


def test_latex_is_escaped() -> None:
    text = tables.latex(HOSTILE, ["a note\nin two lines"])
    assert text.startswith("% a note in two lines\n\\begin{tabular}{lr}\n\\toprule\n")
    assert r"a$|$b\_c\textbackslash{}d 50\% \#1 \& \{x\} \textasciitilde{} \textasciicircum{} $<$b$>$ \$y\$" in text
    assert r"$-$1.5 \\" in text
    assert text.endswith("\\bottomrule\n\\end{tabular}")


@pytest.mark.parametrize("form", [tables.console, tables.markdown, tables.latex])
def test_a_cell_cannot_break_its_table(form: Any) -> None:
    hostile = "a\n\n| b |\x1b[31m\r\x00\u2028c & d \\\\"
    plain, broken = (form([["run", "x"], [text, "1"], ["z", "2"]]) for text in ("a", hostile))
    assert len(broken.splitlines()) == len(plain.splitlines())
    assert broken.isprintable() or {sign for sign in broken if not sign.isprintable()} == {"\n"}
