"""Volumes: NIfTI, NRRD and MetaImage files of one slice → image sources and displayed images, by SimpleITK.

A slice is turned to lie as its plane is shown: rows towards the patient's back or feet, columns towards the
left or back. Where the header says nothing, the first stored axis runs along the rows, as for masks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import SimpleITK as sitk  # noqa: N813  the abbreviation used in its manual
from numpy.typing import NDArray

from pipeline.errors import CaseError
from pipeline.guards.held_files import held_file
from pipeline.guards.nifti_files import stored_voxels
from pipeline.guards.reading import about, guarded
from pipeline.guards.volume_files import volume_reader
from pipeline.guards.volume_headers import UnstatedError, directions
from pipeline.loaders.archives import Packed
from pipeline.loaders.dataset import THE_FILE
from pipeline.loaders.display import Decoded
from pipeline.loaders.elements import Warn
from pipeline.loaders.greyscale import View, Window, linear_window
from pipeline.loaders.image_files import ImageFile, Place
from pipeline.loaders.pixels import LARGEST_FRAME
from pipeline.loaders.plausibility import warn_of_masks
from pipeline.orientation import AS_STORED, AXIAL, CORONAL, SAGITTAL, Turn, directions_of, turn_between
from pipeline.records import Caution, Display, ImagePlane, ImageSource, image_plane

SUFFIXES: Final = {"NIfTI": (".nii", ".nii.gz"), "NRRD": (".nrrd",), "MetaImage": (".mha",)}
"""Format → the ends of its files' names, by which SimpleITK tells what it has to unpack."""
GUESSED: Final = "window_guessed"
"""Reason of a caution: the file states no window."""
TURNED: Final = "orientation_applied"
HIGHEST: Final = 65535
COMPLEX: Final = (sitk.sitkComplexFloat32, sitk.sitkComplexFloat64)
BYTES: Final = (0.0, 255.0)
DIRECTIONS: Final = (
    "the directions in the file's header contradict each other, or are not those of a patient; save it again "
    "with the directions of its DICOM file"
)


def read_volume(opened: ImageFile, kind: str) -> tuple[ImageSource, ...]:
    """The image of a file of one slice; `kind` is its format.

    Raises CaseError: "decode_failed", "several_slices", "too_large", "unsupported_photometric",
    "unclear_orientation", "misnamed".
    """
    with _refusing(kind), _path(opened.place, opened.file, kind) as path:
        reader, axes, turn, plane = _opened(path, kind, whole=False)
        rows, columns = _stored_shape(reader, axes)
        found = {"photometric": "MONOCHROME2", "file_format": kind}
        return (opened.source(shape=turn.shape((rows, columns)), attributes=found, plane=plane),)


def decode_volume(data: bytes, source: ImageSource, *, window: View, warn: Warn, kind: str) -> Decoded:
    """The displayed slice. Raises CaseError as `read_volume` does."""
    path = Path(source.path)
    place = Packed(path, source.member) if source.member else path
    with _refusing(kind), _path(place, BytesIO(data), kind) as path:
        reader, axes, turn, plane = _opened(path, kind, whole=True)
        if kind == "NIfTI":
            with about(THE_FILE, "decode_failed"):
                finite = stored_voxels(path).finite
        stored: NDArray[Any] = sitk.GetArrayFromImage(reader.Execute()).reshape(_stored_shape(reader, axes))
        finite = bool(np.isfinite(stored).all()) and (kind != "NIfTI" or finite)
    if not finite:
        raise CaseError("decode_failed", "the file has values that are not finite; replace them, and save it")
    if turn != AS_STORED:
        to = "with its rows towards the patient's back or feet, and its columns towards the left or back"
        warn(Caution(TURNED, f"the image is shown as its header's directions say, {to}, and not as stored"))
    values = turn.of(stored)
    if values.dtype.kind in "iu":
        warn_of_masks(values, warn)
    spacing = _spacing(reader, axes, turn)
    shown = _displayed(values, spacing, window=window, warn=warn)
    return replace(
        shown, directions=directions_of(plane) if plane else None, spacing_at="file" if spacing else ""
    )


