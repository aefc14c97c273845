"""Directions: where rows and columns of an image lead in the patient, by its header."""

from __future__ import annotations

from typing import Final

from pydicom.dataset import Dataset

from pipeline.loaders.elements import Warn, is_empty, nobody, text, unused
from pipeline.loaders.planes import plane_in
from pipeline.orientation import directions_of, opposite
from pipeline.records import Caution, Directions

CONTRADICTION: Final = "orientation_contradiction"
"""Reason of a caution: elements that state the directions contradict each other."""
AXES: Final = {"R": 0, "L": 0, "A": 1, "P": 1, "H": 2, "F": 2}
"""Letters of Patient Orientation of humans → axis of the patient, PS3.3, C.7.6.1.1.1."""


def directions_in(dataset: Dataset, warn: Warn = nobody) -> Directions | None:
    """Directions by Patient Orientation, or else by Image Orientation (Patient).

    None if there is neither, or if they contradict each other: then nobody knows which is right.
    """
    stated, plane = _stated(dataset, warn), plane_in(dataset)
    computed = directions_of(plane) if plane else None
    if stated and computed and not all(map(_agree, stated, computed)):
        warn(
            Caution(
                CONTRADICTION,
                "Patient Orientation and Image Orientation (Patient) contradict each other, so the image is "
                "shown without letters of orientation",
            )
        )
        return None
    return stated or computed


def _stated(dataset: Dataset, warn: Warn) -> Directions | None:
    """Patient Orientation; None with a caution, unless it is empty, if it gives no two directions."""
    if is_empty(dataset, "PatientOrientation"):
        return None
    found = [part.strip().upper() for part in text(dataset, "PatientOrientation").split("\\")]
    if len(found) == len(("row", "column")) and all(map(_is_direction, found)):
        row, column = found
        if AXES[row[0]] != AXES[column[0]]:
            return row, column
    warn(unused("PatientOrientation", "is not two directions such as L and F"))
    return None


def _is_direction(letters: str) -> bool:
    """Whether each letter is of an axis of its own."""
    axes = [AXES.get(letter) for letter in letters]
    return 0 < len(axes) <= len("LPH") and None not in axes and len(set(axes)) == len(axes)


def _agree(stated: str, computed: str) -> bool:
    """Whether a stated direction is less than a right angle away from a computed one."""
    return stated[0] in computed or (computed[0] in stated and not set(stated) & set(opposite(computed)))
