"""Hashes of images, and the groups of images that look the same."""

from __future__ import annotations

from itertools import combinations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.fft import dctn

from pipeline.cohort.near_duplicates import (
    NEAR_BITS,
    NEAR_CORRELATION,
    Picture,
    correlation,
    distance,
    look_of,
    near_duplicate_groups,
    perceptual_hash,
    picture_hashes,
    read_look,
)
from tests.study import picture


def scene(number: int, shape: tuple[int, int] = (160, 128)) -> NDArray[np.float32]:
    """A picture with structure at every scale; brightness 0.25 … 0.75, so that changes of it do not clip."""
    random = np.random.default_rng(number)
    parts = [
        cv2.resize(random.random((n, n)), shape[::-1], interpolation=cv2.INTER_CUBIC) for n in (4, 9, 48)
    ]
    found = sum(parts[1:], parts[0])
    return (0.25 + 0.5 * (found - found.min()) / np.ptp(found)).astype(np.float32)


def with_bits(bits: int, fine: int = 1) -> Picture:
    """A picture with the given hash; equal `fine` gives equal fine structures, else unrelated ones."""
    noise = np.random.default_rng(fine).integers(0, 256, 512, dtype=np.uint8)
    return Picture(f"{bits}-{fine}", bits, noise.tobytes())


def test_the_hash_is_the_sign_of_the_lowest_frequencies() -> None:
    pixels = scene(1, (32, 32))
    signs = (dctn(pixels.astype(float), norm="ortho")[1:9, 1:9] > 0).ravel()
    assert f"{perceptual_hash(pixels):064b}" == "".join("01"[int(sign)] for sign in signs)


def test_brightness_contrast_and_size_leave_the_hash_as_it_is() -> None:
    pixels = scene(2)
    smaller = cv2.resize(pixels, (96, 120), interpolation=cv2.INTER_AREA)
    for changed in (0.5 * pixels + 0.2, smaller):
        assert distance(picture_hashes(pixels), picture_hashes(changed)) <= 2
        assert correlation(picture_hashes(pixels), picture_hashes(changed)) > 0.5


def test_the_same_pixels_have_the_same_digest_and_one_changed_pixel_another() -> None:
    pixels = scene(3)
    other = pixels.copy()
    other[5, 7] += 1 / 255
    assert picture_hashes(pixels).sha256 == picture_hashes(pixels.copy()).sha256
    assert picture_hashes(pixels).sha256 != picture_hashes(other).sha256


def test_the_last_bit_of_a_float_does_not_change_the_digest() -> None:
    pixels = (np.arange(64, dtype=np.float32) / 255).reshape(8, 8)
    for towards in (-1, 2):
        assert (
            picture_hashes(np.nextafter(pixels, np.float32(towards))).sha256 == picture_hashes(pixels).sha256
        )


def test_an_image_of_another_shape_with_the_same_bytes_is_another() -> None:
    flat = np.full((8, 4), 0.5, np.float32)
    assert picture_hashes(flat).sha256 != picture_hashes(flat.reshape(4, 8)).sha256


def test_noise_a_mark_and_compression_do_not_hide_a_copy() -> None:
    pixels = scene(4)
    noisy = (pixels + np.random.default_rng(0).normal(0, 0.02, pixels.shape)).clip(0, 1).astype(np.float32)
    marked = pixels.copy()
    marked[4:10, 4:16] = 1
    grey = np.rint(pixels * 255).astype(np.uint8)
    jpeg = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    compressed = cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255
    assert near_duplicate_groups(
        [picture_hashes(pixels), *map(picture_hashes, (noisy, marked, compressed))]
    ) == [(0, 1, 2, 3)]


def test_different_images_are_not_alike() -> None:
    assert near_duplicate_groups([picture_hashes(scene(number)) for number in range(40)]) == []


def test_a_mirrored_image_is_another() -> None:
    assert (
        near_duplicate_groups(
            [picture_hashes(scene(5)), picture_hashes(np.ascontiguousarray(scene(5)[:, ::-1]))]
        )
        == []
    )


