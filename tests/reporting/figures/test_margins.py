"""Outlines are parted where a map's outermost cells have their centres."""

from __future__ import annotations

import numpy as np

from pipeline.geometry import resized, whole
from pipeline.reporting.figures.margins import split

PLACEMENT = resized(whole((40, 40)), (4, 4))
"""Cells of 10 pixels, whose centres lie at 4.5, 14.5, 24.5 and 34.5."""


def test_an_outline_inside_stays_closed() -> None:
    outline = np.array([[10.0, 10.0], [20.0, 10.0], [20.0, 20.0]])
    found = split([outline], PLACEMENT)
    assert [line.tolist() for line in found.closed] == [outline.tolist()]
    assert found.inside == found.beyond == ()


def test_an_outline_that_crosses_is_parted_and_nothing_is_lost() -> None:
    outline = np.array([[20.0, 10.0], [39.0, 10.0], [39.0, 20.0], [20.0, 20.0]])
    found = split([outline], PLACEMENT)
    assert found.closed == ()
    (inside,), (beyond,) = found.inside, found.beyond
    edge = 34.5 + 0.01
    assert np.allclose(inside, [[edge, 20], [20, 20], [20, 10], [edge, 10]])
    assert np.allclose(beyond, [[edge, 10], [39, 10], [39, 20], [edge, 20]])


def test_an_outline_that_runs_beyond_is_thin_as_a_whole() -> None:
    found = split([np.array([[36.0, 1.0], [38.0, 1.0], [38.0, 3.0]])], PLACEMENT)
    (beyond,) = found.beyond
    assert np.allclose(beyond, [[36, 1], [38, 1], [38, 3], [36, 1]])


def test_without_a_map_all_outlines_are_closed() -> None:
    outline = np.array([[36.0, 1.0], [38.0, 1.0], [38.0, 3.0]])
    assert split([outline], None).closed[0] is outline
