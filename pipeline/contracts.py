"""Contracts: one Protocol a plug-in, with shapes, ranges and units; no stage sees the config."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.geometry import place
from pipeline.records import (
    AnnotationItem,
    Heatmap,
    Image,
    Intensity,
    Mask,
    ModelInput,
    Reference,
    Region,
    Shape,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class AnnotationFormat:
    """One way in which annotations are stored. `find` runs once, `read` in the workers, once an item."""

    find: Callable[..., Iterable[AnnotationItem]]
    """find(path, *, reader, **options): every annotation in a folder or file, geometry not yet read.

    Options are keyword-only with defaults, and are the keys allowed in the config's `annotations.sources`.
    Raises ConfigError where the whole source cannot be used, and leaves single bad items to `read`.
    """
    read: Callable[..., Reference]
    """read(item, *, case_id, finding, shape): the annotation on the image's grid of `shape`.

    Raises CaseError, among others "mask_size" where rows × columns differ from the image's.
    """
    opens_files: bool = False
    """Whether `find` opens what it finds; it then takes the executor that does so or None after the path."""


@dataclass(frozen=True, slots=True)
class HeatmapFormat:
    """One way in which maps that were computed elsewhere are stored."""

    read: Callable[[Path, int], NDArray[np.generic]]
    """read(path, plane): the values (rows, columns) of one map of a file; runs in the workers.

    Raises CaseError "heatmap_unreadable" or "heatmap_shape", among others. Finiteness and size are checked
    behind it.
    """


class ThresholdRule(Protocol):
    """A level for a heatmap on the image's grid; pixels at or above it are inside."""

    def __call__(self, relevance: Intensity, threshold: float) -> float | None:
        """The level in the heatmap's unit, or None where nothing stands out (a flat map)."""
        ...


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the network drew for one finding on one image."""

    regions: tuple[Region, ...]
    mask: Mask
    """All regions together, of the image's shape."""
    peak: tuple[int, int] | None
    """(row, column) of the heatmap's maximum on the image; None: gate closed, or map flat."""
    dropped: int = 0
    """Regions left out because they were smaller than the minimum area."""
    heatmap: Heatmap | None = None
    """The map that it was drawn from, also where the gate is closed; None where only contours are known."""


@dataclass(frozen=True, slots=True)
class Tolerances:
    """How near is near enough: in mm, and in pixels where the spacing of an image is unknown."""

    surface_mm: float = 5.0
    """Of outlines; on a chest radiograph a pixel is 0.15 mm wide, a cell of a 7 × 7 map some 50 mm."""
    surface_px: float = 10.0
    """About 4 mm on a chest radiograph that was made 1024 pixels wide."""
    pointing_mm: float = 10.0
    """Of the highest pixel: the published 15 of some 500 pixels are 3 %, on a chest radiograph 10 … 13 mm."""
    pointing_px: float = 15.0
    """As published (Zhang et al. 2018, the pointing game)."""


@dataclass(frozen=True, eq=False)
class Scored:
    """One drawing held against one reference: all that a metric reads."""

    drawing: Drawing
    reference: Reference
    spacing_mm: tuple[float, float] | None = None
    """Of the image; None where unknown."""
    tolerances: Tolerances = Tolerances()

    @property
    def shape(self) -> Shape:
        """The image's."""
        rows, columns = self.drawing.mask.shape
        return rows, columns

    @cached_property
    def truth(self) -> Mask:
        """All masks of the reference together; a pixel of two instances is one pixel."""
        together = np.zeros(self.shape, np.bool_)
        for mask in self.reference.masks:
            together |= mask
        return together

    @cached_property
    def relevance(self) -> Intensity | None:
        """The positive relevance on the image's grid, as contours are drawn of it; None without a map."""
        heatmap = self.drawing.heatmap
        if heatmap is None:
            return None
        return place(np.maximum(heatmap.relevance, np.float32(0)), heatmap.placement)


Undefined: TypeAlias = str
"""A reason in snake_case."""

IMAGE_DIAGONAL = "image_diagonal"
"""As a policy, no reason but a value: the image's diagonal in mm, which no distance in it exceeds."""


@dataclass(frozen=True, slots=True)
class Emptiness:
    """What a metric is worth where something is empty: a number, or the reason why it is undefined."""

    missed: float | Undefined
    """The reference shows the finding; the drawing has nothing of what the metric reads."""
    healthy_drawn: float | Undefined
    """The reference says it is not there; the network drew a contour."""
    healthy_clear: float | Undefined
    """The reference says it is not there, and nothing was drawn."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric and everything its reader must know about it."""

    name: str
    title: str
    """As a table shows it."""
    against: frozenset[Literal["mask", "box"]]
    """The kinds of reference it is defined for; mask scores and box scores are never averaged together."""
    level: Literal["image", "lesion"]
    better: Literal["higher", "lower"]
    unit: str
    """Empty for a share of 1."""
    emptiness: Emptiness
    score: Callable[[Scored], tuple[float | Undefined, ...]]
    """One value an image, or one a lesion in the reference's order, or the reason why there is none.

    Called where the reference shows the finding and the drawing has what the metric reads.
    """
    reads: Literal["contours", "peak", "map"] = "contours"
    """What of the drawing. The map is there whether or not the gate is open: it knows no threshold."""
    binary: bool = False
    """Every value is 0 or 1, and so the mean over images is a plain proportion."""


