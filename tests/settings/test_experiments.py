"""Every experiment is a few grids that compose, size themselves by the model, and end with a figure or table."""

import json

import pytest

from analysis.exhibits import trap
from leap_lab.errors import UserError
from leap_lab.run import main
from leap_lab.settings import conf
from leap_lab.settings.cell import Cell
from leap_lab.settings.compose import composed, expanded
from leap_lab.settings.datasets import Datasets
from leap_lab.settings.experiments import exhibit_node, exhibit_of, names, passes
from leap_lab.settings.rules import shares

SMALL = ["engine=scripted", "tracking=none", "peers=4", "limit=8"]
REAL = ["model=r1_7b", "dataset=aime_2024", "engine=scripted"]


def cells(*arguments: str, multirun: bool = False) -> list[Cell]:
    with conf.opened():
        found = [overrides for sweep in passes(list(arguments), multirun) for overrides in expanded(sweep)]
        return [composed(overrides, Datasets()) for overrides in found]


def test_the_experiments_of_the_paper_are_there_and_each_has_its_exhibit():
    assert all(callable(exhibit_of(name)) for name in names())
    assert {"trap", "trap_length", "good_beginnings", "main_table", "efficiency", "scaling", "granularity"} < set(
        names()
    )
    assert {"top_k", "communication_types", "position", "single", "error_tolerance", "difficulty"} < set(names())
    assert {"transitions", "temperature"} < set(names())


@pytest.mark.parametrize("name", names())
def test_every_experiment_composes_for_the_built_in_model_and_for_a_real_one(name):
    tiny, real = cells(f"experiment={name}"), cells(f"experiment={name}", *REAL)
    assert len(tiny) == len(real) >= 1
    assert {cell.config["experiment"]["name"] for cell in tiny + real} == {name}
    assert len({cell.run_id for cell in tiny}) == len(tiny)
    assert {cell.config["model"]["name"] for cell in real} == {"r1_7b"}


def test_settings_are_multiples_of_the_models_own():
    def intervals(*more: str) -> list[int]:
        return [cell.config["method"]["interval"] for cell in cells("experiment=granularity", *more)]

    assert intervals() == [32, 48, 64, 96]
    assert intervals(*REAL) == [2048, 3072, 4096, 6144]
    assert shares(0.6, [0.5, 1]) == [0.3, 0.6] and shares(64, [0.5]) == [32]


def test_what_the_user_sets_wins_over_the_grid_and_may_be_a_sweep():
    routers = [cell.config["router"]["name"] for cell in cells("experiment=main_table", "router=random")]
    assert routers == ["random", "random"]
    seeds = [(cell.config["router"]["top_k"], cell.config["seed"]) for cell in cells("experiment=top_k", "seed=0,1")]
    assert seeds == [(k, seed) for seed in (0, 1) for k in (1, 2, 4, 8)], "seeds are not compared with each other"


def test_what_makes_a_grid_what_it_is_stays():
    helped = [c.config for c in cells("experiment=single", "peers=8") if c.config["method"].get("helpers")]
    assert {(each["peers"], each["method"]["helpers"]) for each in helped} == {(3, 2), (5, 4), (9, 8), (17, 16)}
    moa = [c.config["peers"] for c in cells("experiment=scaling", "peers=8") if c.config["method"]["name"] == "moa"]
    assert moa == [3]


def test_a_key_reaches_the_parts_that_have_it():
    found = cells("experiment=position", "method.interval=48")
    assert {c.config["method"].get("interval") for c in found} == {None, 48}
    k = [c.config["router"].get("top_k") for c in cells("experiment=single", "router.top_k=2")]
    assert set(k) == {None, 2}
    with pytest.raises(UserError, match=r"method\.intervall=4: no grid of experiment=position has this key"):
        cells("experiment=position", "method.intervall=4")


def test_models_and_seeds_are_experiments_of_their_own():
    command = ["experiment=granularity", "model=r1_7b,tiny", "engine=scripted"]
    with conf.opened():
        found = passes(command, True)
    assert [each.experiment for each in found] == ["granularity model=r1_7b", "granularity model=tiny"]
    intervals = [cell.config["method"]["interval"] for cell in cells(*command, multirun=True)]
    assert intervals == [2048, 3072, 4096, 6144, 32, 48, 64, 96]


