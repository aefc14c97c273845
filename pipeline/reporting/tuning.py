"""Tuning: what a report says of a config whose thresholds were chosen on images, and of scoring these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.reporting import words
from pipeline.reporting.run_folder import RunFolder

TOO_GOOD = (
    "Thresholds were chosen on what is scored here: {images} of {audited}, of {patients}, were used for "
    "tuning. The scores are too good to be held against others; audit images that were not tuned on."
)
OTHER_METHOD = (
    "Thresholds were chosen on maps of {tuned}, not of {method}: nothing says that they suit it. "
    "Tune again with {method} as the first of methods."
)
OTHER_KEY = " Patients could not be compared, because the pseudonyms are of another key; pictures were."


def warnings(run: RunFolder) -> Iterator[str]:
    """That the config was tuned on images that are scored, or on maps of another method."""
    tuned = run.manifest.get("tuned")
    if not tuned:
        return
    if tuned["images"]:
        yield _too_good(run, tuned)
    if run.network and tuned["method"] != run.network:
        yield OTHER_METHOD.format(tuned=tuned["method"], method=run.network)


def _too_good(run: RunFolder, tuned: Mapping[str, Any]) -> str:
    said = TOO_GOOD.format(
        images=f"{tuned['images']:,}",
        audited=words.plural(run.manifest["studies"]["audited"], "image"),
        patients=words.plural(tuned["patients"], "patient"),
    )
    return said + _compared(tuned["patients_compared"])


def fact(run: RunFolder) -> str:
    """On what the config was tuned; empty where it was not."""
    tuned = run.manifest.get("tuned")
    if not tuned:
        return ""
    images, patients = tuned["tuned_images"], tuned["tuned_patients"]
    on = f"{words.plural(images, 'image')} of {words.plural(patients, 'patient')}"
    none = "" if tuned["images"] else "; none of them is scored here." + _compared(tuned["patients_compared"])
    return f"on {on}, by maps of {tuned['method']}{none}"


def _compared(patients: bool) -> str:  # noqa: FBT001  one word of a manifest
    return "" if patients else OTHER_KEY
