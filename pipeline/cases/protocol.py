"""Protocol: the settings for drawing and scoring that all cases of a run share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.cases.burned_in_text import TextSearch, text_search
from pipeline.config import AuditConfig
from pipeline.ground_truth.consensus import Agreement
from pipeline.ground_truth.matching import Truth
from pipeline.metrics import DEFAULT
from pipeline.plan import RunPlan
from pipeline.records import ContourRule, Kind, Tolerances


@dataclass(frozen=True, slots=True)
class Protocol:
    """How heatmaps become contours, and how contours are scored."""

    run: Path
    """The run folder."""
    rules: tuple[tuple[str, ContourRule], ...]
    """(finding, rule) pairs: a tuple, because a protocol is a key of caches."""
    minimum_area_px: int
    minimum_area_mm2: float
    kind: Kind | None
    """Kind of the annotations; None if there are several kinds, or no annotations."""
    negative_reader: str
    """Reader name for findings that only a label calls absent."""
    baselines: tuple[str, ...] = ()
    """Names of the baselines to score."""
    metrics: tuple[str, ...] = DEFAULT
    tolerances: Tolerances = Tolerances()  # noqa: RUF009  frozen
    scaling: Literal["positive", "minmax"] = "positive"
    """Map scaling before drawing: positive values only, or minimum to maximum as 0 … 1."""
    consensus: Agreement | None = "majority"
    """How several readers of a finding are merged into a consensus reader; None: no consensus."""
    search: TextSearch | None = None
    """Search for burned-in text; None: no search."""
    coarse: int = 0
    """Pixels in one of the network's, on an axis, to which JPEG 2000 is decoded; 0: all of the image's."""
    every_page: bool = True
    """Whether every image gets a page; if not, pages are drawn of those chosen once all are finished."""

    def rule_for(self, finding: str) -> ContourRule:
        """The contour rule of a finding."""
        return dict(self.rules)[finding]


MOST_PAGES = 2000
"""Number of images up to which each has a page where the config leaves it to the number."""


def protocol_of(plan: RunPlan, truth: Truth, run: Path, *, images: int = 0) -> Protocol:
    """The protocol of a plan, for the run folder `run` and a number of images."""
    config, contours = plan.config, plan.config.contours
    return Protocol(
        run=run,
        rules=tuple(plan.rules.items()),
        minimum_area_px=contours.minimum_area_px,
        minimum_area_mm2=contours.minimum_area_mm2,
        kind=truth.kind,
        negative_reader=truth.reader,
        baselines=plan.baselines,
        metrics=plan.metrics,
        tolerances=Tolerances(**config.tolerances.model_dump(), surface=config.surface_distance.definition),
        scaling=contours.scaling,
        consensus=config.readers.consensus,
        search=text_search(plan),
        every_page=every_page(config, images),
    )


def every_page(config: AuditConfig, images: int) -> bool:
    """Whether each of so many images gets a page."""
    cases = config.report.cases
    return cases == "all" or (cases == "auto" and images <= MOST_PAGES) or config.review.blind
