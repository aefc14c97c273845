"""Volume: masks in NIfTI, NRRD and MetaImage files of one slice, read by SimpleITK.

Orientation: the directions in the file's header turn the mask to lie as its image, whose own orientation
counts if it is known; otherwise columns run towards the patient's left and rows towards the back. A mask that
covers a part of its image, or more than it, is placed by the positions of both, if these are known. Where the
header says nothing, voxels lie as stored: the first (fastest) axis is x, along the image's rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

import numpy as np
import SimpleITK as sitk  # noqa: N813  the abbreviation used in its manual
from numpy.typing import NDArray

from pipeline.annotations.background import Background
from pipeline.annotations.masks import Instances, lesions_in
from pipeline.annotations.patterns import find_files
from pipeline.annotations.placing import LARGER, Placed, placed_by_planes
from pipeline.annotations.resampling import Resample, check_fit, check_pixels, on_grid, resampled_plane
from pipeline.annotations.segment_masks import Pairs, check_extent, in_extent, segment_masks
from pipeline.annotations.segment_names import by_finding, header_entries, offset_in, segments_in
from pipeline.contracts import AnnotationFormat
from pipeline.errors import CaseError, ConfigError
from pipeline.guards.nifti_files import stored_voxels
from pipeline.guards.reading import about, guarded
from pipeline.guards.volume_files import READERS, volume_reader
from pipeline.guards.volume_headers import NIFTI, REMEDY, UnstatedError, directions
from pipeline.orientation import AS_STORED, AXIAL, SAME_PIXEL, Turn, distance_px, turn_between
from pipeline.records import AnnotationItem, Notice, Reference, Shape, image_plane

Axis: TypeAlias = Literal["x", "y"]
Orientation: TypeAlias = Literal["auto", "stored", "header"]

PATTERNS = ("{image}.nii.gz", "{image}.nii", "{image}.seg.nrrd", "{image}.nrrd", "{image}.mha")
SOURCES = "annotations.sources"
UNSTATED = Notice(
    "guess",
    SOURCES,
    "Headers of mask volumes state no directions; the first stored row is read as the top of the image, and "
    "the first column as its left.",
    pin={"orientation": "stored"},
)
TURNED = Notice(
    "guess",
    SOURCES,
    "Mask volumes are turned as their headers say, to columns towards the patient's left and rows towards "
    "the back; their images do not say how they lie.",
    pin={"orientation": "header"},
)
OTHER_PLACE = Notice(
    "warning",
    SOURCES,
    "Headers of mask volumes give other positions or spacings than those of their images; the masks are read "
    "as covering the images.",
)
BEYOND = Notice("warning", SOURCES, LARGER)
UNREADABLE = "The mask is not a readable NIfTI, NRRD or MetaImage file; save it again."
OBLIQUE = (
    "The directions in the mask's header are not parallel to the rows and columns of its image; resample the "
    "mask to the grid of the image."
)
NOT_AXIAL = (
    "The directions in the mask's header are not those of an axial image, and its image does not say how it "
    "lies; " + REMEDY
)


def find(
    path: Path,
    *,
    pattern: str | tuple[str, ...] = PATTERNS,
    finding: str | None = None,
    reader: str = "reader",
    instances: Instances = "auto",
    background: Background = "auto",
    first_axis: Axis = "x",
    orientation: Orientation = "auto",
    resample: Resample = "refuse",
) -> Iterator[AnnotationItem]:
    """Masks named by `pattern`, as for PNG. A .seg.nrrd file has one item per finding that its segments name.

    `first_axis` is the first axis of the stored array, "y" only where the header is not used. `orientation`:
    "header" uses its directions, "stored" does not, "auto" does unless nobody seems to have set them.
    """
    for name in (pattern,) if isinstance(pattern, str) else pattern:
        if Path(name).suffix.lower() not in READERS:
            raise ConfigError(f"pattern: '{name}': unknown suffix; use .nii.gz, .nii, .nrrd or .mha")
    if first_axis == "y" and orientation == "header":
        raise ConfigError(
            "orientation: 'header' is set, and so is `first_axis: y`, which may contradict it; remove one"
        )
    payload = {
        "instances": instances,
        "background": background,
        "first_axis": first_axis,
        "orientation": orientation,
        "resample": resample,
    }
    for item in find_files(path, pattern, format="volume", finding=finding, reader=reader, payload=payload):
        file = Path(str(item.payload["path"]))
        segments = segments_in(header_entries(file)) if file.suffix.lower() == ".nrrd" else ()
        yield from by_finding(item, segments) if segments else (item,)


def read(item: AnnotationItem, *, case_id: str, finding: str, shape: Shape) -> Reference:
    """The mask's instances; a mask without any means that the finding is absent.

    Raises CaseError: "annotation_unreadable", "mask_size", "mask_orientation", "not_a_mask".
    """
    layers, turned = _layers(item, shape)
    instances = cast("Instances", item.payload["instances"])
    if "segments" in item.payload:
        masks, notices = segment_masks(
            layers,
            cast("Pairs", item.payload["segments"]),
            described=cast("Pairs", item.payload["described"]),
            instances=instances,
            unnamed=bool(item.payload.get("unnamed")),
        )
    elif len(layers) > 1:
        raise CaseError("not_a_mask", "The mask has several values per voxel; save one value per voxel.")
    else:
        background = cast("Background", item.payload.get("background", "auto"))
        masks, notices = lesions_in(layers[0], instances, background)
    masks = on_grid(masks, shape)
    return Reference(case_id, finding, item.reader, "mask", masks, notices=(*turned, *notices))


def _layers(item: AnnotationItem, shape: Shape) -> tuple[NDArray[np.generic], tuple[Notice, ...]]:
    """Values (layers, rows, columns) as they lie on the image, and what was decided about their directions.

    The size is checked before decoding.
    """
    file = Path(str(item.payload["path"]))
    suffix = file.suffix.lower()
    with guarded("annotation_unreadable", UNREADABLE):
        with about("The mask"):
            reader = volume_reader(file, suffix, reason="annotation_unreadable")
        axes = _axes(reader)
        turn, notices = _turn(item, reader, suffix, axes, shape)
        stored = _stored_shape(reader, axes)
        offset = _offset(file, axes) if suffix == ".nrrd" else None
        if isinstance(turn, Placed):
            check_pixels(stored)
        elif offset is None:
            check_fit(turn.shape(stored), shape, cast("Resample", item.payload.get("resample", "refuse")))
        else:
            check_extent(offset, stored, turn.shape(shape))
        if suffix in NIFTI:
            with about("The mask", "annotation_unreadable"):
                stored_voxels(file)
        values: NDArray[np.generic] = sitk.GetArrayFromImage(reader.Execute())
    if values.dtype.kind not in "biuf":
        raise CaseError(
            "not_a_mask", "The mask has values that are not plain numbers; save it with whole numbers."
        )
    layers = np.moveaxis(values.reshape(*stored, -1), -1, 0)
    if isinstance(turn, Turn) and offset is not None:
        layers = in_extent(layers, offset, turn.shape(shape))
    return np.stack([turn.of(layer) for layer in layers]), notices


def _axes(reader: Any) -> tuple[int, int]:
    """The two stored axes of the slice. Raises CaseError "mask_size" if there are several slices."""
    sizes = list(reader.GetSize())
    axes = list(range(len(sizes)))
    while len(axes) > 2:  # noqa: PLR2004  rows and columns
        single = [axis for axis in axes if sizes[axis] == 1]
        if not single:
            raise CaseError(
                "mask_size", "The mask has more than one slice, but its image has one; save the slice alone."
            )
        axes.remove(single[-1])
    return axes[0], axes[1]


def _turn(
    item: AnnotationItem, reader: Any, suffix: str, axes: tuple[int, int], shape: Shape
) -> tuple[Turn | Placed, tuple[Notice, ...]]:
    """How the stored slice comes to lie as its image, and what had to be assumed."""
    if item.payload["first_axis"] == "y":
        return Turn(transposed=True), ()
    orientation = item.payload.get("orientation", "auto")
    if orientation == "stored":
        return AS_STORED, ()
    try:
        vectors = directions(reader, suffix, literal=orientation == "header")[:, axes]
    except UnstatedError:
        if orientation == "header":
            raise CaseError("mask_orientation", f"The mask's header states no directions; {REMEDY}") from None
        return AS_STORED, (UNSTATED,) if suffix in NIFTI or item.plane else ()
    spacing = reader.GetSpacing()
    stored = image_plane(vectors.T.ravel().tolist(), reader.GetOrigin(), (spacing[axes[1]], spacing[axes[0]]))
    turn = None if stored is None else turn_between(stored, item.plane or AXIAL)
    if stored is None or turn is None:
        raise CaseError("mask_orientation", OBLIQUE if item.plane else NOT_AXIAL)
    if item.plane is None:
        return turn, (TURNED,) if turn != AS_STORED and orientation == "auto" else ()
    size = _stored_shape(reader, axes)
    plane = resampled_plane(item.plane, shape, turn.shape(size))
    shift = distance_px(stored, plane, shape=size, turn=turn)
    if turn.shape(size) != shape and not shift <= SAME_PIXEL:
        part = placed_by_planes(stored, item.plane, shape=size, on=shape, turn=turn)
        if part and (part.is_exact or item.payload.get("resample") == "nearest"):
            return part, () if part.is_inside else (BEYOND,)
    return turn, (OTHER_PLACE,) if shift > SAME_PIXEL else ()


def _stored_shape(reader: Any, axes: tuple[int, int]) -> Shape:
    sizes = reader.GetSize()
    return sizes[axes[1]], sizes[axes[0]]


def _offset(file: Path, axes: tuple[int, int]) -> tuple[int, int] | None:
    """Columns and rows by which the stored slice is shifted on the grid of its image; None if not stated."""
    offset = offset_in(header_entries(file))
    return (offset[axes[0]], offset[axes[1]]) if offset and len(offset) > axes[1] else None


VOLUME = AnnotationFormat(find=find, read=read, kind="mask")
