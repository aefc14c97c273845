"""Charts: positions of the marks in charts, which the templates draw; one grammar for all intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.records import Summary, main_reader
from pipeline.records.names import ALL_FINDINGS, READER_START
from pipeline.reporting import words
from pipeline.reporting.run_folder import RunFolder
from pipeline.reporting.survey import BINS, Survey

TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
MOST_READERS = 3
"""Most readers that have a line each, compared with the main one."""

BAR_WIDTH = 20
BAR_HEIGHT = 96
MEANINGS: Mapping[str, str] = {
    "hit": "the map’s peak is in the lesion",
    "near_hit": "the map’s peak is near the lesion",
    "box_hit": "the map’s peak is in the box",
    "point_hit": "the map’s peak is at the point",
}
"""Metric of a finding's chart → what it shows."""
OF_OVERLAP = "overlap of contour and lesion"
CHANCE = "random"
"""The baseline that shows what chance scores."""
MARKED = frozenset({"location_prior", "center_prior", "random", "local_contrast"})
"""Baselines with their own mark in figures.css."""


@dataclass(frozen=True, slots=True)
class IntervalLine:
    """One estimate with its interval, as a line of a chart."""

    label: str
    mark: str
    """Shape and colour of the dot: "network", "reader", a known baseline's name, "other", or "none"."""
    x: float
    """Position on the axis, 0 to 100 (percent of its length)."""
    low: float
    high: float
    """Positions of the interval's ends; those of the estimate if there is none."""
    text: str
    """The estimate, or why there is none."""
    interval: str = ""
    n: str = ""


@dataclass(frozen=True, slots=True)
class IntervalChart:
    """A chart of one metric with one line per map, by finding or group, on one common axis."""

    title: str
    ticks: tuple[tuple[float, str], ...]
    """Position in percent and text."""
    groups: tuple[tuple[str, tuple[IntervalLine, ...]], ...]
    """Name of a finding or group, empty if there is only one, and its lines."""
    short: str = ""
    """Title where finding and reader are clear from what stands around it; empty without one."""


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


def interval_chart(run: RunFolder, metric: str, title: str) -> IntervalChart | None:
    """Estimate and interval per finding and map, for the reader with most images; None without any."""
    found = ((finding, _lines_of(run, finding, metric)) for finding in (*run.findings, ALL_FINDINGS))
    groups = tuple((finding_title(finding), lines) for finding, lines in found if lines)
    return IntervalChart(title, axis(metric), groups) if groups else None


def finding_chart(run: RunFolder, finding: str, metric: str) -> IntervalChart | None:
    """The network's first method, readers, baselines and chance on one axis; None without a score."""
    rows = [row for row in run.summaries if (row.finding, row.metric) == (finding, metric)]
    main = main_reader(rows, metric, run.network or "")
    if main is None:
        return None
    same = [row for row in rows if row.reader == main.reader and row.estimate is not None]
    readers = [row for row in same if row.method.startswith(READER_START)]
    maps = {row.method: row for row in same}
    chosen = [main, *readers[:MOST_READERS], *(maps[name] for name in run.baselines if name in maps)]
    title = f"{words.metric_title(metric, {})} for {finding}, compared with {main.reader}"
    lines = (("", tuple(_line(row, run) for row in chosen)),)
    short = f"{words.metric_title(metric, {})}: {MEANINGS.get(metric, OF_OVERLAP)}"
    return IntervalChart(title, axis(metric), lines, short)


def _lines_of(run: RunFolder, finding: str, metric: str) -> tuple[IntervalLine, ...]:
    """The lines of one finding: the network's methods, then the baselines."""
    rows = [row for row in run.summaries if row.finding == finding]
    reader = main_reader(rows, metric, run.network or "")
    same = [row for row in rows if reader and (row.metric, row.reader) == (metric, reader.reader)]
    by_method = {row.method: row for row in same if row.estimate is not None}
    return tuple(_line(by_method[method.name], run) for method in run.methods if method.name in by_method)


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


def _line(row: Summary, run: RunFolder) -> IntervalLine:
    assert row.estimate is not None
    return IntervalLine(
        label=_label(row.method, run),
        mark=mark_of(row.method, run),
        x=chart_x(row.estimate),
        low=chart_x(row.estimate if row.low is None else row.low),
        high=chart_x(row.estimate if row.high is None else row.high),
        text=words.number(row.estimate, row.metric),
        interval=words.interval(row),
        n=f"{row.n:,}",
    )


def _label(method: str, run: RunFolder) -> str:
    """A map's title; that of random numbers says what it stands for."""
    title = run.title_of(method)
    return f"{title} (chance)" if method == CHANCE else title


def mark_of(method: str, run: RunFolder) -> str:
    """The mark of a method, baseline or reader in every chart."""
    if method.startswith(READER_START):
        return "reader"
    known = method if method in MARKED else "other"
    return known if method in run.baselines else "network"


def chart_x(share: float) -> float:
    """Position of a value (0 … 1) on a horizontal axis, in percent."""
    return round(100 * share, 2)


def _steps(heights: Sequence[float]) -> str:
    """The upper edge of a histogram as an SVG path."""
    parts = [f"M0 {BAR_HEIGHT}"]
    for index, y in enumerate(heights):
        parts.append(f"V{y:.2f}H{(index + 1) * BAR_WIDTH}")
    return "".join(parts) + f"V{BAR_HEIGHT}"


def _step(index: int) -> str:
    return "exactly 0" if index == 0 else f"up to {index / BINS:g}"
