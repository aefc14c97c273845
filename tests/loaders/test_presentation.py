"""Presentation: the display parameters in a header, compared with pydicom's own results."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut

from pipeline.errors import CaseError
from pipeline.loaders.greyscale import Rescale, Table, Window
from pipeline.loaders.presentation import greyscale

RAMP = np.array([[0, 10, 20], [30, 40, 50]], np.uint8)


def table(first: int, entries: list[int], *, bits: int = 8) -> Dataset:
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, bits]
    item.LUTData = entries
    item["LUTDescriptor"].VR = "US"
    item["LUTData"].VR = "US"
    return item


def shown(load, path, **options: object) -> list[float]:
    return load(path, **options).pixels.ravel().tolist()


def test_full_range_where_the_header_has_no_window(write, load) -> None:
    assert load(write(RAMP)).pixels == pytest.approx(RAMP / 255)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("LINEAR", [0, 0, 0.5 + 0.5 / 19, 1, 1, 1]),
        ("LINEAR_EXACT", [0, 0, 0.5, 1, 1, 1]),
        ("SIGMOID", [1 / (1 + np.exp(-4 * (x - 20) / 20)) for x in (0, 10, 20, 30, 40, 50)]),
    ],
)
def test_window_functions(function: str, expected: list[float], write, load) -> None:
    path = write(RAMP, WindowCenter=20, WindowWidth=20, VOILUTFunction=function)
    assert shown(load, path) == pytest.approx(expected, abs=1e-6)


def test_the_first_window_with_a_width_counts(write, load) -> None:
    first = write(RAMP, WindowCenter=[25, 5], WindowWidth=[51, 2], VOILUTFunction="LINEAR_EXACT")
    assert shown(load, first)[0] == pytest.approx(0.5 / 51)
    second = write(RAMP, WindowCenter=[9, 25], WindowWidth=[0, 50], VOILUTFunction="LINEAR_EXACT")
    assert shown(load, second) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    neither = write(RAMP, WindowCenter=9, WindowWidth=0)
    assert shown(load, neither) == pytest.approx((RAMP / 255).ravel())


def test_rescale_comes_before_the_window(write, load) -> None:
    path = write(
        RAMP,
        RescaleSlope=10,
        RescaleIntercept=-250,
        WindowCenter=0,
        WindowWidth=500,
        VOILUTFunction="LINEAR_EXACT",
    )
    assert shown(load, path) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])


def test_a_falling_rescale_turns_brightness_but_not_stored_values(write, load) -> None:
    path = write(RAMP, RescaleSlope=-1, RescaleIntercept=255)
    assert load(path).pixels == pytest.approx(1 - RAMP / 255)
    assert load(path, window="full").pixels == pytest.approx(RAMP / 255)


def test_a_chosen_window_is_in_modality_units_and_takes_the_headers_place(write, load) -> None:
    path = write(RAMP, RescaleSlope=1, RescaleIntercept=-20, WindowCenter=1, WindowWidth=2)
    assert shown(load, path, window=(0.5, 41)) == pytest.approx([0, 0.25, 0.5, 0.75, 1, 1])


def test_modality_table_then_window(write, load) -> None:
    path = write(
        np.array([[0, 1], [2, 3]], np.uint8),
        ModalityLUTSequence=[table(1, [100, 200], bits=16)],
        WindowCenter=150, WindowWidth=200, VOILUTFunction="LINEAR_EXACT",
    )  # fmt: skip
    assert shown(load, path) == pytest.approx([0.25, 0.25, 0.75, 0.75])


def test_modality_table_alone_spans_its_bits(write, load) -> None:
    path = write(np.array([[0, 1]], np.uint8), ModalityLUTSequence=[table(0, [0, 1023], bits=12)])
    assert shown(load, path) == pytest.approx([0, 1023 / 4095])


def test_voi_table_wins_over_the_window(write, load) -> None:
    path = write(RAMP, VOILUTSequence=[table(10, [0, 255])], WindowCenter=1, WindowWidth=2)
    assert shown(load, path) == [0, 0, 1, 1, 1, 1]


def test_voi_table_of_negative_modality_values(write, load) -> None:
    path = write(
        np.array([[0, 1, 2]], np.uint8),
        RescaleSlope=1,
        RescaleIntercept=-2,
        VOILUTSequence=[table(65534, [0, 51, 255])],
    )
    assert shown(load, path) == pytest.approx([0, 0.2, 1])


@pytest.mark.parametrize("data", [b"\x00\x33\xff\x00", b"\x00\x00\x33\x00\xff\x00"], ids=["bytes", "words"])
def test_voi_table_in_bytes_or_words(data: bytes, write, load) -> None:
    item = table(0, [0, 51, 255])
    item.LUTData = data
    item["LUTData"].VR = "OW"
    assert shown(load, write(np.array([[0, 1, 2]], np.uint8), VOILUTSequence=[item])) == pytest.approx(
        [0, 0.2, 1]
    )


@pytest.mark.parametrize("shape", ["INVERSE", "IDENTITY", None])
def test_monochrome1_is_inverted_once(shape: str | None, write, load) -> None:
    elements = {"PresentationLUTShape": shape} if shape else {}
    path = write(RAMP, photometric="MONOCHROME1", **elements)
    assert load(path).pixels == pytest.approx(1 - RAMP / 255)


def test_an_inverse_presentation_inverts_monochrome2(write, load) -> None:
    assert load(write(RAMP, PresentationLUTShape="INVERSE")).pixels == pytest.approx(1 - RAMP / 255)


def test_padding_with_a_range_is_black(write, load) -> None:
    path = write(RAMP, photometric="MONOCHROME1", PixelPaddingValue=0, PixelPaddingRangeLimit=10)
    assert shown(load, path) == pytest.approx([0, 0, *(1 - RAMP / 255).ravel()[2:]])


def test_padding_written_with_the_wrong_sign_is_recognised(write, load) -> None:
    path = write(np.array([[-2000, 0, 32767]], np.int16), WindowCenter=-1999, WindowWidth=2)
    dataset = pydicom.dcmread(path)
    dataset.add_new("PixelPaddingValue", "US", 63536)
    dataset.save_as(path)
    assert shown(load, path) == [0, 1, 1]


@pytest.mark.parametrize(
    "elements",
    [
        {"RescaleSlope": 0.5, "RescaleIntercept": -3, "WindowCenter": 10, "WindowWidth": 12.5},
        {"RescaleSlope": 3, "RescaleIntercept": 1, "WindowCenter": 70, "WindowWidth": 44}
        | {"VOILUTFunction": "LINEAR_EXACT"},
        {"WindowCenter": 20, "WindowWidth": 30, "VOILUTFunction": "SIGMOID"},
        {"ModalityLUTSequence": [table(5, [*range(0, 250, 5)])], "WindowCenter": 99, "WindowWidth": 77},
    ],
)  # fmt: skip
def test_pydicom_shows_the_same(elements: dict[str, object], write, load) -> None:
    path = write(RAMP, RescaleType="US", **elements)
    dataset = pydicom.dcmread(path)
    expected = apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset)
    slope, intercept = float(dataset.get("RescaleSlope", 1)), float(dataset.get("RescaleIntercept", 0))
    assert load(path).pixels == pytest.approx((expected - intercept) / (255 * slope), abs=1e-6)


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"RescaleSlope": 0}, "decode_failed"),
        ({"VOILUTFunction": "CUBIC", "WindowCenter": 1, "WindowWidth": 2}, "decode_failed"),
        ({"BitsStored": 9, "HighBit": 8}, "pixel_data_mismatch"),
        ({"BitsStored": 6, "HighBit": 9}, "pixel_data_mismatch"),
        ({"BitsStored": 0}, "pixel_data_mismatch"),
    ],
)
def test_a_header_that_contradicts_itself(elements: dict[str, object], reason: str, write, load) -> None:
    with pytest.raises(CaseError) as refusal:
        load(write(RAMP, **elements))
    assert refusal.value.reason == reason


def test_a_number_that_is_none_is_refused(write, load) -> None:
    path = write(RAMP, RescaleSlope="1.25")
    path.write_bytes(path.read_bytes().replace(b"1.25", b"none"))
    with pytest.raises(CaseError) as refusal:
        load(path)
    assert refusal.value.reason == "decode_failed"


def test_the_steps_read_from_a_header() -> None:
    dataset = Dataset()
    dataset.BitsAllocated, dataset.BitsStored, dataset.PixelRepresentation = 16, 12, 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.RescaleSlope, dataset.RescaleIntercept = 2, -1024
    dataset.WindowCenter, dataset.WindowWidth = 40, 400
    scale = greyscale(dataset)
    assert (scale.stored, scale.inverted, scale.padding) == ((-2048, 2047), False, None)
    assert scale.modality == Rescale(2, -1024)
    assert scale.voi == Window(40, 400, "LINEAR")
    assert not isinstance(scale.voi, Table)


BROKEN = table(0, [])


@pytest.mark.parametrize("broken", [BROKEN, Dataset()], ids=["too few entries", "empty item"])
def test_a_broken_voi_table_gives_way_to_the_next_and_then_to_the_window(broken, write, load) -> None:
    window = {"WindowCenter": 25, "WindowWidth": 50, "VOILUTFunction": "LINEAR_EXACT"}
    second = load(write(RAMP, VOILUTSequence=[broken, table(10, [0, 255])], **window))
    assert second.pixels.ravel().tolist() == [0, 0, 1, 1, 1, 1]
    windowed = load(write(RAMP, VOILUTSequence=[broken], **window))
    assert windowed.pixels.ravel() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    for image in (second, windowed):
        (caution,) = image.cautions
        assert caution.message.startswith("VOI LUT Sequence has a broken item (")
        assert caution.message.endswith("), so it was not used")


def test_a_broken_modality_table_gives_way_to_a_rescale_or_is_named(write, load) -> None:
    rescaled = load(write(RAMP, ModalityLUTSequence=[BROKEN], RescaleSlope=2, RescaleIntercept=0))
    assert rescaled.pixels == pytest.approx(RAMP / 255)
    assert "Modality LUT Sequence" in rescaled.cautions[0].message
    with pytest.raises(
        CaseError, match=r"^LUT Descriptor does not have three numbers, or LUT Data is missing"
    ):
        load(write(RAMP, ModalityLUTSequence=[BROKEN]))


@pytest.mark.parametrize(
    "elements",
    [
        {"ModalityLUTSequence": [BROKEN]},
        {"VOILUTSequence": [BROKEN]},
        {"RescaleSlope": 0},
        {"VOILUTFunction": "CUBIC", "WindowCenter": 1, "WindowWidth": 2},
    ],
)
def test_the_full_range_needs_neither_modality_nor_window(elements: dict[str, object], write, load) -> None:
    image = load(write(RAMP, **elements), window="full")
    assert image.pixels == pytest.approx(RAMP / 255)
    assert not image.cautions


def test_a_number_that_is_none_is_named(write, load) -> None:
    path = write(RAMP, RescaleSlope="1.25")
    path.write_bytes(path.read_bytes().replace(b"1.25", b"none"))
    with pytest.raises(CaseError, match=r"^Rescale Slope is not a number; export the file again$"):
        load(path)
    assert load(path, window="full").pixels == pytest.approx(RAMP / 255)


def test_padding_that_is_no_number_is_not_used(write, load) -> None:
    path = write(RAMP, WindowCenter=25, WindowWidth=50)
    dataset = pydicom.dcmread(path)
    dataset.add_new("PixelPaddingValue", "DS", "12345")
    dataset.save_as(path)
    path.write_bytes(path.read_bytes().replace(b"12345", b"black"))
    (caution,) = load(path).cautions
    assert caution.message == "Pixel Padding Value is not a number, so it was not used"
