"""Cells check: a bright patch changes the cells that lie there, in every target layer of the loaded network.

The places of the cells were computed from the network's operations (`attribution/receptive_field`). Here they
are measured: a patch is drawn on the example images, and the centre of the activations' change is compared
with the patch's place among the computed cells.

A trained network may look to one side of its cells: one for ultrasound, half a cell upwards. Therefore all is
measured again with every kernel mirrored, which turns what was learned, but not what the operations do with
grids; the mean of both is the place. Attention carries what is seen to any other token, so each token attends
to itself alone while the places are measured, which moves none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import nn
from torch.nn.modules.conv import _ConvNd

from pipeline.contracts import LoadedModel
from pipeline.errors import CheckError
from pipeline.records import Cells

PLACES = (0.3, 0.5, 0.7)
"""Centres of the patches, as shares of each side; nearer to the border it would cut the change off."""
TO_THE_MIDDLE = np.array([1, 0, -1])
"""Direction from each of these places to the middle of the image."""
TAILS = 0.65
"""How far the tails of a change may move its centre towards the middle, as a share of its width.

A grid of few cells cuts off the tail on the side of the nearer edge; in untrained networks tails are long.
"""
FLOOR = 0.2
"""Changes below this share of the largest are ignored: wide receptive fields and gates change every cell."""
CONTRAST = 0.25
"""Distance of the patches' values from the example's largest and smallest value, as a share of its range."""
TOLERANCE_CELLS = 0.5
"""Largest distance between computed and measured place. Correct networks stay below 0.35 cells."""
TOLERANCE_PX = 2.0
"""The same in pixels, for cells of one or two pixels: a filter may answer to one side of an edge."""
TOLERANCE_WIDTH = 0.35
"""The same as a share of the change's width: few taps far apart, of dilated kernels, have a noisy centre."""
CLEAR = 0.5
"""Share of the largest distance up to which one patch for each place of an axis is enough; beyond it, every
combination of places is measured."""
SPREADS = np.geomspace(0.4, 50, 100)
"""Standard deviations of the bells that changes are compared with, in cells."""
REACH = 200
"""Cells beyond each edge in which such a bell is followed."""
TINY = 1e-300


def cells_lie_where_computed(model: LoadedModel) -> str:
    """Largest distance in cells between computed and measured places, over layers and axes."""
    worst, silent = 0.0, list[str]()
    for layer in model.layers:
        cells = model.read(model.example).cells(layer)
        with model.apart():
            found = _farthest(model, layer, cells, _each_once(len(cells)))
            if found is None or (found.farthest > CLEAR * found.allowed).any():
                found = _farthest(model, layer, cells, list(product(PLACES, repeat=len(cells))))
        if found is None:
            silent.append(layer)
            continue
        farthest, allowed = found
        if (farthest > allowed).any():
            axis = int(np.argmax(farthest - allowed))
            raise CheckError(
                f"cells of layer '{layer}' were computed to lie {farthest[axis]:.1f} cells from where a "
                f"bright patch changes them (at most {allowed[axis]:.1f} allowed); name another layer, or "
                "use a method that reads the input"
            )
        worst = max(worst, float(farthest.max()))
    if silent:
        return f"no patch changes layer {', '.join(silent)}, so the places of its cells are not confirmed"
    return f"bright patches change the cells within {worst:.2f} cells of their computed places"


class _Farthest(NamedTuple):
    """Of a layer, in cells, per axis."""

    farthest: NDArray[np.float64]
    """Largest distance between computed and measured places."""
    allowed: NDArray[np.float64]


def _each_once(axes: int) -> list[tuple[float, ...]]:
    """As many places of patches as there are along an axis: on each axis, every one of PLACES once."""
    count = len(PLACES)
    return [tuple(PLACES[(number + axis) % count] for axis in range(axes)) for number in range(count)]


