"""Our `analysis` is found whatever module of that name comes first, and the user's own is left alone."""

import subprocess
import sys
from pathlib import Path

import pytest

import analysis
from leap_lab import siblings

ROOT = Path(__file__).parents[1]
MINE = "name = 'mine'\n"


def call(code: str, cwd: Path) -> str:
    """What Python prints where `cwd` comes first on its path, and this checkout second."""
    script = f"import sys; sys.path[:0] = [{str(cwd)!r}, {str(ROOT)!r}]; {code}"
    ran = subprocess.run([sys.executable, "-c", script], cwd=cwd, text=True, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_without_another_module_of_that_name_it_is_the_package_itself() -> None:
    assert siblings.analysis() is analysis
    assert siblings.analysis("stats.intervals").__name__ == "analysis.stats.intervals"
    assert siblings.ALIAS not in sys.modules


@pytest.mark.parametrize("file", ["analysis.py", "analysis/__init__.py"])
@pytest.mark.parametrize("first", ["", "import analysis; "])
def test_a_module_of_the_users_is_passed_by_and_left_alone(tmp_path: Path, file: str, first: str) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(MINE)
    code = (
        f"{first}from leap_lab import siblings; ours = siblings.analysis('report.paper'); "
        "import analysis; print(analysis.name, ours.__name__, ours.__file__, sep='\\n'); "
        "base = siblings.analysis('exhibits.base'); "
        "print(siblings.analysis('report.paper') is ours, ours.Exhibit is base.Exhibit)"
    )
    paper = ROOT / "analysis" / "report" / "paper.py"
    assert call(code, tmp_path).split() == ["mine", "leap_lab_analysis.report.paper", str(paper), "True", "True"]


def test_an_exhibit_is_that_of_our_package_beside_a_module_of_the_users(tmp_path: Path) -> None:
    (tmp_path / "analysis.py").write_text(MINE)
    code = "from leap_lab.settings.experiments import exhibit_of; print(exhibit_of('trap').func.__module__)"
    assert call(code, tmp_path) == "leap_lab_analysis.exhibits.trap\n"
    (tmp_path / "analysis.py").unlink()
    assert call(code, tmp_path) == "analysis.exhibits.trap\n"
