"""Healthy: contours where the reference says that the finding is not there."""

from pipeline.contracts import Emptiness, Metric, Scored, Undefined


def _of_a_finding(_: Scored) -> tuple[Undefined]:
    """Undefined: the finding is there, so the image is not healthy."""
    return ("finding_present",)


CONTOUR_ON_HEALTHY = Metric(
    name="contour_on_healthy",
    title="Contour on healthy image",
    against=frozenset({"mask", "box"}),
    level="image",
    better="lower",
    unit="",
    emptiness=Emptiness(missed="finding_present", healthy_drawn=1.0, healthy_clear=0.0),
    score=_of_a_finding,
    binary=True,
)
"""The share of images without the finding on which something was drawn."""
