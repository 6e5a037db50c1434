"""The pages in a real browser: what they show, filters, links, keys, both themes, and small screens."""

from pathlib import Path
from typing import Any

import pytest

from analysis.viewer.export import export
from analysis.viewer.site import Site
from tests.analysis.viewer.conftest import Tab, serving, tab
from tests.analysis.viewer.traces import HARMED, RIGHT, group_rows, opened

Known = dict[str, Path]


def pages(known: Known) -> dict[str, tuple[str, str]]:
    """By name: the address of a page and its heading."""
    leap, other = known["leap"].name, known["other"].name
    return {
        "sweep": ("#/", f"{len(known)} runs"),
        "cell": (f"#/run/{leap}", "dispersed"),
        "group": (f"#/run/{leap}/q-9/0", "q-9"),
        "path": (f"#/run/{leap}/q-9/0/0", "Path 0"),
        "beside": (f"#/beside/{leap}/{other}/q-9/0/1", "q-9 in two runs"),
        "nowhere": ("#/run/none", "Nothing here"),
        "broken": ("#/run/%E0%A4%A", "Nothing here"),
    }


FONTS = "[...document.fonts].filter(f => f.status === 'loaded').map(f => f.family).join()"  # those in use
INLINE = "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.hit = 1'}))"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_every_page_fits_and_is_labelled_in_both_themes(
    chromium: Any, address: str, known: Known, width: int, theme: str
) -> None:
    with tab(chromium, address, width, theme) as view:
        for name, (to, heading) in pages(known).items():
            page = view.go(to)
            assert heading in page.text_content("main h1"), name
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
            back, ink = page.evaluate("(s => [s.backgroundColor, s.color])(getComputedStyle(document.body))")
            assert (brightness(back) > brightness(ink)) == (theme == "light"), name
            assert [page.locator(mark).count() for mark in ("main", "header", "nav[aria-label]", "h1")][:2] == [1, 1]
            unnamed = page.evaluate(UNNAMED)
            assert unnamed == [], name


def here(page: Any) -> str:
    """The part of the address after the page's own; `page.url` is a little late."""
    return str(page.evaluate("location.hash"))


def brightness(colour: str) -> float:
    return sum(float(part) for part in colour.removeprefix("rgb(").rstrip(")").split(","))


# Links, buttons and fields without a name, and regions that scroll without one.
UNNAMED = """[...document.querySelectorAll('a, button, input, select, [role=region], svg[role=img]')].filter(each =>
    !(each.getAttribute('aria-label') || each.textContent.trim() || each.labels?.length)).map(each => each.outerHTML)"""


def test_someone_finds_a_path_that_recovered_with_the_mouse_alone(leap: Tab, known: Known) -> None:
    page = leap.go()
    page.click(f'tr:has-text("{known["leap"].name}") a')
    page.click("text=recovered (1)")
    page.wait_for_selector("text=1 of 4 groups")
    page.click(".grid a")
    leap.heading("q-9")
    page.click('.gutter a[aria-label*="recovered at block 1"]')
    leap.heading("Path 0")
    told = page.text_content(".effect")
    assert told.split() == [
        "Would",
        "have",
        "answered",
        "2",
        "✗wrong",
        "before",
        "and",
        "1",
        "✓right",
        "after.",
        "▲recovered",
    ]
    quoted = page.locator(".quoted li")
    assert quoted.count() == 1
    assert "path 1" in quoted.text_content() and "similarity 0.75" in quoted.text_content()
    assert "So far x=1." in quoted.text_content() and "right" in quoted.text_content()
    page.click(".quoted a")
    leap.heading("Path 1")


def test_filters_choose_groups_and_are_part_of_the_address(leap: Tab, known: Known) -> None:
    run = f"#/run/{known['leap'].name}"
    ids = ".grid .id"
    for query, expected in {
        "": ["q-2", "q-9", "q-10", "q-11"],
        "?paths=right": ["q-2", "q-9"],
        "?paths=mixed": ["q-10"],
        "?paths=wrong": ["q-11"],
        "?marks=recovered": ["q-9"],
        "?marks=harmed,forced": ["q-10"],
        "?marks=vote-wrong": ["q-11"],
        "?marks=recovered,harmed": [],
        "?find=Q-1": ["q-10", "q-11"],
        "?order=wrong": ["q-11", "q-10", "q-2", "q-9"],
        "?order=harmed": ["q-10", "q-2", "q-9", "q-11"],
        "?paths=nonsense&marks=nonsense&order=nonsense": ["q-2", "q-9", "q-10", "q-11"],
    }.items():
        assert leap.go(run + query).locator(ids).all_text_contents() == expected, query
    page = leap.go(run)
    page.select_option("label:has-text('Paths') select", "mixed")
    page.check("text=harmed (1)")
    page.fill("#find", "10")
    assert here(page).endswith(f"{run}?paths=mixed&marks=harmed&find=10")
    assert page.locator(ids).all_text_contents() == ["q-10"]
    page.uncheck("text=harmed (1)")
    assert here(page).endswith(f"{run}?paths=mixed&find=10")


