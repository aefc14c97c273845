"""Tuned: the config that tuning writes, and which of the images that are scored were used for it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipeline.config import AuditConfig, Tuned
from pipeline.contracts import Executor
from pipeline.joints.choosing import Chosen
from pipeline.joints.intake import Case
from pipeline.joints.splits import pixel_hashes
from pipeline.store.atomic import write_bytes

DIGITS = 32
"""Of a pixel hash that is kept: 128 bits."""
PRECISION = 6
"""Significant digits of a probability."""
HEADER = """\
# Written by heatproof tune, from the config that it was given: rule and threshold of each finding have the
# highest mean IoU with what the readers drew, whether or not the gate is open; the gate's probability has the
# highest Youden's J. These means are of the images that were tuned on, and too good for others. `tuned` names
# those images and patients without telling who they are, so that a report that scores any of them says so.
"""


@dataclass(frozen=True, slots=True)
class Reused:
    """How much of what is scored was used for tuning."""

    method: str
    """Whose maps the thresholds were chosen on."""
    tuned_images: int
    tuned_patients: int
    images: int
    """Scored and tuned on, or of a patient who was."""
    patients: int
    patients_compared: bool
    """Whether the pseudonyms are of the same key; else pictures alone were compared."""


def key_of(pseudonym: Callable[..., str]) -> str:
    """A name of the pseudonyms' key, by which it is told whether those of two runs can be compared."""
    return pseudonym("key")


def tuned_of(
    cases: Sequence[Case], method: str, pseudonym: Callable[..., str], hashes: Mapping[str, str]
) -> Tuned:
    """What a config keeps of the maps and images that it was tuned on; `hashes` are by case id."""
    return Tuned(
        key=key_of(pseudonym),
        method=method,
        images=len(cases),
        patients=tuple(sorted({case.patient_id for case in cases})),
        pixels=tuple(sorted({value[:DIGITS] for value in hashes.values()})),
    )


def write_tuned(path: Path, config: AuditConfig, chosen: Sequence[Chosen], tuned: Tuned) -> None:
    """Write the config with what was chosen, and a comment with what it gains."""
    values = config.model_dump(mode="json", exclude_unset=True, exclude={"tuned"})
    contours = values.setdefault("contours", {})
    findings = contours.setdefault("findings", {})
    for entry in chosen:
        if not entry.why_not:
            findings[entry.finding] = findings.get(entry.finding, {}) | _cut(entry)
    values["tuned"] = tuned.model_dump(mode="json")
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=110)
    comments = "".join(f"# {line}\n" for line in map(gained, chosen))
    write_bytes(path, (HEADER + comments + text).encode())


def gained(entry: Chosen) -> str:
    """One finding's choice in words."""
    if entry.why_not:
        return f"{entry.finding}: left as it is, {entry.why_not}"
    cut = entry.cut
    gate = f", gate from {cut.probability:.3g}" if cut.probability is not None and cut.gate != "all" else ""
    what = "IoU" if entry.kind == "mask" else "box IoU"
    return (
        f"{entry.finding}: {cut.rule} {cut.threshold:g}{gate}; "
        f"mean {what} {entry.before:.3f} → {entry.after:.3f} "
        f"on {entry.images} images of {entry.patients} patients"
    )


def reused(
    tuned: Tuned | None,
    cases: Sequence[Case],
    *,
    pseudonym: Callable[..., str],
    executor: Executor,
    pixels: bool,
    kept: Path | None = None,
) -> Reused | None:
    """How many of `cases` the config was tuned on, by patient and, with `pixels`, by picture."""
    if tuned is None:
        return None
    comparable = key_of(pseudonym) == tuned.key
    patients = set(tuned.patients) if comparable else set()
    pictures = set(tuned.pixels)
    hashes = pixel_hashes(cases, executor, kept=kept) if pixels else {}
    seen = [c for c in cases if c.patient_id in patients or hashes.get(c.case_id, "")[:DIGITS] in pictures]
    return Reused(
        method=tuned.method,
        tuned_images=tuned.images,
        tuned_patients=len(tuned.patients),
        images=len(seen),
        patients=len({case.patient_id for case in seen}),
        patients_compared=comparable,
    )


def without_names(tuned: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What a manifest says of `tuned`: counts, and one hash over all that it names."""
    if tuned is None:
        return None
    named = repr((sorted(tuned["patients"]), sorted(tuned["pixels"]))).encode()
    return {
        "images": tuned["images"],
        "patients": len(tuned["patients"]),
        "sha256": hashlib.sha256(named).hexdigest(),
    }


def _cut(entry: Chosen) -> dict[str, Any]:
    """As the config writes it."""
    cut = entry.cut
    found: dict[str, Any] = {"rule": cut.rule, "threshold": cut.threshold, "gate": cut.gate}
    if cut.probability is not None and cut.gate != "all":
        found["probability"] = float(f"{cut.probability:.{PRECISION}g}")
    return found
