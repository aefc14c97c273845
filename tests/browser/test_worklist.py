"""The worklist: one row per image, filters, sorting, keys, pictures, and what comes back with the reader."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from pipeline.reporting.outcomes import OUTCOMES
from tests.browser.opened import Opened, settle
from tests.reporting.run_folder import HOSTILE

IMAGES = "#worklist tbody:not([aria-hidden])"
LISTED = """() => [...document.querySelectorAll("#worklist tbody:not([aria-hidden])")].map((image) => ({
  name: image.querySelector("th").innerText.split("\\n")[0],
  lines: [...image.rows].map((row) => [
    row.querySelector(".outcome").textContent, row.querySelector(".finding").textContent,
  ]),
}))"""
NUMBERS = """(key) => {
  const heads = [...document.querySelectorAll("#worklist thead th")];
  const behind = heads.length - heads.findIndex((head) => head.dataset.key === key);
  return [...document.querySelectorAll("#worklist tbody:not([aria-hidden])")].map((image) =>
    [...image.rows].map((row) => row.cells[row.cells.length - behind]?.firstChild?.data?.trim() ?? ""));
}"""

CUT = """(selector) => [...document.querySelectorAll(selector)]
  .filter((one) => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0)
  .map((one) => one.textContent)"""


@pytest.fixture
def page(opened: Opened, run: Path) -> Page:
    opened.folder = run
    opened.page.goto((run / "index.html").as_uri())
    opened.page.wait_for_selector("#filters:not([hidden])")
    return opened.page


def listed(page: Page) -> dict[str, list[tuple[str, str]]]:
    """Image → outcome and finding of its lines."""
    return {image["name"]: [tuple(line) for line in image["lines"]] for image in page.evaluate(LISTED)}


def numbers(page: Page, key: str) -> list[list[float]]:
    """The numbers in a column of each image."""
    return [[float(text) for text in image if text] for image in page.evaluate(NUMBERS, key)]


def test_each_image_has_one_row_with_its_findings(page: Page) -> None:
    images = listed(page)
    assert len(images) == 9
    assert all(
        sorted(name for _, finding in lines for name in finding.split(", ")) == ["benign", "malignant"]
        for lines in images.values()
    )
    assert page.locator("#count").inner_text() == "9 of 9 images"
    assert page.locator(f"{IMAGES} th[scope=rowgroup]").count() == 9


def test_files_that_are_no_images_are_not_among_the_cases(page: Page) -> None:
    assert not [name for name in listed(page) if name.startswith(("file-", "annotation-"))]
    note = page.locator("section:has(#cases) > p.note").last
    assert note.inner_text().startswith("3 files and annotations that are not images are not listed here")
    assert note.locator("a").get_attribute("href") == "#skipped"


def test_the_worst_image_comes_first_and_its_worst_finding_too(page: Page) -> None:
    places = {outcome.text: place for place, outcome in enumerate(OUTCOMES.values())}
    found = [[places[outcome] for outcome, _ in lines] for lines in listed(page).values()]
    assert found == sorted(found, key=lambda image: image[0])
    assert all(image == sorted(image) for image in found)
    assert found[0][0] < found[-1][0]


def test_each_outcome_is_explained_in_the_legend(page: Page) -> None:
    legend = page.locator("#outcomes dl > div")
    shown = {
        entry.locator(".outcome").inner_text(): entry.locator("dd").inner_text() for entry in legend.all()
    }
    assert shown == {outcome.text: outcome.meaning for outcome in OUTCOMES.values()}
    for outcome, _ in (line for lines in listed(page).values() for line in lines):
        assert (
            page.locator(f"{IMAGES} .outcome:text-is('{outcome}')").first.get_attribute("title")
            == shown[outcome]
        )
    page.click("#outcomes summary")
    assert not legend.first.is_visible()


def test_findings_without_contour_and_lesion_share_a_line_unless_one_is_asked_for(page: Page) -> None:
    together = ("absent, none drawn", "benign, malignant")
    assert [together] in listed(page).values()
    page.select_option("[name=finding]", label="benign")
    assert {finding for lines in listed(page).values() for _, finding in lines} == {"benign"}


def test_each_filter_leaves_what_it_names(page: Page) -> None:
    page.select_option("[name=finding]", label="malignant")
    assert {finding for lines in listed(page).values() for _, finding in lines} == {"malignant"}
    page.select_option("[name=outcome]", label="drawn elsewhere (2)")
    assert list(listed(page)) == ["0007c0ffee", "0004c0ffee"]
    page.fill("[name=text]", "7c0")
    assert list(listed(page)) == ["0007c0ffee"]
    page.click("button[type=reset]")
    page.wait_for_selector("#count:text-is('9 of 9 images')")


def test_a_score_can_be_bounded(page: Page) -> None:
    page.fill("[name=lowest]", "0.5")
    page.fill("[name=highest]", "0.7")
    values = [value for image in numbers(page, "iou") for value in image]
    assert values
    assert all(0.5 <= value <= 0.7 for value in values)


def test_attributes_of_hostile_text_can_be_chosen_and_stay_text(page: Page) -> None:
    page.click("#technical-filters summary")
    page.select_option("[name=attribute-0]", label=HOSTILE)
    assert list(listed(page)) == ["0000c0ffee"]


def test_a_row_says_sex_and_age_and_not_who_made_the_device(page: Page) -> None:
    facts = {
        text.split(", ")[0] + ", " + text.split(", ")[1]
        for text in page.locator(f"{IMAGES} .name .sub").all_inner_texts()
    }
    assert facts == {"F, 54 years"}


def test_an_empty_result_is_reported(page: Page) -> None:
    page.fill("[name=text]", "nobody")
    assert page.locator("#no-case").is_visible()
    assert page.locator(IMAGES).count() == 0


@pytest.mark.parametrize("key", ["iou", "probability", "hit", "case"])
def test_a_heading_sorts_both_ways_and_what_has_no_value_stays_last(page: Page, key: str) -> None:
    heading = page.locator(f"[data-key={key}]")
    assert heading.get_attribute("aria-sort") == "none"
    page.select_option("[name=finding]", label="malignant")
    for direction in ("ascending", "descending"):
        heading.locator("button").click()
        assert heading.get_attribute("aria-sort") == direction
        assert page.locator("#worklist [aria-sort=ascending], #worklist [aria-sort=descending]").count() == 1
        if key == "case":
            names = list(listed(page))
            assert names == sorted(names, reverse=direction == "descending")
            continue
        texts = [image[0].replace("yes", "1").replace("no", "0") for image in page.evaluate(NUMBERS, key)]
        values = [float(text) for text in texts if text]
        assert len(values) >= 3
        assert values == sorted(values, reverse=direction == "descending")
        assert all(texts[: len(values)])


def test_of_several_findings_the_one_that_comes_first_counts(page: Page) -> None:
    for best, direction in ((min, False), (max, True)):
        page.click("[data-key=probability] button")
        values = [best(image) for image in numbers(page, "probability") if image]
        assert len(values) > 3
        assert values == sorted(values, reverse=direction)


def test_the_arrow_beside_a_heading_tells_its_direction(page: Page) -> None:
    arrow = "(key) => getComputedStyle(document.querySelector(`[data-key=${key}] button`), '::after').content"
    assert page.evaluate(arrow, "outcome") == '" ↑"'
    assert page.evaluate(arrow, "iou") == '" ↕"'
    page.click("[data-key=outcome] button")
    assert page.evaluate(arrow, "outcome") == '" ↓"'


def test_rows_are_reached_and_opened_by_keys_alone(page: Page) -> None:
    page.click("[data-key=case] button")
    page.keyboard.press("/")
    page.keyboard.type("c0ffee")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("j")
    settle(page)
    assert page.evaluate("document.activeElement.textContent") == "0002c0ffee"
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_selector("#case[data-drawn]")
    assert page.locator("#name").inner_text() == "0001c0ffee"


def test_the_list_comes_back_as_it_was_left(page: Page) -> None:
    page.select_option("[name=finding]", label="malignant")
    page.click("[data-key=probability] button")
    page.click(f"{IMAGES} a")
    page.wait_for_selector("#case[data-drawn]")
    page.click("text=All cases")
    page.wait_for_selector("#count:text-is('9 of 9 images')")
    assert page.locator("[name=finding]").input_value() == "1"
    assert page.locator("[data-key=probability]").get_attribute("aria-sort") == "ascending"


def test_thumbnails_are_shown_with_their_contours_over_them(page: Page) -> None:
    page.locator("#worklist-host").scroll_into_view_if_needed()
    page.wait_for_function(
        """() => [...document.querySelectorAll('#worklist .picture')].some((one) => {
          const pictures = [...one.querySelectorAll('img')];
          return pictures.length === 2 && pictures.every((img) => img.complete && img.naturalWidth > 0);
        })"""
    )
    thumbnail, outlines = page.locator(f"{IMAGES} .picture").first.locator("img").all()
    assert thumbnail.bounding_box() == outlines.bounding_box()
    sources = [image.get_attribute("src").split("/")[-1] for image in (thumbnail, outlines)]
    assert sources == ["thumbnail.jpg", "outlines.svg"]


def test_reviewed_findings_can_be_distinguished_from_open_ones(opened: Opened, run: Path, page: Page) -> None:
    case = opened.case(run, 1)
    for key in "jxdd":
        case.keyboard.press(key)
        settle(case)
    page.goto((run / "index.html").as_uri())
    page.select_option("[name=reviewed]", "1")
    ((name, lines),) = listed(page).items()
    assert (name, [finding for _, finding in lines]) == ("0001c0ffee", ["malignant"])
    assert page.locator(f"{IMAGES} .reviewed").inner_text() == "done"
    page.select_option("[name=reviewed]", "0")
    assert "0001c0ffee" not in listed(page)


@pytest.mark.parametrize("width", [1920, 1280, 820, 390])
def test_outcome_and_finding_are_read_at_every_width(opened: Opened, run: Path, width: int) -> None:
    opened.folder = run
    opened.page.set_viewport_size({"width": width, "height": 900})
    opened.page.goto((run / "index.html").as_uri())
    opened.page.wait_for_selector("#filters:not([hidden])")
    settle(opened.page)
    assert opened.page.evaluate(CUT, f"{IMAGES} :is(.outcome-cell, .finding, .name a)") == []
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width


def test_groups_have_the_heights_that_the_list_reckons_with(opened: Opened, run: Path) -> None:
    opened.folder = run
    for width in (1280, 820, 390):
        opened.page.set_viewport_size({"width": width, "height": 900})
        opened.page.goto((run / "index.html").as_uri())
        opened.page.wait_for_selector("#filters:not([hidden])")
        settle(opened.page)
        reckoned, drawn = opened.page.evaluate(
            """() => {
              const style = getComputedStyle(document.getElementById("worklist"));
              const [line, least, above] = ["--height-of-line", "--least-height", "--height-above"]
                .map((name) => parseFloat(style.getPropertyValue(name)));
              const images = [...document.querySelectorAll("#worklist tbody:not([aria-hidden])")];
              return [images.map((image) => Math.max(least, above + line * image.rows.length)),
                      images.map((image) => image.getBoundingClientRect().height)];
            }"""
        )
        assert drawn == pytest.approx(reckoned, abs=1.5), width
