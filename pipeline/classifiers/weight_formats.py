"""Weight formats: what a weights file is, told by its bytes; nothing in it is run."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pipeline.errors import ConfigError
from pipeline.guards.existing import listed_in

SAFETENSORS: Final = "safetensors"
PICKLE: Final = "pickle"
PICKLE_SUFFIXES: Final = (".pt", ".pth", ".tar", ".ckpt", ".bin", ".pkl", ".pickle")
WEIGHTS_SUFFIXES: Final = (".safetensors", *PICKLE_SUFFIXES, ".onnx")
OTHER_FRAMEWORK: Final = "compute maps in its own framework and score them with `heatproof score`"
ON_CARD: Final = "state it on the card: architecture: {onnx: FILE}, and its sha256"
TO_ONNX: Final = (
    "convert it to ONNX where it was made, and state that on the card: architecture: {onnx: FILE}; or "
    "compute maps in its own framework and score them with `heatproof score`"
)
STATE_DICT: Final = "where it was made, write torch.save(model.state_dict(), 'state_dict.pth')"
FROM_SCRIPT: Final = (
    "if you trust its origin, save its tensors: "
    "torch.save(dict(torch.jit.load(FILE).state_dict()), 'state_dict.pth')"
)
FROM_EXPORT: Final = (
    "if you trust its origin, save its tensors: "
    "torch.save(dict(torch.export.load(FILE).state_dict), 'state_dict.pth')"
)
UNPACK: Final = "unpack it, and give the weights file that it holds"

STARTS: Final[Mapping[bytes, tuple[str, str]]] = MappingProxyType(
    {
        b"\x89HDF\r\n\x1a\n": ("HDF5, as Keras and TensorFlow write (.h5)", TO_ONNX),
        b"\x08\x01\x12": ("a TensorFlow SavedModel (.pb)", TO_ONNX),
        b"<?xml": ("XML, as OpenVINO writes (.xml)", OTHER_FRAMEWORK),
        b"GGUF": ("GGUF", OTHER_FRAMEWORK),
        b"\x93NUMPY": ("a NumPy array", STATE_DICT),
        b"\x1f\x8b": ("a gzip archive", UNPACK),
        b"7z\xbc\xaf\x27\x1c": ("a 7z archive", UNPACK),
        b"Rar!": ("a RAR archive", UNPACK),
        b"version https://git-lfs": ("a pointer of Git LFS without the file itself", "run git lfs pull"),
        b"<!DOCTYPE": ("a web page", "download the file itself"),
        b"<!doctype": ("a web page", "download the file itself"),
        b"<html": ("a web page", "download the file itself"),
    }
)
"""First bytes → what the file is, and the remedy."""
MEMBERS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "constants.pkl": ("a TorchScript program (torch.jit.save)", FROM_SCRIPT),
        "archive_format": ("a torch.export program (.pt2)", FROM_EXPORT),
        "serialized_exported_program.json": ("a torch.export program (.pt2)", FROM_EXPORT),
        "model.weights.h5": ("a Keras model (.keras)", TO_ONNX),
        "data.pkl": (PICKLE, ""),
    }
)
"""Member of a ZIP archive → what the archive is, and the remedy; the first that is there."""
SUFFIXES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        ".onnx": ("an ONNX model", ON_CARD),
        ".pb": ("a TensorFlow graph", TO_ONNX),
        ".tflite": ("a TensorFlow Lite model", TO_ONNX),
        ".h5": ("a Keras file (.h5)", TO_ONNX),
        ".keras": ("a Keras file (.keras)", TO_ONNX),
        ".engine": ("a TensorRT engine", OTHER_FRAMEWORK),
        ".mlmodel": ("a Core ML model", OTHER_FRAMEWORK),
    }
)
"""Suffix → what the file should be, where its bytes do not tell."""
ONNX_VERSIONS: Final = range(3, 32)
"""Versions of the ONNX format: a file begins with the byte 8 and its version."""
TAR: Final = slice(257, 262)
"""Place of the word "ustar" in a tar archive."""


def format_of(content: bytes, path: Path) -> str:
    """SAFETENSORS or PICKLE. Raises ConfigError that names what else the file is, and the remedy."""
    found, remedy = _found(content, path.suffix.lower())
    if found == PICKLE and path.suffix == ".safetensors":
        raise ConfigError(
            f"{path}: is not a safetensors file but a pickle; rename it to .pth if you trust its origin"
        )
    if found in {SAFETENSORS, PICKLE}:
        return found
    raise ConfigError(f"{path}: is {found}, wanted a state dict (.safetensors, .pth, .pt, .ckpt); {remedy}")


def is_onnx(content: bytes, path: Path) -> bool:
    """Whether a file is an ONNX model."""
    return _found(content, path.suffix.lower()) == SUFFIXES[".onnx"]


def folder_name(path: Path) -> tuple[str, str]:
    """What a folder given as weights is, and the remedy."""
    if (path / "saved_model.pb").exists() or (path / "keras_metadata.pb").exists():
        return "a folder with a TensorFlow SavedModel", TO_ONNX
    if (path / "data.pkl").exists():
        return "an unpacked checkpoint of torch", "zip it again, or give the file it was unpacked from"
    return "a folder", f"name the file in it{listed_in(path, WEIGHTS_SUFFIXES)}"


def _found(content: bytes, suffix: str) -> tuple[str, str]:
    """What the content is, and the remedy."""
    if content.startswith(b"PK\x03\x04"):
        return _archive(content)
    known = (
        (_has_safetensors_header(content), (SAFETENSORS, "")),
        (not content, ("an empty file", "fetch it again")),
        *((content.startswith(start), named) for start, named in STARTS.items()),
        (content[4:8] == b"TFL3", SUFFIXES[".tflite"]),
        (content[TAR] == b"ustar", ("a tar archive", UNPACK)),
        (
            content[:1] == b"\x08" and _byte(content, 1) in ONNX_VERSIONS and _byte(content, 2),
            SUFFIXES[".onnx"],
        ),
        (content[:1] == b"\x80", (PICKLE, "")),
        (suffix == ".safetensors", (SAFETENSORS, "")),
        (suffix in PICKLE_SUFFIXES, (PICKLE, "")),
        (suffix in SUFFIXES, SUFFIXES.get(suffix, ("", ""))),
    )
    unknown = (f"of an unknown format ('{suffix}')", "convert the file")
    return next((named for fits, named in known if fits), unknown)


def _has_safetensors_header(content: bytes) -> bool:
    """Whether it begins with the length of a JSON object; the first bytes may be those of other formats."""
    return content[8:9] == b"{" and 8 + int.from_bytes(content[:8], "little") <= len(content)


def _byte(content: bytes, place: int) -> int:
    return content[place] if len(content) > place else 0


def _archive(content: bytes) -> tuple[str, str]:
    """What a ZIP archive is, and the remedy."""
    try:
        members = [name.rpartition("/")[2] for name in zipfile.ZipFile(BytesIO(content)).namelist()]
    except Exception:  # noqa: BLE001  zipfile raises anything on a damaged archive, which is refused later
        return PICKLE, ""
    for member, named in MEMBERS.items():
        if member in members:
            return named
    if members and all(name.endswith(".npy") for name in members):
        return "a NumPy archive (.npz)", STATE_DICT
    return "a ZIP archive", UNPACK
