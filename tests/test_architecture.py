"""The arrows of the house: a room may import what lies below it, and nothing else."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# From the ground up; rooms of one floor do not know each other.
FLOORS = [
    {"errors", "seeds", "home", "confidence"},
    {"checks", "hub", "siblings", "embedding"},
    {"similarity"},
    {"files", "console", "engines"},
    {"tasks", "path"},
    {"prompts", "routing"},
    {"grading", "methods", "runs"},
    {"settings"},
    {"decoding"},
    {"api"},
    {"run", "benchmarks", "cli", "convert", "judge", "regrade", "serve"},
    {"builtin"},
    {"training"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
# What the analysis may know of leap_lab: what runs hold, and nothing of how they are decoded.
OPEN_TO_ANALYSIS = {
    *("errors", "home", "files", "console", "path", "prompts", "tasks", "seeds", "siblings", "runs"),
    "settings.experiments",
}
# Commands that end with a report; all others reach the analysis through `siblings`, by what they are handed.
REPORTING = {"leap_lab/builtin/evaluate.py", "leap_lab/training/leap_t.py"}
# The rooms of the analysis from the ground up, with the modules beside them.
ANALYSIS = [{"stats", "labels"}, {"load"}, {"measures"}, {"drawing"}, {"exhibits"}, {"report", "viewer"}, {"replay"}]
ANALYSIS_FLOOR = {room: number for number, rooms in enumerate([*ANALYSIS, {"__main__"}]) for room in rooms}


def imports(file: Path, inside_types: bool = False) -> Iterator[str]:
    """The modules that a file imports, by whole names; of `from a import b` it is `a.b`."""
    tree = ast.parse(file.read_text())
    typing = [node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    left_out = set() if inside_types else {id(node) for block in typing for node in ast.walk(block)}
    package = file.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(tree):
        if id(node) in left_out:
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) - node.level], *([node.module] if node.module else [])]
            start = ".".join(base) if node.level else str(node.module)
            yield from (f"{start}.{name.name}" for name in node.names)


def room(file: Path) -> str:
    return file.relative_to(ROOT / "leap_lab").parts[0].removesuffix(".py")


FILES = sorted(
    file for file in (ROOT / "leap_lab").rglob("*.py") if file.name != "__init__.py" or file.parent.parent != ROOT
)
ANALYSES = sorted((ROOT / "analysis").rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_room_knows_only_those_below_it(file):
    mine = room(file)
    assert mine in FLOOR, f"{mine} has no floor yet"
    known = {name.split(".")[1] for name in imports(file) if name.startswith("leap_lab.")}
    wrong = {other for other in known - {mine} if other in FLOOR and FLOOR[other] >= FLOOR[mine]}
    assert not wrong, f"{file.relative_to(ROOT)} imports {sorted(wrong)}, which lie above it or beside it"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_only_commands_know_the_analysis(file):
    named = {name for name in imports(file) if name.split(".")[0] == "analysis"}
    assert not named or str(file.relative_to(ROOT)) in REPORTING, named


@pytest.mark.parametrize("file", ANALYSES, ids=lambda file: str(file.relative_to(ROOT)))
def test_the_analysis_knows_what_runs_hold_and_not_how_they_are_decoded(file):
    named = {name.removeprefix("leap_lab.") for name in imports(file) if name.startswith("leap_lab.")}
    wrong = {name for name in named if not any(f"{name}.".startswith(f"{free}.") for free in OPEN_TO_ANALYSIS)}
    assert not wrong, wrong


@pytest.mark.parametrize("file", ANALYSES, ids=lambda file: str(file.relative_to(ROOT)))
def test_the_analysis_has_floors_too(file):
    mine = file.relative_to(ROOT / "analysis").parts[0].removesuffix(".py")
    if mine == "__init__":
        return
    known = {name.split(".")[1] for name in imports(file) if name.startswith("analysis.") and name.count(".") > 1}
    wrong = {other for other in known - {mine} if ANALYSIS_FLOOR[other] >= ANALYSIS_FLOOR[mine]}
    assert not wrong, f"{file.relative_to(ROOT)} imports {sorted(wrong)}"


def modules_of(file: Path, known: set[str]) -> set[str]:
    """The modules, among those known, that a file imports when it is loaded."""
    found = set()
    for name in imports(file):
        found |= {name} & known or {name.rpartition(".")[0]} & known
    return found


def test_no_module_imports_itself_by_a_detour():
    """Imports inside of functions count, too: none of them may hide a circle."""
    files = {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in [*FILES, *ANALYSES]}
    edges = {name: modules_of(file, set(files)) - {name} for name, file in files.items()}
    done: set[str] = set()

    def walk(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join([*trail[trail.index(name) :], name])
        if name not in done:
            for other in edges[name]:
                walk(other, (*trail, name))
            done.add(name)

    for name in files:
        walk(name, ())


@pytest.mark.parametrize("file", [*FILES, *ANALYSES], ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_can_be_held_in_the_head(file):
    assert len(file.read_text().splitlines()) <= 260
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < 50, node.name
