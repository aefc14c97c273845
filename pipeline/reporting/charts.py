"""Charts: where marks lie in an SVG; the templates draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.names import ALL_FINDINGS
from pipeline.records import Summary
from pipeline.reporting import words
from pipeline.reporting.run_folder import RunFolder
from pipeline.reporting.survey import BINS, Survey
from pipeline.reporting.verdict import main_reader

WIDTH = 560
LEFT = 150
"""Room for the names of findings and methods."""
RIGHT = 118
"""Room for the numbers."""
LINE = 22
HEAD = 12
GAP = 14
"""Above each finding but the first."""
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)

BAR_WIDTH = 20
BAR_HEIGHT = 96


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
    """One metric: a line a method, grouped by finding."""

    title: str
    height: float
    ticks: tuple[tuple[float, str], ...]
    groups: tuple[tuple[str, float, tuple[Whisker, ...]], ...]
    """Finding, baseline of its name, lines."""

    @property
    def width(self) -> int:
        """Of the viewBox."""
        return WIDTH

    @property
    def description(self) -> str:
        """The same in words."""
        return "; ".join(
            f"{finding}: " + ", ".join(f"{line.label} {line.text}" for line in lines)
            for finding, _, lines in self.groups
        )


@dataclass(frozen=True, slots=True)
class Histogram:
    """IoU of one finding: bars of the network, steps of a baseline."""

    finding: str
    bars: tuple[tuple[float, float, float, str], ...]
    """x, y, height, what it says."""
    steps: str
    """An SVG path; empty without a baseline."""
    baseline: str
    description: str


def whisker_chart(run: RunFolder, metric: str, title: str) -> WhiskerChart | None:
    """Estimate and interval a finding and method, of the reader with most images; None without any."""
    groups: list[tuple[str, float, tuple[Whisker, ...]]] = []
    y = float(HEAD)
    for finding in (*run.findings, ALL_FINDINGS):
        rows = [row for row in run.summaries if row.finding == finding]
        reader = main_reader(rows, metric, run.network)
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
    """Where ticks lie, and what they say."""
    return tuple(
        (place(tick), words.number(tick, metric) if metric in words.RATES else f"{tick:g}") for tick in TICKS
    )


def histogram(survey: Survey, finding: str, *, network: str | None, baseline: str | None) -> Histogram | None:
    """How the images' IoU is spread; None where the network has none."""
    counts = survey.histograms.get((network or "", finding))
    if not counts:
        return None
    beside = survey.histograms.get((baseline or "", finding))
    most = max(*counts, *(beside or (0,)))
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
    steps = _steps([BAR_HEIGHT * (1 - count / most) for count in beside]) if beside else ""
    return Histogram(
        finding, bars, steps, words.method_title(baseline) if beside and baseline else "", described
    )


def finding_title(finding: str) -> str:
    """A finding's name as tables and charts show it."""
    return "All findings" if finding == ALL_FINDINGS else finding


def _whisker(row: Summary, run: RunFolder, y: float) -> Whisker:
    assert row.estimate is not None
    known = row.method if row.method in words.METHODS else "other"
    return Whisker(
        label=words.method_title(row.method),
        mark=known if row.method in run.baselines else "network",
        y=y,
        x=place(row.estimate),
        low=place(row.estimate if row.low is None else row.low),
        high=place(row.estimate if row.high is None else row.high),
        text=words.estimate(row),
    )


def place(share: float) -> float:
    """Where a value lies on the axis."""
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 2)


def _steps(heights: Sequence[float]) -> str:
    """The upper edge of a histogram as a path."""
    parts = [f"M0 {BAR_HEIGHT}"]
    for index, y in enumerate(heights):
        parts.append(f"V{y:.2f}H{(index + 1) * BAR_WIDTH}")
    return "".join(parts) + f"V{BAR_HEIGHT}"


def _step(index: int) -> str:
    return "exactly 0" if index == 0 else f"up to {index / BINS:g}"
