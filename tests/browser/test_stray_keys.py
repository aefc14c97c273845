"""Stray keys: whatever is pressed, an answer changes only after "Change" (O) or by undo."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from playwright.sync_api import Page

from tests.browser.opened import Opened, settle
from tests.browser.test_review import HIT, MISSED, answers, press

CHANGING = {"o", "z", "Backspace"}
"""Keys that say that an answer shall change."""
LEAVING = {"n", "p", "?", "Shift+E"}
"""Keys that show another page or a dialog."""
ROUNDS = 120
STORED = """() => Object.fromEntries(Object.keys(localStorage)
  .filter((name) => name.startsWith("heatproof review "))
  .map((name) => [name, JSON.parse(localStorage.getItem(name))]))"""


def every_key(page: Page) -> list[str]:
    """Every key of the page's own list, and some that do nothing."""
    listed: list[str] = page.evaluate("heatproof.keys.all()")
    return [*listed, "Home", "Delete", "Tab"]


def stored(page: Page) -> dict[str, dict[str, dict[str, object]]]:
    found: dict[str, dict[str, dict[str, object]]] = page.evaluate(STORED)
    return found


def test_no_single_key_changes_an_answer_that_is_there(opened: Opened, run: Path) -> None:
    page = opened.case(run, MISSED)
    press(page, "j", "x", "u")
    before = stored(page)
    tried = [key for key in every_key(page) if key not in CHANGING | LEAVING]
    assert {"y", "x", "d", "u", "e", "j", "Shift+J", "Escape", "1", "["} <= set(tried)
    for key in tried:
        page.click("#subjects .plain-button >> nth=0")
        press(page, *[key] * (1 if key == "e" else 2))  # the second E would be typed
        press(page, "Escape")  # leaves a comment's field
        assert stored(page) == before, key


@pytest.mark.parametrize("seed", range(3))
def test_no_sequence_of_keys_without_change_or_undo_replaces_an_answer(
    opened: Opened, run: Path, seed: int
) -> None:
    page = opened.case(run, (MISSED, HIT, 0)[seed])
    random, given = Random(seed), {}
    keys = [key for key in every_key(page) if key not in CHANGING | LEAVING | {"e"}]
    for _ in range(ROUNDS):
        press(page, random.choice([*keys, *"jyxdu" * 8]))
        for place, entries in stored(page).items():
            for key, entry in entries.items():
                if (place, key) in given:
                    assert entry == given[place, key]
                elif entry["answer"]:
                    given[place, key] = entry
    assert given


def test_a_replaced_answer_is_history_and_comes_back_from_another_case(opened: Opened, run: Path) -> None:
    page = opened.case(run, MISSED)
    press(page, "j", "x", "Shift+J", "o", "y", "o", "u")
    opened.case(run, HIT)
    page.wait_for_selector("#subjects .is-current")
    press(page, "z", "z")
    opened.case(run, MISSED)
    assert answers(page) == ["network wrong", "open"]
    history = page.evaluate(
        "Object.keys(localStorage).filter((name) => name.startsWith('heatproof undo '))"
        ".map((name) => localStorage.getItem(name))"
    )
    assert [entry[3]["answer"] for entry in json.loads(history[0])] == ["network_wrong"]


def test_what_a_key_did_is_said_where_a_screen_reader_hears_it(opened: Opened, run: Path) -> None:
    page = opened.case(run, MISSED)
    press(page, "j", "x", "Shift+J", "y")
    settle(page)
    state = page.locator("#review-state")
    assert state.get_attribute("role") == "status"
    assert state.inner_text().startswith("Already answered: network wrong. It stays.")
