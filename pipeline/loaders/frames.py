"""Frames: the elements that hold for one frame of an enhanced multi-frame image."""

from __future__ import annotations

from pydicom.dataset import Dataset

MACROS = (
    "PixelMeasuresSequence",
    "PixelValueTransformationSequence",
    "FrameVOILUTSequence",
    "FramePixelDataPropertiesSequence",
)
"""Functional groups whose elements have the names of the plain ones: spacing, rescale, window."""


def of_frame(dataset: Dataset, frame: int) -> Dataset:
    """The data set with the shared, then this frame's own functional groups spread over it.

    DICOM PS3.3, C.7.6.16. A data set without functional groups comes back as it is.
    """
    shared = dataset.get("SharedFunctionalGroupsSequence") or []
    own = dataset.get("PerFrameFunctionalGroupsSequence") or []
    groups = [*shared[:1], *own[frame : frame + 1]]
    if not groups:
        return dataset
    flat = Dataset()
    flat.update(dataset)
    flat.file_meta = dataset.file_meta
    for macro in (group[name] for group in groups for name in MACROS if name in group):
        for item in macro.value[:1]:
            flat.update(item)
    return flat
