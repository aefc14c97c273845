"""Files: what must change no score: other names, orders, tables and formats of the same study."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813  the name its manual gives it
import yaml
from PIL import Image
from pycocotools import mask as coco
from pydicom import dcmread
from safetensors.torch import load_file, save_file

from pipeline.guards.file_hashes import file_hash
from pipeline.run.outcome import Outcome
from tests.annotations.segmentations import write_segmentation
from tests.study import FINDINGS, write_model, write_study
from tests.test_audit import run, table

COUNT = 4
RIM = 0.01
"""Relative difference of a score that the last bits of a logit can make."""
Key = tuple[str, ...]
"""SOP instance UID, finding, reader, method, metric and lesion."""


@dataclass(frozen=True)
class Study:
    """A study in a folder, and what its audit is told of it."""

    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)

    def audited(self) -> Outcome:
        return run(self.folder, self.folder / "model" / "tiny.yaml", **self.settings)

    def scores(self) -> Mapping[Key, str | float]:
        """Value, or the reason why there is none."""
        outcome = self.audited()
        uids = {row["pseudonym"]: row["sop_instance_uid"] for row in table(outcome, "crosswalk.csv")}
        parts = ("finding", "reader", "method", "metric", "lesion")
        return {
            (uids[row["case_id"]], *(row[part] for part in parts)): (
                float(row["value"]) if row["value"] else row["undefined_because"]
            )
            for row in table(outcome, "scores.csv")
            if row["method"] == "gradcam"
        }


def made(folder: Path) -> Study:
    """The study that all changes start from: masks per finding, and a table of labels."""
    write_study(folder, count=COUNT)
    write_model(folder / "model")
    return Study(folder)


def differing(one: Mapping[Key, str | float], other: Mapping[Key, str | float]) -> list[Key]:
    """The scores that only one has, or that differ by more than a pixel at the rim of a contour makes."""
    return [key for key in {**one, **other} if not _alike(one.get(key), other.get(key))]


def _alike(one: str | float | None, other: str | float | None) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= RIM * max(1, abs(one))
    return one == other


def files_renamed(study: Study) -> Study:
    """Images and masks under other names, which come in another order."""
    for file in sorted((study.folder / "images").iterdir()):
        number = file.stem.removeprefix("image")
        name = f"z{9 - int(number)}"
        file.rename(file.with_name(f"{name}.dcm"))
        for mask in (study.folder / "masks").glob(f"*/image{number}.png"):
            mask.rename(mask.with_name(f"{name}.png"))
    return study


def files_in_folders(study: Study) -> Study:
    """Each image in a folder of its own, and without a suffix."""
    for file in sorted((study.folder / "images").iterdir()):
        place = study.folder / "images" / f"a{file.stem}" / "series"
        place.mkdir(parents=True)
        file.rename(place / file.stem)
    return study


def rows_reversed(study: Study) -> Study:
    """The rows and columns of the table of labels from back to front."""
    file = study.folder / "labels.csv"
    head, *rows = [line.split(",") for line in file.read_text().splitlines()]
    lines = [",".join(row[::-1]) for row in (head, *rows[::-1])]
    file.write_text("\n".join(lines) + "\n")
    return study


def findings_exchanged(study: Study) -> Study:
    """The network's outputs, and the card's findings, in the other order."""
    card = study.folder / "model" / "tiny.yaml"
    content = yaml.safe_load(card.read_text())
    weights = card.with_name(content["weights"])
    tensors = load_file(weights)
    for name in ("class_layers.out.weight", "class_layers.out.bias"):
        tensors[name] = tensors[name].flip(0).contiguous()
    save_file(tensors, weights)
    content |= {"findings": content["findings"][::-1], "sha256": file_hash(str(weights))}
    card.write_text(yaml.safe_dump(content))
    return study


def _masks(study: Study) -> Mapping[str, Mapping[str, np.ndarray]]:
    """Image → finding → mask; the PNG files are removed."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for finding in FINDINGS:
        for file in sorted((study.folder / "masks" / finding).iterdir()):
            found.setdefault(file.stem, {})[finding] = np.asarray(Image.open(file)) > 0
    shutil.rmtree(study.folder / "masks")
    return found


def as_volumes(study: Study, suffix: str) -> Study:
    """The masks as NIfTI or NRRD."""
    for image, masks in _masks(study).items():
        for finding, mask in masks.items():
            place = study.folder / "masks" / finding
            place.mkdir(parents=True, exist_ok=True)
            written = sitk.GetImageFromArray(mask[None].astype(np.uint8))
            sitk.WriteImage(written, str(place / f"{image}{suffix}"))
    return study


def as_run_lengths(study: Study) -> Study:
    """The masks as run lengths in one JSON file."""
    content: dict[str, dict[str, object]] = {}
    for image, masks in _masks(study).items():
        for finding, mask in masks.items():
            coded = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
            content.setdefault(image, {})[finding] = {
                "size": coded["size"],
                "counts": coded["counts"].decode(),
            }
    (study.folder / "masks.json").write_text(json.dumps(content))
    return study


def as_segmentations(study: Study) -> Study:
    """The masks as DICOM SEG, one file per image, with a segment per finding."""
    place = study.folder / "seg"
    place.mkdir()
    for image, masks in _masks(study).items():
        source = dcmread(study.folder / "images" / f"{image}.dcm")
        source.update({"Laterality": "", "InstanceNumber": 1, "SeriesInstanceUID": f"1.2.{image[5:]}"})
        for name in ("StudyDate", "StudyTime", "AccessionNumber", "StudyID", "ReferringPhysicianName",
                     "PatientBirthDate"):  # fmt: skip
            setattr(source, name, "")
        planes = np.stack(list(masks.values()), axis=-1)[None]
        write_segmentation(place / f"{image}.dcm", planes, [source], list(masks))
    return study


def _boxes(study: Study) -> list[list[object]]:
    rows: list[list[object]] = []
    for image, masks in _masks(study).items():
        for finding, mask in masks.items():
            down, across = np.nonzero(mask)
            rows.append([image, finding, across.min(), down.min(), np.ptp(across) + 1, np.ptp(down) + 1])
    return rows


def _write_boxes(path: Path, rows: list[list[object]]) -> None:
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([["image", "finding", "x", "y", "width", "height"], *rows])


def boxes_in_one_table(study: Study) -> Study:
    """The masks as one table of boxes."""
    _write_boxes(study.folder / "boxes.csv", _boxes(study))
    return study


def boxes_in_two_tables(study: Study) -> Study:
    """The same boxes in two tables, from back to front."""
    rows = _boxes(study)
    _write_boxes(study.folder / "more.csv", rows[:0:-2])
    _write_boxes(study.folder / "boxes.csv", [row for row in rows if row not in rows[:0:-2]])
    return study


CHANGES: Mapping[str, Callable[[Study], Study]] = {
    "files renamed": files_renamed,
    "files in folders": files_in_folders,
    "rows reversed": rows_reversed,
    "findings exchanged": findings_exchanged,
    "masks as NIfTI": lambda study: as_volumes(study, ".nii.gz"),
    "masks as NRRD": lambda study: as_volumes(study, ".nrrd"),
    "masks as run lengths": as_run_lengths,
    "masks as DICOM SEG": as_segmentations,
}
"""Changes after which every score is the same."""
