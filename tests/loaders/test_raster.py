"""Raster: pictures are shown as other programs show them, at full depth, or have a reason."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageOps

from pipeline.errors import CaseError
from pipeline.loaders import decode, read_header
from pipeline.loaders.raster import TURNED
from pipeline.loaders.samples import TRANSPARENT
from pipeline.records import Image
from tests.loaders.files import load_file, reasons, write_file
from tests.loaders.pictures import (
    COLOURS,
    GREY,
    WIDE,
    chunk,
    png,
    saved,
    tiff,
    with_orientation,
    write_picture,
)

LUMA = COLOURS @ np.array([0.299, 0.587, 0.114])


def shown(path: Path) -> np.ndarray:
    return load_file(path).pixels


def refused(path: Path) -> str:
    """The reason, from the header or the pixels."""
    with pytest.raises(CaseError) as refusal:
        load_file(path)
    assert path.name not in refusal.value.message
    assert ";" in refusal.value.message
    return refusal.value.reason


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_grey_pictures_keep_their_depth(suffix: str, tmp_path: Path) -> None:
    for pixels, highest in ((GREY, 255), (WIDE, 65535)):
        path = write_picture(tmp_path / f"a.{suffix}", pixels)
        image = load_file(path)
        np.testing.assert_allclose(image.pixels, pixels / highest, atol=1e-7)
        np.testing.assert_array_equal(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), pixels)
        assert image.display is not None
        np.testing.assert_array_equal(image.display.values, pixels)
        assert image.attributes["bits_stored"] == str(8 * pixels.itemsize)
        assert image.attributes["file_format"] == suffix.upper()
        assert image.spacing_mm is None


def test_a_picture_and_a_dicom_file_of_the_same_pixels_are_the_same_image(tmp_path: Path) -> None:
    for pixels in (GREY, WIDE, COLOURS):
        other = write_file(
            tmp_path / "a.dcm", pixels, photometric="RGB" if pixels.ndim == 3 else "MONOCHROME2"
        )
        path = tmp_path / "a.png"
        path.write_bytes(png(pixels, colour=2 if pixels.ndim == 3 else 0))
        np.testing.assert_array_equal(shown(path), shown(other))


def test_a_jpeg_is_read_as_opencv_reads_it(tmp_path: Path) -> None:
    smooth = np.add.outer(np.arange(32), np.arange(40)).astype(np.uint8) * 3
    path = write_picture(tmp_path / "a.jpg", smooth, quality=95)
    np.testing.assert_allclose(shown(path) * 255, cv2.imread(str(path), cv2.IMREAD_UNCHANGED), atol=1.01)
    colours = write_picture(tmp_path / "b.jpg", np.stack([smooth, smooth // 2, 255 - smooth], -1), quality=95)
    blue, green, red = np.moveaxis(cv2.imread(str(colours)).astype(float), -1, 0)
    np.testing.assert_allclose(shown(colours) * 255, 0.299 * red + 0.587 * green + 0.114 * blue, atol=2)


def test_colours_become_luminance_and_equal_ones_are_grey(tmp_path: Path) -> None:
    np.testing.assert_allclose(shown(write_picture(tmp_path / "a.png", COLOURS)), LUMA / 255, atol=1e-6)
    grey = load_file(write_picture(tmp_path / "b.png", np.stack([GREY] * 3, axis=-1)), window=(110.5, 221))
    assert grey.pixels.max() == 1.0  # a window applies to grey pictures
    np.testing.assert_allclose(grey.pixels, GREY / 220, atol=1e-6)


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_colours_of_sixteen_bits_keep_them(suffix: str, tmp_path: Path) -> None:
    wide = np.stack([WIDE, WIDE // 3, 65535 - WIDE], axis=-1)
    path = tmp_path / f"a.{suffix}"
    assert cv2.imwrite(str(path), wide[..., ::-1])
    image = load_file(path)
    np.testing.assert_allclose(image.pixels, wide @ np.array([0.299, 0.587, 0.114]) / 65535, atol=1e-6)
    assert image.attributes["bits_stored"] == "16"
    grey = tmp_path / f"b.{suffix}"
    assert cv2.imwrite(str(grey), np.stack([WIDE] * 3, axis=-1))
    np.testing.assert_allclose(shown(grey), WIDE / 65535, atol=1e-7)


def test_a_palette_gives_its_colours(tmp_path: Path) -> None:
    few = COLOURS // 64 * 64
    path = tmp_path / "a.png"
    Pillow.fromarray(few).quantize(16).save(path)
    read = np.asarray(Pillow.open(path).convert("RGB")).astype(float)
    np.testing.assert_allclose(shown(path), read @ np.array([0.299, 0.587, 0.114]) / 255, atol=1e-6)


@pytest.mark.parametrize(("bits", "colour"), [(8, 4), (16, 4), (8, 6), (16, 6)])
def test_transparent_parts_are_black_and_told(bits: int, colour: int, tmp_path: Path) -> None:
    kind = np.uint8 if bits == 8 else np.uint16
    grey, highest = np.full((2, 3), 200, kind), np.iinfo(kind).max
    alpha = np.array([[0, 0, highest // 5], [highest, highest, highest]], kind)
    channels = [grey, alpha] if colour == 4 else [grey, grey, grey, alpha]
    path = tmp_path / "a.png"
    path.write_bytes(png(np.stack(channels, axis=-1), colour=colour))
    image = load_file(path)
    assert reasons(image)[0] == TRANSPARENT
    np.testing.assert_allclose(image.pixels * highest, [[0, 0, 40], [200, 200, 200]], atol=0.51)
    opaque = np.stack([grey] * (len(channels) - 1) + [np.full_like(grey, highest)], axis=-1)
    path.write_bytes(png(opaque, colour=colour))
    assert TRANSPARENT not in reasons(load_file(path))


def test_one_transparent_grey_value_is_black(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    for pixels in (GREY, WIDE):
        value = int(pixels[1, 1])
        path.write_bytes(png(pixels, colour=0, more=chunk(b"tRNS", value.to_bytes(2, "big"))))
        image = load_file(path)
        assert reasons(image) == [TRANSPARENT]
        assert image.pixels[1, 1] == 0
        assert image.pixels[1, 2] > 0


@pytest.mark.parametrize("bits", [2, 4])
def test_a_transparent_value_of_few_bits_is_black(bits: int, tmp_path: Path) -> None:
    values = [0, 1, 2, 3]
    row = int("".join(f"{value:0{bits}b}" for value in values), 2).to_bytes(bits // 2, "big")
    head = struct.pack(">IIBBBBB", 4, 1, bits, 0, 0, 0, 0)
    parts = {b"IHDR": head, b"tRNS": b"\0\2", b"IDAT": zlib.compress(b"\0" + row), b"IEND": b""}
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(map(chunk, parts, parts.values())))
    image = load_file(path)
    np.testing.assert_allclose(image.pixels * (2**bits - 1), [[0, 1, 0, 3]], atol=1e-6)
    assert TRANSPARENT in reasons(image)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("meaning", ["no alpha", "multiplied", "alpha"])
def test_the_fourth_sample_of_a_tiff_is_what_the_file_says(
    meaning: str, kind: type[np.uint8 | np.uint16], tmp_path: Path
) -> None:
    highest = np.iinfo(kind).max
    red = np.array([[0, highest // 5, highest // 4]], kind)
    alpha = np.array([[0, highest // 3, highest]], kind)
    path = tmp_path / "a.tiff"
    samples = np.stack([red, red, red, alpha], axis=-1)
    path.write_bytes(tiff(samples, t338=["no alpha", "multiplied", "alpha"].index(meaning)))
    image = load_file(path)
    share = alpha / highest if meaning == "alpha" else 1
    np.testing.assert_allclose(image.pixels, red / highest * share, atol=1.01 / 255)
    assert (TRANSPARENT in reasons(image)) == (meaning != "no alpha")


def test_colours_of_sixteen_bits_in_planes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "subject"
    samples = np.stack([WIDE, WIDE // 3, 65535 - WIDE], axis=-1)
    path.write_bytes(tiff(samples))
    np.testing.assert_allclose(shown(path), samples @ np.array([0.299, 0.587, 0.114]) / 65535, atol=1e-6)
    path.write_bytes(tiff(samples, t284=2))
    assert refused(path) == "unsupported_depth"


def test_signed_bytes_of_a_tiff_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "subject"
    path.write_bytes(tiff(GREY, t339=1))
    np.testing.assert_allclose(shown(path), GREY / 255, atol=1e-6)
    path.write_bytes(tiff(GREY, t339=2))
    assert refused(path) == "unsupported_depth"


@pytest.mark.parametrize("suffix", ["jpg", "png", "tiff"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_as_pillow_applies_it_and_told(
    orientation: int, suffix: str, tmp_path: Path
) -> None:
    smooth = np.add.outer(np.arange(16) * 3, np.arange(24) * 7).astype(np.uint8)
    path = with_orientation(tmp_path / f"a.{suffix}", smooth, orientation)
    expected = np.asarray(ImageOps.exif_transpose(Pillow.open(BytesIO(path.read_bytes()))))
    (source,) = read_header(path, root=tmp_path)
    image = decode(source, case_id="case")
    assert source.shape == image.shape == expected.shape
    np.testing.assert_allclose(image.pixels * 255, expected, atol=1e-4)
    assert reasons(image) == ([TURNED] if orientation > 1 else [])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_png_is_turned_by_exif_data_behind_its_pixels(orientation: int, tmp_path: Path) -> None:
    exif = Pillow.Exif()
    exif[274] = orientation
    behind = chunk(b"eXIf", exif.tobytes()[6:])
    end = chunk(b"IEND", b"")
    path = tmp_path / "a.png"
    path.write_bytes(png(GREY, colour=0).removesuffix(end) + behind + end)
    picture = Pillow.open(path)
    picture.load()  # Pillow finds it then
    expected = np.asarray(ImageOps.exif_transpose(picture))
    (source,) = read_header(path, root=tmp_path)
    image = decode(source, case_id="case")
    assert source.shape == image.shape == expected.shape
    np.testing.assert_allclose(image.pixels * 255, expected, atol=1e-4)
    assert (TURNED in reasons(image)) == (orientation > 1)


def test_a_png_of_endless_chunks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.loaders.exif.MOST_CHUNKS", 100)
    path = tmp_path / "a.png"
    path.write_bytes(png(GREY, colour=0, more=chunk(b"tEXt", b"a\0b") * 200))
    assert refused(path) == "decode_failed"


def test_low_values_are_white_where_a_tiff_says_so(tmp_path: Path) -> None:
    for pixels, highest in ((GREY, 255), (WIDE, 65535)):
        path = write_picture(tmp_path / "a.tiff", pixels, tiffinfo={262: 0})
        # Pillow writes the values of 8 bits inverted, those of 16 bits as they are.
        expected = pixels if highest == 255 else highest - pixels
        np.testing.assert_allclose(shown(path), expected / highest, atol=1e-6)


def test_twelve_bits_in_sixteen_are_warned_of(tmp_path: Path) -> None:
    dark = write_picture(tmp_path / "a.png", (WIDE // 16).astype(np.uint16))
    assert reasons(load_file(dark)) == ["narrow_range"]


def test_two_values_are_warned_of(tmp_path: Path) -> None:
    mask = write_picture(tmp_path / "a.png", np.where(GREY > 100, 255, 0).astype(np.uint8))
    assert reasons(load_file(mask)) == ["two_values"]


def test_a_window_is_in_stored_values(tmp_path: Path) -> None:
    image = load_file(write_picture(tmp_path / "a.png", WIDE), window=(20000.5, 20001))
    np.testing.assert_allclose(image.pixels, np.clip((WIDE - 10000.0) / 20000, 0, 1), atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "pixels", "options", "reason"),
    [
        ("PNG", GREY > 100, {}, "not_an_image"),
        ("TIFF", GREY.astype(np.float32), {}, "float_pixels"),
        ("TIFF", GREY.astype(np.int32), {}, "unsupported_depth"),
        ("TIFF", GREY, {"save_all": True, "append_images": [Pillow.fromarray(GREY)]}, "several_pictures"),
        ("PNG", GREY, {"save_all": True, "append_images": [Pillow.fromarray(WIDE)]}, "several_pictures"),
    ],
    ids=["one bit", "float", "signed", "pages", "animated"],
)  # fmt: skip
def test_pictures_that_are_not_read(kind, pixels, options, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "subject"
    path.write_bytes(saved(pixels, kind, **options))
    assert refused(path) == reason


def test_the_colours_of_prints_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "subject"
    for kind in ("JPEG", "TIFF"):
        Pillow.fromarray(COLOURS).convert("CMYK").save(path, kind)
        assert refused(path) == "unsupported_photometric"


def test_a_changed_byte_of_a_png_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "subject"
    content = bytearray(png(GREY, colour=0))
    content[-20] ^= 1  # in the pixels, which Pillow does not check
    path.write_bytes(content)
    assert refused(path) == "decode_failed"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_a_picture_that_was_cut_is_refused(kind: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8)
    content = saved(noise, kind)
    path = tmp_path / "subject"
    for length in (20, len(content) // 2, len(content) - 40):
        path.write_bytes(content[:length])
        assert refused(path) == "decode_failed"


def test_a_header_that_claims_gigapixels_is_refused_before_decoding(tmp_path: Path) -> None:
    content = bytearray(png(GREY, colour=0))
    content[16:24] = (9000).to_bytes(4, "big") * 2
    content = content[:29] + chunk(b"IHDR", bytes(content[16:29]))[-4:] + content[33:]
    (tmp_path / "subject").write_bytes(content)
    assert refused(tmp_path / "subject") == "too_large"


def test_resolution_is_no_spacing(tmp_path: Path) -> None:
    for suffix in ("png", "tiff", "jpg"):
        assert load_file(write_picture(tmp_path / f"a.{suffix}", GREY, dpi=(254, 254))).spacing_mm is None


def test_text_and_exif_of_a_picture_are_nowhere_in_the_image(tmp_path: Path) -> None:
    exif = Pillow.Exif()
    exif[270], exif[315] = "Zq1001fam", "Zq1002giv"
    text = chunk(b"tEXt", b"Patient\0Zq1003") + chunk(b"eXIf", exif.tobytes()[6:])
    path = tmp_path / "a.png"
    path.write_bytes(png(GREY, colour=0, more=text))
    assert not reasons(_image(path))
    assert "Zq" not in repr(_image(path))


def _image(path: Path) -> Image:
    return load_file(path)
