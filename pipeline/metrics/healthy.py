"""Healthy: contours on images where the reference says that the finding is absent."""

from pipeline.contracts import Emptiness, Metric, Scored, Undefined


def _undefined_if_present(_: Scored) -> tuple[Undefined]:
    """Undefined, because the finding is present."""
    return ("finding_present",)


CONTOUR_ON_HEALTHY = Metric(
    name="contour_on_healthy",
    title="Contour on healthy image",
    against=frozenset({"mask", "box", "point"}),
    level="image",
    better="lower",
    unit="",
    emptiness=Emptiness(missed="finding_present", healthy_drawn=1.0, healthy_clear=0.0),
    score=_undefined_if_present,
    binary=True,
)
"""1 if a contour was drawn on an image without the finding, else 0."""
