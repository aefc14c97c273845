"""Study sets: annotations and labels that do not belong to the images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from pipeline.phantoms.lesions import FINDINGS
from pipeline.records import Mask
from tests.trust.setups import Setup

Change = Callable[[Mask], Mask]


def labels_shuffled(setup: Setup, rng: np.random.Generator, dose: float) -> Setup:
    """A share of the films with the labels of others."""
    return replace(setup, labels=setup.labels[exchanged(len(setup.labels), dose, rng)])


def masks_of_others(setup: Setup, rng: np.random.Generator, dose: float) -> Setup:
    """A share of the films with a finding with the mask of another such film, stretched to their own size."""
    masks = [dict(found) for found in setup.masks]
    for finding in setup.findings:
        having = [number for number, found in enumerate(setup.masks) if finding in found]
        order = exchanged(len(having), dose, rng)
        for number, other in zip(having, order.tolist(), strict=True):
            masks[number][finding] = _stretched(
                setup.masks[having[other]][finding], setup.films[number].stored.shape
            )
    return replace(setup, masks=tuple(masks))


def masks_shifted(setup: Setup, rng: np.random.Generator, dose: float) -> Setup:
    """All masks moved by a share of the side, in one direction."""
    down, right = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1)][int(rng.integers(6))]

    def shifted(mask: Mask) -> Mask:
        by = round(dose * mask.shape[0])
        padded = np.pad(mask, by)
        rows, columns = by - down * by, by - right * by
        return padded[rows : rows + mask.shape[0], columns : columns + mask.shape[1]]

    return _with_masks(setup, shifted)


def masks_mirrored(setup: Setup, _rng: np.random.Generator, _dose: float) -> Setup:
    """All masks mirrored."""
    return _with_masks(setup, lambda mask: mask[:, ::-1])


def masks_transposed(setup: Setup, _rng: np.random.Generator, _dose: float) -> Setup:
    """All masks with rows and columns exchanged."""
    return _with_masks(setup, lambda mask: mask.T)


def masks_of_another_finding(setup: Setup, rng: np.random.Generator, _dose: float) -> Setup:
    """All masks under the name of another finding; labels stay."""
    by = int(rng.integers(1, len(FINDINGS)))
    names = dict(zip(FINDINGS, [*FINDINGS[by:], *FINDINGS[:by]], strict=True))
    return replace(
        setup, masks=tuple({names[finding]: mask for finding, mask in found.items()} for found in setup.masks)
    )


def masks_dilated(setup: Setup, _rng: np.random.Generator, dose: float) -> Setup:
    """All masks about `dose` times as large."""

    def dilated(mask: Mask) -> Mask:
        by = round((np.sqrt(dose) - 1) / 2 * np.sqrt(mask.sum()))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * by + 1, 2 * by + 1))
        return cv2.dilate(mask.astype(np.uint8), kernel).astype(bool)

    return _with_masks(setup, dilated)


def exchanged(count: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """The numbers 0 … count-1, of which a share, chosen at random, stand at each other's places."""
    order = np.arange(count)
    moving = rng.permutation(count)[: max(round(share * count), 2)]
    order[moving] = np.roll(moving, 1)
    return order


def _stretched(mask: Mask, shape: tuple[int, ...]) -> Mask:
    rows, columns = shape
    return cv2.resize(mask.astype(np.uint8), (columns, rows), interpolation=cv2.INTER_NEAREST).astype(bool)


def _with_masks(setup: Setup, change: Change) -> Setup:
    changed = (
        {finding: np.ascontiguousarray(change(mask)) for finding, mask in found.items()}
        for found in setup.masks
    )
    return replace(
        setup, masks=tuple({name: mask for name, mask in found.items() if mask.any()} for found in changed)
    )
