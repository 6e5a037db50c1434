"""leap_lab from Python: in a script and in async code, and what it says of bad settings."""

import asyncio
import contextlib
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import leap_lab
from leap_lab import api
from leap_lab.builtin.reasoner import ScriptedSettings
from leap_lab.run import main

QUESTION = "a=20+31\nb=a-4\nc=b+9\nd=c-6\nWhat is d?"
QUICK = ("engine=scripted", "tracking=none", "peers=4")


def small(runs: Path) -> tuple[str, ...]:
    return (*QUICK, "limit=2", f"runs_dir={runs}")


def test_a_question_is_solved():
    paths = leap_lab.solve(QUESTION, "router=dispersed", *QUICK)
    assert len(paths) == 4
    assert {path.answer for path in paths} == {"50"} and all(path.correct is None for path in paths)
    for path in paths:
        assert path.text() == "".join(segment.text for segment in path.segments)
        assert path.finish == "answered"


def test_a_problem_with_a_gold_answer_is_graded():
    right, wrong = (leap_lab.Problem("q", QUESTION, gold) for gold in ("50", "51"))
    assert all(path.correct for path in leap_lab.solve(right, *QUICK))
    assert not any(path.correct for path in leap_lab.solve(wrong, *QUICK))


def test_the_same_seed_gives_the_same_paths_and_another_others():
    one, two, other = (leap_lab.solve(QUESTION, *QUICK, f"seed={seed}") for seed in (1, 1, 2))
    assert [path.tokens for path in one] == [path.tokens for path in two]
    assert [path.seed for path in one] != [path.seed for path in other]


def test_overrides_may_be_a_dict():
    given = {"router": "random", "router.top_k": 2, "peers": 3, "engine": "scripted", "limit": None, "baseline": False}
    cell = leap_lab.cell(given)
    assert (cell.config["router"], cell.config["peers"]) == (
        leap_lab.cell("router=random", "router.top_k=2").config["router"],
        3,
    )
    assert (cell.config["limit"], cell.config["baseline"]) == (None, False)
    assert leap_lab.cell({"dataset.levels": [1, 2]}).config["dataset"]["levels"] == [1, 2]


@pytest.mark.parametrize(
    "text",
    ["<summarize> So far,", "it's a \\boxed{5}, no?", "ends in \\", "a\nb\n", "q ' \\' x", "x=1", "[a]", "null b"],
)
def test_a_text_in_a_dict_needs_no_quotes(text):
    words = {"prompts": "untuned", "prompts.asked": [text], "prompts.asked_lead": f"So: {text}"}
    config = leap_lab.cell(words, "engine=scripted").config["prompts"]
    assert (config["asked"], config["asked_lead"]) == ([text], f"So: {text}")


def test_a_sweep_gives_its_run_folders_as_the_command_line_does(tmp_path, capsys):
    sweep = ("router=clustered,random", *small(tmp_path / "runs"))
    folders = leap_lab.run(*sweep)
    assert main(["-m", *sweep]) == 0
    printed = capsys.readouterr().out
    assert [line.removeprefix("run folder: ") for line in printed.splitlines() if line.startswith("run folder: ")] == [
        str(folder) for folder in folders
    ]
    paths = leap_lab.load(folders)
    assert isinstance(paths, pd.DataFrame) and len(paths) == 3 * 2 * 4
    assert set(paths["method"]) == {"independent", "leap"}
    assert all((folder / "metrics.json").is_file() for folder in folders)


def test_experiments_can_be_run(tmp_path):
    folders = leap_lab.run("experiment=top_k", "router.top_k=1,2", *small(tmp_path / "runs"))
    assert len(folders) == 3


