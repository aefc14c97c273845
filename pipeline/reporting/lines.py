"""Lines: small line charts, one per finding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log2

from pipeline.records import main_reader
from pipeline.records.names import FROC_RATES
from pipeline.reporting import words
from pipeline.reporting.run_folder import RunFolder, number_of

WIDTH, HEIGHT = 390, 220
LEFT, RIGHT, TOP, BOTTOM = 36, 116, 10, 38
"""Margins for tick labels, axis titles and, on the right, the names of the lines, in units of the viewBox."""
LABEL = 15
"""Least distance of names."""
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
FROC = "lesion_froc_"

Point = tuple[float, float]
Axis = tuple[tuple[float, str], ...]
"""Position in the viewBox and text of each tick."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line, with its interval as a band."""

    name: str
    mark: str
    """"network", the name of a baseline, or "ideal"; sets the style."""
    path: str
    band: str
    """SVG path of the interval; empty if there is none."""
    dots: tuple[Point, ...]
    end: Point = (0.0, 0.0)
    """Last point of the line."""
    label_y: float = 0.0
    """Height of its name, beside that point and apart from the other names."""


@dataclass(frozen=True, slots=True)
class LineChart:
    """A chart of one finding; lengths in units of the viewBox."""

    finding: str
    across: Axis
    up: Axis
    x_title: str
    y_title: str
    series: tuple[Series, ...]
    description: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    """Where the axes begin and end, across and down."""
    right: int = WIDTH - RIGHT
    floor: int = HEIGHT - BOTTOM


def thresholds(run: RunFolder, finding: str) -> LineChart | None:
    """Mean IoU of network and baselines at each threshold; None without masks."""
    rows = [row for row in run.table("thresholds") if row["finding"] == finding and row["estimate"]]
    reader = _main_reader(rows)
    by_method = {
        method.name: [r for r in rows if (r["method"], r["reader"]) == (method.name, reader)]
        for method in run.methods
    }
    shown = {name: points for name, points in by_method.items() if points}
    if run.network not in shown:
        return None
    top = _rounded_up(max(float(row["high"] or row["estimate"]) for part in shown.values() for row in part))
    series = tuple(
        _series(name, run, [(float(r["level"]), r) for r in points], top=top)
        for name, points in _network_last(shown, run)
    )
    best = max(shown[run.network], key=lambda row: float(row["estimate"]))
    return LineChart(
        finding,
        _across([(share, f"{share:g}") for share in SHARES]),
        _up(top),
        "threshold, share of the maximum",
        "mean IoU",
        _labelled(series),
        f"{run.network} has its best mean IoU at {best['level']} of the maximum, "
        f"{words.number(float(best['estimate']), 'iou')}",
    )


def froc(run: RunFolder, finding: str) -> LineChart | None:
    """Share of lesions found at each rate of false positives per image; None if no lesion was matched."""
    rows = [row for row in run.summaries if row.finding == finding]
    main = main_reader(rows, f"{FROC}1", run.network or "")
    prefix = FROC
    if main is None:
        prefix = f"box_{FROC}"
        main = main_reader(rows, f"{prefix}1", run.network or "")
    if main is None:
        return None
    found = {(row.method, row.metric): row for row in rows if row.reader == main.reader}
    series = []
    for method in (*reversed(run.baselines), run.network or ""):
        points = [
            (_rate_share(rate), row)
            for rate in FROC_RATES
            if (row := found.get((method, f"{prefix}{rate:g}"))) and row.estimate is not None
        ]
        named = [
            (x, {"estimate": repr(row.estimate), "low": _text(row.low), "high": _text(row.high)})
            for x, row in points
        ]
        if named:
            series.append(_series(method, run, named, top=1.0))
    ticks = _across([(_rate_share(rate), _rate(rate)) for rate in FROC_RATES])
    at_one = words.number(main.estimate or 0.0, "hit")
    return LineChart(
        finding,
        ticks,
        _up(1.0),
        "false positives per image",
        "lesions found",
        _labelled(series),
        f"{run.network} finds {at_one} of {words.plural(main.n, 'lesion')} at 1 false positive per image",
    )


