"""The loop of LeaP-T with the programmatic reasoner in the model's place, and the analysis that it ends with."""

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from analysis.exhibits.leap_t import Arm, heard, table_2
from analysis.measures.summaries import malformed, quality, summaries
from leap_lab.engines.models import located
from leap_lab.errors import UserError
from leap_lab.path import Kind
from leap_lab.training.leap_t import main
from tests.known_runs import write_exchanges, write_run

SMALL = ["--questions", "3", "--test", "8", "--probed", "2", "--decoding", "engine=scripted", "peers=4"]
SMALL += ["--tuning", "trainer.max_steps=2", "trainer.per_device_train_batch_size=4", "batch_size=4", "held_out=0"]


def part(kind: Kind, turn: int, tokens: int, text: str = "x") -> dict:
    return {"kind": kind.value, "turn": turn, "tokens": [1] * tokens, "text": text}


def test_the_loop_ends_with_its_tables_and_goes_on_where_it_stood(tmp_path, capfd):
    command = ["--out", str(tmp_path / "loop"), *SMALL]
    assert main(command) == 0
    out, _ = capfd.readouterr()
    for words in (
        "control + LeaP",
        "LeaP-T + LeaP minus base + LeaP",
        "LeaP-T minus base",
        "not changed from wrong to right by a block",  # what it learns from unless told otherwise
        "taken up %",
        "Table 2",
        "+ python -m leap_lab.run",
        f"Look next at {tmp_path / 'loop' / 'report' / 'leap_t.md'}",
    ):
        assert words in out
    cards = [json.loads(file.read_text()) for file in tmp_path.glob("loop/round-1/sets/*/card.json")]
    assert len(cards) == 2 and len({card["paths"]["kept"] for card in cards}) == 1
    assert (tmp_path / "loop" / "round-1" / "leap" / "model" / "model.safetensors").exists()
    report = json.loads((tmp_path / "loop" / "report" / "leap_t.json").read_text())
    assert len(report["runs"]) == 6
    made = {file: file.stat().st_mtime_ns for file in tmp_path.glob("loop/**/*.safetensors")}
    assert main(command) == 0
    again, err = capfd.readouterr()
    assert again.partition("Cons@N %")[2] == out.partition("Cons@N %")[2] != "" and "starting the engine" not in err
    assert made == {file: file.stat().st_mtime_ns for file in tmp_path.glob("loop/**/*.safetensors")}
    assert main([*command, "--test", "4"]) == 2
    assert "--test=4: must be >= 8, as measured in --out=" in capfd.readouterr().err
    assert main([*command, "--questions", "4", "--model", "other"]) == 2
    assert "another loop was begun there; it differs in model, questions\n" in capfd.readouterr().err


def test_a_stage_that_fails_ends_the_loop_in_one_line(tmp_path, capfd):
    for wrong in ("peers=0", "pears=4"):  # what was refused claims nothing
        assert main(["--out", str(tmp_path), "--decoding", "engine=scripted", wrong]) == 2
        assert capfd.readouterr().err.splitlines()[-1].endswith("leap_lab.run ended with status 2")
    (tmp_path / "file").touch()
    assert main(["--out", str(tmp_path / "file")]) == 2
    assert f"--out={tmp_path / 'file'}: not a folder" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--filters", "nonsense"], "nonsense: allowed are blocks, recovered, distinct, balance, per-question=M"),
        (["--filters", "per-question=0"], "per-question=0: allowed are blocks"),
        (["--rounds", "0"], "0: must be an integer >= 1"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_decoded(tmp_path, capsys, arguments, words):
    with pytest.raises(SystemExit, match="2"):
        main(["--out", str(tmp_path / "loop"), *arguments])
    assert words in capsys.readouterr().err and not (tmp_path / "loop").exists()


def test_the_tuned_model_that_is_shipped_is_the_built_in_one_with_other_weights():
    before, after = (Path(located(f"builtin:{name}")) for name in ("tiny", "tiny_t"))
    for file in ("config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        assert (before / file).read_bytes() == (after / file).read_bytes()
    old, new = (load_file(folder / "model.safetensors") for folder in (before, after))
    assert {name: weights.shape for name, weights in old.items()} == {name: each.shape for name, each in new.items()}
    moved = [(new[name] - weights).norm() / weights.norm() for name, weights in old.items()]
    assert 0 < max(moved) < 0.1


def test_arms_are_compared_over_the_same_questions(tmp_path):
    answers = {f"q{index}": [["2"] * 8] for index in range(32)}
    more = {f"q{index}": [["1"] * (index % 8 + 1) + ["2"] * (7 - index % 8)] for index in range(32)}
    low, high = write_run(tmp_path / "a", answers, "dispersed"), write_run(tmp_path / "b", more, "dispersed")
    found = table_2([Arm("base", low), Arm("tuned", high)], [("tuned", "base"), ("base", "tuned")])
    assert [claim.verdict for claim in found.claims] == ["holds", "does not hold"]
    assert "+56.2" in found.claims[0].because and found.table[2][1] == "32"
    assert "corrected for the 2 differences of this table" in found.claims[0].because
    few = [
        write_run(tmp_path / f"few{index}", dict(list(each.items())[:6]), "dispersed")
        for index, each in enumerate((answers, more))
    ]
    [claim] = table_2([Arm("base", few[0]), Arm("tuned", few[1])], [("tuned", "base")]).claims
    assert claim.verdict == "undecided", "an interval that excludes 0 is not enough"
    other = write_run(tmp_path / "c", {"another": [["1"] * 8]}, "dispersed")
    with pytest.raises(UserError, match="base and other: no question in common"):
        table_2([Arm("base", low), Arm("other", other)], [("base", "other")])


def test_what_is_taken_up_and_what_is_resisted(tmp_path: Path):
    group = [  # answer before, answer after, whom it heard; "1" is right
        [("2", "1", (1,))],  # wrong, hears a right one, becomes right
        [("1", "1", (0,))],  # right, hears a wrong one, stays right
        [("1", "2", (0, 1))],  # right, hears a wrong one, becomes wrong
        [("2", "2", (0,))],  # wrong, hears no right one
    ]
    found = heard(write_exchanges(tmp_path, {f"q{index}": [group] for index in range(3)}))
    assert (found.taken_up.value, found.resisted.value) == (1.0, 0.5)


def test_summaries_are_truncated_by_their_limit_or_by_the_runtime():
    path = [
        part(Kind.SUMMARY, 0, 3, "so far </summarize>"),
        part(Kind.COMMENT, 0, 9),
        part(Kind.SUMMARY, 1, 3, "so far"),
        part(Kind.TRIGGER, 1, 1, " </summarize>"),
        part(Kind.SUMMARY, 2, 4, "so far </summarize>"),
        part(Kind.TRIGGER, 3, 1, "forced"),
        part(Kind.SUMMARY, 3, 1, " </summarize>"),
    ]
    assert list(summaries(path, 4)) == [(False, False), (True, False), (True, False), (False, True)]
    assert malformed("a <comment> b </summarize>") and not malformed("a < b </summarize>")


def test_a_run_without_summaries_has_no_quality(tmp_path):
    with pytest.raises(UserError, match="no summaries in it"):
        quality(write_run(tmp_path, {"q": [["1"] * 8]}))
    assert quality(write_run(tmp_path, {"q": [["1"] * 8], "r": [["2"] * 8]}, "dispersed")).summaries == 16
