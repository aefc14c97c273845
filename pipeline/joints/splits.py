"""Splits: parts of a study set that must have no patient and no picture in common."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline import __version__
from pipeline.contracts import Executor, Loss
from pipeline.errors import CaseError, ConfigError
from pipeline.joints.intake import Case
from pipeline.loaders import decode
from pipeline.store.atomic import OWNER_ONLY, write_bytes

BRIGHTNESSES = 65535
"""To which pixels are rounded: decoders may differ in the last bit of a float."""
KEPT = "pixels.json"
"""In the folder of runs: hashes of pixels, by a hash of the file's place, size and time."""
REMEDY = "split by patient, or take these images out of one of the two"


@dataclass(frozen=True, slots=True)
class Split:
    """A part of a study set, by the config's key that chose it."""

    key: str
    cases: Sequence[Case]


def check_apart(
    first: Split, second: Split, *, executor: Executor, pixels: bool, kept: Path | None = None
) -> None:
    """ConfigError where a patient, or with `pixels` a picture, is in both.

    Pictures are compared where an image of the same size is on the other side; `kept`: see `pixel_hashes`.
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
        pixel_hashes([case for case in split.cases if case.source.shape in sizes], executor, kept=kept)
        for split in (first, second)
    ]
    same = set(hashes[0].values()) & set(hashes[1].values())
    if same:
        counts = [sum(value in same for value in found.values()) for found in hashes]
        _refuse(first, second, "picture", counts, len(same))


def pixel_hashes(cases: Iterable[Case], executor: Executor, *, kept: Path | None = None) -> Mapping[str, str]:
    """Case id → a hash of the image's pixels; images that cannot be decoded are left out.

    In the file `kept`, readable by its owner alone, are those that were made before: no image is decoded
    twice for them.
    """
    asked = list(cases)
    known = _read_kept(kept)
    missing = [case for case in asked if _place(case) not in known]
    found = zip(missing, executor.stream(_pixel_hash, missing, lost=_lost), strict=True)
    made = {_place(case): value for case, value in found if value}
    if kept is not None and made:
        write_bytes(kept, json.dumps(known | made).encode(), mode=OWNER_ONLY)
    known |= made
    return {case.case_id: known[_place(case)] for case in asked if _place(case) in known}


def _read_kept(kept: Path | None) -> dict[str, str]:
    """What the file holds; nothing where it is damaged."""
    try:
        content = json.loads(kept.read_text()) if kept else {}
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _place(case: Case) -> str:
    """A file and frame as it was at one time, without its name."""
    source = case.source
    facts = (__version__, source.path, source.frame, source.size_bytes, source.modified_ns)
    return hashlib.sha256(repr(facts).encode("utf-8", "surrogateescape")).hexdigest()[:32]


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
