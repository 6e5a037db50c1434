"""A headless Chromium, and a server of known runs for it; tests that need one are skipped where there is none."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from analysis.viewer.server import Server
from analysis.viewer.site import Site
from tests.analysis.viewer.traces import HARMED, QUESTIONS, RIGHT, Trace, written

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
HOSTILE_ID = "<img src=x onerror=hit()> \u202eevil"
LONG = "0123456789" * 10_000
HOSTILE = "".join(
    (
        "<script>window.hit=1</script><img src=x onerror='window.hit=1'><svg onload='window.hit=1'>\n",
        "</div></main><style>*{display:none}</style><iframe srcdoc='x'></iframe><base href='//evil.example'>\n",
        "$\\href{javascript:window.hit=1}{x}$ $\\url{javascript:window.hit=1}$ \\(\\htmlData{a=b}{c}\\)\n",
        "$\\includegraphics{x.png}$ $\\def\\a{\\a\\a}\\a$ $\\rule{9999em}{9999em}$ $\\kern-9999em y$ $",
        "{" * 900 + "}" * 900,
        "$\n\u202eright to left\u202c \u2066isolated\u2069 zero\u200bwidth \x07bell \U000e0041tag \ufeff\n",
        LONG,
    )
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser; not for longer than a module, since its event loop would be in the way of tests with one."""
    if BROWSER is None:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (make setup)")
    with playwright.sync_playwright() as drive:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = drive.chromium.launch(executable_path=BROWSER, args=sandbox)
        yield browser
        browser.close()


@dataclass
class Tab:
    """A page of the browser, and all that went wrong in it."""

    page: Any
    address: str
    wrong: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)  # addresses of its requests

    def go(self, to: str = "#/") -> Any:
        self.page.goto("about:blank")
        self.page.goto(self.address + to)
        self.page.wait_for_selector("main h1")
        self.page.wait_for_selector("[aria-busy]", state="detached")
        return self.page

    def heading(self, text: str) -> None:
        """Wait until this is the heading of a page that has loaded."""
        self.page.wait_for_selector(f'main h1:has-text("{text}")')
        self.page.wait_for_selector("[aria-busy]", state="detached")


@contextmanager
def tab(chromium: Any, address: str, width: int = 1280, theme: str = "light") -> Iterator[Tab]:
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
    page = context.new_page()
    page.set_default_timeout(60_000)  # on a machine that is busy
    found = Tab(page, address)
    page.on("console", lambda line: found.wrong.append(line.text) if line.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: found.wrong.append(str(error)))
    page.on("request", lambda request: found.asked.append(request.url))
    yield found
    context.close()
    assert found.wrong == []


@contextmanager
def serving(*folders: Path) -> Iterator[str]:
    """The address of a server of these runs."""
    with Server(Site(folders), 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.address
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Run folders by what they are: LeaP, independent, and one whose every text is hostile."""
    runs = tmp_path_factory.mktemp("runs")
    words = {"thinks": HOSTILE, "sums_up": HOSTILE}
    hostile = [Trace("1", "2", "1", (1,), **words), Trace(HOSTILE[:3000], "1", "1", (0,), forced=True, **words)]
    return {
        "leap": written(runs),
        "other": written(runs, {**QUESTIONS, "q-9": [[RIGHT, HARMED], [RIGHT, RIGHT]]}, seed=1),
        "alone": written(runs, router=None),
        "hostile": written(runs, {HOSTILE_ID: [hostile]}, seed=2),
    }


@pytest.fixture(scope="session")
def address(known: dict[str, Path]) -> Iterator[str]:
    with serving(*known.values()) as found:
        yield found


@pytest.fixture
def leap(chromium: Any, address: str) -> Iterator[Tab]:
    with tab(chromium, address) as found:
        yield found
