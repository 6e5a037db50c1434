"""The pages: links, a line for every file, choice and column; CITATION.cff; and the site as a whole."""

import os
import re
import shutil
import subprocess
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

import leap_lab
from leap_lab.runs.groupfile import SCHEMA

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PACKAGES = ("leap_lab", "analysis")
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
ZENSICAL = shutil.which("zensical", path=os.pathsep.join([str(ROOT / ".venv-docs" / "bin"), os.environ["PATH"]]))
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return FENCE.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """What `#...` may name on a page: its headings, as sites and code hosts write them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_pages_resolve(page: Path) -> None:
    broken = []
    for link in LINK.findall(prose(page)):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.is_file() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_pages_link_to_each_other() -> None:
    links = [link for page in PAGES for link in LINK.findall(prose(page)) if not link.startswith("http")]
    assert len(links) > 50
    assert any("#" in link for link in links)


def listed() -> set[str]:
    """The files and folders in the trees of the rooms: a line that ends in / and is not indented opens a folder."""
    found, folder = set(), ""
    for block in re.findall(r"^```\n(.*?)^```$", (DOCS / "rooms.md").read_text(), re.DOTALL | re.MULTILINE):
        for line in filter(str.strip, block.splitlines()):
            name, described = line.split()[0], len(line.split()) > 1
            folder = ("" if described else name) if not line.startswith(" ") else folder
            if described:
                found.add(folder * line.startswith(" ") + name)
    return found


def test_every_module_has_a_line_in_the_rooms() -> None:
    modules = [file.relative_to(ROOT).as_posix() for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    assert [module for module in sorted(modules) if not module.endswith("__init__.py") and module not in listed()] == []


def test_every_group_of_settings_has_a_line_in_the_rooms() -> None:
    groups = {file.parent.relative_to(ROOT).as_posix() for file in (ROOT / "conf").glob("*/*.yaml")}
    assert {f"{group}/" for group in groups} <= listed()


def test_every_line_in_the_rooms_is_of_a_file_or_folder_that_exists() -> None:
    trees = {name for name in listed() if "/" in name or "." in name}
    assert len(trees) > 100
    assert [name for name in sorted(trees) if not (ROOT / name).exists()] == []


def navigation() -> list[str]:
    """The pages that the site's menu names."""
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    return re.findall(r"[\w/]+\.md", str(config["nav"]))


def test_every_page_is_in_the_menu_once() -> None:
    assert sorted(navigation()) == sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))


def test_every_room_has_a_page_in_the_reference() -> None:
    rooms = {file.parent.relative_to(ROOT) for package in PACKAGES for file in (ROOT / package).rglob("__init__.py")}
    shown = {
        name
        for page in (DOCS / "reference").glob("*.md")
        for name in re.findall(r"^::: (\S+)$", page.read_text(), re.M)
    }
    assert shown == {str(room).replace("/", ".") for room in rooms}
    for page in ("leap_lab", "analysis"):  # which leave out what has a page of its own
        inside = {room.name for room in rooms if str(room.parent) == page}
        left_out = re.search(r"!\^\(([\w|]+)\)\$", (DOCS / "reference" / f"{page}.md").read_text())
        assert left_out is not None
        assert set(left_out[1].split("|")) == inside


KEYED = ("reference", "sampling", "confidence")  # nodes of the configuration that hold keys and are no choice


def test_every_choice_and_key_is_explained() -> None:
    text = (DOCS / "commands.md").read_text()
    rows = {row.split("|")[1].strip(" `"): row for row in text.splitlines() if row.startswith("| `")}
    groups = {file.parent.name for file in (ROOT / "conf").glob("*/*.yaml")} - {"training", "experiment"}
    for group in sorted(groups):
        options = {file.stem for file in (ROOT / "conf" / group).glob("*.yaml")}
        assert set(re.findall(r"`(\w+)`", rows[group].split("|")[2])) == options, group
    config = yaml.safe_load((ROOT / "conf" / "config.yaml").read_text())
    keys = {key for key in config if key not in ("defaults", "hydra", "experiment", *KEYED)}
    keys |= {f"{group}.{key}" for group in KEYED for key in config[group]}
    for group in ("method", "router", "prefix"):
        choices = [yaml.safe_load(file.read_text()) for file in (ROOT / "conf" / group).glob("*.yaml")]
        keys |= {f"{group}.{key}" for choice in choices for key, value in choice.items() if not isinstance(value, dict)}
    unexplained = {key for key in keys - rows.keys() if not key.endswith((".name", "._target_"))}
    assert unexplained == set()


