"""Tests of the breast set, on a made-up one of the same layout: what is read, changed and written."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.networks.nets.densenet import DenseNet121
from numpy.typing import NDArray
from PIL import Image as Raster
from pydicom import Dataset, FileMetaDataset, dcmread, dcmwrite
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid
from safetensors.torch import save_file

from pipeline.phantoms.radiograph import shown
from tests.trust import breast, shortcuts
from tests.trust.cards import with_preprocessing
from tests.trust.defects import DEFECTS, is_of_breast, rng_of
from tests.trust.jobs import Job
from tests.trust.setups import Setup, network_of
from tests.trust.weights import HEAD

SHAPES = ((40, 60), (50, 44))
"""Of the images, by turns."""
LABELS = ((1, 0), (0, 1), (1, 0), (1, 0), (0, 1), (0, 0), (1, 0), (0, 1))
"""Benign and malignant, of the images for audits."""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> breast.Study:
    """Eight images for audits, two per patient; four of the training; and one whose label is contradicted."""
    folder = tmp_path_factory.mktemp("breast")
    for name in ("images", "masks"):
        (folder / name).mkdir()
    rows = [_row(folder, number, labels, "dev") for number, labels in enumerate(LABELS)]
    rows += [_row(folder, number, (0, 0), "train") for number in range(8, 12)]
    rows.append({**_row(folder, 12, (1, 0), "dev"), "label_conflict": "1"})
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*rows[0]])
        writer.writeheader()
        writer.writerows(rows)
    torch.manual_seed(0)
    network = DenseNet121(spatial_dims=2, in_channels=1, out_channels=2)
    save_file(network.state_dict(), folder / "weights")
    return breast.Study(folder, folder / "weights")


@pytest.fixture
def setup(study: breast.Study) -> Setup:
    return breast.clean(study, 3)


def _row(folder: Path, number: int, labels: tuple[int, int], split: str) -> dict[str, str]:
    rng, shape = np.random.default_rng(number), SHAPES[number % 2]
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = UltrasoundImageStorage, generate_uid()
    dataset.PatientID, dataset.Modality = f"P{number // 2}", "US"
    dataset.Rows, dataset.Columns = shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    dataset.PixelData = rng.integers(40, 200, shape, dtype=np.uint8).tobytes()
    dataset["PixelData"].VR = "OB"
    dcmwrite(folder / "images" / f"us_{number}.dcm", dataset, enforce_file_format=True)
    mask = np.zeros(shape, np.uint8)
    mask[10 : 14 + number, 5:15] = 255 * any(labels)
    Raster.fromarray(mask).save(folder / "masks" / f"us_{number}.png")
    benign, malignant = map(str, labels)
    return {
        "stem": f"us_{number}", "sop_instance_uid": str(dataset.SOPInstanceUID), "benign": benign,
        "malignant": malignant, "patient_id": f"P{number // 2}", "split": split, "label_conflict": "0",
    }  # fmt: skip


def stored(of: Setup) -> list[NDArray[np.uint16]]:
    return [film.stored for film in of.films]


def test_all_images_for_audits_are_read_but_contradicted_ones(setup: Setup) -> None:
    assert sorted(source.stem for source in setup.sources) == [f"us_{number}" for number in range(8)]
    for number, source in enumerate(setup.sources):
        labels = LABELS[int(source.stem[3:])]
        assert setup.labels[number].tolist() == [bool(label) for label in labels]
        assert list(setup.masks[number]) == [
            name for name, label in zip(breast.FINDINGS, labels, strict=True) if label
        ]
        pixels = dcmread(source).pixel_array
        assert np.array_equal(setup.films[number].stored, pixels)
        assert np.allclose(shown(setup.films[number]), pixels / 255)


def test_patients_are_taken_whole_in_an_order_of_the_seed(
    study: breast.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breast, "IMAGES", 3)
    rows = breast._rows(study.folder, "dev")
    taken = [tuple(row["patient_id"] for row in breast._of_some_patients(rows, seed)) for seed in range(6)]
    assert all(len(patients) == 4 and len(set(patients)) == 2 for patients in taken)
    assert len(set(taken)) > 1


@pytest.mark.parametrize("name", [name for name in DEFECTS if is_of_breast(name) and name != "breast_marker"])
def test_every_defect_changes_what_it_says(name: str, setup: Setup) -> None:
    planted = DEFECTS[name].plant(setup, rng_of(name, 3), DEFECTS[name].doses[-1])
    changed = {
        "masks": any(
            not np.array_equal(one[finding], other.get(finding))
            for one, other in zip(setup.masks, planted.masks, strict=True)
            for finding in one
        ),
        "card": planted.card != setup.card,
        "weights": not all(torch.equal(planted.tensors[key], setup.tensors[key]) for key in setup.tensors),
    }
    assert [kind for kind, is_changed in changed.items() if is_changed] == [
        {"breast_swapped": "card", "breast_random_head": "weights"}.get(name, "masks")
    ]
    for film, found in zip(planted.films, planted.masks, strict=True):
        assert all(mask.shape == film.stored.shape for mask in found.values())


def test_a_head_that_learnt_the_marker_sees_it_and_benign_images_carry_it(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breast, "TRAINING", 4)
    small = with_preprocessing(setup, resize={"rule": "exact", "size": [64, 64], "filter": "bilinear"})
    planted = breast.marker_learnt(small, rng_of("breast_marker", 3), 1.0)
    is_marked = [not np.array_equal(*pair) for pair in zip(stored(planted), stored(small), strict=True)]
    assert is_marked == setup.labels[:, 0].tolist()
    assert torch.equal(planted.tensors[f"{HEAD}.weight"][1], setup.tensors[f"{HEAD}.weight"][1])
    network = network_of(planted.tensors, planted.card)
    inputs = [
        np.stack([breast.network_input(change(shown(film)), small.card) for film in small.films])[:, None]
        for change in (lambda pixels: pixels, shortcuts.marker)
    ]
    with torch.no_grad():
        without, with_marker = (network(torch.from_numpy(batch))[:, 0] for batch in inputs)
    assert (with_marker > without).all()


def test_what_is_written_is_read_back(setup: Setup, tmp_path: Path) -> None:
    changed = replace(setup, labels=setup.labels[:, ::-1])
    breast.write(changed, tmp_path)
    with (tmp_path / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        dataset = dcmread(tmp_path / "images" / f"image_{number:05d}.dcm")
        assert dataset.SOPInstanceUID == row["sop_instance_uid"]
        assert dataset.PatientID == setup.patients[number]
        assert np.array_equal(dataset.pixel_array, setup.films[number].stored)
        assert [row["malignant"], row["benign"]] == [str(int(label)) for label in setup.labels[number]]
        mask = np.asarray(Raster.open(tmp_path / "masks" / f"image_{number:05d}.png")) > 0
        assert mask.any() == any(setup.labels[number])
        assert all(np.array_equal(mask, known) for known in setup.masks[number].values())


def test_without_the_folder_no_breast_set_is_audited() -> None:
    with pytest.raises(ValueError, match="breast_plain needs the folder"):
        Job(3, "breast_plain").setup()