def _displayed(
    values: NDArray[Any], spacing: tuple[float, float] | None, *, window: View, warn: Warn
) -> Decoded:
    """Brightness by the window, or by the lowest and highest value, which is a guess except for bytes."""
    exact = values.astype(np.float64)
    least, most = BYTES if values.dtype == np.uint8 else (float(exact.min()), float(exact.max()))
    low, high = linear_window(Window(*window)) if isinstance(window, tuple) else (least, most)
    if not isinstance(window, tuple) and values.dtype != np.uint8:
        warn(
            Caution(
                GUESSED,
                f"the file states no window, so its values {least:g} … {most:g} are shown as black … white; "
                "state preprocessing.window as [centre, width] if the network saw others",
            )
        )
    pixels = np.clip((exact - low) / (high - low if high > low else 1.0), 0.0, 1.0).astype(np.float32)
    step = (most - least) / HIGHEST or 1.0
    shown = np.rint((exact - least) / step).astype(np.uint16)
    display = Display(shown, (low - least) / step, (high - least) / step, slope=step, intercept=least)
    return Decoded(pixels, spacing, display)


@contextmanager
def _path(place: Place, file: BinaryIO, kind: str) -> Iterator[Path]:
    """The path of a file; of a member of an archive, one that opens its bytes and ends as its name does."""
    if isinstance(place, Path):
        yield place
        return
    suffix = next((end for end in SUFFIXES[kind] if place.member.name.lower().endswith(end)), "")
    file.seek(0)
    with held_file(file.read(), suffix=suffix) as held:
        yield held


def _opened(path: Path, kind: str, *, whole: bool) -> tuple[Any, tuple[int, int], Turn, ImagePlane | None]:
    """A reader, the two stored axes of its slice, how they are turned, and where they then lie.

    `whole`: its values are checked, too.
    """
    if not path.name.lower().endswith(SUFFIXES[kind]):
        names = " or ".join(SUFFIXES[kind])
        raise CaseError("misnamed", f"the file is {kind}, but its name does not end in {names}; rename it")
    suffix = path.suffix.lower()
    with about(THE_FILE):
        reader = volume_reader(path, suffix, reason="decode_failed", whole=whole)
    axes = _axes(reader)
    rows, columns = _stored_shape(reader, axes)
    if rows * columns > LARGEST_FRAME:
        raise CaseError("too_large", f"the image has more than {LARGEST_FRAME >> 20} Mi pixels; crop it")
    if reader.GetNumberOfComponents() != 1 or reader.GetPixelID() in COMPLEX:
        raise CaseError(
            "unsupported_photometric", "the file has several values per pixel; save one grey value per pixel"
        )
    stored = _stored_plane(reader, axes, suffix)
    if stored is None:
        return reader, axes, AS_STORED, None
    turns = (turn_between(stored, plane) for plane in (AXIAL, CORONAL, SAGITTAL))
    turn = next((turn for turn in turns if turn is not None), AS_STORED)
    return reader, axes, turn, turn.plane(stored, (rows, columns))


def _axes(reader: Any) -> tuple[int, int]:
    """The two stored axes of the slice."""
    sizes = list(reader.GetSize())
    axes = list(range(len(sizes)))
    while len(axes) > 2:  # noqa: PLR2004  rows and columns
        single = [axis for axis in axes if sizes[axis] == 1]
        if not single:
            raise CaseError(
                "several_slices",
                f"the file has {sizes[axes[-1]]} slices, wanted one; save each slice as a file of its own, "
                "or give the DICOM series from which it was made",
            )
        axes.remove(single[-1])
    if len(axes) < 2:  # noqa: PLR2004
        raise CaseError("decode_failed", "the file has one axis, wanted rows and columns; save it again")
    return axes[0], axes[1]


def _stored_shape(reader: Any, axes: tuple[int, int]) -> tuple[int, int]:
    sizes = reader.GetSize()
    return int(sizes[axes[1]]), int(sizes[axes[0]])


def _stored_plane(reader: Any, axes: tuple[int, int], suffix: str) -> ImagePlane | None:
    """Where the slice lies as stored; None if the header does not say, or says what nobody set."""
    try:
        vectors = directions(reader, suffix, literal=False)[:, axes]
    except UnstatedError:
        return None
    except CaseError as error:
        raise CaseError("unclear_orientation", DIRECTIONS) from error
    spacing = reader.GetSpacing()
    return image_plane(vectors.T.ravel().tolist(), reader.GetOrigin(), (spacing[axes[1]], spacing[axes[0]]))


def _spacing(reader: Any, axes: tuple[int, int], turn: Turn) -> tuple[float, float] | None:
    """Row and column spacing in mm; None if it is 1 mm everywhere, which programs write that know none."""
    spacing = tuple(float(mm) for mm in reader.GetSpacing())
    row, column = spacing[axes[1]], spacing[axes[0]]
    if set(spacing) == {1.0} or not (row > 0 and column > 0):
        return None
    return (column, row) if turn.transposed else (row, column)


def _refusing(kind: str) -> Any:
    return guarded("decode_failed", f"the file begins like {kind}, but cannot be decoded; save it again")
