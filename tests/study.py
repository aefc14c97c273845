"""Study: a few images, masks and a tiny network on disk, in the layout that users have."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
import yaml
from monai.networks.nets import DenseNet
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian
from safetensors.torch import save_file
from torch import nn

FINDINGS = ("nodule", "effusion")
GRID = 61
"""Input size at which this DenseNet is exactly mirror-symmetric: 61 → 31 → 16 → 8."""
ROOT_UID = "1.2.826.0.1.3680043.10.1"
ARGUMENTS = {
    "spatial_dims": 2,
    "in_channels": 1,
    "out_channels": len(FINDINGS),
    "init_features": 8,
    "growth_rate": 4,
    "block_config": [2, 2],
}


def uid(number: int) -> str:
    return f"{ROOT_UID}.{number}"


def write_image(folder: Path, number: int, pixels: NDArray[np.uint8], **attributes: str) -> Path:
    """An 8-bit DX image with the SOP instance UID `uid(number)`."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = DigitalXRayImageStorageForPresentation
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = uid(number)
    data.StudyInstanceUID = uid(1000 + number)
    data.PatientID, data.PatientName = f"HOSPITAL-{number}", f"Doe^Jane{number}"
    data.Modality, data.PatientSex, data.PatientAge = "DX", "F", "061Y"
    data.Rows, data.Columns = pixels.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation = 7, 0
    data.PixelSpacing = [0.5, 0.5]
    for name, value in attributes.items():
        setattr(data, name, value)
    data.PixelData = pixels.tobytes()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"image{number}.dcm"
    data.save_as(path, enforce_file_format=True)
    return path


def write_mask(folder: Path, finding: str, number: int, mask: NDArray[np.bool_]) -> None:
    place = folder / "masks" / finding / f"image{number}.png"
    place.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask.astype(np.uint8) * 255).save(place)


def write_labels(folder: Path, labels: Mapping[int, tuple[int, ...]]) -> None:
    lines = [f"{uid(number)},{','.join(map(str, values))}" for number, values in labels.items()]
    (folder / "labels.csv").write_text("\n".join([f"sop_instance_uid,{','.join(FINDINGS)}", *lines]) + "\n")


def picture(number: int, shape: tuple[int, int] = (GRID, GRID)) -> NDArray[np.uint8]:
    """A smooth random image."""
    coarse = np.random.default_rng(number).integers(0, 255, (6, 5), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize(shape[::-1], Image.Resampling.BICUBIC))


def square(shape: tuple[int, int], top: int, left: int, side: int) -> NDArray[np.bool_]:
    mask = np.zeros(shape, np.bool_)
    mask[top : top + side, left : left + side] = True
    return mask


def write_study(folder: Path, *, count: int = 6, mirrored: bool = False, margin: int = 0) -> Path:
    """Images in `folder`/images, with masks and labels: odd ones show a nodule, every third an effusion.

    `margin` adds a frame of bright pixels around every image, which a centre crop removes.
    """
    labels = {}
    for number in range(1, count + 1):
        pixels = np.pad(picture(number), margin, constant_values=200)
        masks = {}
        if number % 2:
            masks["nodule"] = square((GRID, GRID), 5 + 3 * number, 8, 20)
        if number % 3 == 0:
            masks["effusion"] = square((GRID, GRID), 30, 30, 25)
        for finding, mask in masks.items():
            padded = np.pad(mask, margin)
            write_mask(folder, finding, number, padded[:, ::-1] if mirrored else padded)
        write_image(folder / "images", number, pixels[:, ::-1] if mirrored else pixels)
        labels[number] = tuple(int(finding in masks) for finding in FINDINGS)
    write_labels(folder, labels)
    return folder


def write_model(
    folder: Path, *, name: str = "tiny", findings: Sequence[str] = FINDINGS, **preprocessing: object
) -> Path:
    """The card of a random DenseNet whose kernels are mirror-symmetric."""
    torch.manual_seed(3)
    arguments = {**ARGUMENTS, "out_channels": len(findings)}
    network = DenseNet(**arguments)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.data = (module.weight.data + module.weight.data.flip(3)) / 2
    network.class_layers.out.weight.data.abs_()  # so that every map has a positive part
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / f"{name}.safetensors"
    save_file(network.state_dict(), weights)
    card = {
        "name": name,
        "purpose": "tests",
        "architecture": {"class": "DenseNet", "arguments": arguments},
        "findings": list(findings),
        "activation": "sigmoid",
        "weights": weights.name,
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "preprocessing": {
            "window": "full",
            "channels": 1,
            "resize": {"rule": "exact", "size": [GRID, GRID]},
            "intensity": {"rule": "none"},
            **preprocessing,
        },
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(card))
    return path
