"""Limits: sentences about what an audit cannot show."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.reporting.run_folder import RunFolder
from pipeline.reporting.survey import Survey

GRID = (
    "Maps of {method} have {cells} cells over the part of the image that the network sees. A lesion smaller "
    "than a cell cannot be outlined, even if the network detects it, so a low IoU may be due to the grid."
)
EXTERNAL_MAPS = (
    "The maps were computed elsewhere. The network and the way they were computed are unknown, and no "
    "self-check was possible: a map that is misplaced on its image is scored as one that points elsewhere."
)
ASSOCIATION = (
    "A heatmap shows what the network’s output is associated with. It does not show what caused the output, "
    "or what a reader would give as a reason."
)
FIXED_MAPS = (
    "If a fixed map does as well as the network, the usual position of the lesions is enough to explain the "
    "score. This does not prove that the network uses nothing else."
)
INTERVALS = (
    "“Better” and “worse” mean that a difference on the same images was shown: bootstrap over patients, p "
    "at most 0.05, corrected over findings (Holm). Intervals are of one finding and not corrected, so a "
    "difference whose interval excludes 0 may still be “not confirmed”. “Not shown to "
    "differ” does not mean that two maps are equally good: with more patients a difference might be shown."
)
BOXES = (
    "Boxes are not masks, because a box includes tissue around the lesion. Box scores are shown in separate "
    "columns and must not be compared with mask scores."
)
NO_READER = "No reader annotated these images, so it is unknown where the network should look."
ONE_READER = (
    "Only one reader annotated these images, so it is unknown how much readers differ. A second reader "
    "would not reach an IoU of 1 either."
)
ANNOTATIONS = (
    "Annotations and labels are used as they are. If they are wrong, so are the scores. Patients whose "
    "images look alike count as one; copies that were cropped or turned are not found, and make intervals "
    "too narrow."
)
STUDY_SET = (
    "The numbers hold for this study set. Other scanners, hospitals or patient groups need an audit of "
    "their own."
)


def limits(run: RunFolder, survey: Survey) -> Iterator[str]:
    """What this audit cannot show, as short paragraphs."""
    for method, shapes in survey.grids.items():
        if method not in run.baselines:
            cells = " or ".join(f"{rows} × {columns}" for rows, columns in shapes)
            yield GRID.format(method=method, cells=cells)
    if run.has_external_maps:
        yield EXTERNAL_MAPS
    yield ASSOCIATION
    if run.baselines:
        yield FIXED_MAPS
        yield INTERVALS
    if _has_box_scores(run):
        yield BOXES
    if len(survey.readers) <= 1:
        yield ONE_READER if survey.readers else NO_READER
    yield ANNOTATIONS
    yield STUDY_SET


def _has_box_scores(run: RunFolder) -> bool:
    of_boxes = {metric["name"] for metric in run.manifest["metrics"] if metric["against"] == ["box"]}
    return any(row.n and row.metric in of_boxes for row in run.summaries)
