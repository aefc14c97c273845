"""Colours: what the pixels can only obey is read, whatever label and markers say, and both are named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from pipeline.errors import CaseError
from pipeline.loaders.colours import CONTRADICTION, not_ybr, only_ybr
from tests.loaders.files import (
    LUMA,
    field_brightness,
    fields,
    jpeg,
    jpeg_2000,
    load_file,
    reasons,
    with_adobe,
    with_ids,
    with_jfif,
    write_file,
    write_frame,
    ybr,
)

FIELDS = fields()
YBR = jpeg(FIELDS, model="YBR")
HALVED = jpeg(FIELDS, model="YBR", subsampled=True)
RGB = jpeg(FIELDS, model="RGB")

# (frame, Photometric Interpretation, whether header and frame contradict each other)
JPEG_FRAMES = {
    "halved chroma": (HALVED, "YBR_FULL_422", False),
    "halved chroma labelled RGB": (HALVED, "RGB", True),
    "halved chroma with JFIF labelled RGB": (with_jfif(HALVED), "RGB", True),
    "halved chroma with Adobe 1 labelled RGB": (with_adobe(HALVED, 1), "RGB", True),
    "halved chroma with Adobe 1": (with_adobe(HALVED, 1), "YBR_FULL_422", False),
    "halved chroma with Adobe 0": (with_adobe(HALVED, 0), "YBR_FULL_422", True),
    "halved chroma with Adobe 2": (with_adobe(HALVED, 2), "YBR_FULL_422", False),
    "halved chroma numbered R, G, B": (with_ids(HALVED, b"RGB"), "YBR_FULL_422", True),
    "whole chroma": (YBR, "YBR_FULL", False),
    "whole chroma labelled RGB": (YBR, "RGB", True),
    "whole chroma with Adobe 1": (with_adobe(YBR, 1), "YBR_FULL", False),
    "whole chroma with Adobe 1 labelled RGB": (with_adobe(YBR, 1), "RGB", True),
    "whole chroma with Adobe 0": (with_adobe(YBR, 0), "YBR_FULL", True),
    "red, green, blue": (RGB, "RGB", False),
    "red, green, blue with Adobe 0": (with_adobe(RGB, 0), "RGB", False),
    "red, green, blue with Adobe 0 labelled YBR": (with_adobe(RGB, 0), "YBR_FULL_422", True),
    "red, green, blue with Adobe 1": (with_adobe(RGB, 1), "RGB", True),
    "red, green, blue with JFIF": (with_jfif(RGB), "RGB", True),
    "red, green, blue numbered so": (with_ids(RGB, b"RGB"), "RGB", False),
    "red, green, blue numbered so labelled YBR": (with_ids(RGB, b"RGB"), "YBR_FULL", True),
    "red, green, blue numbered in small letters": (with_ids(RGB, b"rgb"), "YBR_FULL", True),
}


@pytest.mark.parametrize("name", JPEG_FRAMES)
def test_jpeg_is_read_as_its_pixels_can_only_be(name: str, tmp_path: Path) -> None:
    frame, label, contradictory = JPEG_FRAMES[name]
    image = load_file(write_frame(tmp_path / "image.dcm", frame, FIELDS, photometric=label))
    assert field_brightness(image) == pytest.approx(LUMA, abs=0.02)
    assert reasons(image) == [CONTRADICTION] * contradictory
    assert all(label in caution.message for caution in image.cautions)


@pytest.mark.parametrize(
    "label", ["RGB", "YBR_RCT", "YBR_ICT", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_420"]
)
def test_jpeg_2000_with_its_transform_is_rgb_under_any_label(label: str, tmp_path: Path) -> None:
    frame = jpeg_2000(FIELDS, transform=True)
    path = write_frame(tmp_path / "a", frame, FIELDS, photometric=label, syntax=JPEG2000Lossless)
    image = load_file(path)
    assert field_brightness(image) == pytest.approx(LUMA, abs=1e-5)
    contradictory = label.startswith(("YBR_FULL", "YBR_PARTIAL"))
    message = (
        f"Photometric Interpretation is {label}, but the pixels were read as RGB, "
        "because the multiple component transform is on"
    )
    assert [caution.message for caution in image.cautions] == [message] * contradictory


@pytest.mark.parametrize(("label", "warned"), [("RGB", 0), ("YBR_RCT", 1), ("YBR_ICT", 1)])
def test_jpeg_2000_without_its_transform_is_what_its_values_can_only_be(
    label: str, warned: int, tmp_path: Path
) -> None:
    path = tmp_path / "image.dcm"
    for samples, other in ((FIELDS, ()), (ybr(FIELDS), ("RGB",))):
        frame = jpeg_2000(samples, transform=False)
        write_frame(path, frame, FIELDS, photometric=label, syntax=JPEG2000Lossless)
        if label not in other:
            image = load_file(path)
            assert field_brightness(image) == pytest.approx(LUMA, abs=0.005)
            assert reasons(image) == [CONTRADICTION] * warned


def test_what_could_be_rgb_or_ybr_is_skipped_with_both_statements(tmp_path: Path) -> None:
    greyish = np.full((8, 8, 3), 120, np.uint8)
    frame = jpeg_2000(greyish, transform=False)
    path = write_frame(tmp_path / "a", frame, greyish, photometric="YBR_RCT", syntax=JPEG2000Lossless)
    with pytest.raises(CaseError, match="YBR_RCT, but the multiple component transform is off") as refusal:
        load_file(path)
    assert refusal.value.reason == CONTRADICTION


@pytest.mark.parametrize("syntax", [JPEGLSLossless, RLELossless])
@pytest.mark.parametrize("label", ["YBR_RCT", "YBR_ICT"])
def test_labels_of_jpeg_2000_in_other_transfer_syntaxes(label: str, syntax, tmp_path: Path) -> None:
    path = write_file(tmp_path / "a", FIELDS, photometric="RGB", syntax=syntax)
    path.write_bytes(path.read_bytes().replace(b"CS\x04\x00RGB ", b"CS\x08\x00" + f"{label} ".encode()))
    image = load_file(path)
    assert field_brightness(image) == pytest.approx(LUMA, abs=1e-5)
    assert reasons(image) == [CONTRADICTION]


@pytest.mark.parametrize(("samples", "label"), [(ybr(FIELDS), "RGB"), (FIELDS, "YBR_FULL")])
def test_where_only_the_label_states_a_model_it_is_followed_with_a_warning(
    samples, label, write, load
) -> None:
    image = load(write(samples, photometric=label))
    assert reasons(image) == [CONTRADICTION]
    assert "look like" in image.cautions[0].message
    expected = samples @ [0.299, 0.587, 0.114] if label == "RGB" else samples[..., 0]
    assert image.pixels == pytest.approx(expected / 255, abs=1e-5)


def test_pixels_that_agree_with_their_label_give_no_warning(write, load) -> None:
    for samples, label in ((FIELDS, "RGB"), (ybr(FIELDS), "YBR_FULL")):
        assert not load(write(samples, photometric=label)).cautions


def test_values_that_ybr_cannot_have_and_values_that_only_ybr_has() -> None:
    # Y 0 and 255 with neutral chroma are black and white; as RGB, they are shades of teal and magenta.
    black, white = [0, 128, 128], [255, 128, 128]
    neutral = np.array([[black, white]], np.uint8)
    assert only_ybr(neutral, bits=8)
    assert not not_ybr(neutral, bits=8)
    # Black (0, 0, 0) as YBR would have a red of 0 + 1.402 · (0 − 128) = −179, which is no colour.
    grey = np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)
    assert not_ybr(grey, bits=8)
    assert not only_ybr(grey, bits=8)
    # One grey in the middle can be either.
    either = np.array([[[128, 128, 128]]], np.uint8)
    assert not not_ybr(either, bits=8)
    assert not only_ybr(either, bits=8)
