"""Area ratio: pixels drawn over pixels of the masks, at most 1."""

from pipeline.contracts import Emptiness, Metric, Scored


def _ratio(scored: Scored) -> tuple[float]:
    return (min(1.0, float(scored.drawing.mask.sum() / scored.truth.sum())),)


AREA_RATIO = Metric(
    name="lab_area_ratio",
    title="Area ratio",
    against=frozenset({"mask"}),
    level="image",
    better="higher",
    unit="",
    emptiness=Emptiness(missed=0.0, healthy_drawn="healthy", healthy_clear="healthy"),
    score=_ratio,
)
