"""Breast: a trained network that makes real mistakes, on ultrasound images with radiologists' masks.

The images (Al-Dhabyani et al., Data in Brief 28 (2020) 104863) and the weights are not part of the project;
they are read where they lie, and what is changed is written to a temporary folder.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Raster
from pydicom import dcmread, dcmwrite
from pydicom.uid import ExplicitVRLittleEndian

from pipeline.phantoms.radiograph import Exposure, shown
from pipeline.records import Intensity, Mask
from tests.trust import shortcuts
from tests.trust.setups import Setup, card_without_weights, network_of, tensors_of

CONFIGS = Path(__file__).parents[2] / "configs"
CARD = CONFIGS / "models" / "breast_ultrasound_densenet121.yaml"
CONFIG = CONFIGS / "breast_ultrasound.yaml"
FINDINGS = ("benign", "malignant")
TOLD = FINDINGS[:1]
"""The finding of which a clean audit shows that its lesions are used: 1.09 SD [0.90, 1.29] less without them.

Of malignant lesions it cannot tell (0.19 SD [-0.23, 0.66]), and their maps hit less than a fixed place does,
so it cannot tell of masks either whether they belong to them.
"""
IMAGES = 80
"""Of an audit, at least: all images of patients in an order of the seed's own."""
TRAINING = 48
"""Images that the network was trained on, from which a head learns to see the mark."""
SETTINGS: Mapping[str, Any] = {
    # Its masks are not among the files of an audit, and those of the audited images are what is changed.
    "baselines.location_prior": None,
    "tuning": None,
}
"""Other than those of all audits and of `CONFIG`."""
Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Study:
    """Where the study set and the weights are."""

    folder: Path
    """images, masks, labels.csv"""
    weights: Path


@lru_cache(maxsize=1)
def clean(study: Study, seed: int) -> Setup:
    """The network on images that it was not trained on, as they are."""
    rows = _of_some_patients(_rows(study.folder, "dev"), seed)
    sources = tuple(_image(study.folder, row) for row in rows)
    labels = np.array([[row[finding] == "1" for finding in FINDINGS] for row in rows])
    masks = tuple(dict(_masks(study.folder, row)) for row in rows)
    return Setup(
        films=tuple(map(_film, sources)),
        patients=tuple(row["patient_id"] for row in rows),
        labels=labels,
        masks=masks,
        tensors=tensors_of(study.weights),
        card=card_without_weights(CARD),
        findings=FINDINGS,
        sources=sources,
    )


def marker_learnt(setup: Setup, rng: np.random.Generator, dose: float) -> Setup:
    """A share `dose` of the benign images marked, and a network that reads the mark alone.

    What it learnt on are other images, those of the network's training.
    """
    folder = setup.sources[0].parents[1]
    films = [shown(_film(_image(folder, row))) for row in _rows(folder, "train")[:TRAINING]]
    network = network_of(setup.tensors, setup.card)
    plain, marked = (
        shortcuts.features(network, np.stack([network_input(film, setup.card) for film in seen]))
        for seen in (films, [shortcuts.marker(film).clip(0, 1) for film in films])
    )
    (finding,) = TOLD
    changed = shortcuts.with_positives_marked("marker", setup, finding, rng, dose)
    return shortcuts.with_head(changed, finding, shortcuts.reading(plain, marked))


def network_input(pixels: Intensity, card: Mapping[str, Any]) -> Intensity:
    """An image resampled as the model card says: bilinear with antialiasing, in floating point."""
    rows, columns = card["preprocessing"]["resize"]["size"]
    film = Raster.fromarray(np.ascontiguousarray(pixels, np.float32))
    return np.asarray(film.resize((columns, rows), Raster.Resampling.BILINEAR))


def write(setup: Setup, folder: Path) -> None:
    """Write images, masks and labels as `CONFIG` reads them; names say nothing about what images show."""
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    lines = [",".join(["sop_instance_uid", *FINDINGS, "split"])]
    for number, (source, film) in enumerate(zip(setup.sources, setup.films, strict=True)):
        name, dataset = f"image_{number:05d}", dcmread(source)
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.PixelData = film.stored.astype(np.uint8).tobytes()
        dataset["PixelData"].VR = "OB"
        dataset.PatientID = setup.patients[number]
        dcmwrite(folder / "images" / f"{name}.dcm", dataset, enforce_file_format=True)
        drawn = np.any([np.zeros(film.stored.shape, bool), *setup.masks[number].values()], axis=0)
        Raster.fromarray(drawn.astype(np.uint8) * 255).save(folder / "masks" / f"{name}.png")
        labels = (str(int(label)) for label in setup.labels[number])
        lines.append(",".join([str(dataset.SOPInstanceUID), *labels, "dev"]))
    (folder / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _rows(folder: Path, split: str) -> list[Row]:
    """The rows of a split, without images that a near-identical one contradicts."""
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["split"] == split and row["label_conflict"] == "0"]


def _of_some_patients(rows: Sequence[Row], seed: int) -> list[Row]:
    patients = sorted({row["patient_id"] for row in rows})
    order = [patients[number] for number in np.random.default_rng(seed).permutation(len(patients))]
    taken: list[Row] = []
    for patient in order:
        if len(taken) < IMAGES:
            taken += [row for row in rows if row["patient_id"] == patient]
    return taken


def _image(folder: Path, row: Row) -> Path:
    return folder / "images" / f"{row['stem']}.dcm"


def _film(source: Path) -> Exposure:
    """An image of 8 bits as it is stored, which is how it is displayed and what the network takes."""
    pixels: NDArray[np.uint16] = dcmread(source).pixel_array.astype(np.uint16)
    return Exposure(pixels, window=(0, 255), spacing_mm=1.0, masks={}, attributes={}, patient=0)


def _masks(folder: Path, row: Row) -> Iterator[tuple[str, Mask]]:
    with Raster.open(folder / "masks" / f"{row['stem']}.png") as file:
        mask: Mask = np.asarray(file) > 0
    if mask.any():
        yield from ((finding, mask) for finding in FINDINGS if row[finding] == "1")