def test_the_same_coarse_structure_alone_makes_no_pair() -> None:
    """Like two chest radiographs: the hashes agree, the fine structures do not."""
    assert near_duplicate_groups([with_bits(0, fine=1), with_bits(0, fine=2)]) == []
    assert near_duplicate_groups([with_bits(0, fine=1), with_bits(0, fine=1)]) == [(0, 1)]


def test_hashes_differ_by_at_most_seven_bits() -> None:
    assert near_duplicate_groups([with_bits(0), with_bits(0b1111111)]) == [(0, 1)]
    assert near_duplicate_groups([with_bits(0), with_bits(0b11111111)]) == []


def test_pairs_are_found_as_if_all_were_compared() -> None:
    """Multi-index hashing misses no pair, compared with a plain double loop."""
    random = np.random.default_rng(11)
    hashes = [int(value) for value in random.integers(0, 2**63, 30, dtype=np.uint64)]
    for near in list(hashes):
        flipped = random.choice(64, random.integers(5, 10), replace=False)
        hashes.append(near ^ sum(1 << int(bit) for bit in flipped))
    found = near_duplicate_groups([with_bits(bits) for bits in hashes])
    wanted = {
        (i, j) for (i, a), (j, b) in combinations(enumerate(hashes), 2) if (a ^ b).bit_count() <= NEAR_BITS
    }
    assert 10 <= len(wanted) < 30
    assert {pair for group in found for pair in combinations(group, 2)} == wanted


def test_a_chain_is_one_group_and_groups_stand_in_the_order_of_their_first() -> None:
    chain = [with_bits(value) for value in (0b11111 << 40, 0, 0b11111, 0b1111111111, (0b11111 << 40) | 3)]
    assert near_duplicate_groups(chain) == [(0, 1, 2, 3, 4)]
    two_pairs_that_meet = [with_bits(2**count - 1) for count in (0, 15, 10, 5)]
    assert near_duplicate_groups(two_pairs_that_meet) == [(0, 1, 2, 3)]
    apart = [with_bits(value) for value in (2**64 - 1, 0, 1, 2**64 - 2)]
    assert near_duplicate_groups(apart) == [(0, 3), (1, 2)]


def test_no_image_and_one_image_are_no_group() -> None:
    assert near_duplicate_groups([]) == []
    assert near_duplicate_groups([with_bits(5)]) == []


def test_correlation_is_pearsons() -> None:
    one, other = with_bits(0, fine=3), with_bits(0, fine=4)
    bits = [np.unpackbits(np.frombuffer(p.fine, np.uint8)).astype(float) for p in (one, other)]
    assert correlation(one, other) == pytest.approx(np.corrcoef(*bits)[0, 1])
    assert correlation(one, one) == pytest.approx(1)
    assert abs(correlation(one, other)) < NEAR_CORRELATION


def test_a_flat_image_is_like_nothing() -> None:
    flat = picture_hashes(np.full((20, 20), 0.25, np.float32))
    assert correlation(flat, flat) == 0
    assert near_duplicate_groups([flat, picture_hashes(np.full((20, 20), 0.75, np.float32))]) == []


def test_padding_has_no_finer_structure() -> None:
    padded = np.pad(scene(6), ((0, 0), (128, 128)))
    bits = np.unpackbits(np.frombuffer(picture_hashes(padded).fine, np.uint8)).reshape(64, 64)
    assert bits[:, :19].sum() == bits[:, -19:].sum() == 0
    assert 0.3 < bits[:, 24:40].mean() < 0.7


def test_small_pictures_have_a_hash_too() -> None:
    assert picture_hashes((picture(1, (3, 2)) / 255).astype(np.float32)).bits >= 0


def test_a_look_is_read_back_without_the_hash_of_the_pixels() -> None:
    pixels = scene(3)
    known, found = picture_hashes(pixels), read_look(look_of(pixels))
    assert (found.bits, found.fine, found.sha256) == (known.bits, known.fine, "")
    assert near_duplicate_groups([found, read_look(look_of(scene(4))), known]) == [(0, 2)]


@pytest.mark.parametrize("text", ["", "0" * 1039, "g" * 1040])
def test_other_texts_are_no_looks(text: str) -> None:
    with pytest.raises(ValueError, match=r"digits|literal|hexadecimal"):
        read_look(text)
