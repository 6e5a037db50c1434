"""Figures look the same whatever a user's matplotlib is set to, and a table waits for none of them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest

from analysis.drawing import figures
from analysis.drawing.curves import Panel, Series, curves
from analysis.report import paper
from analysis.report import sweep as report
from analysis.stats.intervals import Estimate
from leap_lab.errors import UserError

FIGURE = """
import hashlib, pathlib, sys
from analysis.drawing import figures
from analysis.drawing.curves import Panel, Series, curves
from analysis.stats.intervals import Estimate
points = [(1, Estimate(0.5, 0.4, 0.6, 9)), (2, Estimate(0.6, 0.5, 0.7, 9))]
drawn = curves([Panel("Pass@1 (%)", [Series("one costs $5, or $x^{", points), Series("other", points)])], "k")
for file in figures.save(drawn, pathlib.Path(sys.argv[1])):
    if file.suffix == ".png":
        print(hashlib.sha256(file.read_bytes()).hexdigest())
"""
# What people have in a matplotlibrc: fonts, sizes, LaTeX, how files are written.
MATPLOTLIBRC = """
backend: qtagg
text.usetex: True
font.family: serif
font.serif: Nothing Like This
font.sans-serif: Nothing Like This
font.size: 30
figure.figsize: 20, 2
figure.dpi: 10
figure.facecolor: black
figure.constrained_layout.use: True
figure.constrained_layout.h_pad: 3
savefig.dpi: 5
savefig.bbox: tight
savefig.pad_inches: 3
savefig.transparent: True
savefig.facecolor: red
axes.prop_cycle: cycler("color", ["r"])
axes.spines.top: False
axes.unicode_minus: False
axes.formatter.use_mathtext: True
lines.linewidth: 9
errorbar.capsize: 9
hatch.linewidth: 9
path.simplify: False
path.sketch: 5, 100, 2
legend.frameon: True
xtick.labelsize: 40
"""


def drawn(folder: Path, **environment: str) -> str:
    """The hash of a figure that a program draws in this folder."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MPL") and key != "MATPLOTLIBRC"}
    root = Path(__file__).parents[3]
    kept |= {"PYTHONPATH": str(root), "MPLCONFIGDIR": matplotlib.get_cachedir()} | environment  # its list of fonts
    command = [sys.executable, "-c", FIGURE, str(folder / "figure")]
    done = subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> str:
    return drawn(tmp_path_factory.mktemp("ours"))


@pytest.mark.parametrize("backend", ["module://matplotlib_inline.backend_inline", "module://gone", "gone", "qtagg", ""])
def test_the_backend_of_a_notebook_is_no_matter(ours: str, tmp_path: Path, backend: str) -> None:
    assert drawn(tmp_path, MPLBACKEND=backend) == ours


@pytest.mark.parametrize("place", ["working directory", "MATPLOTLIBRC", "MPLCONFIGDIR"])
def test_a_matplotlibrc_of_the_users_own_is_no_matter(ours: str, tmp_path: Path, place: str) -> None:
    (tmp_path / "config").mkdir()
    file = {"working directory": tmp_path, "MATPLOTLIBRC": tmp_path / "config", "MPLCONFIGDIR": tmp_path / "config"}
    (file[place] / "matplotlibrc").write_text(MATPLOTLIBRC)
    for fonts in Path(matplotlib.get_cachedir()).glob("fontlist-*.json"):
        shutil.copy(fonts, tmp_path / "config")
    named = {} if place == "working directory" else {place: str(tmp_path / "config")}
    assert drawn(tmp_path, **named) == ours


def test_what_a_program_set_is_no_matter_and_stays_as_it_was(tmp_path: Path) -> None:
    def image() -> bytes:
        estimates = [(1.0, Estimate(0.5, 0.4, 0.6, 9)), (2.0, Estimate(0.6, 0.5, 0.7, 9))]
        panel = Panel("y", [Series("one", estimates), Series("other", estimates)])
        return figures.save(curves([panel], "x"), tmp_path / "figure")[0].read_bytes()

    plain = image()
    with matplotlib.rc_context():
        for line in MATPLOTLIBRC.strip().splitlines():
            key, _, value = line.partition(": ")
            if key != "backend":
                matplotlib.rcParams[key] = value
        before = dict(matplotlib.rcParams)
        assert image() == plain
        assert dict(matplotlib.rcParams) == before


def test_the_backend_of_the_user_is_still_theirs() -> None:
    code = "from analysis.drawing.figures import style\nwith style(): pass\nimport os, matplotlib\n"
    code += "print(matplotlib.rcParams['backend'], os.environ['MPLBACKEND'])"
    environment = os.environ | {"MPLBACKEND": "module://theirs", "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["module://theirs"] * 2


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A matplotlib that draws nothing."""

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("latex could not\nbe found")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", refuse)


@pytest.mark.usefixtures("broken")
def test_the_table_is_there_before_a_figure_fails(sweep: list[Path], tmp_path: Path) -> None:
    shown = []

    def show(table: str) -> None:
        assert {file.name for file in out.iterdir()} == {"table.md", "table.tex", "table.json"}
        shown.append(table)

    out = tmp_path / "out"
    made = report.write(sweep, out, show=show)
    assert shown == [made.table] and made.table.startswith("run ")
    assert made.undrawn == ["figure figure: RuntimeError: latex could not be found"]
    assert [file.name for file in made.files] == ["table.md", "table.tex", "table.json"]
    assert made.look == out / "table.md" and not made.problems


@pytest.mark.usefixtures("broken")
def test_so_it_is_in_the_report_of_experiments(sweep: list[Path], tmp_path: Path) -> None:
    shown: list[str] = []
    made = paper.write({"main_table": sweep}, tmp_path / "out", show=shown.append)
    assert shown == [made.table] and "main_table.md" in {file.name for file in made.files}
    assert [line.partition(":")[0] for line in made.undrawn] == ["figure main_table"]
    both = paper.write({"main_table": sweep, "top_k": sweep}, tmp_path / "both", show=shown.append)
    assert shown[1:] == [both.table] and both.look.name == "report.html"
    assert [line.partition(":")[0] for line in both.undrawn] == ["figure main_table", "figure top_k"]


def test_no_figure_is_drawn_before_the_table_is_shown(sweep: list[Path], tmp_path: Path) -> None:
    seen: list[list[Path]] = []
    report.write(sweep, tmp_path / "one", show=lambda _: seen.append(list((tmp_path / "one").glob("*.p*"))))
    paper.write(
        {"main_table": sweep}, tmp_path / "two", show=lambda _: seen.append(list((tmp_path / "two").glob("*.p*")))
    )
    assert seen == [[], []] and list((tmp_path / "one").glob("*.png")) and list((tmp_path / "two").glob("*.png"))


def test_one_figure_that_fails_costs_no_other(tmp_path: Path) -> None:
    def fails() -> None:
        raise ValueError("no")

    panel = Panel("y", [Series("one", [(1, Estimate(0.5, 0.4, 0.6, 9))])])
    files, failed = figures.save_all(figures.Drawings({"a": fails, "b": lambda: curves([panel], "x")}), tmp_path)
    assert [file.name for file in files] == ["b.png", "b.pdf"] and failed == ["figure a: ValueError: no"]


def test_a_place_that_cannot_be_written_is_still_bad_input(sweep: list[Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"--out=.*file: cannot write there"):
        report.write(sweep, tmp_path / "file")
