"""Options: what a figure shows of a run, and how large it is; wrong ones are named with what is near them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

from pipeline.errors import ConfigError
from pipeline.reporting.figures.colour_maps import Shading
from pipeline.reporting.figures.primitives import MM_PER_INCH, POINTS_PER_INCH
from pipeline.reporting.run_folder import Method, RunFolder

CONTOURS: Final = ("both", "network", "none")
"""Contours over maps: the network's and the readers', the network's alone, none."""
CLASSIC: Final = Shading(colours="jet", opacity=0.4, uniform=True)
"""The overlay of most publications: the whole image under the rainbow."""
MOST_MAPS = 4
"""Maps beside each other, if no methods are chosen."""
SHOWN_NEAR, LISTED = 3, 8
"""Most names in a message: similar ones; all of a short list."""
NEARLY = 0.5
"""Least similarity of a name that may be meant."""
LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(mm|px)")
NARROWEST_MM, WIDEST_MM = 20, 2000
LOWEST_DPI, HIGHEST_DPI = 36, 1200


@dataclass(frozen=True, slots=True)
class FigureOptions:
    """What a figure shows; names are checked by `chosen_…`."""

    findings: tuple[str, ...] = ()
    """Empty: the first finding of each image that is annotated, else predicted, else the first."""
    methods: tuple[str, ...] = ()
    """Empty: the network's first `MOST_MAPS`."""
    shading: Shading = field(default_factory=Shading)
    own_scale: bool = False
    """Whether colours end at the maximum of each map, also where images share a scale."""
    contours: str = "both"
    """One of `CONTOURS`."""
    scale_bar: bool = True
    width: float = 180 / MM_PER_INCH * POINTS_PER_INCH
    """Points; two columns of a journal."""
    dpi: float = 300.0
    """Pixels per inch of PNG, and of the images in SVG and PDF."""


def points_of(width: str, *, dpi: float) -> float:
    """A width such as "180mm" or "1600px" in points. Raises ConfigError."""
    if not LOWEST_DPI <= dpi <= HIGHEST_DPI:
        raise ConfigError(
            f"--dpi: found {dpi:g}, wanted {LOWEST_DPI} to {HIGHEST_DPI} pixels per inch; 300 suits print"
        )
    match = LENGTH.fullmatch(width.strip())
    if match is None:
        raise ConfigError(f"--width: found '{width}', wanted millimetres or pixels, such as 180mm or 1600px")
    inches = float(match[1]) / (MM_PER_INCH if match[2] == "mm" else dpi)
    if not NARROWEST_MM <= inches * MM_PER_INCH <= WIDEST_MM:
        raise ConfigError(
            f"--width: {width} at {dpi:g} dpi are {inches * MM_PER_INCH:.0f} mm, wanted {NARROWEST_MM} to "
            f"{WIDEST_MM} mm; change --width or --dpi"
        )
    return inches * POINTS_PER_INCH


def chosen_cases(run: RunFolder, cases: Sequence[str]) -> tuple[str, ...]:
    """The cases, each once. Raises ConfigError that names those which the run lacks."""
    what = f"a case of the run {run.manifest['run_id']}"
    return _chosen("CASE", cases, run.case_ids, what, "cases.csv lists all case ids")


def chosen_findings(run: RunFolder, options: FigureOptions) -> tuple[str, ...]:
    """The findings, each once; empty if none was chosen. Raises ConfigError for others than the run's."""
    return _chosen("--findings", options.findings, run.findings, "a finding of the run", "")


def chosen_methods(run: RunFolder, options: FigureOptions) -> tuple[Method, ...]:
    """The methods whose maps are shown. Raises ConfigError for others than the run's."""
    known = {method.name: method for method in run.methods}
    if not options.methods:
        return tuple(method for method in run.methods if not method.is_baseline)[:MOST_MAPS]
    names = _chosen("--methods", options.methods, tuple(known), "a method of the run", "")
    return tuple(known[name] for name in names)


def _chosen(
    option: str, names: Iterable[str], known: Sequence[str], what: str, where: str
) -> tuple[str, ...]:
    for name in (wanted := dict.fromkeys(names)):
        if name not in known:
            raise ConfigError(f"{option}: '{name}' is not {what}{_near(name, known, where)}")
    return tuple(wanted)


def _near(name: str, known: Sequence[str], where: str) -> str:
    """The names that may be meant, or all of a few."""
    close = [other for other in known if name and other.startswith(name)]
    close += [
        other for other in get_close_matches(name, known, n=SHOWN_NEAR, cutoff=NEARLY) if other not in close
    ]
    if close:
        return f"; did you mean {' or '.join(close[:SHOWN_NEAR])}?"
    if len(known) <= LISTED:
        return f"; choose from {', '.join(known) or 'none: it has none'}"
    return f"; {where or 'choose from ' + ', '.join(known[:LISTED]) + ', …'}"
