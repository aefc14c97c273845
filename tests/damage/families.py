"""Families: the files of one format, with the way they go and the kinds of damage to them.

To add a kind of damage, write `(random, bytes) → bytes` and name it in its format's table; to add a format,
add one line to `FAMILIES`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cache, partial
from pathlib import Path
from random import Random

from tests.damage.blunt import PLACES, Damage, Place
from tests.damage.formats import (
    arrays,
    elements,
    markup,
    nifti,
    onnx,
    pictures,
    png,
    settings,
    tables,
    tensors,
    trees,
    volumes,
)
from tests.damage.run_folders import COMMANDS
from tests.damage.runs import RunFamily
from tests.damage.ways import RUN


@dataclass(frozen=True, slots=True)
class Family:
    """Files of one format."""

    way: str
    """How a run reads it, in `ways.WAYS`."""
    file: str
    """Name of the file."""
    sound: Callable[[], bytes]
    """An intact one."""
    damage: Mapping[str, Damage]
    """Kind → damage."""
    beside: Mapping[str, Callable[[], bytes]] = field(default_factory=dict)
    """Other files in the folder."""
    places: Mapping[str, Place] = field(default_factory=lambda: PLACES)
    """Kinds that write the file themselves."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """All kinds of damage."""
        return (*self.damage, *self.places)

    def write(self, folder: Path, kind: str | None, random: Random) -> Path:
        """Write a damaged file, or an intact one if `kind` is None; its path."""
        folder.mkdir(parents=True)
        for name, content in self.beside.items():
            (folder / name).write_bytes(content())
        path = folder / self.file
        if kind in self.places:
            self.places[kind](random, path, self.sound())
        else:
            path.write_bytes(self.damage[kind](random, self.sound()) if kind else self.sound())
        return path


DECISION = {
    "case_id": "case-1", "kind": "lesion", "finding": "nodule", "by": "r1", "number": 2,
    "answer": "network_wrong", "seconds": 4.5,
    "second": {"answer": "unsure", "decided": "2026", "seconds": 2},
    "comment": "", "decided": "2026-11-22T10:00:00.000Z",
}  # fmt: skip


MARKS = [{"kind": "outline", "points": [[1, 1], [5.5, 1], [3, 4]]}]


@cache
def sound_decisions() -> bytes:
    """The decisions of one reviewer."""
    asked = {
        name: value
        for name, value in DECISION.items()
        if name not in {"answer", "decided", "seconds", "second"}
    }
    content = {
        "format": "heatproof-decisions-1", "run_id": RUN.run_id, "results_sha256": RUN.results_sha256,
        "reviewer": "Ann", "exported": "2026-11-22T10:00:00.000Z", "decisions": [DECISION],
        "readings": [
            {"case_id": "case-1", "finding": "nodule", "decided": "2026", "seconds": 3.5, "marks": MARKS}
        ],
        "open": [{**asked, "number": 3}],
    }  # fmt: skip
    return json.dumps(content).encode()


def _mask_volume(*, zipped: bool = False) -> bytes:
    data = nifti.sound_nifti(1, "u1")
    return nifti.zipped(data) if zipped else data


CARD_DAMAGE = {**settings.YAML, "card_key": settings.card_key}
CONFIG_DAMAGE = {**settings.YAML, "config_key": settings.config_key}
MAP_NIFTI, MAP_NIFTI_2 = nifti.sound_nifti, partial(nifti.sound_nifti, 2)
TABLES = {"boxes.csv": tables.sound_boxes, "selection.csv": tables.sound_selection}
FAMILIES: Mapping[str, Family | RunFamily] = {
    "map npy": Family("maps", "a__nodule.npy", arrays.sound_npy, arrays.NPY),
    "map npz": Family("maps", "a__nodule.npz", arrays.sound_npz, arrays.NPZ),
    "map nifti": Family("maps", "a__nodule.nii", MAP_NIFTI, nifti.PLAIN),
    "map nifti 2": Family("maps", "a__nodule.nii", MAP_NIFTI_2, nifti.PLAIN),
    "map nifti gz": Family("maps", "a__nodule.nii.gz", lambda: nifti.zipped(MAP_NIFTI()), nifti.ZIPPED),
    "map png": Family("maps", "a__nodule.png", png.sound_png, png.PNG),
    "map dicom": Family("maps", "a__nodule.dcm", elements.sound_parametric_map, elements.SEG),
    "map dicom scaled": Family("maps", "a__nodule.dcm", elements.sound_scaled_map, elements.SEG),
    "map seg": Family("maps", "a__nodule.dcm", elements.sound_segmentation, elements.SEG),
    "map table": Family(
        "maps", "heatmaps.csv", tables.sound_maps_table, tables.TABLE, {"a.npy": arrays.sound_npy}
    ),
    "mask png": Family("annotations", "a.png", partial(png.sound_png, "mask"), png.PNG),
    "mask dicom": Family("dicom masks", "a.dcm", elements.sound_mask, elements.PICTURE),
    "mask jpeg": Family("jpeg masks", "a.jpg", pictures.sound_jpeg, pictures.JPEG),
    "mask nifti": Family("annotations", "a.nii", _mask_volume, nifti.PLAIN),
    "mask nifti gz": Family("annotations", "a.nii.gz", partial(_mask_volume, zipped=True), nifti.ZIPPED),
    "mask nrrd": Family("annotations", "a.nrrd", partial(volumes.sound_volume, ".nrrd"), volumes.VOLUME),
    "mask metaimage": Family("annotations", "a.mha", partial(volumes.sound_volume, ".mha"), volumes.VOLUME),
    "mask seg": Family("annotations", "a.dcm", elements.sound_segmentation, elements.SEG),
    "rtstruct": Family("annotations", "a.dcm", elements.sound_structure_set, elements.GRAPHICS),
    "dicom sr": Family("annotations", "a.dcm", elements.sound_report, elements.GRAPHICS),
    "gsps": Family("annotations", "a.dcm", elements.sound_presentation_state, elements.GRAPHICS),
    "overlay": Family("overlays", "a.dcm", elements.sound_overlay, elements.PICTURE),
    "runs json": Family("annotations", "a.json", trees.sound_runs, trees.JSON),
    "packed runs json": Family("annotations", "a.json", trees.sound_packed_runs, trees.JSON),
    "coco json": Family("annotations", "a.json", trees.sound_coco, trees.JSON),
    "coco outlines json": Family("annotations", "a.json", trees.sound_coco_outlines, trees.JSON),
    "chexlocalize json": Family("annotations", "a.json", trees.sound_polygons, trees.JSON),
    "label studio json": Family("annotations", "a.json", trees.sound_export, trees.JSON),
    "padchest gr json": Family("annotations", "a.json", trees.sound_grounded, trees.JSON),
    "via json": Family("annotations", "a.json", trees.sound_via, trees.JSON),
    "via table": Family("annotations", "via.csv", tables.sound_via, tables.TABLE),
    "labelme json": Family("annotations", "a.json", trees.sound_labelme, trees.JSON),
    "supervisely json": Family("annotations", "a.json", trees.sound_supervisely, trees.JSON),
    "pascal voc xml": Family("annotations", "a.xml", markup.sound_voc, markup.XML),
    "cvat xml": Family("annotations", "a.xml", markup.sound_cvat, markup.XML),
    "yolo text": Family(
        "annotations", "a.txt", markup.sound_yolo, markup.YOLO, {"classes.txt": lambda: b"nodule\ncyst"}
    ),
    "yolo names": Family(
        "annotations", "data.yaml", markup.sound_names, settings.YAML, {"a.txt": markup.sound_yolo}
    ),
    "boxes table": Family("annotations", "boxes.csv", tables.sound_boxes, tables.TABLE),
    "points table": Family("annotations", "points.csv", tables.sound_points, tables.TABLE),
    "siim acr table": Family("annotations", "rle.csv", tables.sound_run_lengths, tables.TABLE),
    "list table": Family("annotations", "boxes.csv", tables.sound_lists, tables.TABLE),
    "words table": Family(
        "annotations", "labels.csv", tables.sound_words, tables.TABLE, {"boxes.csv": tables.sound_boxes}
    ),
    "guessed labels": Family(
        "annotations", "labels.csv", tables.sound_labels, tables.TABLE, {"boxes.csv": tables.sound_boxes}
    ),
    "labels table": Family(
        "labels", "labels.csv", tables.sound_labels, tables.TABLE, {"boxes.csv": tables.sound_boxes}
    ),
    "selection table": Family("selection", "selection.csv", tables.sound_selection, tables.TABLE),
    "config": Family("config", "config.yaml", settings.sound_config, CONFIG_DAMAGE, TABLES),
    "override": Family("override", "value.yaml", lambda: b"[a, {b: 1}]", settings.YAML, places={}),
    "card": Family("card", "card.yaml", settings.sound_card, CARD_DAMAGE),
    "safetensors": Family("weights", "w.safetensors", tensors.sound_safetensors, tensors.SAFETENSORS),
    "checkpoint": Family("weights", "w.pt", tensors.sound_checkpoint, tensors.CHECKPOINT),
    "pickled network": Family("weights", "n.pt", tensors.sound_network, tensors.CHECKPOINT),
    "old checkpoint": Family("weights", "w.pth", tensors.sound_old_checkpoint, tensors.OLD_CHECKPOINT),
    "onnx": Family("onnx", "network.onnx", onnx.sound_onnx, onnx.ONNX),
    "example npy": Family("example", "a.npy", arrays.sound_npy, arrays.NPY),
    "example png": Family("example", "a.png", png.sound_png, png.PNG),
    **{f"run for {command}": RunFamily(command) for command in COMMANDS},
    "decisions": Family("decisions", "a.json", sound_decisions, trees.JSON),
}
"""Name → family."""


def kinds(wanted: str = "*") -> list[tuple[str, str]]:
    """(family, damage) whose "family: damage" begins with the pattern."""
    found = [(name, kind) for name, family in FAMILIES.items() for kind in family.kinds]
    return [pair for pair in found if fnmatch(": ".join(pair), f"{wanted}*")]


def write_damaged_files(
    folder: Path, *, count: int, seed: int, first: int = 0, wanted: str = "*"
) -> Iterator[tuple[str, str, Path]]:
    """Family, kind and path of `count` inputs, each in a folder; the same arguments give the same bytes.

    The order is shuffled by the seed once for all, so that few inputs are of many families.
    """
    order = kinds(wanted)
    Random(seed).shuffle(order)
    for number in range(first, first + count):
        family, kind = order[number % len(order)]
        path = FAMILIES[family].write(
            folder / f"{number:06}", kind, Random(f"{seed} {number} {family} {kind}")
        )
        yield family, kind, path
