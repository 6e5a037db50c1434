"""What the pages tell a reader to write and run, written and run as it stands there, in a folder of their own."""

import ast
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.test_packaging import call

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
QUICK = ["engine=scripted", "limit=1", "peers=4", "tracking=none"]


def blocks(page: str, language: str, titled: bool = False) -> list[tuple[str, str]]:
    """The blocks of a page in a language, as (title, text): those that are files, or those that are not."""
    found = BLOCK.findall((ROOT / page).read_text())
    return [(title, text) for kind, title, text in found if kind == language and bool(title) == titled]


COMMANDS = [text for _, text in blocks("docs/extending.md", "sh")]
SCRIPTS = [
    pytest.param(text, id=f"{page}-{number}")
    for page in ("README.md", "docs/index.md", "docs/getting_started.md", "docs/run_folder.md")
    for number, (_, text) in enumerate(blocks(page, "python"))
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a reader of docs/extending.md ends up with."""
    folder = tmp_path_factory.mktemp("project")
    for language in ("python", "yaml", "json"):
        for title, text in blocks("docs/extending.md", language, titled=True):
            (folder / title).parent.mkdir(parents=True, exist_ok=True)
            (folder / title).write_text(text)
    return folder


def chosen(command: str, project: Path) -> set[str]:
    """The choices of a command that are the reader's own."""
    own = {file.stem for file in project.glob("my_conf/*/*.yaml")}
    return {name for _, names in re.findall(r"(\w+)=([\w,]+)", command) for name in names.split(",")} & own


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: re.findall(r"\w+=[\w,]+", command)[1])
def test_commands_of_the_extending_page_run_as_they_stand(command: str, project: Path) -> None:
    assert chosen(command, project)
    ran = call(["bash", "-c", f'python() {{ "{sys.executable}" "$@"; }}\n{command}'], cwd=project)
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"^run folder: runs/\w{12}$", ran.stdout, re.MULTILINE), ran.stdout
    assert re.search(r"^Look next at ", ran.stdout, re.MULTILINE), ran.stdout


def test_every_own_choice_of_the_extending_page_is_run(project: Path) -> None:
    own = {file.stem for file in project.glob("my_conf/*/*.yaml")}
    assert len(own) >= 7
    assert {name for command in COMMANDS for name in chosen(command, project)} == own


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run folders under the ids that the pages use, decoded by a program in the model's place."""
    folder = tmp_path_factory.mktemp("runs")
    ran = call([sys.executable, "-m", "leap_lab.run", *QUICK], cwd=folder)
    assert ran.returncode == 0, ran.stderr
    alone, leap = re.findall(r"^run folder: (\S+)$", ran.stdout, re.MULTILINE)
    for made, named in ((alone, "7dc119f6d91c"), (leap, "4f6684819fbe")):
        shutil.copytree(folder / made, folder / "runs" / named)
    return folder


def runs_quickly(script: str, folder: Path) -> None:
    """Run a script within a block that names the engine, as a reader could, so that it takes no model."""
    lines = "".join(f"    {line}\n" for line in script.splitlines())
    wrapped = f"import leap_lab\n\nwith leap_lab.engine({', '.join(map(repr, QUICK))}):\n{lines}"
    ran = call([sys.executable, "-c", wrapped], cwd=folder)
    assert ran.returncode == 0, f"{wrapped}\n{ran.stderr}"
    assert ran.stdout or "print" not in script


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_of_the_pages_run(script: str, runs: Path) -> None:
    runs_quickly(script, runs)


@pytest.mark.parametrize("script", [text for _, text in blocks("docs/extending.md", "python")])
def test_scripts_of_the_extending_page_run_beside_its_files(script: str, project: Path) -> None:
    assert "--config-dir=my_conf" in script
    runs_quickly(script, project)


def test_the_example_of_the_front_page_has_the_answer_that_it_names() -> None:
    page = (ROOT / "docs" / "index.md").read_text()
    [(_, script)] = blocks("docs/index.md", "python")
    texts = [node.value for node in ast.walk(ast.parse(script)) if isinstance(node, ast.Constant)]
    [question] = [text for text in texts if isinstance(text, str) and "What is" in text]
    *assignments, asked = question.splitlines()
    values: dict[str, int] = {}
    exec("\n".join(assignments), {}, values)
    assert f"The right one is {values[asked.removeprefix('What is ').strip('?')]}." in page
