"""The first screen: what a finding comes to is seen at once, and the rest is a click or a key away."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from pipeline.records.names import READER_START
from pipeline.store.tables import write_table
from tests.browser.opened import Opened, settle
from tests.browser.test_accessibility import violations
from tests.reporting.run_folder import make_run, words_of
from tests.reporting.written import write_report

WARNINGS = [f"Warning {number}: " + "the files say otherwise than the config, " * 8 for number in range(5)]
SIZES = [(1280, 800), (1920, 1080), (820, 1180), (390, 844)]
SENTENCES = {
    "benign": "It uses the annotated lesions and usually points there; better than baselines, not confirmed.",
    "malignant": "Too few patients to judge its map; whether it uses the lesions is unclear.",
}


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with an unconfirmed finding, one that cannot be judged, suspicions, a policy and warnings."""
    run = make_run(tmp_path_factory.mktemp("screen") / "run", cases=18, shape=(180, 240))
    with (run / "verdict.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if row["finding"] == "benign":
            row |= {"verdict": "no_better", "conclusion": "shown", "against": "same_place"}
            if row["standing"]:
                row |= {"standing": "no_better", "difference": "0.46", "difference_low": "0.14"}
                row |= {"difference_high": "0.79", "corrected_p": "0.06"}
    write_table(run, "verdict.csv", rows)
    of = {"finding": "benign", "estimate": 0.9, "low": 0.8, "high": 1.0, "n": 9}
    suspects = [
        of | {"rule": "same_place", "suspect": "too_few", "strength": "weak", "sentence": "It is one place."},
        of | {"rule": "card_x", "suspect": "card", "strength": "strong", "sentence": "The card is wrong."},
        of
        | {"finding": "(all)", "rule": "y", "suspect": "masks", "strength": "weak", "sentence": "Elsewhere."},
    ]
    write_table(run, "suspects.csv", suspects)
    limit = {
        "finding": "malignant",
        "rule": "min_hit_rate",
        "reader": "Reader A",
        "metric": "hit",
        "limit": 0.5,
        "estimate": 0.2,
        "low": 0.1,
    }
    write_table(run, "policy.csv", [limit | {"high": 0.3, "outcome": "fail"}])
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    manifest["notices"] = [
        {"kind": "warning", "about": f"key{number}", "message": text, "pin": ""}
        for number, text in enumerate(WARNINGS)
    ]
    (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    write_report(run)
    return run


def opened_at(
    browser: Browser, run: Path, width: int, height: int, scheme: Any = "light", *, quiet: bool = True
) -> Iterator[Page]:
    """The overview; `quiet`: nothing is complained of, though axe asks for what the policy forbids."""
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    opened = Opened(context.new_page())
    opened.folder = run
    opened.page.goto((run / "index.html").as_uri())
    settle(opened.page)
    yield opened.page
    context.close()
    assert not quiet or opened.complaints == []


@pytest.fixture
def page(browser: Browser, screen: Path) -> Iterator[Page]:
    yield from opened_at(browser, screen, 1280, 800)


def read_table(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def of(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("finding", "reader", "method", "metric"))


def heights(page: Page, selector: str) -> list[float]:
    return page.locator(selector).evaluate_all(
        "(all) => all.map((one) => one.getBoundingClientRect().height)"
    )


def test_four_findings_fit_on_the_first_screen_below_four_warnings(page: Page) -> None:
    top = page.locator(".verdicts").bounding_box()
    assert top is not None
    rows = heights(page, ".verdict")
    assert len(rows) == 2
    warnings = sum(heights(page, ".short-warning:not(:first-child)"))
    assert top["y"] - warnings + 4 * max(rows) <= 800  # with one warning
    assert top["y"] + 3 * max(rows) <= 800  # with all of them, of two lines each at most


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_pictures_are_above_the_fold_at_every_width(
    browser: Browser, screen: Path, width: int, height: int
) -> None:
    for page in opened_at(browser, screen, width, height):
        for place in range(2):
            box = (
                page.locator(".verdict")
                .first.locator(".picture-of-case, .no-picture")
                .nth(place)
                .bounding_box()
            )
            assert box is not None
            assert box["y"] + box["height"] < height
            assert box["width"] >= 130
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_hit_and_a_miss_show_the_contours_of_network_and_reader(page: Page) -> None:
    hit = page.locator(".verdict").first.locator(".picture-of-case").first
    assert hit.inner_text().startswith("Typical, outlined, IoU 0.")
    assert hit.locator(".line.network").count() == 1
    assert hit.locator("[class~=line][class*=reader-]").count() == 2
    assert "Typical, outlined" in (hit.locator("svg").get_attribute("aria-label") or "")
    missed = page.locator(".verdict").nth(1).locator(".picture-of-case").last
    assert missed.inner_text().startswith(("Typical, drawn elsewhere", "Typical, nothing drawn"))
    assert missed.locator("[class~=line][class*=reader-]").count() >= 1


def test_the_verdict_is_one_sentence_and_three_numbers_say_n_and_direction(page: Page) -> None:
    assert page.locator(".verdict-head .badge").all_inner_texts() == list(SENTENCES.values())
    for sentence in page.locator(".verdict-head .badge").all_inner_texts():
        assert 10 <= len(sentence.split()) <= 15
        assert sentence.count(".") == 1
    numbers = page.locator(".verdict").first.locator(".three > div")
    titles = numbers.locator("dt > :first-child").all_inner_texts()
    assert titles == ["Hit rate", "IoU", "AUROC"]
    for text in numbers.locator("dd").all_inner_texts():
        assert " n " in text
    assert "better, not confirmed" in numbers.first.inner_text()
    assert "higher is better" in (numbers.first.text_content() or "")


def test_suspects_policy_and_what_contradicts_are_seen_at_once(page: Page) -> None:
    first, second = (page.locator(".verdict").nth(place).locator(".chips") for place in range(2))
    assert "Suspected: model card (strong), too little data" in first.inner_text()
    assert "1 contradiction" in first.inner_text()
    assert "policy: fail" in second.inner_text()
    assert page.locator(".suspected").inner_text() == "Suspected, for all findings: annotations"
    assert "not met" in page.locator(".headline .policy").inner_text()


def test_no_warning_is_lost_and_each_is_one_line_until_it_is_opened(page: Page) -> None:
    shown = page.locator(".short-warning")
    assert shown.count() == 4
    text = page.locator(".warnings").evaluate("(one) => one.textContent")
    assert all(warning.strip() in " ".join(text.split()) for warning in WARNINGS)
    assert max(heights(page, ".short-warning summary")) < 32
    assert "2 more warnings" in shown.last.inner_text()
    shown.first.locator("summary").press("Enter")
    settle(page)
    assert heights(page, ".short-warning summary")[0] > 32


def test_evidence_is_a_key_away_and_printed_open(page: Page) -> None:
    details = page.locator(".finding-more").first
    text = details.locator(".lead")
    assert text.is_hidden()
    details.locator("summary").press("Enter")
    settle(page)
    assert text.is_visible()
    assert "p = 0.06" in text.inner_text().replace("\N{NO-BREAK SPACE}", " ")
    row = page.locator(".verdict").first.bounding_box()
    box = details.bounding_box()
    assert row is not None
    assert box is not None
    assert box["width"] > 0.9 * row["width"]
    details.locator("summary").press("Enter")
    page.emulate_media(media="print")
    settle(page)
    for place in range(2):
        opened = page.locator(".finding-more .verdict-text").nth(place).bounding_box()
        assert opened is not None
        assert opened["height"] > 40


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_cannot_be_judged_is_neutral_beside_a_failed_policy(
    browser: Browser, screen: Path, scheme: str
) -> None:
    for page in opened_at(browser, screen, 1280, 800, scheme):
        colours = page.evaluate(
            """() => {
              const of = (name) => {
                const one = document.body.appendChild(document.createElement("i"));
                one.className = name;
                one.style.color = "";
                const style = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
                one.remove();
                return style;
              };
              const two = (n) => (+n).toString(16).padStart(2, "0");
              const hex = (rgb) => "#" + rgb.match(/\\d+/g).map(two).join("");
              const row = document.querySelectorAll(".verdict")[1];
              return {
                worse: of("--worse"), muted: of("--muted"),
                badge: hex(getComputedStyle(row.querySelector(".badge")).color),
                stripe: hex(getComputedStyle(row).borderLeftColor),
              };
            }"""
        )
        assert colours["badge"] == colours["stripe"] == colours["muted"] != colours["worse"]


def test_marks_lie_at_their_values_on_one_axis_and_no_two_look_alike(page: Page) -> None:
    chart = page.locator(".verdict").first.locator(".intervals")
    found: list[list[Any]] = chart.locator("tbody tr").evaluate_all(
        """(rows) => rows.map((row) => {
          const plot = row.querySelector(".plot > svg").getBoundingClientRect();
          const mark = row.querySelector(".mark");
          const at = mark.getBoundingClientRect();
          const share = (at.left + at.width / 2 - plot.left) / plot.width;
          const shape = mark.tagName + (mark.getAttribute("d") ?? "");
          const value = parseFloat(row.cells[2].innerText);
          return [row.cells[0].innerText, share, value, getComputedStyle(mark).stroke, shape];
        })"""
    )
    assert [label for label, *_ in found] == ["gradcam", "mean mask", "image centre"]
    for _, share, percent, _, _ in found:
        assert abs(100 * share - percent) < 1
    assert len({stroke for *_, stroke, _ in found}) == len({shape for *_, shape in found}) == len(found)


def test_readers_and_chance_stand_on_the_axis_of_the_network(opened: Opened, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", cases=9, shape=(180, 240))
    rows = read_table(run / "summary.csv")
    (main,) = (r for r in rows if of(r) == ("benign", "Reader A", "gradcam", "hit"))
    for method, value in ((READER_START + "Reader B", 0.9), ("random", 0.1)):
        rows.append(main | {"method": method, "estimate": value, "low": value - 0.05, "high": value + 0.05})
    write_table(run, "summary.csv", rows)
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    random = {"name": "random", "kind": "baseline", "layer": "", "unit": "relative"}
    like = next(method for method in manifest["methods"] if method["name"] == "center_prior")
    manifest["methods"].append(like | random | words_of("random"))
    (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    write_report(run)
    page, opened.folder = opened.page, run
    page.goto((run / "index.html").as_uri())
    labels = page.locator(".verdict").first.locator(".intervals tbody th").all_inner_texts()
    assert labels[0] == "gradcam"
    assert [one for one in labels if "Reader B" in one]
    assert labels[-1].endswith("(chance)")
    assert page.locator(".verdict").first.locator(".intervals .mark.reader").count() == 1


def test_the_rule_of_badges_says_which_p_is_corrected_and_which_interval_is_not(page: Page) -> None:
    text = page.locator(".first-screen .note", has_text="Better and worse").inner_text()
    assert "corrected for all findings" in text
    assert "the interval of the difference excludes 0, but the corrected p is above" in text
    badge = page.locator(".verdict").first.locator(".three .badge").first.inner_text()
    assert badge.strip() == "better, not confirmed"  # the interval of 14 to 79 is above 0, p is 0.06


def test_the_words_are_those_of_radiology(page: Page, screen: Path) -> None:
    overview = page.locator("body").inner_text()
    page.goto((screen / "cases" / "0000c0ffee" / "index.html").as_uri())
    page.wait_for_selector("#case[data-drawn]")
    page.keyboard.press("?")
    case = page.locator("body").inner_text()
    for text, said in ((case, ("W/L", "zoom in")), (overview, ("False positives", "Import decisions"))):
        for word in said:
            assert word in text, word
    for word in ("ground truth", "saliency", "enlarge", "take up"):
        assert word not in (overview + case).lower(), word
    page.goto((screen / "glossary.html").as_uri())
    assert "ln(p / (1 − p))" in page.locator("#term-log-odds").inner_text().replace("-", "−")


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_text_of_charts_is_readable_and_charts_use_the_width(
    browser: Browser, screen: Path, width: int, height: int
) -> None:
    for page in opened_at(browser, screen, width, height):
        sizes = page.locator(".intervals th, .intervals td, .intervals text, .chart text").evaluate_all(
            """(all) => all.filter((one) => one.textContent.trim() && one.getClientRects().length)
              .map((one) => {
                const drawing = one.ownerSVGElement;
                const units = drawing?.viewBox.baseVal?.width;
                const scale = units ? drawing.getBoundingClientRect().width / units : 1;
                return parseFloat(getComputedStyle(one).fontSize) * scale;
              })"""
        )
        assert min(sizes) >= 10
        charts = page.locator(".charts").first.bounding_box()
        assert charts is not None
        assert charts["width"] > 0.85 * min(width, 1792)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_with_everything_open(
    browser: Browser, screen: Path, scheme: str, width: int
) -> None:
    for page in opened_at(browser, screen, width, 800, scheme, quiet=False):
        assert violations(page) == []
        page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        settle(page)
        assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_term_leads_to_its_entry_in_the_glossary(
    browser: Browser, screen: Path, scheme: str, width: int
) -> None:
    for page in opened_at(browser, screen, width, 800, scheme, quiet=False):
        link = page.locator(".first-screen a.term", has_text="Hit rate").first
        assert "highest point" in (link.get_attribute("title") or "")
        link.click()
        page.wait_for_url("**/glossary.html#term-hit-rate")
        entry = page.locator("#term-hit-rate")
        assert entry.is_visible()
        assert "0 to 100 %" in entry.inner_text()
        assert "higher" in entry.inner_text()
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width
