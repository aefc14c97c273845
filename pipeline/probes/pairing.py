"""Pairing: each image's partner, which is of another patient."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from pipeline.records import Case


def paired(cases: Iterable[Case], others: Iterable[Case]) -> dict[str, Case]:
    """Case id → its partner among the others; images without one are left out.

    Each patient gets one patient of the others, who is nobody else's, and their images are paired in turn. So
    pairs of different patients have no image in common, and a mean over pairs has an interval over patients.
    """
    free = deque(_by_patient(others))
    pairs: dict[str, Case] = {}
    for images in _by_patient(cases):
        position = next((n for n, of in enumerate(free) if of[0].patient_id != images[0].patient_id), None)
        if position is not None:
            partner = free[position]
            del free[position]
            pairs.update((image.case_id, other) for image, other in zip(images, partner, strict=False))
    return pairs


def rotated(cases: Iterable[Case]) -> list[Case]:
    """The cases of the second half of the patients, then those of the first: partners for the cases."""
    patients = _by_patient(cases)
    half = len(patients) // 2
    return [case for images in (*patients[half:], *patients[:half]) for case in images]


def _by_patient(cases: Iterable[Case]) -> Sequence[list[Case]]:
    """The cases of each patient, in the order of the patients' first."""
    found: dict[str, list[Case]] = {}
    for case in cases:
        found.setdefault(case.patient_id, []).append(case)
    return list(found.values())
