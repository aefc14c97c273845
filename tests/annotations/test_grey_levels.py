"""Tests of telling soft edges from numbers of lesions."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from pipeline.annotations.grey_levels import NUMBERED, ONE_MASK, SOFT, VOID_RIM, guessed_instances
from pipeline.errors import CaseError
from pipeline.records import Notice

ROWS, COLUMNS = np.mgrid[:64, :56]
LARGE = np.hypot(ROWS - 24, COLUMNS - 24) <= 12
SMALL = np.hypot(ROWS - 54, COLUMNS - 44) <= 5
RIM = (np.hypot(ROWS - 24, COLUMNS - 24) <= 14) & ~LARGE
THIN = (np.hypot(ROWS - 24, COLUMNS - 24) <= 13) & ~LARGE
BOTH = LARGE | SMALL


def of(large: float, small: float = 0, **rims: float) -> np.ndarray:
    """An image of 0 in which both lesions, and the rims of the large one, have these values."""
    values = np.where(LARGE, large, np.where(SMALL, small, 0))
    for mask, value in zip((RIM, THIN), (rims.get("rim", 0), rims.get("thin", 0)), strict=True):
        values = np.where(mask, value, values) if value else values
    return values.astype(np.uint8)


def jpeg(mask: np.ndarray, quality: int) -> np.ndarray:
    stream = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


def blurred(mask: np.ndarray, sigma: float, highest: float = 255) -> np.ndarray:
    return gaussian_filter(mask.astype(float), sigma) * highest


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum() / (first | second).sum())


@pytest.mark.parametrize(
    ("values", "truth", "lesions", "notices"),
    [
        (of(255), LARGE, 1, ()),
        (of(255, 255), BOTH, 2, (ONE_MASK,)),
        (of(1, 2), BOTH, 2, (NUMBERED,)),
        (of(100, 200), BOTH, 2, (NUMBERED,)),
        (of(255, 254), BOTH, 2, (SOFT,)),
        (of(255, thin=1), LARGE, 1, (SOFT,)),
        (of(255, thin=200), LARGE | THIN, 1, (SOFT,)),
        (of(1, rim=255), LARGE, 1, (VOID_RIM,)),
        (of(1, 2, rim=255), BOTH, 2, None),
        (jpeg(BOTH, 95), BOTH, 2, (SOFT,)),
        (jpeg(BOTH, 40), BOTH, 2, (SOFT,)),
        (blurred(BOTH, 0.7), BOTH, 2, (SOFT,)),
        (blurred(BOTH, 0.7, 1.0), BOTH, 2, (SOFT,)),
        (blurred(BOTH, 0.7, 65535).astype(np.uint16), BOTH, 2, (SOFT,)),
    ],
    ids=[
        "one", "two parts", "1 and 2", "100 and 200", "254 and 255", "rim of 1", "rim of 200",
        "void", "no void", "JPEG 95", "JPEG 40", "blurred", "0 to 1", "16 bits",
    ],
)  # fmt: skip
def test_what_grey_values_are(
    values: np.ndarray, truth: np.ndarray, lesions: int, notices: tuple[Notice, ...] | None
) -> None:
    if notices is None:
        with pytest.raises(CaseError, match=r"areas of several values"):
            guessed_instances(values)
        return
    masks, said = guessed_instances(values)
    assert (len(masks), said) == (lesions, notices)
    assert overlap(np.any(masks, axis=0), truth) > 0.97


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        (of(1, 255), r"areas of several values \(1, 255\)"),
        (of(2, thin=1), "value 1 in the mask is only a thin border"),
        (blurred(BOTH, 6), "most of them far from 0"),
        (np.arange(64 * 56).reshape(64, 56) % 251, "most of them far from 0"),
        (of(100, 200) + blurred(np.roll(SMALL, -30, axis=0), 2).astype(np.uint8), "soft edges"),
    ],
    ids=["1 and 255", "border of a number", "far too soft", "picture", "numbers and soft edges"],
)
def test_what_is_unclear_is_refused_with_what_was_found(values: np.ndarray, complaint: str) -> None:
    with pytest.raises(CaseError, match=complaint) as refused:
        guessed_instances(values)
    assert refused.value.reason == "not_a_mask"


def test_a_single_pixel_of_its_own_value_is_a_lesion() -> None:
    values = np.zeros((9, 9), np.uint8)
    values[1, 1], values[5, 5] = 100, 200
    assert len(guessed_instances(values)[0]) == 2


def test_nothing_drawn_is_no_lesion() -> None:
    assert guessed_instances(np.zeros((3, 3))) == ((), ())
