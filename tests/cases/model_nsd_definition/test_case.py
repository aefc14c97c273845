"""Normalised surface distance by border pixels and by surfels, whose numbers differ.

The right values are those of the authors' program (google-deepmind/surface-distance), which counts surfels,
and of MONAI, which counts border pixels. Shared case: model-nsd-definition.
"""

import numpy as np
import pytest

from pipeline.metrics.surface import normalised_surface_distance
from pipeline.records import Mask, SurfaceDefinition

SPACING = (2, 1)


def rectangle(rows: slice, columns: slice) -> Mask:
    mask = np.zeros((40, 40), np.bool_)
    mask[rows, columns] = True
    return mask


ONE_PIXEL = rectangle(slice(20, 21), slice(10, 11))
TWO_MM_ACROSS = rectangle(slice(20, 21), slice(12, 13))
SQUARE = rectangle(slice(8, 10), slice(8, 10))
A_ROW_LONGER = rectangle(slice(8, 11), slice(8, 10))


@pytest.mark.parametrize(
    ("one", "other", "definition", "right"),
    [
        (ONE_PIXEL, TWO_MM_ACROSS, "surfel", 0.5),
        (ONE_PIXEL, TWO_MM_ACROSS, "border_pixel", 0.0),
        (SQUARE, A_ROW_LONGER, "surfel", 0.870),
        (SQUARE, A_ROW_LONGER, "border_pixel", 0.800),
    ],
)
def test_the_share_of_outlines_within_1_mm(
    one: Mask, other: Mask, definition: SurfaceDefinition, right: float
) -> None:
    found = normalised_surface_distance(one, other, tolerance=1, spacing=SPACING, definition=definition)
    assert found == pytest.approx(right, abs=5e-4)
