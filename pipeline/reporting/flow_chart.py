"""Flow chart: the steps of the inclusion as boxes and arrows, in the coordinates of an SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap

from pipeline.reporting.inclusion import Step

WIDTH = 680
BOX = 270
"""Width of the boxes of the steps; what was left out stands to their right."""
SIDE = 350
GAP = 26
LINE = 18
PADDING = 11
CHARACTERS = {BOX: 38, SIDE: 50}
"""Characters that fit on a line of a box, at 13 units a line of text."""
ARROW = 5


@dataclass(frozen=True, slots=True)
class Box:
    """A box with lines of text: (x, y of the baseline, text, whether it is the box's title)."""

    x: int
    y: int
    width: int
    height: int
    lines: tuple[tuple[int, int, str, bool], ...]


@dataclass(frozen=True, slots=True)
class FlowChart:
    """Boxes and arrows."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[str, ...]
    """Paths."""
    description: str
    """The chart in words, for those who do not see it."""


def flow_chart(steps: Sequence[Step]) -> FlowChart | None:
    """The chart of the steps from top to bottom; None without steps."""
    if not steps:
        return None
    boxes: list[Box] = []
    arrows: list[str] = []
    top = 1
    for step in steps:
        left = [
            text for entry in step.left for text in wrap(f"{entry.count:,}: {entry.reason}", CHARACTERS[SIDE])
        ]
        middle = 1 + BOX // 2
        if boxes:
            side = _box(WIDTH - SIDE - 1, top + GAP, SIDE, ["Left out", *left]) if left else None
            end = top + GAP + (side.height + GAP if side else 0)
            arrows.append(f"M{middle} {top}V{end}m-{ARROW} -{ARROW}l{ARROW} {ARROW} {ARROW} -{ARROW}")
            if side:
                level = side.y + side.height // 2
                arrows.append(
                    f"M{middle} {level}H{side.x}m-{ARROW} -{ARROW}l{ARROW} {ARROW} -{ARROW} {ARROW}"
                )
                boxes.append(side)
            top = end
        boxes.append(_box(1, top, BOX, [step.counted, *wrap(step.name, CHARACTERS[BOX])]))
        top += boxes[-1].height
    return FlowChart(WIDTH, top + 1, tuple(boxes), tuple(arrows), " ".join(_sentences(steps)))


def _box(x: int, y: int, width: int, texts: Sequence[str]) -> Box:
    lines = tuple(
        (x + PADDING, y + PADDING + LINE * number + LINE - 5, text, number == 0)
        for number, text in enumerate(texts)
    )
    return Box(x, y, width, 2 * PADDING + LINE * len(texts), lines)


def _sentences(steps: Sequence[Step]) -> Iterator[str]:
    for step in steps:
        for entry in step.left:
            yield f"Left out: {entry.count:,}, {entry.reason}."
        yield f"{step.name}: {step.counted}."
