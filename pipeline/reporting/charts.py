"""Charts: positions of the marks in SVG charts, which the templates draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.records import Summary, main_reader
from pipeline.records.names import ALL_FINDINGS
from pipeline.reporting import words
from pipeline.reporting.run_folder import RunFolder
from pipeline.reporting.survey import BINS, Survey

WIDTH = 560
LEFT = 150
"""Width for the names of findings and methods, in units of the viewBox."""
RIGHT = 118
"""Width for the numbers."""
LINE = 22
HEAD = 12
GAP = 14
"""Space above each finding."""
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)

BAR_WIDTH = 20
BAR_HEIGHT = 96
MARKED = frozenset({"location_prior", "center_prior", "random", "local_contrast"})
"""Baselines with their own mark in figures.css."""


@dataclass(frozen=True, slots=True)
class Whisker:
    """One estimate with its interval; lengths in the units of the chart's viewBox."""

    label: str
    mark: str
    """The shape of the dot: "network", a known baseline's name, or "other"."""
    y: float
    x: float
    low: float
    high: float
    text: str


@dataclass(frozen=True, slots=True)
class WhiskerChart:
    """A chart of one metric with one line per method, grouped by finding."""

    title: str
    height: float
    ticks: tuple[tuple[float, str], ...]
    groups: tuple[tuple[str, float, tuple[Whisker, ...]], ...]
    """Finding, y of its name, lines."""

    @property
    def width(self) -> int:
        """Width of the viewBox."""
        return WIDTH

    @property
    def description(self) -> str:
        """The content of the chart as text."""
        return "; ".join(
            f"{finding}: " + ", ".join(f"{line.label} {line.text}" for line in lines)
            for finding, _, lines in self.groups
        )


@dataclass(frozen=True, slots=True)
class Histogram:
    """Histogram of the images' IoU for one finding: bars for the network, a line for a baseline."""

    finding: str
    bars: tuple[tuple[float, float, float, str], ...]
    """x, y, height and text of each bar."""
    steps: str
    """SVG path of the baseline; empty without one."""
    baseline: str
    description: str


def whisker_chart(run: RunFolder, metric: str, title: str) -> WhiskerChart | None:
    """Estimate and interval per finding and method, for the reader with most images; None without any."""
    groups: list[tuple[str, float, tuple[Whisker, ...]]] = []
    y = float(HEAD)
    for finding in (*run.findings, ALL_FINDINGS):
        rows = [row for row in run.summaries if row.finding == finding]
        reader = main_reader(rows, metric, run.network or "")
        same = [row for row in rows if reader and (row.metric, row.reader) == (metric, reader.reader)]
        by_method = {row.method: row for row in same if row.estimate is not None}
        present = [method.name for method in run.methods if method.name in by_method]
        if not present:
            continue
        y += GAP + LINE
        lines = tuple(
            _whisker(by_method[name], run, y + index * LINE) for index, name in enumerate(present, start=1)
        )
        groups.append((finding_title(finding), y, lines))
        y += len(lines) * LINE
    if not groups:
        return None
    return WhiskerChart(title, y + GAP, axis(metric), tuple(groups))


def axis(metric: str) -> tuple[tuple[float, str], ...]:
    """Position and text of each tick."""
    return tuple(
        (chart_x(tick), words.number(tick, metric) if metric in words.RATES else f"{tick:g}")
        for tick in TICKS
    )


def histogram(
    survey: Survey, finding: str, *, network: str | None, baseline: str | None, title: str
) -> Histogram | None:
    """Histogram of the images' IoU and that of a baseline named `title`; None without the network's IoU."""
    counts = survey.histograms.get((network or "", finding))
    if not counts:
        return None
    baseline_counts = survey.histograms.get((baseline or "", finding))
    most = max(*counts, *(baseline_counts or (0,)))
    bars = tuple(
        (
            float(index * BAR_WIDTH),
            BAR_HEIGHT - height,
            height,
            f"IoU {_step(index)}: {words.plural(count, 'image')}",
        )
        for index, count in enumerate(counts)
        for height in [BAR_HEIGHT * count / most]
    )
    described = ", ".join(bar[3] for bar, count in zip(bars, counts, strict=True) if count)
    steps = _steps([BAR_HEIGHT * (1 - count / most) for count in baseline_counts]) if baseline_counts else ""
    return Histogram(finding, bars, steps, title if baseline_counts else "", described)


def finding_title(finding: str) -> str:
    """A finding's name in tables and charts."""
    return "All findings" if finding == ALL_FINDINGS else finding


def _whisker(row: Summary, run: RunFolder, y: float) -> Whisker:
    assert row.estimate is not None
    known = row.method if row.method in MARKED else "other"
    return Whisker(
        label=run.title_of(row.method),
        mark=known if row.method in run.baselines else "network",
        y=y,
        x=chart_x(row.estimate),
        low=chart_x(row.estimate if row.low is None else row.low),
        high=chart_x(row.estimate if row.high is None else row.high),
        text=words.estimate(row),
    )


def chart_x(share: float) -> float:
    """Position of a value (0 … 1) on the horizontal axis."""
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 2)


def _steps(heights: Sequence[float]) -> str:
    """The upper edge of a histogram as an SVG path."""
    parts = [f"M0 {BAR_HEIGHT}"]
    for index, y in enumerate(heights):
        parts.append(f"V{y:.2f}H{(index + 1) * BAR_WIDTH}")
    return "".join(parts) + f"V{BAR_HEIGHT}"


def _step(index: int) -> str:
    return "exactly 0" if index == 0 else f"up to {index / BINS:g}"
