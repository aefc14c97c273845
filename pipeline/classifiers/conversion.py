"""Conversion: a weights file of any layout → the same tensors as safetensors, which no reader can run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import safetensors.torch
import torch
from torch import Tensor

from pipeline.classifiers.architecture import Architecture
from pipeline.classifiers.card import ModelCard
from pipeline.classifiers.checkpoints import OPERATING_POINTS, Checkpoint, operating_points, read_checkpoint
from pipeline.classifiers.networks import build_network
from pipeline.classifiers.pickled import Content
from pipeline.classifiers.state_dicts import FoundNetwork, listed, notices_of, one_of, state_dicts
from pipeline.classifiers.weights import check_fit, load_content, read_bytes
from pipeline.errors import ConfigError
from pipeline.guards.reading import guarded, named
from pipeline.records import Notice

MOST_COPIES: Final = 4
"""How many times the size of the file the tensors may take: one layer may have several names."""
UNSUITABLE: Final = "has tensors that safetensors cannot hold; save them as float32"
METADATA: Final = {"format": "pt"}
"""As other writers state it: the tensors have torch's order of axes."""


@dataclass(frozen=True, slots=True)
class Converted:
    """Weights as the bytes of a safetensors file."""

    content: bytes
    sha256: str
    count: int
    """Number of tensors."""
    notices: tuple[Notice, ...]
    """What was left off or not read."""
    operating_points: tuple[float, ...]
    """torchxrayvision's operating points, one per output; NaN where an output has none."""


def converted(path: Path, *, card: ModelCard | None = None, state_dict: str | None = None) -> Converted:
    """The weights in a file of any layout that is read.

    With a card, the tensors are those of its network under the network's names, and all have to fit;
    otherwise all tensors of one state dict under their names in the file. `state_dict` names one of several.
    Raises ConfigError.
    """
    content = read_bytes(path)
    read = load_content(content, path, allow_pickle=True)
    if card is None:
        checkpoint = _unchanged(read, path, state_dict)
    else:
        if not isinstance(card.architecture, Architecture):
            raise ConfigError(
                f"model card {card.name}: its architecture is an ONNX file, which holds its own weights; "
                "leave --model out, or give the card of a network"
            )
        wanted = build_network(card).state_dict()
        chosen = state_dict or card.state_dict
        checkpoint = read_checkpoint(read, path, wanted=wanted, chosen=chosen, unused=card.unused)
        check_fit(checkpoint.tensors, wanted, path, size=len(content))
    tensors = dict(checkpoint.tensors)
    if checkpoint.operating_points:
        tensors[OPERATING_POINTS] = torch.tensor(checkpoint.operating_points)
    written = _written(tensors, path, size=len(content))
    return Converted(
        written,
        sha256(written).hexdigest(),
        len(tensors),
        checkpoint.notices,
        checkpoint.operating_points,
    )


def _unchanged(content: Content, path: Path, chosen: str | None) -> Checkpoint:
    """The tensors of the file's one state dict under their own names."""
    states = state_dicts(content, path)
    with_weights = [state for state in states if any(name.endswith("weight") for name in state.tensors)]
    found = one_of([FoundNetwork(state) for state in with_weights or states], path, chosen=chosen)
    return Checkpoint(
        found.state.tensors,
        tuple(notices_of(found, content)),
        operating_points=operating_points(found.state.tensors),
    )


def _written(tensors: Mapping[str, Tensor], path: Path, *, size: int) -> bytes:
    """The tensors as a safetensors file. Raises ConfigError for what it cannot hold."""
    odd = [name for name, tensor in tensors.items() if tensor.is_meta or tensor.layout != torch.strided]
    if odd:
        raise ConfigError(
            f"{path}: {len(odd)} tensors are sparse, quantised or of a class of their own: {listed(odd)}; "
            "save them as dense tensors of numbers"
        )
    if sum(tensor.numel() * tensor.element_size() for tensor in tensors.values()) > MOST_COPIES * size:
        raise ConfigError(
            f"{path}: its tensors are views of the same numbers, and would take more than {MOST_COPIES} "
            "times the file; save copies of them"
        )
    with named(path), guarded("not_weights", UNSUITABLE):
        copies = {name: _copy(tensor) for name, tensor in tensors.items()}
        return bytes(safetensors.torch.save(copies, METADATA))


def _copy(tensor: Tensor) -> Tensor:
    """The tensor with numbers of its own, in its own order."""
    return tensor.detach().clone(memory_format=torch.contiguous_format)
