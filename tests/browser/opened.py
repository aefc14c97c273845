"""Opened: a page in the browser that keeps all that is complained of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Request

STILL = """() => {
  const place = document.querySelector(".pane .over g")?.getAttribute("transform") ?? "";
  const still = window.lastPlace === place;
  window.lastPlace = place;
  return still;
}"""
"""Whether the image lies where it lay a frame before; the stage is fitted again when its size changes."""


class Opened:
    """A page; `complaints` are errors and warnings of the console, and requests that leave the folder."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", lambda message: self._complain(message.type in {"error", "warning"}, message.text))
        page.on("pageerror", lambda error: self._complain(True, str(error)))
        page.on("requestfailed", self._look_at_failure)
        page.on("request", self._look_at)

    def case(self, run: Path, number: int, *, finding: str = "") -> Page:
        """The page of a case, drawn."""
        self.folder = run
        address = (run / "cases" / f"{number:04x}c0ffee" / "index.html").as_uri()
        self.page.goto(address + (f"#{finding}" if finding else ""))
        self.page.wait_for_selector("#case[data-drawn]")
        self.page.wait_for_function(STILL)
        return self.page

    def _look_at(self, request: Request) -> None:
        inside = request.url.startswith((self.folder.as_uri(), "data:", "blob:"))
        self._complain(not inside, f"asks for {request.url}")

    def _look_at_failure(self, request: Request) -> None:
        left = request.failure == "net::ERR_ABORTED"  # the page was left before its pictures had come
        self._complain(not left, f"failed: {request.url}")

    def _complain(self, wrong: Any, text: str) -> None:
        if wrong:
            self.complaints.append(text)


def place_of(page: Page, pane: int = 0) -> tuple[float, float, float, float]:
    """(across, down, x, y): column c, row r of the image lie at (c × across + x, r × down + y) of a pane."""
    matrix = page.locator(".pane .over g").nth(pane).get_attribute("transform")
    across, _, _, down, x, y = (float(number) for number in matrix[len("matrix(") : -1].split())
    return across, down, x, y


def on_screen(page: Page, row: float, column: float) -> tuple[float, float]:
    """Where a pixel of the image lies in the window; a mouse knows whole numbers alone."""
    across, down, x, y = place_of(page)
    box = page.locator("#stage").bounding_box()
    return round(box["x"] + column * across + x), round(box["y"] + row * down + y)


def colour_at(page: Page, row: float, column: float, pane: int = 0) -> tuple[int, int, int]:
    """Red, green and blue of the canvas at a pixel of the image."""
    across, down, x, y = place_of(page, pane)
    at = [pane, column * across + x, row * down + y]
    found = page.evaluate(
        """([pane, x, y]) => {
          const copy = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
          copy.drawImage(document.querySelectorAll(".pane canvas")[pane], -Math.round(x), -Math.round(y));
          return [...copy.getImageData(0, 0, 1, 1).data];
        }""",
        at,
    )
    return tuple(found[:3])


def settle(page: Page) -> None:
    """Wait until what was changed is drawn."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
