"""Leakage: patients and images shared by two parts of a study set, or already used for tuning."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.cohort.index import Pseudonym
from pipeline.cohort.near_duplicates import look_of
from pipeline.config import Tuned
from pipeline.contracts import Executor
from pipeline.errors import CaseError, ConfigError
from pipeline.guards.json_files import read_json
from pipeline.loaders import decode
from pipeline.plan import RunPlan
from pipeline.records import Case, pixel_hash
from pipeline.store.atomic import OWNER_ONLY, write_bytes

PIXEL_HASH_CACHE = "pixels.json"
"""File in the folder of runs: hash of a file's path, frame, size and time → hash of its pixels."""
LOOK_CACHE = "looks.json"
"""File beside it: the same hash → `near_duplicates.look_of` the pixels, some 1,000 characters an image."""
PIXEL_HASH_DIGITS = 32
"""Hexadecimal digits of a pixel hash in a config: 128 bits."""
LARGEST_CACHE_BYTES = 2**28
"""Some 100 bytes an image; a larger cache counts as damaged."""
REMEDY = "split by patient, or remove these images from one of the two"


@dataclass(frozen=True, slots=True)
class Split:
    """A part of a study set, and the config key that chose it."""

    key: str
    """The config key, for example "select.where"."""
    cases: Sequence[Case]
    """The images of the part."""


@dataclass(frozen=True, slots=True)
class Reuse:
    """Overlap between the scored images and those used for tuning."""

    method: str
    """The method whose maps the thresholds were tuned on."""
    tuned_images: int
    """Number of images used for tuning."""
    tuned_patients: int
    """Number of patients used for tuning."""
    images: int
    """Number of scored images that were used for tuning, or whose patient was."""
    patients: int
    """Number of patients of these images."""
    patients_compared: bool
    """Whether both runs use the same pseudonym key; if not, only pixels were compared."""


def refuse_leakage(
    first: Split, second: Split, *, executor: Executor, pixels: bool, cache: Path | None = None
) -> None:
    """Raise ConfigError if a patient, or with `pixels` an identical image, is in both parts.

    Pixels are compared only between images of the same size. For `cache` see `pixel_hashes`.
    """
    patients = {case.patient_id for case in first.cases} & {case.patient_id for case in second.cases}
    if patients:
        counts = [sum(case.patient_id in patients for case in split.cases) for split in (first, second)]
        _refuse(first, second, "patient", counts, len(patients))
    if not pixels:
        return
    sizes = {case.source.shape for case in first.cases} & {case.source.shape for case in second.cases}
    hashes = [
        pixel_hashes([case for case in split.cases if case.source.shape in sizes], executor, cache=cache)
        for split in (first, second)
    ]
    shared = set(hashes[0].values()) & set(hashes[1].values())
    if shared:
        counts = [sum(value in shared for value in found.values()) for found in hashes]
        _refuse(first, second, "identical image", counts, len(shared))


def reuse_of(
    plan: RunPlan, cases: Sequence[Case], *, pseudonym: Pseudonym, executor: Executor
) -> Reuse | None:
    """The overlap of `cases` with the images of a tuned config, by patient and, if configured, by pixels.

    None if the config was not tuned.
    """
    tuned = plan.config.tuned
    if tuned is None:
        return None
    comparable = name_of_key(pseudonym) == tuned.key
    patients = set(tuned.patients) if comparable else set()
    known = set(tuned.pixels)
    hashes: Mapping[str, str] = {}
    if plan.config.splits.compare_pixels:
        hashes = pixel_hashes(cases, executor, cache=plan.config.out / PIXEL_HASH_CACHE)
    seen = [
        case
        for case in cases
        if case.patient_id in patients or hashes.get(case.case_id, "")[:PIXEL_HASH_DIGITS] in known
    ]
    return Reuse(
        method=tuned.method,
        tuned_images=tuned.images,
        tuned_patients=len(tuned.patients),
        images=len(seen),
        patients=len({case.patient_id for case in seen}),
        patients_compared=comparable,
    )


