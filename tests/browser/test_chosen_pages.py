"""A run in which not every image has a page: lists name all images, and link to those with a page alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.opened import Opened
from tests.reporting.run_folder import make_run
from tests.reporting.written import write_report

PAGED = 3


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_run(tmp_path_factory.mktemp("some") / "run", cases=9, shape=(60, 80))
    names = sorted(path.name for path in (folder / "cases").iterdir() if path.is_dir())[::4]
    rows = [f"{name},random,,\n" for name in names]
    (folder / "pages.csv").write_text("case_id,chosen_as,finding,message\n" + "".join(rows))
    write_report(folder)
    return folder


def test_the_worklist_links_to_images_with_a_page_and_names_the_others(opened: Opened, some: Path) -> None:
    opened.folder = some
    page = opened.page
    page.goto((some / "index.html").as_uri())
    page.wait_for_selector("#filters:not([hidden])")
    names = page.locator("#worklist tbody th.name")
    assert names.count() == 9
    linked = names.locator("a")
    assert linked.count() == PAGED
    assert {text.partition(",")[0] for text in linked.all_inner_texts()} == {
        path.parent.name for path in some.glob("cases/*/index.html")
    }


def test_the_next_case_is_the_next_with_a_page(opened: Opened, some: Path) -> None:
    opened.folder = some
    page = opened.page
    paths = sorted(some.glob("cases/*/index.html"))
    page.goto(paths[0].as_uri())
    page.wait_for_selector("a#next[href]")
    seen = [paths[0].parent.name]
    while page.locator("a#next[href]").count() and len(seen) < 9:
        page.locator("a#next[href]").click()
        page.wait_for_load_state()
        page.wait_for_selector("a#previous[href]")
        seen.append(page.url.split("/")[-2])
    assert sorted(seen) == [path.parent.name for path in paths]
