"""Weight formats: a file is named for what it holds, whatever its name is, and nothing in it is run."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save
from torch import nn

from pipeline.classifiers.weight_formats import PICKLE, SAFETENSORS, format_of
from pipeline.classifiers.weights import load_weights
from pipeline.errors import ConfigError


def archive(*members: str) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        for member in members:
            opened.writestr(member, b"")
    return buffer.getvalue()


def numpy_archive() -> bytes:
    buffer = BytesIO()
    np.savez(buffer, weight=np.zeros(1))
    return buffer.getvalue()


OTHERS: dict[str, tuple[Callable[[], bytes], str]] = {
    "TorchScript": (
        lambda: archive("m/data.pkl", "m/code/m.py", "m/constants.pkl"),
        "is a TorchScript program (torch.jit.save)",
    ),
    "export": (
        lambda: archive("m/archive_format", "m/models/model.json"),
        "is a torch.export program (.pt2)",
    ),
    "ONNX": (lambda: b"\x08\x07\x12\x07pytorch", "is an ONNX model"),
    "SavedModel": (lambda: b"\x08\x01\x12\x90\x01", "is a TensorFlow SavedModel (.pb)"),
    "TFLite": (lambda: b"\x1c\0\0\0TFL3", "is a TensorFlow Lite model"),
    "HDF5": (lambda: b"\x89HDF\r\n\x1a\n\0", "is HDF5, as Keras and TensorFlow write (.h5)"),
    "Keras": (
        lambda: archive("config.json", "metadata.json", "model.weights.h5"),
        "is a Keras model (.keras)",
    ),
    "npz": (numpy_archive, "is a NumPy archive (.npz)"),
    "zip": (lambda: archive("readme.txt", "weights.pth"), "is a ZIP archive"),
    "gzip": (lambda: b"\x1f\x8b\x08\0", "is a gzip archive"),
    "lfs": (lambda: b"version https://git-lfs.github.com/spec/v1\n", "is a pointer of Git LFS"),
    "page": (lambda: b"<!DOCTYPE html><html>", "is a web page"),
    "empty": (lambda: b"", "is an empty file"),
}


@pytest.mark.parametrize("suffix", [".pth", ".safetensors", ".pt"])
@pytest.mark.parametrize("name", OTHERS)
def test_other_files_are_named_by_their_content(tmp_path: Path, name: str, suffix: str) -> None:
    content, found = OTHERS[name]
    path = tmp_path / f"w{suffix}"
    path.write_bytes(content())
    with pytest.raises(ConfigError, match=re.escape(found)) as refusal:
        load_weights(nn.Linear(1, 1), path, sha256=None, allow_pickle=True)
    assert "; " in str(refusal.value)


@pytest.mark.parametrize("suffix", [".onnx", ".pb", ".engine", ".mlmodel", ".xyz"])
def test_bytes_that_say_nothing_are_named_by_the_suffix(suffix: str) -> None:
    with pytest.raises(ConfigError, match=r"wanted a state dict"):
        format_of(b"\xff\xfe\0\0\0\0\0\0\0", Path(f"w{suffix}"))


def test_tensors_are_read_by_content_and_a_pickle_never_as_safetensors() -> None:
    buffer = BytesIO()
    torch.save({"weight": torch.zeros(1)}, buffer)
    assert format_of(buffer.getvalue(), Path("w.ckpt")) == PICKLE
    assert format_of(save({"weight": torch.zeros(1)}), Path("pytorch_model.bin")) == SAFETENSORS
    with pytest.raises(ConfigError, match=r"is not a safetensors file but a pickle; rename it to \.pth"):
        format_of(buffer.getvalue(), Path("w.safetensors"))


@pytest.mark.parametrize("length", [0x10708, 0x120108, 0x8B1F, 0x5280, 0x205])
def test_a_safetensors_header_of_any_length_is_no_other_format(length: int) -> None:
    """Its length may begin as ONNX, TensorFlow, gzip or a pickle does."""
    header = b'{"a":{}}'.ljust(length)
    assert format_of(length.to_bytes(8, "little") + header, Path("w.safetensors")) == SAFETENSORS


def test_a_folder_is_named_for_what_it_holds(tmp_path: Path) -> None:
    for member, found in (
        ("", "is a folder, wanted"),
        ("saved_model.pb", "is a folder with a TensorFlow SavedModel"),
    ):
        (tmp_path / member).touch()
        with pytest.raises(ConfigError, match=found):
            load_weights(nn.Linear(1, 1), tmp_path, sha256=None, allow_pickle=True)