def _farthest(
    model: LoadedModel, layer: str, cells: Sequence[Cells], patches: Sequence[tuple[float, ...]]
) -> _Farthest | None:
    """What patches at some places say of a layer; None if nothing changes.

    At each place along an axis, the mean over images, kernels and places along the other axis counts.
    """
    found = list(_distances(model, layer, cells, patches))
    with _mirrored_kernels(model.network):
        found += _distances(model, layer, cells, patches)
    if not found:
        return None
    means = np.array(
        [
            [
                np.mean([distance[axis] for at, distance, _ in found if at[axis] == place] or [0.0])
                for place in PLACES
            ]
            for axis in range(len(cells))
        ]
    )
    width = np.mean([width for _, _, width in found], axis=0)
    to_the_middle = means * np.sign([axis.step for axis in cells])[:, None] * TO_THE_MIDDLE > 0
    by_tails = np.where(to_the_middle, TAILS * width[:, None], 0)
    least = [max(TOLERANCE_CELLS, TOLERANCE_PX / abs(axis.step)) for axis in cells]
    farthest = np.maximum(np.abs(means) - by_tails, 0).max(axis=1)
    return _Farthest(farthest, np.maximum(least, TOLERANCE_WIDTH * width))


def _distances(
    model: LoadedModel, layer: str, cells: Sequence[Cells], patches: Sequence[tuple[float, ...]]
) -> Iterator[tuple[tuple[float, ...], NDArray[np.float64], NDArray[np.float64]]]:
    """Places of patches that change the layer; measured minus computed place, and width, in cells, per axis.

    Measured places are means over the example images, on which the patch is bright and dark by turns.
    """
    example = model.example
    before = model.read(example).activations(layer).float()
    lowest, highest = example.amin(), example.amax()
    away = CONTRAST * (highest - lowest)
    for places in patches:
        sides = zip(places, example.shape[2:], cells, strict=True)
        patch = [_patch(place, side, abs(axis.step)) for place, side, axis in sides]
        lit = example.clone()
        lit[::2, :, *patch] = highest + away
        lit[1::2, :, *patch] = lowest - away
        change = (model.read(lit).activations(layer).float() - before).square().sum(dim=1)
        middle = [(pixels.start + pixels.stop - 1) / 2 for pixels in patch]
        computed = [(pixel - axis.start) / axis.step for pixel, axis in zip(middle, cells, strict=True)]
        found = [_centre(image) for image in change.double().cpu().numpy() if image.max() > 0]
        if found:
            centre, width = np.mean(found, axis=0)
            expected = [
                place + _pull(place, spread, axis.size)
                for place, spread, axis in zip(computed, width, cells, strict=True)
            ]
            yield places, centre - expected, width


@contextmanager
def _mirrored_kernels(network: nn.Module) -> Iterator[None]:
    """Inside `with`, the kernels of all convolutions are mirrored along every axis of the grid."""
    modules = [module for module in network.modules() if isinstance(module, _ConvNd)]
    kept = [(module, module.weight.data) for module in modules]
    try:
        for module, weight in kept:
            module.weight.data = weight.flip(tuple(range(2, weight.dim())))
        yield
    finally:
        for module, weight in kept:
            module.weight.data = weight


def _patch(place: float, side: int, step: float) -> slice:
    """The pixels of one axis within half a cell of a place."""
    middle, half = place * (side - 1), max(step, 1.0) / 2
    start = max(round(middle - half + 0.5), 0)
    return slice(start, min(max(round(middle + half - 0.5), start) + 1, side))


def _pull(place: float, width: float, size: int) -> float:
    """How far the edges of a grid of `size` cells move the centre of a change around `place`, in cells.

    What lies beyond the first and the last cell is cut off, so that a wide change appears nearer to the
    middle. The change is taken for a bell that has the measured width between the edges.
    """
    everywhere = np.arange(-REACH, size + REACH)
    bells = np.exp(-(((everywhere - place) / SPREADS[:, None]) ** 2) / 2)
    whole, inside = bells + TINY, bells[:, REACH:-REACH] + TINY
    indices = everywhere[REACH:-REACH]
    centres = inside @ indices / inside.sum(axis=1)
    widths = np.sqrt((inside * (indices - centres[:, None]) ** 2).sum(axis=1) / inside.sum(axis=1))
    fitting = int(np.abs(widths - width).argmin())
    return float(centres[fitting] - whole[fitting] @ everywhere / whole[fitting].sum())


def _centre(change: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centre of gravity and standard deviation of a change above its floor, in cells, (2, axes)."""
    weights = np.where(change >= FLOOR * change.max(), change, 0).ravel()
    indices = np.indices(change.shape).reshape(change.ndim, -1)
    centre = indices @ weights / weights.sum()
    width = np.sqrt((indices - centre[:, None]) ** 2 @ weights / weights.sum())
    return np.stack([centre, width])
