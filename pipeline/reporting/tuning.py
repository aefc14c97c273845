"""Tuning: texts about tuned thresholds, and warnings if scored images were used for tuning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.reporting import words
from pipeline.reporting.run_folder import RunFolder

TOO_GOOD = (
    "Thresholds were tuned on images that are scored here: {images} of {audited}, from {patients}, were "
    "used for tuning. Therefore the scores are too high to be compared with others. Audit images that were "
    "not used for tuning."
)
OTHER_METHOD = (
    "Thresholds were tuned on maps of {tuned}, not of {method}, and may not suit it. Tune again with "
    "{method} as the first of methods."
)
OTHER_KEY = (
    " Patients could not be compared, because their pseudonyms were made with another key. "
    "Only images were compared."
)


def warnings(run: RunFolder) -> Iterator[str]:
    """Warnings that the config was tuned on scored images, or on maps of another method."""
    tuned = run.manifest.get("tuned")
    if not tuned:
        return
    if tuned["images"]:
        yield _too_good(run, tuned)
    if run.network and tuned["method"] != run.network:
        yield OTHER_METHOD.format(tuned=tuned["method"], method=run.network)


def _too_good(run: RunFolder, tuned: Mapping[str, Any]) -> str:
    warning = TOO_GOOD.format(
        images=f"{tuned['images']:,}",
        audited=words.plural(run.manifest.get("studies", {}).get("audited", len(run.case_ids)), "image"),
        patients=words.plural(tuned["patients"], "patient"),
    )
    return warning + _compared(tuned["patients_compared"])


def fact(run: RunFolder) -> str:
    """The images and method that the config was tuned on; empty if it was not tuned."""
    tuned = run.manifest.get("tuned")
    if not tuned:
        return ""
    images, patients = tuned["tuned_images"], tuned["tuned_patients"]
    tuned_on = f"{words.plural(images, 'image')} of {words.plural(patients, 'patient')}"
    none = "" if tuned["images"] else "; none of them is scored here." + _compared(tuned["patients_compared"])
    return f"on {tuned_on}, with maps of {tuned['method']}{none}"


def _compared(patients: bool) -> str:  # noqa: FBT001  a value of the manifest
    return "" if patients else OTHER_KEY
