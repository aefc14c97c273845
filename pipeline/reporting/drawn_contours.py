"""Drawn contours: the contours of a case as the pages' small pictures draw them, thin at a map's margins."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pipeline.reporting.figure import entries_of, open_lines, polygons
from pipeline.reporting.figures.margins import Split, split
from pipeline.reporting.figures.stored import placement_of
from pipeline.reporting.run_folder import Case


class ContourPaths(NamedTuple):
    """The contours of a map as SVG paths."""

    within: str
    """What lies between the centres of the map's outermost cells."""
    beyond: str
    """What lies beyond them, where the map is constant by convention; empty if nothing does."""


def contour_paths(case: Case, finding: str, method: str | None) -> ContourPaths:
    """The contours of a finding and method, in image coordinates."""
    found = drawn_contours(case, finding, method)
    closed, inside, beyond = (
        [line.tolist() for line in lines] for lines in (found.closed, found.inside, found.beyond)
    )
    return ContourPaths(polygons(closed) + open_lines(inside), open_lines(beyond))


def drawn_contours(case: Case, finding: str, method: str | None) -> Split:
    """The contours of a finding and method by where they lie on the map; all are closed without a map."""
    regions = entries_of(case["regions"], finding, method)
    outlines = (np.array(points, np.float64) for region in regions for points in region["outlines"] if points)
    return split(outlines, placement_of(case, finding, method))
