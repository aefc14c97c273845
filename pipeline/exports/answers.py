"""Answers: what a reviewer marked on an image, as a Segmentation in the image's study (PS3.3, A.51)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from highdicom.seg import Segmentation, SegmentationTypeValues, SegmentDescription
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from pipeline.exports.algorithm import equipment
from pipeline.exports.codes import ABNORMALITY, LONGEST_MEANING, code_of, free_text
from pipeline.exports.grids import grid_of_image
from pipeline.exports.objects import PENDING, ExportedObject, settled
from pipeline.exports.planes import spacing_of
from pipeline.exports.seg import state_grid
from pipeline.exports.study import ExportedRun
from pipeline.exports.uids import series_uid, uid_of
from pipeline.records import Mask
from pipeline.records.names import PRODUCT

KIND: Final = "answers"
MAKER: Final = f"{PRODUCT} review"
"""Manufacturer: not that of a network's results, which are no annotations."""
SERIES_NUMBER: Final = 9710
SEPARATORS: Final = re.compile(r"[\\^=]")
"""Of the parts of a person's name, and of values (PS3.5, 6.2)."""


def answers_object(
    header: Dataset, run: ExportedRun, reader: str, findings: Mapping[str, Sequence[Mask]]
) -> ExportedObject:
    """One segment per lesion, with the finding as its label; one without pixels says that there is none.

    `header`: of an image with one frame. Findings are labels: at most 64 characters without a backslash.
    """
    marked = [(finding, mask) for finding, masks in findings.items() for mask in (*masks,) or (None,)]
    empty = np.zeros((header.Rows, header.Columns), np.bool_)
    stack = np.stack([empty if mask is None else mask for _, mask in marked], axis=-1)
    grid = grid_of_image(header)
    name = SEPARATORS.sub(" ", reader)
    dataset = Segmentation(
        source_images=list(grid.headers),
        pixel_array=stack[None].astype(np.uint8),
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[
            _description(header, run, reader, finding, number)
            for number, (finding, _) in enumerate(marked, start=1)
        ],
        series_instance_uid=series_uid(run.run_id, f"{KIND} {reader}", header.StudyInstanceUID),
        series_number=SERIES_NUMBER,
        sop_instance_uid=PENDING,
        instance_number=1,
        series_description=f"Review by {name}"[:LONGEST_MEANING],
        content_label="REVIEW",
        content_description=f"Marks of a reviewer, run {run.run_id}"[:LONGEST_MEANING],
        content_creator_name=f"{name[: LONGEST_MEANING - 1]}^",
        omit_empty_frames=bool(stack.any()),
        transfer_syntax_uid=ExplicitVRLittleEndian,
        **equipment(run) | {"manufacturer": MAKER},
    )
    grid.restore_references(dataset)
    state_grid(dataset, spacing_of(header, 0))
    return settled(dataset, run, kind=KIND, case_ids=(reader, str(header.SOPInstanceUID)))


def _description(header: Dataset, run: ExportedRun, reader: str, finding: str, number: int) -> Any:
    return SegmentDescription(
        segment_number=number,
        segment_label=finding,
        segmented_property_category=ABNORMALITY,
        segmented_property_type=code_of(run.findings.get(finding) or free_text(finding)),
        algorithm_type="MANUAL",
        tracking_uid=uid_of(KIND, run.run_id, reader, str(header.SOPInstanceUID), finding, str(number)),
        tracking_id=f"{finding} {number} by {reader}"[:LONGEST_MEANING],
    )
