"""Limits: what an audit cannot say, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.reporting.run_folder import RunFolder
from pipeline.reporting.survey import Survey

GRID = (
    "Maps of {method} have {cells} cells over what the network sees. A lesion smaller than a cell cannot be "
    "outlined, however well the network knows it: a low IoU may be the grid’s."
)
BROUGHT = (
    "The maps were computed elsewhere. Nothing is known here of the network or of how they were made, and "
    "no self-check could be run: a map that lies wrong on its image counts as one that points elsewhere."
)
ASSOCIATION = (
    "A heatmap shows what the network’s output is associated with: not what caused it, and not what a reader "
    "would call a reason."
)
FIXED_MAPS = (
    "A fixed map that does as well as the network shows that the lesions’ usual place explains the score. It "
    "does not show that the network uses nothing else."
)
INTERVALS = (
    "“Better” and “worse” are said only where the difference on the same images is shown: bootstrap over "
    "patients, p at most 0.05, corrected over findings. “Not shown to differ” does not say that two maps are "
    "equally good: more patients might tell them apart."
)
BOXES = (
    "Boxes are not masks: a box holds tissue beside the lesion, so box scores stand in columns of their own "
    "and are not to be held against mask scores."
)
NO_READER = "No reader annotated these images, so it is not known where the network ought to look."
ONE_READER = (
    "One reader annotated these images, so it is not known how far readers differ among themselves; an IoU "
    "of 1 is more than a second reader would reach."
)
ANNOTATIONS = (
    "Annotations and labels are taken as they are. Where they are wrong, so are the scores; where images of "
    "different patients resemble each other, the intervals are too narrow."
)
STUDY_SET = (
    "The numbers hold for this study set. Another scanner, clinic or mix of patients is another audit."
)


def limits(run: RunFolder, survey: Survey) -> Iterator[str]:
    """What this audit cannot say: a sentence or two each."""
    for method, shapes in survey.grids.items():
        if method not in run.baselines:
            cells = " or ".join(f"{rows} × {columns}" for rows, columns in shapes)
            yield GRID.format(method=method, cells=cells)
    if run.is_brought:
        yield BROUGHT
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