def calibration(run: RunFolder, finding: str) -> LineChart | None:
    """Observed share of images with the finding against predicted probability; None without labels."""
    rows = [row for row in run.table("calibration") if row["finding"] == finding]
    if not rows:
        return None
    points = [
        (
            float(row["predicted"]),
            {"estimate": row["observed"], "low": row["low"], "high": row["high"]},
        )
        for row in rows
    ]
    ideal = Series(
        "perfect",
        "ideal",
        _path([(_x(0), _y(0, 1)), (_x(1), _y(1, 1))]),
        "",
        (),
        (_x(1), _y(1, 1)),
    )
    first, last = rows[0], rows[-1]
    return LineChart(
        finding,
        _across([(share, f"{share:g}") for share in SHARES]),
        _up(1.0),
        "predicted probability",
        "share with the finding",
        _labelled((ideal, _series(run.network or "", run, points, top=1.0))),
        f"at a mean probability of {float(first['predicted']):.2f} the finding is present in "
        f"{float(first['observed']):.0%}, at {float(last['predicted']):.2f} in {float(last['observed']):.0%}",
    )


def _main_reader(rows: Iterable[Mapping[str, str]]) -> str:
    """The reader with the most images; the first by name if several have equally many."""
    return min(((-int(row["n"]), row["reader"]) for row in rows), default=(0, ""))[1]


def _network_last(
    shown: Mapping[str, Sequence[Mapping[str, str]]], run: RunFolder
) -> list[tuple[str, Sequence[Mapping[str, str]]]]:
    """The baselines and the first of the network's methods, which is drawn last, on top."""
    names = [name for name in shown if name in run.baselines or name == run.network]
    return [(name, shown[name]) for name in sorted(names, key=lambda name: name == run.network)]


def _series(
    name: str, run: RunFolder, points: Sequence[tuple[float, Mapping[str, str]]], *, top: float
) -> Series:
    is_network = name not in run.baselines
    dots = tuple((_x(x), _y(float(row["estimate"]), top)) for x, row in points)
    bounds = [
        (_x(x), _y(low, top), _y(high, top))
        for x, row in points
        if (low := number_of(row["low"])) is not None and (high := number_of(row["high"])) is not None
    ]
    upper = [(x, high) for x, _, high in bounds]
    lower = [(x, low) for x, low, _ in reversed(bounds)]
    return Series(
        name=run.title_of(name),
        mark="network" if is_network else name,
        path=_path(dots),
        band=f"{_path([*upper, *lower])}Z" if is_network and bounds else "",
        dots=dots if is_network else (),
        end=dots[-1],
    )


def _labelled(series: Sequence[Series]) -> tuple[Series, ...]:
    """The lines with the heights of their names: beside their ends, at least `LABEL` apart."""
    order = sorted(range(len(series)), key=lambda number: series[number].end[1])
    heights = [series[number].end[1] for number in order]
    for place in range(1, len(heights)):
        heights[place] = max(heights[place], heights[place - 1] + LABEL)
    for place in range(len(heights) - 1, -1, -1):
        below = heights[place + 1] - LABEL if place + 1 < len(heights) else HEIGHT - BOTTOM
        heights[place] = min(heights[place], below)
    found = dict(zip(order, heights, strict=True))
    return tuple(replace(line, label_y=round(found[number], 2)) for number, line in enumerate(series))


def _path(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def _across(ticks: Sequence[tuple[float, str]]) -> Axis:
    return tuple((_x(share), text) for share, text in ticks)


def _up(top: float) -> Axis:
    return tuple((_y(share * top, top), f"{share * top:g}") for share in (0.0, 0.5, 1.0))


def _x(share: float) -> float:
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 2)


def _y(value: float, top: float) -> float:
    return round(HEIGHT - BOTTOM - min(value / top, 1.0) * (HEIGHT - TOP - BOTTOM), 2)


def _rate_share(rate: float) -> float:
    """Position of a rate on the logarithmic axis, 0 … 1; rates double from tick to tick."""
    return (log2(rate) - log2(FROC_RATES[0])) / (log2(FROC_RATES[-1]) - log2(FROC_RATES[0]))


def _rate(rate: float) -> str:
    return f"1/{round(1 / rate)}" if rate < 1 else f"{rate:g}"


def _rounded_up(value: float) -> float:
    """Upper end of an axis: the smallest of 0.2, 0.4, 0.6, 0.8 and 1 that holds the value."""
    return next((end for end in (0.2, 0.4, 0.6, 0.8) if value <= end), 1.0)


def _text(value: float | None) -> str:
    return "" if value is None else repr(value)