class Forward(Protocol):
    """One forward pass of a batch, as attribution methods see it. Tensors are detached and on the device."""

    @property
    def network(self) -> nn.Module:
        """The network, in eval mode; a method leaves it as it found it."""
        ...

    @property
    def inputs(self) -> Tensor:
        """(batch, channels, *grid), as the network takes it."""
        ...

    @property
    def logits(self) -> Tensor:
        """(batch, findings), float32."""
        ...

    def activations(self, layer: str) -> Tensor:
        """(batch, channels, *grid) at a layer."""
        ...

    def gradients(self, layer: str) -> Tensor:
        """(findings, batch, channels, *grid): of each logit with respect to the activations."""
        ...

    def head_weights(self, layer: str) -> Tensor | None:
        """(findings, channels) where layer → global average pool → linear; else None."""
        ...

    def input_gradients(self) -> Tensor:
        """(findings, batch, channels, *grid): of each logit with respect to the inputs."""
        ...

    def again(self, inputs: Tensor) -> Forward:
        """The same layers read on other inputs (any number, channels, *grid)."""
        ...

    def scores(self, inputs: Tensor) -> Tensor:
        """Logits (number, findings), float32, of other inputs (number, channels, *grid), without autograd."""
        ...

    def scores_with(self, layer: str, activations: Tensor, inputs: Tensor) -> Tensor:
        """Logits (number, findings) of inputs whose activations there are (number, channels, *grid)."""
        ...

    @property
    def rows(self) -> int:
        """How many inputs the memory bound allows at once, with the graph of a backward pass; at least 1."""
        ...


Maps: TypeAlias = "Callable[[Forward], Tensor]"
"""A method with its layer and options bound: forward → (batch, findings, *grid)."""


@dataclass(frozen=True, slots=True)
class AttributionMethod:
    """A way to say which places a logit rests on, and what a user must know about it."""

    maps: Callable[..., Tensor]
    """Raw relevance (batch, findings, *grid) of every finding, float32, signs kept, detached.

    maps(forward, layer, **options) where it needs a layer, maps(forward, **options) where it reads the input
    alone or wraps other methods. Options are keyword-only with defaults, and are the keys allowed in the
    config. A wrapper takes `of`: one `Maps`, or a tuple of them where `of_many`.
    """
    reads: Literal["layer", "input", "method"]
    """Whose grid the maps have: the target layer's, the input's, or that of the method it wraps."""
    unit: Literal["logit", "logit_at_head", "relative"]
    """`logit_at_head`: logits where only global average pool → linear follows the layer, else relative.

    Of a wrapper: the unit of what it wraps, where that is in logits.
    """
    of_many: bool = False


class Explained(Protocol):
    """The explanation of a batch."""

    @property
    def logits(self) -> NDArray[np.float32]:
        """(batch, findings)."""
        ...

    @property
    def maps(self) -> Mapping[str, NDArray[np.float32]]:
        """Method → raw relevance (batch, findings, *grid)."""
        ...


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """The model that is about to be audited, as the self-checks see it."""

    network: nn.Module
    findings: tuple[str, ...]
    example: Tensor
    """(batch of at least 2, channels, height, width), not constant, on the network's device."""
    read: Callable[[Tensor], Forward]
    """The engine's reading of a batch."""
    layers: Mapping[str, tuple[str, int]]
    """Layer as the config names it → module and which call of it, from 1."""
    explain: Callable[[Tensor], Explained]
    explainer_of: Callable[[nn.Module, Tensor], Callable[[Tensor], Explained]]
    """The same engine on another network, given an example batch; its maps hold one method, "gradcam"."""
    prepare: Callable[[Image], ModelInput]
    """The model's own preprocessing."""
    reads_input: bool = False
    """Whether a method goes back to the input itself."""


class Check(Protocol):
    """A self-check of the loaded model, run before the first study."""

    def __call__(self, model: LoadedModel) -> str:
        """One sentence with what was measured; raises CheckError where the model must not be explained."""
        ...


Loss: TypeAlias = Literal["worker_died", "out_of_time", "out_of_memory"]
"""Why there is no result of an item."""


class Executor(Protocol):
    """Where pure functions run."""

    def stream(
        self, function: Callable[[T], R], items: Iterable[T], *, lost: Callable[[T, Loss], R]
    ) -> Iterator[R]:
        """`function` of each item, in the items' order, with a bounded number under way.

        `function` and items pickle. Of an item that ended its worker, twice, or went beyond the limits of
        time or memory that the executor has, the result is lost(item, why).
        """
        ...