def test_several_experiments_share_their_cells():
    both = cells("experiment=communication_types,transitions", multirun=True)
    assert len(both) == 2 and both[0].run_id == both[1].run_id
    assert cells("experiment=trap")[0].run_id == cells("experiment=top_k")[2].run_id == cells()[0].run_id
    with pytest.raises(UserError, match="several experiments are a sweep; add -m"):
        cells("experiment=trap,top_k")


def test_what_asked_for_a_run_is_no_part_of_what_it_is(tmp_path):
    main(["experiment=trap", *SMALL, f"runs_dir={tmp_path}"])
    configs = list(tmp_path.glob("*/config.yaml"))
    assert len(configs) == 7, "with and without wrong ones, alone and with peers; right, random; the reference run"
    assert not any("experiment" in file.read_text() for file in configs)


def test_an_unknown_experiment_names_those_there_are(capsys):
    assert main(["experiment=tarp"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: experiment=tarp: no such choice; allowed are")
    assert "trap_length" in told and told.count("\n") == 1


def test_an_experiment_ends_with_its_figure_and_is_not_decoded_twice(tmp_path, capsys):
    command = ["experiment=trap", *SMALL, f"runs_dir={tmp_path}"]
    assert main(command) == 0
    out = capsys.readouterr().out
    written = {file.name for file in tmp_path.glob("reports/trap-*/*")}
    assert written == {"trap.md", "trap.tex", "trap.json", "trap.png", "trap.pdf"}
    assert (
        "The wrong" not in out
        and "A wrong beginning lowers the Pass@1 of independent paths (15% of a response)." in out
    )
    assert out.splitlines()[-1].endswith("trap.png")
    assert main(command) == 0
    assert "starting the engine" not in capsys.readouterr().err


def test_several_experiments_end_with_one_report(tmp_path, capsys):
    assert main(["-m", "experiment=granularity,transitions", *SMALL, f"runs_dir={tmp_path}"]) == 0
    [folder] = tmp_path.glob("reports/paper-*")
    page, text = (folder / "report.html").read_text(), (folder / "report.md").read_text()
    for name in ("granularity", "transitions"):
        told = json.loads((folder / f"{name}.json").read_text())
        assert f'<section id="{name}">' in page and f"![{told['title']}]({told['figures'][0]}.png)" in text
        for claim in told["claims"]:
            assert claim["verdict"] in ("holds", "does not hold", "undecided")
            assert claim["because"] in text
    assert capsys.readouterr().out.splitlines()[-1].endswith("report.html")


def test_an_experiment_whose_runs_failed_costs_no_other(tmp_path):
    from analysis.report import paper
    from tests.known_runs import EASY, write_run

    alone = write_run(tmp_path, EASY)
    made = paper.write({"top_k": [alone], "main_table": [alone]}, tmp_path / "out")
    assert made.problems == ["experiment=top_k: none of these runs has such a setting (k, peers heard)"]
    assert (tmp_path / "out" / "main_table.png").is_file() and not (tmp_path / "out" / "top_k.md").exists()


def test_a_report_is_of_what_was_asked_for_even_where_runs_hold_more(tmp_path, capsys):
    command = ["experiment=top_k", *SMALL[:-1], "router.top_k=1,2", f"runs_dir={tmp_path}"]
    assert main([*command, "limit=4"]) == 0
    first = capsys.readouterr().out.partition("report:")[0]
    assert main([*command, "limit=7", "groups=2"]) == 0
    assert capsys.readouterr().out.partition("report:")[0] != first
    assert main([*command, "limit=4"]) == 0
    assert capsys.readouterr().out.partition("report:")[0] == first


def test_all_experiments_can_be_named_at_once():
    with conf.opened():
        assert {each.experiment for each in passes(["experiment=glob(*)"], True)} == set(names())
        assert {each.experiment for each in passes(["experiment=glob(trap*)"], True)} == {"trap", "trap_length"}


def test_what_is_swept_beside_an_experiment_has_files_of_its_own(tmp_path, capsys):
    assert main(["-m", "experiment=trap", "seed=0,1", *SMALL, f"runs_dir={tmp_path}"]) == 0
    [folder] = tmp_path.glob("reports/paper-*")
    assert {file.name for file in folder.glob("*.png")} == {"trap_seed_0.png", "trap_seed_1.png"}
    told = [json.loads((folder / f"trap_seed_{seed}.json").read_text()) for seed in (0, 1)]
    assert [each["title"][-6:] for each in told] == ["seed=0", "seed=1"]
    assert len(set(told[0]["runs"]) & set(told[1]["runs"])) == 0
    assert all(claim["text"].endswith(f"[seed={seed}]") for seed in (0, 1) for claim in told[seed]["claims"])


def own(folder, name, text):
    """A folder of settings with one experiment in it."""
    (folder / "experiment").mkdir(parents=True)
    (folder / "experiment" / f"{name}.yaml").write_text(f"# @package _global_\n{text}")
    return str(folder)


def node(target):
    return f"experiment:\n  name: mine\n  exhibit: {{_target_: {target}}}\n  grids: [{{}}]\n"


def test_an_exhibit_comes_with_the_arguments_that_its_experiment_names():
    exhibit = exhibit_of("trap_length")
    assert (exhibit.func, exhibit.keywords) == (trap.exhibit, {"name": "trap_length"})
    assert exhibit_node("scaling") == {"_target_": "analysis.exhibits.scaling.exhibit", "budget": None}


def test_experiments_of_the_users_own_folder_are_found_and_may_build_on_others(tmp_path):
    text = "defaults: [trap, _self_]\nexperiment: {name: mine, exhibit: {name: trap_length}}\n"
    folder = own(tmp_path / "it's here", "mine", text)
    assert names([folder]) == sorted([*names(), "mine"])
    assert exhibit_of("mine", [folder]).keywords == {"name": "trap_length"}
    assert exhibit_of("trap", [folder]).keywords == {}


def test_another_context_of_hydras_is_as_it_was(tmp_path):
    with conf.opened([own(tmp_path, "mine", node("analysis.exhibits.trap.exhibit"))]):
        assert exhibit_of("trap").func is trap.exhibit
        assert "mine" in conf.choices("experiment")


def test_an_exhibit_may_be_a_function_of_the_users_own_module(tmp_path, monkeypatch):
    (tmp_path / "shown_here.py").write_text("def exhibit(folders, k=1): return (folders, k)\n")
    monkeypatch.syspath_prepend(tmp_path)
    text = node("shown_here.exhibit").replace("exhibit}", "exhibit, k: 3}")
    assert exhibit_of("mine", [own(tmp_path, "mine", text)])(["a"]) == (["a"], 3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (node("nowhere_to_be.found"), "cannot use its exhibit nowhere_to_be.found (ModuleNotFoundError: No module"),
        (node("analysis.exhibits.trap.exhibition"), "cannot use its exhibit analysis.exhibits.trap.exhibition (Attrib"),
        (
            node("analysis.exhibits.nowhere.exhibit"),
            "(ModuleNotFoundError: No module named 'analysis.exhibits.nowhere'",
        ),
        (
            node("breaks_on_import.exhibit"),
            "cannot use its exhibit breaks_on_import.exhibit (ValueError: in two lines)",
        ),
        (node("analysis.exhibits.trap.exhibit, axis: k"), "(TypeError: got an unexpected keyword argument 'axis')"),
        (node("exhibit"), "names no exhibit; set experiment.exhibit._target_"),
        ("experiment: {name: mine, grids: [{}]}\n", "names no exhibit; set experiment.exhibit._target_"),
        ("experiment: [\n", "experiment=mine: "),
        ("defaults: [{override /model: tinny}]\n", "tinny"),
        ('experiment: {exhibit: {_target_: "${nothing}.exhibit"}}\n', "nothing"),
    ],
)
def test_an_exhibit_that_cannot_be_used_is_one_line(tmp_path, monkeypatch, text, words):
    (tmp_path / "breaks_on_import.py").write_text("raise ValueError('in two\\nlines')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError) as error:
        exhibit_of("mine", [own(tmp_path, "mine", text)])
    assert str(error.value).startswith("experiment=mine: ") and words in str(error.value)
    assert "\n" not in str(error.value)


def test_an_experiment_or_folder_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(
        UserError, match="experiment=tarp: no such experiment; choose from arena, communication_types, diff"
    ):
        exhibit_of("tarp")
    for find in (names, lambda search: exhibit_of("trap", search)):
        with pytest.raises(UserError, match="--config-dir=.*nowhere: no such folder"):
            find([str(tmp_path / "nowhere")])


def test_a_pattern_takes_in_the_users_own_experiments(tmp_path):
    with conf.opened([own(tmp_path, "trap_of_mine", "defaults: [trap, _self_]\n")]):
        found = {each.experiment for each in passes(["experiment=glob(trap*)"], True)}
    assert found == {"trap", "trap_length", "trap_of_mine"}
