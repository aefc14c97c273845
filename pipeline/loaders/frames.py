"""Frames: the elements that apply to one frame of an enhanced multi-frame image."""

from __future__ import annotations

from pydicom.dataset import Dataset

MACROS = (
    "PixelMeasuresSequence",
    "PlaneOrientationSequence",
    "PixelValueTransformationSequence",
    "FrameVOILUTSequence",
    "FramePixelDataPropertiesSequence",
)
"""Functional groups whose elements are the same as in single-frame images: spacing, orientation, rescale,
window."""


def frame_dataset(dataset: Dataset, frame: int) -> Dataset:
    """The data set with the elements of the shared and then of the frame's functional groups on top level.

    DICOM PS3.3, C.7.6.16. A data set without functional groups is returned unchanged.
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
