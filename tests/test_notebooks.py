"""The notebooks: stored without outputs, and executed on small runs from the first cell to the last."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
import pytest
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "notebooks").glob("*.ipynb"))
LONGEST = 15  # lines of a code cell
SECONDS = 120  # a cell, on a busy machine
notebooks = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def read(file: Path) -> NotebookNode:
    return nbformat.read(file, as_version=4)


def code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def kernel(folder: Path) -> AsyncKernelManager:
    """This interpreter on this checkout, whatever kernels the machine has; all that it writes goes to `folder`."""
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    places = {"LEAP_LAB_NOTEBOOK_RUNS": str(folder / "runs"), "IPYTHONDIR": str(folder / "ipython")}
    spec = {"argv": argv, "display_name": "tests", "language": "python", "env": {"PYTHONPATH": path} | places}
    (folder / "kernels" / "tests").mkdir(parents=True)
    (folder / "kernels" / "tests" / "kernel.json").write_text(json.dumps(spec))
    specs = KernelSpecManager(kernel_dirs=[str(folder / "kernels")], ensure_native_kernel=False)
    connection = str(folder / "connection.json")
    return AsyncKernelManager(kernel_name="tests", kernel_spec_manager=specs, connection_file=connection)


def execute(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """The notebook with its outputs, as Jupyter would run it in its own folder; a cell that raises is an error."""
    manager, where = kernel(folder), {"metadata": {"path": str(ROOT / "notebooks")}}

    async def run() -> NotebookNode:
        try:
            return await NotebookClient(notebook, km=manager, timeout=SECONDS, resources=where).async_execute()
        finally:
            await manager.shutdown_kernel(now=True)

    return asyncio.run(run())


def checkout() -> list[str]:
    """What git sees beside its commits, ignored files too, without what Python and the tools of the tests leave."""
    if not (ROOT / ".git").exists():
        return []
    status = ["git", "status", "--porcelain", "--ignored=matching", "--untracked-files=all"]
    lines = subprocess.run(status, cwd=ROOT, text=True, capture_output=True, check=True).stdout.splitlines()
    return [line for line in lines if not line.endswith(("__pycache__/", ".pyc", "_cache/", ".hypothesis/"))]


@dataclass(frozen=True)
class Executed:
    """A notebook with its outputs, and how the checkout looked before and after."""

    notebook: NotebookNode
    before: list[str]
    after: list[str]


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Executed]:
    """A function that executes a notebook, once."""

    @cache
    def of(file: Path) -> Executed:
        before = checkout()
        notebook = execute(read(file), tmp_path_factory.mktemp(file.stem))
        return Executed(notebook, before, checkout())

    return of


def outputs(notebook: NotebookNode) -> list[dict[str, str]]:
    """What cells showed, by MIME type."""
    return [output.data for cell in code(notebook) for output in cell.outputs if "data" in output]


def test_there_are_notebooks_for_the_tour_the_trap_and_a_figure():
    assert [file.stem for file in FILES] == ["01_first_tour", "02_prefix_dominance_trap", "03_from_runs_to_a_figure"]


@notebooks
def test_a_notebook_is_stored_without_outputs(file):
    nbformat.validate(json.loads(file.read_text()), version=4)
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code(read(file)))


@notebooks
def test_a_notebook_opens_with_text_and_has_short_cells(file):
    assert read(file).cells[0].cell_type == "markdown"
    assert max(len(cell.source.splitlines()) for cell in code(read(file))) <= LONGEST


@notebooks
def test_cells_call_functions_and_define_none(file):
    lines = [line.split() for cell in code(read(file)) for line in cell.source.splitlines()]
    assert not {word for words in lines for word in words[:1]} & {"def", "class", "while"}


@notebooks
def test_a_notebook_runs_and_shows_a_table_and_a_figure(file, executed):
    shown = outputs(executed(file).notebook)
    assert any("<table" in data.get("text/html", "") for data in shown)
    assert any("image/png" in data for data in shown)


@notebooks
def test_a_notebook_tells_no_warnings(file, executed):
    told = [
        output.text
        for cell in code(executed(file).notebook)
        for output in cell.outputs
        if output.get("name") == "stderr"
    ]
    assert "warn" not in "".join(told).lower()


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no git checkout")
@notebooks
def test_a_notebook_leaves_nothing_in_the_checkout(file, executed):
    assert executed(file).after == executed(file).before


def test_what_a_kernel_imports_is_this_checkout(tmp_path):
    asked = nbformat.v4.new_code_cell("import sys, analysis, leap_lab\nprint(sys.executable, *leap_lab.__path__)")
    [cell] = execute(nbformat.v4.new_notebook(cells=[asked]), tmp_path).cells
    assert cell.outputs[0].text.split() == [sys.executable, str(ROOT / "leap_lab")]


def test_a_cell_that_raises_is_an_error(tmp_path):
    wrong = nbformat.v4.new_code_cell("from leap_lab.run import main\nassert main(['engine=nobody']) == 0")
    with pytest.raises(CellExecutionError, match="AssertionError"):
        execute(nbformat.v4.new_notebook(cells=[wrong]), tmp_path)
