"""Filing: flow, data sheet and provenance on the overview, and pages of all commands as axe sees them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from pipeline.dossier.write import write_dossier
from tests.browser.opened import Opened, settle
from tests.browser.test_accessibility import violations
from tests.comparison.test_compare import compared, run_of
from tests.damage.run_folders import make_sound_run
from tests.reporting.run_folder import make_run, provenance
from tests.reporting.written import write_report
from tests.validation import good
from tests.validation.test_validate import run as validated

WIDTHS = (1280, 820, 390)


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that knows who ran it, of twelve files, two of which hold no image."""
    run = make_run(tmp_path_factory.mktemp("filed") / "run", cases=9, shape=(180, 240))
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    manifest["studies"] |= {"files": 12, "images": 10, "selected": 10, "audited": 9}
    (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (run / "provenance.json").write_text(json.dumps(provenance(run.name, operator="Ann")), encoding="utf-8")
    write_report(run)
    return run


@pytest.mark.parametrize("width", WIDTHS)
def test_the_overview_shows_the_flow_from_files_to_scored_images(
    browser: Browser, filed: Path, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    page.goto((filed / "index.html").as_uri())
    chart = page.locator("[aria-label='From files to scored images'] svg")
    box = chart.bounding_box()
    assert box is not None
    assert box["height"] > 150
    text = " ".join(chart.text_content().split())
    assert text.index("12 files") < text.index("10 images") < text.index("9 images")
    assert "Left out" in text
    assert page.evaluate("document.documentElement.scrollWidth") == width
    context.close()


def test_the_data_sheet_counts_missing_values_and_opens_by_key(opened: Opened, filed: Path) -> None:
    page, opened.folder = opened.page, filed
    page.goto((filed / "index.html").as_uri())
    sheet = page.locator("details:has([aria-label='Data sheet'])")
    assert "with missing values" in sheet.locator("summary").inner_text()
    sheet.locator("summary").press("Enter")
    settle(page)
    assert sheet.locator("thead th", has_text="Missing").is_visible()
    assert sheet.locator("tbody th").count() > 3


def test_the_overview_ends_with_who_ran_what_and_when(opened: Opened, filed: Path) -> None:
    page, opened.folder = opened.page, filed
    page.goto((filed / "index.html").as_uri())
    said = dict(
        zip(
            page.locator("#provenance dt").all_inner_texts(),
            page.locator("#provenance dd").all_inner_texts(),
            strict=True,
        )
    )
    assert said["Operator"] == "Ann"
    assert said["Started"] == "2026-11-30 19:55:01 UTC"
    assert said["Command"] == "heatproof audit --studies path-3f0c9a1b2c3d"
    assert said["Heatproof"].startswith("0.6.0, commit 1ad1ae6")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages of other commands, by name."""
    folder = tmp_path_factory.mktemp("written")
    first, second = run_of(folder / "a", (0.5, 0.6, 0.7, 0.8)), run_of(folder / "b", (0.4, 0.5, 0.5, 0.8))
    dossier = write_dossier(make_sound_run(folder / "run"), folder / "dossier").index.parent
    study = good.write_good(folder / "study")
    good.write_mask(study, "anna", "nodule", good.HEALTHY[0], good.disc(10, 10))
    return {
        "comparison": compared(first, second).index,
        "validation": validated(study).index,
        **{path.stem: path for path in dossier.glob("*.html")},
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_on_pages_of_other_commands(
    browser: Browser, written: dict[str, Path], width: int, scheme: Any
) -> None:
    assert len(written) > 8
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    for name, path in written.items():
        page.goto(path.as_uri())
        assert violations(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth") == width, name
    context.close()