def test_the_table_is_sorted_by_its_heads(leap: Tab, known: Known) -> None:
    page = leap.go()
    names = ".runs tbody th a"
    first = page.locator(names).all_text_contents()
    assert len(first) == len(known) and first[0].startswith("independent")
    page.click(".runs thead button:has-text('Pass@1')")
    shares = [float(cell.split()[0]) for cell in page.locator(".runs tbody td:nth-child(3)").all_text_contents()]
    assert shares == sorted(shares, reverse=True) and len(set(shares)) > 1
    assert page.get_attribute(".runs thead th:nth-child(3)", "aria-sort") == "descending"
    page.click(".runs thead button:has-text('Pass@1')")
    again = [float(cell.split()[0]) for cell in page.locator(".runs tbody td:nth-child(3)").all_text_contents()]
    assert again == sorted(shares)
    assert "sort=2" in here(page)
    assert page.locator(".runs .interval").count() == 2 * len(known)


def test_lanes_show_messages_flips_and_similarity(leap: Tab, known: Known) -> None:
    page = leap.go(f"#/run/{known['leap'].name}/q-9/0")
    assert page.locator(".gutter li").count() == page.locator(".lane").count() == 2
    assert page.locator(".arrow").count() == 2
    assert page.locator(".arrow.right").count() == page.locator(".arrow.wrong").count() == 1
    assert page.locator(".turned.recovered").count() == 1
    page.locator(".arrow.right .tip").hover()
    assert page.text_content("[role=tooltip]") == "block 1: path 1 told path 0similarity 0.75; the speaker was right"
    page.locator(".part.summary").first.hover()
    assert "path 0, summary, 8 tokens" in page.text_content("[role=tooltip]")
    page.click(".messages summary")
    cells = [row.split() for row in page.locator(".messages tbody tr").all_inner_texts()]
    assert cells[0] == ["1", "path", "1", "✓right", "path", "0", "0.75", "2", "1", "▲recovered"]
    before = page.evaluate("document.querySelector('.lanes svg').width.baseVal.value")
    page.click("#more")
    assert page.evaluate("document.querySelector('.lanes svg').width.baseVal.value") > 1.5 * before
    page.locator(".arrow.right .tip").click()
    leap.heading("Path 0")
    assert here(page).endswith("/q-9/0/0?block=0")


def test_a_forced_answer_and_a_change_for_the_worse_are_marked(leap: Tab, known: Known) -> None:
    page = leap.go(f"#/run/{known['leap'].name}/q-10/0")
    assert page.locator(".turned.harmed").count() == 1 and page.locator(".lane text.forced").count() == 1
    sign, whole = (page.locator(each).bounding_box() for each in (".lane text.forced", ".lanes svg"))
    assert sign["x"] + sign["width"] <= whole["x"] + whole["width"]
    page = leap.go(f"#/run/{known['leap'].name}/q-10/0/1")
    assert page.locator(".segment.forced .author").all_text_contents() == ["forced opening", "forced answer"]
    page = leap.go(f"#/run/{known['leap'].name}/q-11/0")
    assert page.locator(".turned.changed").count() == 1
    page = leap.go(f"#/run/{known['alone'].name}/q-10/0")
    assert "has no probes" in page.text_content(".legend") and page.locator(".arrow").count() == 0


def test_a_path_is_told_by_author_and_its_formulas_are_set(leap: Tab, known: Known) -> None:
    page = leap.go(f"#/run/{known['leap'].name}/q-2/0/0")
    authors = page.locator(".segment .author").all_text_contents()
    assert authors == [
        *("the question", "own thinking", "request", "own summary · block 1", "heard from peers · block 1"),
        *("own thinking", "own answer"),
    ]
    assert page.locator(".segment.think .katex").count() == 2 and page.locator(".segment.final .katex").count() == 1
    assert page.locator(".katex-error").count() == 0
    assert "40 tokens from 12" in page.locator(".segment.think small").first.text_content()
    assert "2.5 s" in page.text_content(".figures") and "2023-11-14 22:13:20 UTC" in page.text_content(".figures")
    page.uncheck("#math")
    assert page.locator(".katex").count() == 0
    assert "$x^2 = 1$, so it is \\boxed{1}." in page.locator(".segment.think").first.text_content()
    page.evaluate("document.fonts.ready")
    page.check("#math")
    page.wait_for_timeout(300)
    assert "KaTeX_Main" in page.evaluate(
        "[...document.fonts].filter(f => f.status === 'loaded').map(f => f.family).join()"
    )


