"""Volume headers: what NIfTI, NRRD and MetaImage files say of the directions of their axes.

NIfTI: nifti1.h, "3D image (volume) orientation and location in space"; NRRD: "space" and "space directions"
of its format definition. ITK gives directions towards the patient's left, back and head, as DICOM does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import CaseError
from pipeline.orientation import ALIGNED

Directions = NDArray[np.float64]
"""(3, axes): a unit vector per stored axis, towards the patient's left, back and head."""

RAS_TO_LPS = np.array([[-1.0], [-1.0], [1.0]])
PATIENT_SPACE = "left-posterior-superior"
"""ITK turns the other spaces of patients into this one."""
NIFTI = frozenset({".nii", ".gz"})
REMEDY = "turn the mask to lie as its image does, and set the source's key orientation to stored."


class UnstatedError(Exception):
    """The header states no directions, or those of a file that nobody gave any."""


def directions(reader: Any, suffix: str, *, literal: bool) -> Directions:
    """The directions of the stored axes. `reader` is a SimpleITK reader whose information was read.

    `literal`: also those that programs write if they know none (no rotation, 1 mm, origin 0).

    Raises UnstatedError, and CaseError "mask_orientation" if two statements contradict each other or
    directions are not the patient's.
    """
    entries = {key: reader.GetMetaData(key) for key in reader.GetMetaDataKeys()}
    if suffix in NIFTI:
        return _of_nifti(entries, literal=literal)
    axes = reader.GetDimension()
    found = np.zeros((3, axes))
    found[:axes] = np.reshape(reader.GetDirection(), (axes, axes))[:3]
    if np.array_equal(found, np.eye(3, axes)):
        plain = set(reader.GetSpacing()) == {1.0} and not any(reader.GetOrigin())
        if (plain and not literal) or axes < 3:  # noqa: PLR2004  a plane has no place in the patient
            raise UnstatedError
        return found
    if suffix == ".nrrd" and entries.get("NRRD_space", "") != PATIENT_SPACE:
        raise CaseError(
            "mask_orientation",
            f"The mask's header gives directions outside the patient's coordinates; {REMEDY}",
        )
    return found


def _of_nifti(entries: dict[str, str], *, literal: bool) -> Directions:
    affine = np.array([[float(n) for n in entries[f"srow_{axis}"].split()] for axis in "xyz"])
    stated = []
    if int(entries["sform_code"]):
        stated.append(affine[:, :3])
    if int(entries["qform_code"]):
        stated.append(_rotation(*(float(entries[f"quatern_{axis}"]) for axis in "bcd")))
    if not stated:
        raise UnstatedError
    if len(stated) > 1 and not _agree(*(_units(matrix) for matrix in stated)):
        raise CaseError(
            "mask_orientation",
            f"The mask's header gives two directions that disagree, in its sform and in its qform; {REMEDY}",
        )
    if not literal and int(entries["sform_code"]) and np.array_equal(affine, np.eye(3, 4)):
        raise UnstatedError
    return np.asarray(_units(stated[0]) * RAS_TO_LPS)


def _rotation(b: float, c: float, d: float) -> Directions:
    """The rotation of a unit quaternion with a real part that is not negative."""
    a = np.sqrt(max(0.0, 1 - b * b - c * c - d * d))
    return np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )


def _units(matrix: Directions) -> Directions:
    lengths = np.linalg.norm(matrix, axis=0)
    if not np.isfinite(matrix).all() or not lengths.all():
        raise CaseError("mask_orientation", f"The mask's header gives an axis without direction; {REMEDY}")
    return np.asarray(matrix / lengths)


def _agree(first: Directions, second: Directions) -> bool:
    """Whether both give the first two axes, and the third up to its sign, the same directions."""
    cosines = np.einsum("ij,ij->j", first, second)
    return bool((cosines[:2] >= ALIGNED).all() and abs(cosines[2]) >= ALIGNED)