def test_every_experiment_is_explained() -> None:
    table = (ROOT / "README.md").read_text().split("[start:experiments]")[1].split("[end:experiments]")[0]
    named = re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in table.splitlines() if row.startswith("| `")))
    assert sorted(named) == sorted(file.stem for file in (ROOT / "conf" / "experiment").glob("*.yaml"))


def test_every_column_is_explained() -> None:
    table = (DOCS / "run_folder.md").read_text().split("## Columns")[1].split("A segment has")[0]
    first = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    assert sorted(re.findall(r"`(\w+)`", "".join(first))) == sorted(SCHEMA.names)


def test_the_promises_name_tests_that_exist() -> None:
    named = set(re.findall(r"`(test_\w+)`", (DOCS / "reliability.md").read_text()))
    assert len(named) > 10
    assert named <= {file.stem for file in (ROOT / "tests").rglob("test_*.py")}


def test_citation_has_what_the_format_asks_for() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert citation.keys() >= {"cff-version", "message", "title", "authors"}
    known = {"abstract", "date-released", "keywords", "references", "type", "version"}
    assert citation.keys() <= known | {"cff-version", "message", "title", "authors"}
    assert citation["type"] == "software"
    assert citation["authors"] == [{"name": "leap_lab contributors"}]
    assert all(isinstance(citation[key], str) for key in ("message", "title", "version", "abstract"))
    [paper] = citation["references"]
    assert paper.keys() >= {"type", "title", "authors"}
    assert all(author.keys() == {"given-names", "family-names"} for author in paper["authors"])
    assert [each["value"] for each in paper["identifiers"]] == ["arXiv:2505.07787"]
    assert all(each["type"] in ("doi", "url", "swh", "other") for each in paper["identifiers"])


def test_one_version_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert project["version"] == leap_lab.__version__ == citation["version"]
    newest = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[0]
    assert newest in ("Unreleased", project["version"])


def test_hooks_are_the_checks_of_make_test_and_fetch_nothing() -> None:
    [repo] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repo["repo"] == "local"
    assert {hook["language"] for hook in repo["hooks"]} == {"system"}
    recipe = (ROOT / "Makefile").read_text().split("\ntest: setup\n")[1].split("\n\n")[0].replace("$(BIN)", ".venv/bin")
    commands = [" ".join(hook["entry"].split()[:2]) for hook in repo["hooks"]]
    assert commands == re.findall(r"@(\.venv/bin/(?:ruff \w+|mypy))", recipe)


class Fetched(HTMLParser):
    """The addresses that a browser fetches to show a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found += [given.get("src") or "", (given.get("href") or "") if tag == "link" else ""]


@pytest.mark.skipif(ZENSICAL is None, reason="the tools of the site are not installed (make docs)")
def test_the_site_builds_without_a_warning_and_fetches_nothing_from_elsewhere(tmp_path: Path) -> None:
    assert ZENSICAL is not None
    for name in ("docs", *PACKAGES):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("assets", "__pycache__"))
    for name in ("mkdocs.yml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    built = subprocess.run([ZENSICAL, "build", "--strict"], cwd=tmp_path, text=True, capture_output=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    assert "No issues found" in built.stdout + built.stderr
    pages = {page: page.read_text() for page in (tmp_path / "site").rglob("*.html")}
    assert len(pages) > len(navigation())  # and a page for what is not found
    for module in ("leap_lab.methods.leap", "analysis.stats.intervals", "leap_lab.api"):
        assert sum(f'id="{module}"' in text for text in pages.values()) == 1, module
    for page, text in pages.items():
        parser = Fetched()
        parser.feed(text)
        assert [address for address in parser.found if "//" in address] == [], page
