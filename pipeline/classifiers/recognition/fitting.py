"""Fitting: a file's tensors compared with those of a candidate, which is built without values."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from pipeline.classifiers.architecture import Architecture
from pipeline.classifiers.card import QUESTION
from pipeline.classifiers.checkpoints import Checkpoint, read_checkpoint
from pipeline.classifiers.foreign_ends import COUNTER
from pipeline.classifiers.networks import built
from pipeline.classifiers.pickled import Content
from pipeline.classifiers.precision import REFUSED
from pipeline.classifiers.recognition.candidates import Candidate
from pipeline.classifiers.recognition.shapes import PLANAR
from pipeline.classifiers.state_dicts import listed
from pipeline.errors import ConfigError

COLOURS: Final = (1, 3)
MARK: Final = 1009
"""Outputs of a network that is built to see which tensors depend on them: a prime that no layer has."""
FILLING: Final = frozenset(
    {
        "normal_",
        "uniform_",
        "trunc_normal_",
        "erfinv_",
        "mul_",
        "add_",
        "div_",
        "clamp_",
        "fill_",
        "zero_",
        "copy_",
    }
)
"""Methods that give a tensor values."""


class _WithoutValues(TorchFunctionMode):
    """Parameters have shapes alone; the numbers by which some networks compute their sizes have values."""

    def __torch_function__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = kwargs or {}
        if function is torch.empty:
            return function(*args, **{**given, "device": "meta"})
        if args and getattr(function, "__name__", "") in FILLING and args[0].is_meta:
            return args[0]
        return function(*args, **given)


@contextmanager
def without_values() -> Iterator[None]:
    """Inside `with`, networks are built without memory for their weights, and without warnings."""
    with warnings.catch_warnings(), _WithoutValues():
        warnings.simplefilter("ignore")
        yield


@dataclass(frozen=True, slots=True)
class Fit:
    """How the tensors of a file fit a network."""

    candidate: Candidate
    checkpoint: Checkpoint
    channels: int
    outputs: int
    wanted: int
    """Number of tensors of the network."""
    given: int
    """Number of tensors of the file."""
    fitting: int
    """Number of those that are in the file, with their shape."""
    differences: tuple[str, ...] = ()
    """What differs: missing, unexpected, of another shape."""

    @property
    def share(self) -> float:
        """The tensors that fit, of those of the network and of the file together; 1 if all do."""
        return self.fitting / max(self.wanted + self.given - self.fitting, 1)


def architecture_of(candidate: Candidate, *, channels: int, outputs: int) -> Architecture:
    """The candidate as a card states it; what no tensor shows is false."""
    told = {key: False if value == QUESTION else value for key, value in candidate.arguments.items()}
    sizes = {"in_channels": channels, "out_channels": outputs}
    return Architecture.model_validate({"class": candidate.class_name, "arguments": {**sizes, **told}})


def tensors_of(candidate: Candidate, *, channels: int = 3, outputs: int = MARK) -> dict[str, Tensor]:
    """The tensors of the candidate's network, without values; none if it cannot be built so."""
    try:
        with without_values():
            network: nn.Module = built(architecture_of(candidate, channels=channels, outputs=outputs))
    except (ConfigError, *REFUSED):
        return {}
    return dict(network.state_dict())


def fit(candidate: Candidate, own: Mapping[str, Tensor], content: Content, path: Path) -> Fit:
    """The file compared with `own`, the candidate's tensors. Raises ConfigError if networks in it differ."""
    checkpoint = read_checkpoint(content, path, wanted=own)
    shapes = {name: tuple(tensor.shape) for name, tensor in checkpoint.tensors.items()}
    heads = [name for name, tensor in own.items() if tensor.dim() and tensor.shape[0] == MARK]
    first = next((n for n, t in own.items() if t.dim() == PLANAR and t.shape[1] == max(COLOURS)), "")
    outputs = next((shapes[name][0] for name in heads if shapes.get(name)), 0)
    channels = (*shapes.get(first, ()), 0, 0)[1]
    wanted = {name: tuple(tensor.shape) for name, tensor in own.items()}
    wanted |= {name: (outputs, *wanted[name][1:]) for name in heads}
    if channels in COLOURS:
        wanted[first] = (wanted[first][0], channels, *wanted[first][2:])
    counted = {name: shape for name, shape in wanted.items() if not name.endswith(COUNTER)}
    stray = [name for name in shapes if name not in wanted]
    differences = {
        "missing": [name for name in counted if name not in shapes],
        "unexpected": sorted(stray),
        "of another shape": [
            f"{name} {shapes[name]}, wanted {wanted[name]}"
            for name in wanted
            if shapes.get(name, wanted[name]) != wanted[name]
        ],
    }
    return Fit(
        candidate,
        checkpoint,
        channels,
        outputs,
        wanted=len(counted),
        given=sum(not name.endswith(COUNTER) for name in shapes),
        fitting=sum(shapes.get(name) == shape for name, shape in counted.items()),
        differences=tuple(
            f"{len(names)} {kind}: {listed(names)}" for kind, names in differences.items() if names
        ),
    )
