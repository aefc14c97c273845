"""Shortcuts: what no lesion changes is taken away, or exchanged with that of another patient's image.

A network that only reads lesions classifies the changed images as well as the original ones. Annotated
regions keep their pixels, except that all pixels become blurred or brighter where the probe says so.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from pipeline.contracts import Probe, ProbedImage, Variant
from pipeline.loaders.burned_in import TooManyShapesError, find_text
from pipeline.probes.fills import inpainted
from pipeline.probes.regions import body, widened
from pipeline.records import Box, Image, Intensity, Mask, Values

BLUR = 0.01
"""Standard deviation of the low-pass filter, as a share of the shorter side."""
STRIPE = 0.03
"""Standard deviation of what counts as a smooth profile of rows or columns, as a share of their number."""
FRAME = 0.14
"""Width of the frame of an image, as a share of each side."""
LEVEL = 1e-3
"""Least mean brightness by which an image can be scaled."""


def low_pass(probed: ProbedImage) -> Iterator[Variant]:
    """The image without detail finer than one hundredth of its side."""
    pixels = probed.image.pixels
    yield Variant("blurred", gaussian_filter(pixels, BLUR * min(pixels.shape)))


def brightness(probed: ProbedImage) -> Iterator[Variant]:
    """The image at the mean brightness of another patient's image."""
    assert probed.other is not None
    pixels = probed.image.pixels
    mean, wanted = (float(image.pixels.mean()) for image in (probed.image, probed.other))
    if mean > LEVEL and wanted > LEVEL:
        yield Variant("of_another_image", _at_mean(pixels, wanted))


def frame(probed: ProbedImage) -> Iterator[Variant]:
    """The image with the border region of another patient's image, except where a finding is annotated."""
    assert probed.other is not None
    pixels, other = probed.image.pixels, _fitted(probed.other.pixels, probed.image.pixels)
    rows, columns = (round(FRAME * side) for side in pixels.shape)
    outside = np.ones(pixels.shape, bool)
    outside[rows : pixels.shape[0] - rows, columns : pixels.shape[1] - columns] = False
    share = np.where(_kept(probed), 0.0, _soft(outside))
    yield Variant("of_another_image", (share * other + (1 - share) * pixels).astype(np.float32))


def background(probed: ProbedImage) -> Iterator[Variant]:
    """The image with everything outside the body made black, as in collimated and cropped images."""
    pixels = probed.image.pixels
    yield Variant("black", np.where(body(pixels) | _kept(probed), pixels, np.float32(0)))


def outside(probed: ProbedImage) -> Iterator[Variant]:
    """The image with what lies outside the body in another's image; black where that shows its body."""
    assert probed.other is not None
    pixels, other = probed.image.pixels, probed.other.pixels
    empty = _fitted(np.where(body(other), np.float32(0), other), pixels)
    yield Variant("of_another_image", np.where(body(pixels) | _kept(probed), pixels, empty))


def stripes(probed: ProbedImage) -> Iterator[Variant]:
    """The image without what whole rows or whole columns have in common beyond a smooth profile."""
    pixels = probed.image.pixels.astype(np.float64)
    for axis in (0, 1):
        profile = np.median(pixels, axis=1 - axis, keepdims=True)
        fine = profile - gaussian_filter1d(profile, STRIPE * pixels.shape[axis], axis=axis)
        pixels = pixels - fine
    yield Variant("removed", np.clip(pixels, 0, 1).astype(np.float32))


def text(probed: ProbedImage) -> Iterator[Variant]:
    """The image with text and markers blanked, and with those of another patient's image in their places."""
    own = _lettering(probed.image)
    other = None if probed.other is None else _lettering(probed.other)
    blank = inpainted(probed.image.pixels, own & ~_kept(probed)) if own.any() else probed.image.pixels
    if own.any():
        yield Variant("blanked", blank)
    if probed.other is not None and other is not None and other.any():
        where = _fitted(other.astype(np.float32), blank) > 0
        where &= ~_kept(probed)
        yield Variant("of_another_image", np.where(where, _fitted(probed.other.pixels, blank), blank))


LOW_PASS = Probe("shortcut", low_pass, "detail finer than 1 % of the image removed")
BRIGHTNESS = Probe("shortcut", brightness, "mean brightness of another image", needs_other=True)
FRAME_OF_ANOTHER = Probe("shortcut", frame, "border of another image", needs_other=True)
BACKGROUND = Probe("shortcut", background, "everything outside the body blackened")
OUTSIDE = Probe("shortcut", outside, "outside of the body from another image", needs_other=True, level="full")
STRIPES = Probe("shortcut", stripes, "stripes along rows and columns removed")
TEXT = Probe("shortcut", text, "text and markers blanked or exchanged", most=2)


def _at_mean(pixels: Intensity, wanted: float) -> Intensity:
    """The image at another mean brightness; changed by a power, so that black and white stay so."""
    few = pixels[:: max(pixels.shape[0] // 128, 1), :: max(pixels.shape[1] // 128, 1)]
    low, high = 0.05, 20.0
    for _ in range(30):
        power = float(np.sqrt(low * high))
        if float((few**power).mean()) > wanted:
            low = power
        else:
            high = power
    return (pixels**power).astype(np.float32)


def _fitted(pixels: Intensity, like: Intensity) -> Intensity:
    """Another image stretched to the shape of this one."""
    return cv2.resize(pixels, like.shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)


def _kept(probed: ProbedImage) -> Mask:
    """Annotated regions with a margin."""
    return widened(probed.marked) if probed.marked.any() else probed.marked


def _soft(mask: Mask) -> Values:
    """A mask as shares of 0 … 1 with a soft edge."""
    soft: Values = gaussian_filter(mask.astype(np.float64), 0.01 * min(mask.shape))
    return soft


def _lettering(image: Image) -> Mask:
    """Pixels of what may be text."""
    found = np.zeros(image.shape, bool)
    try:
        boxes = find_text(image.pixels, "contrast")
    except TooManyShapesError:
        return found
    for box in boxes:
        found[_part(box)] = True
    return found


def _part(box: Box) -> tuple[slice, slice]:
    top, left = round(box.y + 0.5), round(box.x + 0.5)
    return slice(top, top + round(box.height)), slice(left, left + round(box.width))
