"""dcmtk: the decoder shows what `dcm2pnm` shows, over transfer syntaxes, bit depths, colours and windows.

JPEG 2000 is missing, because dcmtk does not read it, and padding, which dcmtk shows. Where Photometric
Interpretation and codestream contradict each other, dcmtk follows the label: see `test_colours.py`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)

from tests.loaders import dcmtk
from tests.loaders.files import (
    fields,
    jpeg,
    load_file,
    with_adobe,
    with_ids,
    with_jfif,
    write_file,
    write_frame,
    ybr,
)

pytestmark = pytest.mark.skipif(
    bool(dcmtk.missing()), reason=f"the Debian package dcmtk is not installed ({dcmtk.missing()} missing)"
)

SYNTAXES = [
    ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian,
    RLELossless, JPEGLSLossless,
]  # fmt: skip
ONE_LEVEL = 1 / 255 + 1e-3
"""Of 256 grey levels: dcmtk spreads 2^n values over 2^n − 1 steps of the output, or rounds."""
WINDOWS: dict[str, dict[str, object]] = {
    "no window": {},
    "window": {"WindowCenter": 1000, "WindowWidth": 1500},
    "rescale and window": {
        "RescaleSlope": 2, "RescaleIntercept": -1024, "WindowCenter": 300, "WindowWidth": 800,
    },
    "sigmoid": {"WindowCenter": 1000, "WindowWidth": 1500, "VOILUTFunction": "SIGMOID"},
}  # fmt: skip
FIELDS = fields()
JPEG_FRAMES = {
    "YBR_FULL": jpeg(FIELDS, model="YBR"),
    "YBR_FULL_422": with_jfif(jpeg(FIELDS, model="YBR", subsampled=True)),
    "RGB": with_adobe(with_ids(jpeg(FIELDS, model="RGB"), b"RGB"), 0),
}


def difference(path: Path, *, frame: int = 0) -> float:
    expected = dcmtk.brightness(path, frame=frame)
    assert expected is not None
    return float(np.abs(load_file(path, frame=frame).pixels - expected).max())


def ramp(dtype: str, bits: int) -> NDArray[np.integer]:
    low = -(2 ** (bits - 1)) if dtype == "i2" else 0
    return np.linspace(low, low + 2**bits - 1, 16 * 24).round().astype(dtype).reshape(16, 24)


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize(("dtype", "bits"), [("u1", 8), ("u2", 12), ("u2", 16), ("i2", 12), ("i2", 16)])
def test_greyscale(syntax: UID, dtype: str, bits: int, tmp_path: Path) -> None:
    for photometric in ("MONOCHROME1", "MONOCHROME2"):
        path = write_file(
            tmp_path / "a", ramp(dtype, bits), syntax=syntax, photometric=photometric,
            BitsStored=bits, HighBit=bits - 1,
        )  # fmt: skip
        assert difference(path) <= ONE_LEVEL


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_windows(window: str, photometric: str, tmp_path: Path) -> None:
    path = write_file(
        tmp_path / "a", ramp("u2", 12), photometric=photometric, BitsStored=12, HighBit=11, **WINDOWS[window]
    )
    assert difference(path) <= ONE_LEVEL


def test_look_up_tables(tmp_path: Path) -> None:
    item = Dataset()
    item.LUTDescriptor, item.LUTData = [256, 0, 16], [int(255 * (i / 255) ** 2) * 257 for i in range(256)]
    item["LUTDescriptor"].VR = item["LUTData"].VR = "US"
    assert difference(write_file(tmp_path / "a", ramp("u1", 8), VOILUTSequence=[item])) <= ONE_LEVEL


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_colours(syntax: UID, tmp_path: Path) -> None:
    for samples, photometric in ((FIELDS, "RGB"), (ybr(FIELDS), "YBR_FULL")):
        path = write_file(tmp_path / "a", samples, syntax=syntax, photometric=photometric)
        assert difference(path) <= ONE_LEVEL


def test_palettes_and_frames(tmp_path: Path) -> None:
    palette = {
        f"{colour}PaletteColorLookupTable{part}": value
        for colour, shift in (("Red", 0), ("Green", 40), ("Blue", 80))
        for part, value in (
            ("Descriptor", [256, 0, 16]),
            ("Data", (((np.arange(256) + shift) % 256) * 257).astype("<u2").tobytes()),
        )
    }
    assert (
        difference(write_file(tmp_path / "a", ramp("u1", 8), photometric="PALETTE COLOR", **palette))
        <= ONE_LEVEL
    )
    frames = np.stack([ramp("u1", 8), ramp("u1", 8)[::-1]])
    assert difference(write_file(tmp_path / "b", frames, frames=2), frame=1) <= ONE_LEVEL


@pytest.mark.parametrize("label", JPEG_FRAMES)
def test_lossy_jpeg_in_colour(label: str, tmp_path: Path) -> None:
    path = write_frame(tmp_path / "a", JPEG_FRAMES[label], FIELDS, photometric=label)
    expected = dcmtk.brightness(path)
    assert expected is not None
    # dcmtk clips red, green and blue before they are weighted, which moves saturated colours and edges.
    assert np.abs(load_file(path).pixels - expected).mean() <= ONE_LEVEL
