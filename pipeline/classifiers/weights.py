"""Weights: check a file of tensors, then load it into a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256 as hash_sha256
from pathlib import Path
from typing import Final

import safetensors.torch
import torch
from torch import Tensor, nn

from pipeline.classifiers.checkpoints import read_checkpoint
from pipeline.classifiers.foreign_ends import COUNTER
from pipeline.classifiers.misfits import remedy_of_resnet
from pipeline.classifiers.pickled import Content, load_pickle
from pipeline.classifiers.state_dicts import is_dense_real, listed
from pipeline.classifiers.weight_formats import SAFETENSORS, folder_name, format_of
from pipeline.errors import CaseError, ConfigError
from pipeline.guards.reading import guarded, named, read_file, without_remedy
from pipeline.records import Notice

LARGEST_BYTES: Final = 2**34
"""16 GiB, which are held in memory and copied once. VGG-19 has 0.6 GiB."""
CHECK_PATH: Final = "check the path and its permissions"
NOT_SAFETENSORS: Final = "is not a safetensors file, or is damaged; fetch it or save it again"


@dataclass(frozen=True, slots=True)
class LoadedWeights:
    """What is known of a weights file after its tensors were loaded."""

    sha256: str
    notices: tuple[Notice, ...] = ()
    """Wrapping keys and prefixes that were left off."""
    operating_points: tuple[float, ...] = ()
    """torchxrayvision's operating points, one per output; NaN where an output has none."""


def load_weights(
    network: nn.Module,
    path: Path,
    *,
    sha256: str | None,
    allow_pickle: bool,
    state_dict: str | None = None,
    unused: Sequence[str] = (),
) -> LoadedWeights:
    """Load the file's tensors into the network.

    The file is `.safetensors` or, with `allow_pickle`, a checkpoint of torch (`.pt`, `.pth`, `.ckpt`,
    `.bin`), of which nothing is run. Tensors of a DenseNet may have the names of MONAI, torchvision,
    torchxrayvision or CheXNet; all may be wrapped, `state_dict` names one of several networks, and `unused`
    what takes no part in it. Raises ConfigError and leaves the network unchanged if the file is missing, does
    not have the stated `sha256` or is not a state dict, or if its tensors do not fit the network or are not
    finite.
    """
    content, found = read_hashed(path, sha256=sha256)
    wanted = network.state_dict()
    read = load_content(content, path, allow_pickle=allow_pickle)
    checkpoint = read_checkpoint(read, path, wanted=wanted, chosen=state_dict, unused=unused)
    check_fit(checkpoint.tensors, wanted, path, size=len(content))
    try:
        network.load_state_dict({**wanted, **_finite(checkpoint.tensors, path)})
    except RuntimeError as error:
        raise ConfigError(
            f"{path}: the weights cannot be loaded into the network; save them again"
        ) from error
    return LoadedWeights(found, checkpoint.notices, checkpoint.operating_points)


def read_hashed(path: Path, *, sha256: str | None) -> tuple[bytes, str]:
    """The file's bytes and their SHA-256. Raises ConfigError if that is not the one that the card states."""
    content = read_bytes(path)
    found = hash_sha256(content).hexdigest()
    if sha256 is not None and found != sha256:
        raise ConfigError(
            f"{path}: sha256 is {found}, but the model card states {sha256}; "
            "the file was altered or belongs to another card; use the card's own file"
        )
    return content, found


def read_bytes(path: Path) -> bytes:
    """The file's bytes, read once so that the bytes loaded are the bytes hashed."""
    if path.is_dir():
        what, remedy = folder_name(path)
        raise ConfigError(f"{path}: is {what}, wanted a file with a state dict; {remedy}")
    try:
        return read_file(path, most_bytes=LARGEST_BYTES, what="the weights", remedy=CHECK_PATH)
    except CaseError as error:
        raise ConfigError(f"{path}: {without_remedy(error.message)}; {CHECK_PATH}") from error


def load_content(content: bytes, path: Path, *, allow_pickle: bool) -> Content:
    """The mapping in a weights file: tensors, or a checkpoint that holds them."""
    if format_of(content, path) == SAFETENSORS:
        with named(path), guarded("not_weights", NOT_SAFETENSORS):
            return Content(dict(sorted(safetensors.torch.load(content).items())))  # else in no fixed order
    if not allow_pickle:
        raise ConfigError(
            f"{path}: a pickle can run code when it is read; convert it with `heatproof convert`, "
            "or set allow_pickle_weights: true in the config for a file whose origin you trust (with "
            "`heatproof card check`: the option --allow-pickle-weights)"
        )
    return load_pickle(content, path)


def check_fit(tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor], path: Path, *, size: int) -> None:
    """Raise ConfigError for tensors that do not fit, before reading values: a view can be huge."""
    shared = [name for name in wanted if name in tensors]
    dense = [name for name in shared if is_dense_real(tensors[name])]
    parameters = [n for n in dense if wanted[n].is_floating_point()]
    tables = [n for n in dense if n not in parameters and not n.endswith(COUNTER)]
    faults = {
        "missing": [n for n in wanted if n not in tensors and not n.endswith(COUNTER)],
        "unexpected": sorted(n for n in tensors if n not in wanted),
        "of another shape": [
            f"{n} {tuple(tensors[n].shape)}, wanted {tuple(wanted[n].shape)}"
            for n in shared
            if tensors[n].shape != wanted[n].shape
        ],
        "not dense real tensors in memory": [n for n in shared if n not in dense],
        "larger than the file": [n for n in dense if _bytes(tensors[n]) > size],
        "not floating point": [n for n in parameters if not tensors[n].is_floating_point()],
        "other than the network's own whole numbers": [n for n in tables if _differ(tensors[n], wanted[n])],
    }
    _refuse(faults, path, remedy=remedy_of_resnet(tensors, wanted))


def _differ(found: Tensor, own: Tensor) -> bool:
    """Whether tables of one shape, such as the positions in Swin's windows, have other numbers."""
    return found.shape == own.shape and (found.dtype != own.dtype or not torch.equal(found, own))


def _bytes(tensor: Tensor) -> int:
    return max(tensor.numel() * tensor.element_size(), tensor.untyped_storage().nbytes())


def _finite(tensors: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The tensors with floating-point ones as float32. Raises ConfigError for NaN or infinity."""
    floats = {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}
    _refuse({"not finite": [name for name, t in floats.items() if not t.isfinite().all()]}, path)
    return floats


def _refuse(faults: Mapping[str, list[str]], path: Path, *, remedy: str = "") -> None:
    lines = [f"{len(names)} {fault}: {listed(names)}" for fault, names in faults.items() if names]
    if lines:
        raise ConfigError(
            f"{path}: the weights do not fit the network of the model card: {'; '.join(lines)}; "
            f"{remedy and f'{remedy}; else '}use the card's own weights, or correct its architecture (a head "
            "of several layers is stated in architecture.head, and tensors without part in the logits in "
            "unused)"
        )
