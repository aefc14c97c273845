"""Study sets: valid DICOM, the same bytes every time, masks and labels that agree."""

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Raster
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels import apply_voi_lut
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from pipeline.config import load_config
from pipeline.phantoms.lesions import FINDINGS
from pipeline.phantoms.radiograph import Exposure, expose, shown
from pipeline.phantoms.study_set import SYNTAXES, write_study_set
from tests.exports.validators import complaints_of

SEED, COUNT, SIZE = 5, 14, 64
CONFIG = Path(__file__).parents[2] / "configs" / "phantom.yaml"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantoms")
    write_study_set(folder, seed=SEED, count=COUNT, size=SIZE)
    return folder


@pytest.fixture(scope="module")
def films() -> list[Exposure]:
    return [expose(SEED, index, size=SIZE) for index in range(COUNT)]


def read(folder: Path) -> list[Dataset]:
    return [dcmread(path) for path in sorted((folder / "images").iterdir())]


def rows(folder: Path) -> list[Mapping[str, str]]:
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_same_seed_writes_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    write_study_set(tmp_path, seed=SEED, count=COUNT, size=SIZE)
    written = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert written == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    for path in written:
        assert (folder / path).read_bytes() == (tmp_path / path).read_bytes()


def test_every_transfer_syntax_decodes_to_the_stored_values(folder: Path, films: list[Exposure]) -> None:
    datasets = read(folder)
    assert {dataset.file_meta.TransferSyntaxUID for dataset in datasets} == set(SYNTAXES)
    for dataset, film in zip(datasets, films, strict=True):
        inverted = dataset.PhotometricInterpretation == "MONOCHROME1"
        expected = 4095 - film.stored if inverted else film.stored
        assert np.array_equal(dataset.pixel_array, expected)


def test_monochrome1_through_its_window_and_inverted_shows_the_same_film(
    folder: Path, films: list[Exposure]
) -> None:
    kinds = set()
    for dataset, film in zip(read(folder), films, strict=True):
        windowed = apply_voi_lut(dataset.pixel_array, dataset) / 4095
        inverted = dataset.PresentationLUTShape == "INVERSE"
        kinds.add((dataset.PhotometricInterpretation, inverted))
        assert (1 - windowed if inverted else windowed) == pytest.approx(shown(film), abs=1e-5)
    assert kinds == {("MONOCHROME1", True), ("MONOCHROME2", False)}


def test_headers_say_who_what_and_how_large(folder: Path, films: list[Exposure]) -> None:
    for dataset, film in zip(read(folder), films, strict=True):
        assert dataset.Modality == "DX"
        assert dataset.PatientSex == film.attributes["sex"]
        assert dataset.PatientAge == film.attributes["age"]
        assert dataset.ViewPosition == film.attributes["view"]
        assert dataset.Manufacturer == film.attributes["manufacturer"]
        assert (dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit) == (16, 12, 11)
        assert [float(mm) for mm in dataset.ImagerPixelSpacing] == [film.spacing_mm] * 2
        assert dataset.get("PixelSpacing") in (None, [film.spacing_mm] * 2)
        assert dataset.StudyDate == dataset.PatientBirthDate == ""


def test_a_validator_finds_nothing_wrong_with_any_film(folder: Path, tmp_path: Path) -> None:
    for number, film in enumerate(read(folder)):
        path = tmp_path / f"{number}.dcm"
        if film.file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian:  # which dciodvfy cannot read
            film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        film.save_as(path)
        assert complaints_of(path) == []


def test_identifiers_are_unique_but_the_patients(folder: Path) -> None:
    datasets = read(folder)
    for name in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
        assert len({dataset[name].value for dataset in datasets}) == COUNT
    assert len({dataset.PatientID for dataset in datasets}) == COUNT - 2


def test_labels_are_joined_by_uid_and_agree_with_the_masks(folder: Path, films: list[Exposure]) -> None:
    for row, dataset, film in zip(rows(folder), read(folder), films, strict=True):
        assert row["sop_instance_uid"] == dataset.SOPInstanceUID
        assert row["patient_id"] == dataset.PatientID
        for finding in FINDINGS:
            path = folder / "masks" / finding / f"{row['image']}.png"
            assert row[finding] == str(int(path.exists())) == str(int(bool(film.masks[finding])))
            if path.exists():
                values = np.asarray(Raster.open(path))
                for number, mask in enumerate(film.masks[finding], start=1):
                    assert np.array_equal(values == number, mask)
                assert values.max() == len(film.masks[finding])


def test_a_patients_films_have_one_split(folder: Path) -> None:
    splits: dict[str, set[str]] = {}
    for row in rows(folder):
        splits.setdefault(row["patient_id"], set()).add(row["split"])
    assert all(len(split) == 1 for split in splits.values())
    assert set().union(*splits.values()) == {"train", "dev"}


def test_the_shipped_config_names_what_the_set_holds(folder: Path) -> None:
    config = load_config(CONFIG, {})
    assert config.annotations.labels is not None
    assert set(config.annotations.labels.columns) == set(FINDINGS)
    assert {config.annotations.labels.image, "split", *FINDINGS} <= rows(folder)[0].keys()
    assert config.annotations.sources[0]["pattern"] == "masks/{finding}/{image}.png"
    assert config.model is None
