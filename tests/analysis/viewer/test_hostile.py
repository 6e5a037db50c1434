"""Text that models and data sets wrote is shown as text, whatever it says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.analysis.viewer.conftest import HOSTILE_ID, LONG, Tab, tab

Known = dict[str, Path]
FOREIGN = (
    "main :is(script, img, iframe, style, base, object, embed, a[href^=javascript], [onerror], [onload], [srcdoc])"
)


@pytest.fixture(params=[1280, 400])
def view(chromium: Any, address: str, request: pytest.FixtureRequest) -> Iterator[Tab]:
    with tab(chromium, address, request.param) as found:
        yield found


def visit(view: Tab, known: Known, *parts: str) -> Any:
    """A page of the hostile run, by way of the links to it."""
    page = view.go(f"#/run/{known['hostile'].name}")
    for selector in parts:
        page.click(selector)
    page.wait_for_timeout(200)
    return page


@pytest.mark.parametrize(
    "parts", [(), (".grid a",), (".grid a", ".gutter a >> nth=0"), (".grid a", ".gutter a >> nth=1")], ids=len
)
def test_nothing_of_it_becomes_html_or_runs(view: Tab, known: Known, parts: tuple[str, ...], address: str) -> None:
    page = visit(view, known, *parts)
    assert page.evaluate("window.hit") is None
    assert page.locator(FOREIGN).count() == 0
    assert page.locator("main").count() == 1 and page.locator("header").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert all(asked.startswith((address, "about:")) for asked in view.asked)


def test_unseen_marks_are_shown(view: Tab, known: Known) -> None:
    page = visit(view, known)
    assert page.text_content(".grid .id") == HOSTILE_ID.replace("\u202e", "U+202E")
    assert "⟨U+202E⟩" in page.get_attribute(".grid a", "aria-label")
    page = visit(view, known, ".grid a", ".gutter a >> nth=0")
    shown = page.locator(".segment.think .unseen").all_text_contents()
    assert shown == ["U+202E", "U+202C", "U+2066", "U+2069", "U+200B", "U+0007", "U+E0041", "U+FEFF"]
    everything = page.evaluate("document.body.innerText + document.title")
    assert not set(everything) & set("\u202e\u202c\u2066\u2069\u200b\x07\ufeff")


def test_it_is_all_there(view: Tab, known: Known) -> None:
    page = visit(view, known, ".grid a", ".gutter a >> nth=0")
    text = page.locator(".segment.think").first.text_content()
    assert LONG in text and "<script>window.hit=1</script>" in text
    assert "\\includegraphics{x.png}" in text and "\\def\\a{\\a\\a}\\a" in text


def test_a_formula_cannot_cover_the_page(view: Tab, known: Known) -> None:
    page = visit(view, known, ".grid a", ".gutter a >> nth=0")
    sizes = page.evaluate("[...document.querySelectorAll('.formula')].map(e => [e.offsetWidth, e.offsetHeight])")
    assert len(sizes) >= 5
    assert max(width for width, _ in sizes) <= 1280 and max(height for _, height in sizes) <= 300
    assert all(
        page.evaluate("[...document.querySelectorAll('.formula')].map(e => getComputedStyle(e).contain === 'paint')")
    )
