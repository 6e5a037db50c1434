"""The front end as it is shipped: made from its sources, with its licences, and with nothing from elsewhere in it."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from analysis.viewer import pages
from analysis.viewer.export import export
from analysis.viewer.site import Site
from tests.analysis.viewer.traces import QUESTIONS, written

ROOT = Path(__file__).parents[3]
WEB = ROOT / "analysis" / "viewer" / "web"
SOURCES = sorted([*WEB.glob("*.js"), *WEB.glob("*.jsx")])


def test_it_is_built_from_the_sources_that_are_there() -> None:
    lines = (pages.BUILT / "sources.txt").read_text().splitlines()
    built = {name: found for found, name in (line.split() for line in lines)}
    there = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in WEB.iterdir()}
    assert built == there, "run `make viewer`"


def test_packages_are_pinned_without_a_place_and_their_licences_are_shipped() -> None:
    package = json.loads((WEB / "package.json").read_text())
    lock = json.loads((WEB / "package-lock.json").read_text())["packages"]
    for name, version in {**package["dependencies"], **package["devDependencies"]}.items():
        assert lock[f"node_modules/{name}"]["version"] == version
    assert not any("resolved" in each for each in lock.values())
    assert all("integrity" in each for name, each in lock.items() if name)
    licences = (pages.BUILT / "LICENSES.txt").read_text()
    for name in package["dependencies"]:
        assert re.search(rf"^{name} {re.escape(package['dependencies'][name])} \((MIT|ISC)\)$", licences, re.M), name


def test_nothing_is_named_that_a_browser_would_fetch_from_elsewhere() -> None:
    for name, body in pages.shipped().items():
        if not name.endswith(".woff2") and name != "LICENSES.txt":
            named = set(re.findall(r"https?://[\w.]+|(?<=[\"'(])//\w[\w.]+", body.decode()))
            assert named <= {"http://www.w3.org"}, name


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.name)
def test_no_source_makes_html_or_code_of_a_text(file: Path) -> None:
    ways = (
        r"innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|\beval\b|new Function|srcdoc"
    )
    assert not re.search(ways, file.read_text())
    assert len(file.read_text().splitlines()) <= 260


def test_a_folder_has_the_pages_and_a_script_for_every_document(tmp_path: Path) -> None:
    site = Site([written(tmp_path, {"</script><script>": QUESTIONS["q-2"]})])
    page = export(site, tmp_path / "out" / "deep")
    there = {file.relative_to(page.parent).as_posix() for file in page.parent.rglob("*") if file.is_file()}
    assert there == {*pages.shipped(), *(f"data/{name}.js" for name in site.names())}
    html = page.read_text()
    assert f'content="{pages.policy(live=False)}"' in html and pages.POLICY_MARK not in html
    for name in site.names():
        script = (page.parent / "data" / f"{name}.js").read_text(encoding="ascii")
        found = re.fullmatch(r'leapLabDocument\("([\w-]+)",(.*)\);\n', script)
        assert found and found[1] == name
        json.loads(found[2])
