"""Weights: a file of tensors → the network's parameters, whole and checked, or not at all."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from hashlib import sha256 as hash_sha256
from io import BytesIO
from pathlib import Path
from typing import Final

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from pipeline.errors import ConfigError

PICKLE_SUFFIXES: Final = (".pt", ".pth", ".tar")
NAMED_AT_MOST: Final = 3
"""Tensors named in one complaint; the rest are counted."""
KEY_LAYOUTS: Final = (
    # DataParallel and wrapping modules: CheXNet writes module.densenet121.features…
    (re.compile(r"^(?:module\.|model\.|densenet\d+\.)+"), ""),
    # torchvision and torchxrayvision: denselayer1.norm1; old torchvision, so CheXNet: denselayer1.norm.1
    (re.compile(r"(denselayer\d+)\.(norm|conv)\.?([12])\."), r"\1.layers.\2\3."),
    # torchvision: classifier; CheXNet's classifier is a Sequential
    (re.compile(r"^classifier\.(?:0\.)?(weight|bias)$"), r"class_layers.out.\1"),
)
"""Spellings of tensor names that stand for MONAI's, rewritten one after the other."""
NOT_OF_THE_NETWORK: Final = {"op_threshs"}
"""torchxrayvision stores its operating points among the tensors; ours are the card's."""
COUNTER: Final = "num_batches_tracked"
"""Batch norm's count of training steps; it does nothing in evaluation, and older files lack it."""


def load_weights(network: nn.Module, path: Path, *, sha256: str | None, allow_pickle: bool) -> str:
    """The sha256 of the file, after its tensors were put into the network.

    `.safetensors`, or with `allow_pickle` a `.pt`, `.pth` or `.pth.tar` state dict, which is read by torch's
    restricted unpickler and nothing else. Names may be those of MONAI, torchvision, torchxrayvision, CheXNet.
    Raises ConfigError, the network unchanged: no such file, another sha256 than stated, not a state dict,
    tensors that are missing, left over, of another shape or type, not held in the file, or not finite.
    """
    content = _read(path)
    found = hash_sha256(content).hexdigest()
    if sha256 is not None and found != sha256:
        raise ConfigError(
            f"{path}: sha256 is {found}, but the model card states {sha256}; "
            "the file was altered or is not of this card"
        )
    tensors = _renamed(_tensors(content, path, allow_pickle=allow_pickle), path)
    wanted = network.state_dict()
    _check(tensors, wanted, path, size=len(content))
    try:
        network.load_state_dict({**wanted, **_finite(tensors, path)})
    except RuntimeError as error:
        raise ConfigError(f"{path}: the weights cannot be put into the network; save them again") from error
    return found


def _read(path: Path) -> bytes:
    """Once, so that the bytes that were hashed are the bytes that are loaded."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path}: the weights cannot be read ({error.strerror}); name the file with --weights"
        ) from error


def _tensors(content: bytes, path: Path, *, allow_pickle: bool) -> dict[str, Tensor]:
    if path.suffix == ".safetensors":
        try:
            return safetensors.torch.load(content)
        except (SafetensorError, KeyError, ValueError) as error:
            raise ConfigError(f"{path}: is not a safetensors file: {error}") from error
    if path.suffix not in PICKLE_SUFFIXES:
        raise ConfigError(f"{path}: unknown weights format '{path.suffix}', wanted .safetensors")
    if not allow_pickle:
        raise ConfigError(
            f"{path}: a pickle can run code when it is read; convert it to .safetensors, "
            "or set allow_pickle_weights: true for a file whose origin you trust"
        )
    return _unpickled(content, path)


def _refuse_packed(content: bytes, path: Path) -> None:
    """A zip of tensors stores them as they are; one that packs them may inflate without end."""
    try:
        entries = zipfile.ZipFile(BytesIO(content)).infolist()
    except (zipfile.BadZipFile, ValueError):
        return  # torch's older format, or damaged
    if sum(entry.file_size for entry in entries) > len(content):
        raise ConfigError(f"{path}: its parts are larger than the file, which torch.save never makes")


def _unpickled(content: bytes, path: Path) -> dict[str, Tensor]:
    _refuse_packed(content, path)
    try:
        loaded = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # a hostile or broken pickle may raise anything
        summary = str(error).partition("\n")[0]
        raise ConfigError(
            f"{path}: holds more than tensors, or is damaged, and is not loaded ({summary})"
        ) from error
    if isinstance(loaded, Mapping) and isinstance(loaded.get("state_dict"), Mapping):
        loaded = loaded["state_dict"]
    if not isinstance(loaded, Mapping) or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise ConfigError(
            f"{path}: is not a state dict, wanted tensors by name (or those under 'state_dict')"
        )
    return {str(key): value for key, value in loaded.items()}


def _renamed(tensors: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """By MONAI's names, as they are."""
    renamed: dict[str, Tensor] = {}
    for key, tensor in tensors.items():
        name = key
        for layout, replacement in KEY_LAYOUTS:
            name = layout.sub(replacement, name)
        if name in renamed:
            raise ConfigError(f"{path}: two tensors stand for {name}, one of them is {key}")
        if name not in NOT_OF_THE_NETWORK:
            renamed[name] = tensor
    return renamed


def _check(tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor], path: Path, *, size: int) -> None:
    """Refuse what does not fit, before any number is looked at: a view of one may be of any size."""
    shared = [name for name in wanted if name in tensors]
    plain = [name for name in shared if _is_plain(tensors[name])]
    parameters = [name for name in plain if not name.endswith(COUNTER)]
    faults = {
        "missing": [n for n in wanted if n not in tensors and not n.endswith(COUNTER)],
        "left over": sorted(n for n in tensors if n not in wanted),
        "of another shape": [
            f"{n} {tuple(tensors[n].shape)}, wanted {tuple(wanted[n].shape)}"
            for n in shared
            if tensors[n].shape != wanted[n].shape
        ],
        "not plain numbers in memory": [n for n in shared if n not in plain],
        "larger than the file": [n for n in plain if _bytes(tensors[n]) > size],
        "not floating point": [n for n in parameters if not tensors[n].is_floating_point()],
    }
    _refuse(faults, path)


def _is_plain(tensor: Tensor) -> bool:
    """Whether it holds real numbers, one beside the other, and holds them here."""
    return (
        type(tensor) in {Tensor, nn.Parameter}
        and tensor.layout == torch.strided
        and tensor.device.type == "cpu"
        and not (tensor.is_quantized or tensor.is_nested or tensor.is_complex())
        and tensor.dtype != torch.bool
    )


def _bytes(tensor: Tensor) -> int:
    return max(tensor.numel() * tensor.element_size(), tensor.untyped_storage().nbytes())


def _finite(tensors: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The tensors, floating point as float32."""
    floats = {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}
    _refuse({"not finite": [name for name, t in floats.items() if not t.isfinite().all()]}, path)
    return floats


def _refuse(faults: Mapping[str, list[str]], path: Path) -> None:
    lines = [f"{len(names)} {fault}: {_first(names)}" for fault, names in faults.items() if names]
    if lines:
        raise ConfigError(f"{path}: the weights do not fit the network of the model card: {'; '.join(lines)}")


def _first(names: list[str]) -> str:
    more = len(names) - NAMED_AT_MOST
    shown = ", ".join(names[:NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
    return "".join(letter if letter.isprintable() else "?" for letter in shown)