def test_calls_in_an_engine_block_share_one_engine_and_its_settings(capsys):
    with leap_lab.engine("engine=scripted", "peers=3"):
        assert len(leap_lab.solve(QUESTION)) == 3
        assert len(leap_lab.solve(QUESTION, "peers=2")) == 2
        assert capsys.readouterr().err.count("starting the engine") == 1
        leap_lab.solve(QUESTION, "engine.max_model_len=1024", "method.max_tokens=256")
        assert capsys.readouterr().err.count("starting the engine") == 1, "another engine takes its place"
    with leap_lab.engine("engine=scripted"):
        pass
    assert capsys.readouterr().err.count("starting the engine") == 1


def test_a_block_ends_with_its_engine_closed(monkeypatch):
    closed = []
    start = ScriptedSettings.start

    async def started(self, model):
        engine = await start(self, model)

        async def close():
            closed.append(engine)

        engine.close = close
        return engine

    monkeypatch.setattr(ScriptedSettings, "start", started)
    with contextlib.suppress(ZeroDivisionError), leap_lab.engine("engine=scripted"):
        leap_lab.solve(QUESTION, "peers=2")
        assert not closed
        1 / 0  # noqa: B018
    assert len(closed) == 1


def test_it_works_inside_async_code(tmp_path):
    async def whole() -> tuple[int, int]:
        with leap_lab.engine("engine=scripted"):
            return len(leap_lab.solve(QUESTION, "peers=2")), len(leap_lab.run(*small(tmp_path / "runs")))

    assert asyncio.run(whole()) == (2, 2)


def test_the_command_line_works_inside_async_code(tmp_path, capsys):
    async def whole() -> int:
        return main(list(small(tmp_path / "runs")))

    assert asyncio.run(whole()) == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: leap_lab.solve(QUESTION, "router=nearest"),
            "router=nearest: no such choice; allowed are all, clustered",
        ),
        (lambda: leap_lab.solve(QUESTION, "router=random,all"), "router=random,all: several values are a sweep"),
        (lambda: leap_lab.solve(QUESTION, "prefix=bad"), "difficulty and prefix need a reference run"),
        (lambda: leap_lab.solve(QUESTION, {"peers": 0}), "peers=0: must be an integer from 1"),
        (lambda: leap_lab.run("limit=0"), "limit=0: must be an integer >= 1 or null"),
        (lambda: leap_lab.run("peers"), "peers: unrecognized argument"),
        (lambda: leap_lab.run("hydra/launcher=joblib"), "only the command line launches jobs"),
        (lambda: leap_lab.cell("experiment=trap"), "experiment: has several cells"),
        (lambda: leap_lab.load([]), "none named"),
    ],
)
def test_bad_settings_are_a_user_error_of_one_line(call, message):
    with pytest.raises(leap_lab.UserError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_groups_that_fail_are_told_with_what_is_kept(tmp_path):
    questions = tmp_path / "questions.jsonl"
    questions.write_text('{"problem": "a=20+31\\nWhat is a?", "answer": "51"}\n{"problem": "Why?", "answer": "1"}\n')
    with pytest.raises(leap_lab.RunFailed, match="groups failed; the first: ") as caught:
        leap_lab.run(*QUICK, "dataset=local", f"dataset.path={questions}", f"runs_dir={tmp_path / 'runs'}")
    assert len(caught.value.failures) == 2
    assert len(leap_lab.load(caught.value.folders)) == 2 * 4


def test_the_front_door_is_quick_and_names_what_it_has():
    code = "import time; t = time.perf_counter(); import leap_lab; t = time.perf_counter() - t; import sys;"
    code += "print(t < 0.3, sorted({'torch', 'pandas', 'hydra', 'vllm'} & set(sys.modules)), leap_lab.__version__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "[]", leap_lab.__version__]
    assert all(hasattr(leap_lab, name) for name in leap_lab.__all__)
    assert set(leap_lab.__all__) <= set(dir(leap_lab))
    with pytest.raises(AttributeError, match="no attribute 'slove'"):
        leap_lab.slove  # noqa: B018


def test_the_module_of_the_command_line_can_be_called():
    import leap_lab.run as module

    assert leap_lab.run is module and module.main is main
    assert api.run.__doc__ is not None
