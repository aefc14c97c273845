"""Real studies: unusual files become images or get a reason; re-encoded variants give the same pixels."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import CaseError
from pipeline.loaders import decode, find_files, read_header

STUDIES = Path(__file__).parents[2] / "../shared/studies"
REFUSED_KINDS = {"not_an_image", "float_pixels"}

pytestmark = pytest.mark.skipif(
    not STUDIES.is_dir(), reason="the shared study sets are not beside this checkout"
)


def outcomes(path: Path, root: Path) -> str:
    """ "image", or the reason code for refusing the file."""
    try:
        for source in read_header(path, root=root):
            image = decode(source, case_id="case")
            assert image.shape == source.shape
            assert np.isfinite(image.pixels).all()
            assert 0 <= image.pixels.min() <= image.pixels.max() <= 1
    except CaseError as refusal:
        return refusal.reason
    return "image"


def test_hostile_files_are_images_or_have_a_reason() -> None:
    root = STUDIES.resolve() / "hostile"
    with (root / "expected.csv").open(encoding="utf-8") as file:
        decodes = {row["file"]: row["decodes_with_pyjpegls"] for row in csv.DictReader(file)}
    found = {path.name: outcomes(path, root) for path in find_files(root / "files")}
    assert set(found) == set(decodes)
    assert {decodes[name] for name, outcome in found.items() if outcome == "image"} == {"yes"}
    assert {outcome for name, outcome in found.items() if decodes[name] == "yes"} <= REFUSED_KINDS | {"image"}
    assert {outcome for name, outcome in found.items() if decodes[name] == "not an image"} <= {
        "not_an_image", "no_pixels", "not_dicom",
    }  # fmt: skip


def test_chest_films_are_whole_multiples_of_their_eight_bit_source() -> None:
    root = STUDIES.resolve() / "chest_xray"
    variants = {"MONOCHROME1": 0, "12": 0}
    for path in list(find_files(root / "images")):
        (source,) = read_header(path, root=root)
        kind = source.attributes["photometric"] if source.attributes["bits_stored"] == "8" else "12"
        if kind not in variants or variants[kind] == 4:
            continue
        variants[kind] += 1
        steps = 255 if kind == "MONOCHROME1" else 4095 / 16
        for window in ("header", "full"):
            pixels = decode(source, case_id="case", window=window).pixels.astype(np.float64)
            assert np.abs(pixels * steps - (pixels * steps).round()).max() < 1e-4
            lungs = np.hstack([pixels[300:700, 230:330], pixels[300:700, 700:800]])
            assert pixels[300:700, 480:560].mean() > lungs.mean()  # the mediastinum is bright
    assert variants == {"MONOCHROME1": 4, "12": 4}


def test_ct_slices_have_their_spacing() -> None:
    root = STUDIES.resolve() / "liver_ct"
    spacings = set()
    for path in find_files(root):
        try:
            sources = read_header(path, root=root)
        except CaseError:
            continue
        spacings |= {decode(source, case_id="case").spacing_mm for source in sources}
    assert len(spacings) >= 1
    assert None not in spacings
