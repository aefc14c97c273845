"""Audits: a setup written to disk and audited in this process, and what the run says of each finding."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image
from pydicom import dcmwrite
from safetensors.torch import save_file

from pipeline.audit import audit
from pipeline.config import load_config
from pipeline.errors import AuditError
from pipeline.executors.here import Here
from pipeline.phantoms.lesions import FINDINGS
from pipeline.phantoms.study_set import dicom
from pipeline.plan import make_plan
from pipeline.records.names import ALL_FINDINGS
from tests.trust import breast
from tests.trust.setups import Setup

SETTINGS = {
    "probes": "quick",
    "burned_in_text.look": "none",
    "contours.gate": "all",
    "metrics": ["hit", "iou"],
    "statistics.replicates": 400,
}


@dataclass(frozen=True)
class Said:
    """What a run says of one finding."""

    conclusion: str
    strong: tuple[tuple[str, str], ...] = ()
    """(rule, suspect) of its strong suspicions, and of those of all findings."""
    weak: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Answer:
    """What an audit says."""

    findings: Mapping[str, Said] = field(default_factory=dict)
    stopped: str = ""
    """The message of a run that refused its input."""

    def as_json(self) -> dict[str, Any]:
        """Values that JSON knows."""
        return asdict(self)


def audited(setup: Setup, folder: Path) -> Answer:
    """The answer of the audit of a setup, whose files are written to a folder."""
    write(setup, folder)
    is_breast = bool(setup.sources)
    settings = {
        **SETTINGS,
        **(breast.SETTINGS if is_breast else {}),
        "studies": str(folder / "images"),
        "annotations.path": str(folder),
        "model": str(folder / "model.yaml"),
        "out": str(folder / "out"),
    }
    try:
        outcome = audit(
            make_plan(load_config(breast.CONFIG if is_breast else None, settings)), executor=Here()
        )
    except AuditError as error:
        return Answer(stopped=str(error))
    return read(outcome.index.parent)


def read(run: Path) -> Answer:
    """The answer of a run folder."""
    suspects = list(_rows(run / "suspects.csv"))

    def of(finding: str, strength: str) -> tuple[tuple[str, str], ...]:
        return tuple(
            (row["rule"], row["suspect"])
            for row in suspects
            if row["finding"] in {finding, ALL_FINDINGS} and row["strength"] == strength
        )

    conclusions = {row["finding"]: row["conclusion"] for row in _rows(run / "verdict.csv")}
    return Answer(
        {name: Said(said, of(name, "strong"), of(name, "weak")) for name, said in conclusions.items()}
    )


def write(setup: Setup, folder: Path) -> None:
    """Write images, masks, labels and model; names of films say nothing about what they show."""
    if setup.sources:
        breast.write(setup, folder)
    else:
        _write_phantoms(setup, folder)
    _write_model(setup, folder)


def _write_phantoms(setup: Setup, folder: Path) -> None:
    (folder / "images").mkdir(parents=True)
    lines = [",".join(["image", *FINDINGS])]
    for number, film in enumerate(setup.films):
        name = f"film_{number:05d}"
        dataset = dicom(film, seed=0, index=number)
        dataset.PatientID = setup.patients[number]
        dcmwrite(folder / "images" / f"{name}.dcm", dataset, enforce_file_format=True)
        for finding, mask in setup.masks[number].items():
            place = folder / "masks" / finding
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(mask.astype(np.uint8) * 255).save(place / f"{name}.png")
        lines.append(",".join([name, *(str(int(label)) for label in setup.labels[number])]))
    (folder / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_model(setup: Setup, folder: Path) -> None:
    weights = folder / "model.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in setup.tensors.items()}, weights)
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    card = {**setup.card, "weights": weights.name, "sha256": digest}
    (folder / "model.yaml").write_text(yaml.safe_dump(card), encoding="utf-8")


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)
