"""Splits: parts of a study set that must have no patient and no picture in common."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.contracts import Executor, Loss
from pipeline.errors import CaseError, ConfigError
from pipeline.joints.intake import Case
from pipeline.loaders import decode

BRIGHTNESSES = 65535
"""To which pixels are rounded: decoders may differ in the last bit of a float."""
REMEDY = "split by patient, or take these images out of one of the two"


@dataclass(frozen=True, slots=True)
class Split:
    """A part of a study set, by the config's key that chose it."""

    key: str
    cases: Sequence[Case]


def check_apart(first: Split, second: Split, *, executor: Executor, pixels: bool) -> None:
    """ConfigError where a patient, or with `pixels` a picture, is in both.

    Pictures are compared where an image of the same size is on the other side; each is decoded once.
    """
    patients = {case.patient_id for case in first.cases} & {case.patient_id for case in second.cases}
    if patients:
        _refuse(
            first, second, "patient", [len(_of(split, patients)) for split in (first, second)], len(patients)
        )
    if not pixels:
        return
    sizes = {case.source.shape for case in first.cases} & {case.source.shape for case in second.cases}
    hashes = [
        pixel_hashes([case for case in split.cases if case.source.shape in sizes], executor)
        for split in (first, second)
    ]
    same = set(hashes[0].values()) & set(hashes[1].values())
    if same:
        counts = [sum(value in same for value in found.values()) for found in hashes]
        _refuse(first, second, "picture", counts, len(same))


def pixel_hashes(cases: Iterable[Case], executor: Executor) -> Mapping[str, str]:
    """Case id → a hash of the image's pixels; images that cannot be decoded are left out."""
    asked = list(cases)
    found = executor.stream(_pixel_hash, asked, lost=_lost)
    return {case.case_id: value for case, value in zip(asked, found, strict=True) if value}


def _of(split: Split, patients: set[str]) -> list[Case]:
    return [case for case in split.cases if case.patient_id in patients]


def _refuse(first: Split, second: Split, what: str, counts: Sequence[int], number: int) -> None:
    of = [
        f"{n} of the {len(s.cases)} images of {s.key}" for n, s in zip(counts, (first, second), strict=True)
    ]
    raise ConfigError(
        f"{second.key}: {number} {what}{'' if number == 1 else 's'} in both {first.key} and {second.key} "
        f"({of[0]}, {of[1]}); {REMEDY}"
    )


def _pixel_hash(case: Case) -> str:
    try:
        pixels = decode(case.source, case_id=case.case_id).pixels
    except CaseError:
        return ""
    exact = np.rint(pixels * BRIGHTNESSES).astype(np.uint16)
    return hashlib.sha256(repr(pixels.shape).encode() + exact.tobytes()).hexdigest()


def _lost(_case: Case, _why: Loss) -> str:
    return ""
