"""Patient folders: patients of pictures in folders named like one, as in CheXpert and MIMIC-CXR-JPG."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from pipeline.cohort.apart import DICOM, format_of
from pipeline.records import Case, Notice

PATIENT_FOLDER = re.compile(r"(?:patient|subject|pat|sub)[ _-]?\d+|p\d{8}|sub-[a-z0-9]+", re.IGNORECASE)
"""Folders that hold the files of one patient: patient00001 (CheXpert), p10000032 (MIMIC), sub-01 (BIDS)."""


def with_folders(
    cases: Sequence[Case], pseudonym: Callable[..., str]
) -> tuple[tuple[Case, ...], tuple[Notice, ...]]:
    """The cases, in which pictures without a patient have that of their folder, and what was guessed."""
    found = tuple(_with_folder(case, pseudonym) for case in cases)
    count = sum(new is not old for new, old in zip(found, cases, strict=True))
    if not count:
        return found, ()
    patients = len({new.patient_id for new, old in zip(found, cases, strict=True) if new is not old})
    message = (
        f"{count:,} pictures lie in {patients:,} folders named like patients, each of which counts as one; "
        "studies.table with a column for the patient says it otherwise."
    )
    return found, (Notice("guess", "studies", message),)


def _with_folder(case: Case, pseudonym: Callable[..., str]) -> Case:
    source = case.source
    if source.has_patient_id or format_of(source) == DICOM:
        return case
    folders = PurePosixPath(source.relative_path).parent.parts
    patient = next((name for name in reversed(folders) if PATIENT_FOLDER.fullmatch(name)), "")
    if not patient:
        return case
    source = replace(source, patient=patient, has_patient_id=True)
    return replace(case, patient_id=pseudonym("patient", patient), source=source)