def test_two_runs_of_a_question_stand_side_by_side(leap: Tab, known: Known) -> None:
    page = leap.go(f"#/run/{known['leap'].name}/q-9/0")
    page.select_option("#beside", known["other"].name)
    leap.heading("q-9 in two runs")
    sides = page.locator(".side")
    assert sides.count() == 2 and page.locator(".side .lanes").count() == 2
    boxes = [sides.nth(index).bounding_box() for index in range(2)]
    assert boxes[0]["y"] == boxes[1]["y"] and boxes[0]["x"] < boxes[1]["x"]
    assert sides.nth(1).locator(".turned.harmed").count() == 1
    sides.nth(1).locator("select").select_option("1")
    assert here(page).endswith("/q-9/0/1")
    assert sides.nth(1).locator(".turned.harmed").count() == 0
    page = leap.go(f"#/beside/{known['leap'].name}/{known['hostile'].name}/q-9/0/0")
    assert "no group of this question" in page.text_content(".side:nth-child(2)")


def test_the_keyboard_leads_everywhere(leap: Tab, known: Known) -> None:
    run = f"#/run/{known['leap'].name}"
    page = leap.go(f"{run}/q-2/0")
    page.keyboard.press("j")
    leap.heading("q-9")
    page.keyboard.press("k")
    leap.heading("q-2")
    page.keyboard.press("1")
    assert here(page).endswith("/q-2/0?block=0")
    page.keyboard.press("+")
    page.wait_for_selector("text=2×")
    page.focus(".gutter a >> nth=1")
    page.keyboard.press("Enter")
    leap.heading("Path 1")
    assert page.evaluate("document.activeElement.tagName") == "H1"
    page.keyboard.press("k")
    leap.heading("Path 0")
    for heading in ("q-2", "dispersed", f"{len(known)} runs"):
        page.keyboard.press("u")
        leap.heading(heading)
    page = leap.go(run)
    page.keyboard.press("/")
    page.keyboard.type("ju?")
    assert page.input_value("#find") == "ju?"
    page.focus("h1")
    page.keyboard.press("?")
    assert "next group or path" in page.text_content("dialog[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")


def test_the_theme_is_chosen_and_remembered(leap: Tab) -> None:
    page = leap.go()
    shown = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(shown)
    page.click("#theme")
    assert page.evaluate(shown) == light and page.text_content("#theme") == "light"
    page.keyboard.press("t")
    page.wait_for_selector("#theme:has-text('dark')")
    dark = page.evaluate(shown)
    assert brightness(dark) < brightness(light)
    page.reload()
    page.wait_for_selector("#theme:has-text('dark')")
    assert page.evaluate(shown) == dark


def test_a_run_in_progress_updates_by_itself(chromium: Any, tmp_path: Path) -> None:
    run = opened(tmp_path, limit=3)
    with serving(run.path) as address, tab(chromium, address) as view:
        page = view.go(f"#/run/{run.run_id}")
        page.wait_for_selector(".lead .progress.running:has-text('0 of 3 groups')")
        run.write_group(group_rows(run.run_id, "q-1", 0, [RIGHT, HARMED]))
        page.wait_for_selector(".grid .id:has-text('q-1')")
        assert "1 of 3 groups" in page.text_content(".lead")
        page.click(".grid a")
        view.heading("q-1")
        assert page.locator(".turned.harmed").count() == 1
        run.write_group(group_rows(run.run_id, "q-1", 0, [RIGHT, RIGHT]))
        page.wait_for_selector(".turned.harmed", state="detached")
        page.keyboard.press("u")
        run.write_run({"status": "finished", "questions": 1, "groups_per_question": 1})
        run.close()
        page.wait_for_selector(".lead .progress:has-text('finished')")
        assert page.locator(".running").count() == 0


def test_files_open_from_disk_without_a_server(chromium: Any, known: Known, tmp_path: Path) -> None:
    page_file = export(Site(list(known.values())), tmp_path / "out")
    with tab(chromium, page_file.as_uri()) as view:
        for name, (to, heading) in pages(known).items():
            assert heading in view.go(to).text_content("main h1"), name
        page = view.go(pages(known)["path"][0])
        assert page.locator(".segment.think .katex").count() == 2
        page.wait_for_timeout(300)
        assert "KaTeX_Main" in page.evaluate(
            "[...document.fonts].filter(f => f.status === 'loaded').map(f => f.family).join()"
        )
        page.evaluate(
            "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.hit = 1'}))"
        )
        assert page.evaluate("window.hit") is None
        assert any("Content Security Policy" in line for line in view.wrong)
        view.wrong.clear()
        assert {address.split(":")[0] for address in view.asked} <= {"file", "about"}
