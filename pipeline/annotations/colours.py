"""Colours: an opened PNG mask → one value per pixel, 0 where its colour or transparency says background."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.annotations.background import FILLED, LABELS, Background, Grey, border, border_notice, commonest
from pipeline.annotations.grey_levels import SOURCES, VOID, VOID_RIM
from pipeline.errors import CaseError
from pipeline.records import Notice

HALF_OPAQUE = 128
VOID_COLOUR = (224, 224, 192)
"""Colour of the void in PASCAL VOC's palette."""
FEW_COLOURS = 2

ALPHA = Notice(
    "guess",
    SOURCES,
    "Masks are partly transparent; transparent pixels are read as background and opaque ones as lesions.",
)

Decided: TypeAlias = tuple[Grey, tuple[Notice, ...]]


def values_of(image: Image.Image, background: Background) -> Decided:
    """Grey values or the indices of a colour palette, and what was decided about colours.

    With a stated `background`, indices stay as they are. Raises CaseError "not_a_mask" if colours or
    transparency contradict each other, or several colours may stand for several findings.
    """
    if image.mode == "P":
        return _of_palette(image, background)
    values = np.asarray(image)
    if values.dtype == np.bool_:
        return values.astype(np.uint8), ()
    if image.mode in {"LA", "RGBA"}:
        alpha, values = values[..., -1], values[..., :-1]
        if (alpha != alpha.flat[0]).any():
            return _by_transparency(alpha, values)
    if values.ndim == 2:  # noqa: PLR2004  rows and columns
        return values, ()
    return _of_channels(values)


def _of_palette(image: Image.Image, background: Background) -> Decided:
    indices, colours = np.asarray(image), np.array(image.getpalette("RGB")).reshape(-1, 3)
    used = np.flatnonzero(np.bincount(indices.ravel()))
    if used.max(initial=0) >= len(colours):
        raise CaseError(
            "not_a_mask", "The mask's palette lacks colours that pixels use; save the mask again."
        )
    if (colours == colours[:, :1]).all():  # a grey palette encodes grey values
        if len(used) > 1 == len(np.unique(colours[used, 0])):
            raise CaseError(
                "not_a_mask", f"The mask's palette shows {len(used)} values in one grey; save it as grey."
            )
        return np.asarray(image.convert("L")), ()
    if background != "auto":
        return indices, ()
    notices: tuple[Notice, ...] = ()
    if VOID in used and tuple(colours[VOID]) == VOID_COLOUR:
        indices, used, notices = np.where(indices == VOID, 0, indices), used[used != VOID], (VOID_RIM,)
    black = [int(index) for index in used if not colours[index].any()]
    _refuse_black(black, has_lesion=len(used) > 1)
    if not black and len(used) == FEW_COLOURS:
        filling, share = commonest(border(indices))
        known = int(filling) if share >= FILLED else 0
        return _exchanged(indices, known), (*notices, *[border_notice(known)] * (known != 0))
    if not black or black[0] == 0:
        return indices, notices
    return _exchanged(indices, black[0]), (*notices, _black_notice(black[0]))


def _refuse_black(black: list[int], *, has_lesion: bool) -> None:
    """Refuse several black entries that lesions may have, apart from 255 for the void."""
    if len([index for index in black if index != VOID]) > 1 and has_lesion:
        raise CaseError(
            "not_a_mask",
            f"The mask's palette shows {len(black)} of its values in black, so that colours do not tell "
            "lesions from background; save it as grey, or set the source's key background.",
        )


def _black_notice(index: int) -> Notice:
    return Notice(
        "guess",
        SOURCES,
        f"Masks have a palette in which the value {index} is black; it is read as background, and 0 is not.",
        pin={"background": [index]},
    )


def _exchanged(indices: Grey, background: int) -> Grey:
    """The indices with the one of the background and 0 exchanged."""
    return np.where(indices == background, 0, np.where(indices == 0, background, indices))


def _by_transparency(alpha: Grey, values: Grey) -> Decided:
    """The opacity, if all opaque pixels have one colour, or their grey value."""
    opaque = alpha >= HALF_OPAQUE
    shown = values[opaque]
    if not opaque.any() or opaque.all():
        raise CaseError(
            "not_a_mask",
            "The mask is partly transparent, but nowhere or everywhere by more than half, which does not "
            "tell lesions from background; save it as grey without alpha.",
        )
    if (shown == shown[0]).all():
        return alpha, (ALPHA,)
    grey, notices = _of_channels(values)
    if (grey[~opaque] != 0).any():
        raise CaseError(
            "not_a_mask",
            "The mask is transparent where its colour is not black; save it as grey without alpha.",
        )
    return grey, notices


def _of_channels(values: Grey) -> Decided:
    """Grey values of (rows, columns, channels): shades of one colour, or two colours."""
    if values.shape[-1] == 1 or (values == values[..., :1]).all():
        return np.ascontiguousarray(values[..., 0]), ()
    colours, numbers = np.unique(values.reshape(-1, values.shape[-1]), axis=0, return_inverse=True)
    if _are_shades(colours):
        return values.max(axis=-1), ()
    if len(colours) == FEW_COLOURS and colours.any(axis=1).all():
        return _by_border(numbers.reshape(values.shape[:2]))
    raise CaseError(
        "not_a_mask",
        f"The mask is in colour, with {len(colours)} different colours that may be different findings; "
        "save one mask per finding, with one grey value per lesion.",
    )


def _are_shades(colours: Grey) -> bool:
    """Whether all colours (n, 3) are one colour, brighter and darker, within rounding."""
    strongest = colours[colours.max(axis=1).argmax()].astype(np.float64)
    expected = np.outer(colours.max(axis=1) / strongest.max(), strongest)
    return bool(np.abs(expected - colours).max() <= (strongest.max() > LABELS))


def _by_border(numbers: NDArray[np.intp]) -> Decided:
    """Two colours, neither of which is black, as 0 and 1: 0 is the one on the border."""
    edge = border(numbers)
    if 0 < edge.mean() < 1:
        raise CaseError(
            "not_a_mask",
            "The mask has two colours, none of them black and both on its border, so that it is unknown "
            "which is background; save it as grey, with 0 for background.",
        )
    notice = Notice(
        "guess",
        SOURCES,
        "Masks have two colours, none of them black; the one on the border of the image is read as "
        "background.",
    )
    return np.asarray(numbers != edge[0]).astype(np.uint8), (notice,)