def tuned_on(
    cases: Sequence[Case], method: str, *, pseudonym: Pseudonym, executor: Executor, cache: Path
) -> Tuned:
    """The config's record of the method, patients and images used for tuning."""
    hashes = pixel_hashes(cases, executor, cache=cache)
    return Tuned(
        key=name_of_key(pseudonym),
        method=method,
        images=len(cases),
        patients=tuple(sorted({case.patient_id for case in cases})),
        pixels=tuple(sorted({value[:PIXEL_HASH_DIGITS] for value in hashes.values()})),
    )


def name_of_key(pseudonym: Pseudonym) -> str:
    """A pseudonym of the key itself; equal names mean that the pseudonyms of two runs are comparable."""
    return pseudonym("key")


def without_names(tuned: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The manifest entry for `tuned`: counts, and one hash over all patients and images."""
    if tuned is None:
        return None
    identities = repr((sorted(tuned["patients"]), sorted(tuned["pixels"]))).encode()
    return {
        "images": tuned["images"],
        "patients": len(tuned["patients"]),
        "sha256": hashlib.sha256(identities).hexdigest(),
    }


def pixel_hashes(
    cases: Iterable[Case], executor: Executor, *, cache: Path | None = None
) -> Mapping[str, str]:
    """Case id → hash of the image's pixels, without images that cannot be decoded.

    The file `cache` keeps the hashes, so that no image is decoded twice; only its owner can read it.
    """
    return _of_pixels(_hash_of_case, cases, executor, cache)


def looks(cases: Iterable[Case], executor: Executor, *, cache: Path | None = None) -> Mapping[str, str]:
    """Case id → `near_duplicates.look_of` its pixels, with a `cache` as that of `pixel_hashes`."""
    return _of_pixels(_look_of_case, cases, executor, cache)


def _of_pixels(
    work: Callable[[Case], str], cases: Iterable[Case], executor: Executor, cache: Path | None
) -> Mapping[str, str]:
    """Case id → what `work` makes of its pixels in a worker; without images of which it makes nothing."""
    wanted = list(cases)
    known = _read_cache(cache)
    missing = [case for case in wanted if _cache_key(case) not in known]
    computed = zip(missing, executor.stream(work, missing, on_failure=_no_hash), strict=True)
    new = {_cache_key(case): value for case, value in computed if value}
    if cache is not None and new:
        write_bytes(cache, json.dumps(known | new).encode(), mode=OWNER_ONLY)
    known |= new
    return {case.case_id: known[_cache_key(case)] for case in wanted if _cache_key(case) in known}


def _hash_of_case(case: Case) -> str:
    return pixel_hash(decode(case.source, case_id=case.case_id).pixels)


def _look_of_case(case: Case) -> str:
    return look_of(decode(case.source, case_id=case.case_id).pixels)


def _no_hash(_case: Case, _error: CaseError) -> str:
    return ""


def _read_cache(cache: Path | None) -> dict[str, str]:
    """The content of the file; empty if it is missing or damaged."""
    try:
        content = read_json(cache, most_bytes=LARGEST_CACHE_BYTES, most_values=None) if cache else {}
    except CaseError:
        return {}
    known = content if isinstance(content, dict) else {}
    return {key: value for key, value in known.items() if isinstance(value, str)}


def _cache_key(case: Case) -> str:
    """A hash that identifies a frame of a file at one time, without revealing the file's name."""
    source = case.source
    facts = (__version__, source.path, source.frame, source.size_bytes, source.modified_ns)
    return hashlib.sha256(repr(facts).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _refuse(first: Split, second: Split, what: str, counts: Sequence[int], number: int) -> None:
    shares = [
        f"{n} of the {len(s.cases)} images of {s.key}" for n, s in zip(counts, (first, second), strict=True)
    ]
    raise ConfigError(
        f"{second.key}: {number} {what}{'' if number == 1 else 's'} in both {first.key} and {second.key} "
        f"({shares[0]}, {shares[1]}); {REMEDY}"
    )
