"""Healthy: contours where the reference says that the finding is not there."""

import math

from pipeline.contracts import Drawing, Emptiness, Metric
from pipeline.records import Reference, Shape


def _of_a_finding(_: Drawing, __: Reference, ___: Shape) -> tuple[float]:
    """Undefined: the finding is there, so the image is not healthy."""
    return (math.nan,)


CONTOUR_ON_HEALTHY = Metric(
    name="contour_on_healthy",
    title="Contour on healthy image",
    against=frozenset({"mask", "box"}),
    level="image",
    better="lower",
    unit="",
    emptiness=Emptiness(missed="finding_present", healthy_drawn=1.0, healthy_clear=0.0),
    score=_of_a_finding,
)
"""The share of images without the finding on which something was drawn."""
