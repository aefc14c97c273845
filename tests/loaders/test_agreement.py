"""Agreement: two decoders of a lossless syntax are compared, and what loses information is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.pixels import compress
from pydicom.uid import JPEG2000, UID, ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless

from pipeline.cohort.index import index_studies
from pipeline.cohort.pseudonyms import open_pseudonyms
from pipeline.executors.here import Here
from pipeline.loaders import agreement
from pipeline.loaders.agreement import Compared, compare_decoders
from pipeline.loaders.pixels import LOSSLESS
from pipeline.records import Case
from pipeline.run.decoders import COUNT, decoder_notices
from tests.study import picture, write_image

ENCODERS = {
    RLELossless: "pylibjpeg",  # GDCM's ends the process for odd widths
    JPEGLSLossless: "pyjpegls",
    JPEG2000Lossless: "pylibjpeg",
    JPEG2000: "pylibjpeg",
}


def cases_in(folder: Path, syntax: UID, count: int = 1) -> tuple[Case, ...]:
    for number in range(1, count + 1):
        path = write_image(folder / "images", number, picture(number))
        if syntax.is_encapsulated:
            dataset = dcmread(path)
            options = {"j2k_cr": [2]} if syntax == JPEG2000 else {}
            compress(
                dataset, syntax, generate_instance_uid=False, encoding_plugin=ENCODERS[syntax], **options
            )
            dataset.save_as(path)
    return index_studies(
        folder / "images", executor=Here(), pseudonym=open_pseudonyms(folder / "key").of
    ).cases


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_decoders_of_lossless_syntaxes_agree(syntax: UID, tmp_path: Path) -> None:
    (case,) = cases_in(tmp_path, syntax)
    assert compare_decoders(case.source) == Compared(syntax.name, *LOSSLESS[syntax], 0, 0)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, JPEG2000])
def test_what_one_decoder_reads_or_what_loses_information_is_not_compared(
    syntax: UID, tmp_path: Path
) -> None:
    (case,) = cases_in(tmp_path, syntax)
    assert compare_decoders(case.source) is None


def test_a_disagreement_names_both_decoders_and_says_how_large_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = agreement.stored_values

    def wrong(dataset: object, frame: int, *, plugin: str) -> tuple[NDArray[np.integer], str, int]:
        values, photometric, bits = whole(dataset, frame, plugin=plugin)  # type: ignore[arg-type]
        values = values.copy()
        values[0, :2] ^= 4 if plugin == "gdcm" else 0
        return values, photometric, bits

    cases = cases_in(tmp_path, JPEGLSLossless, count=9)
    assert list(decoder_notices(cases, executor=Here())) == []
    monkeypatch.setattr(agreement, "stored_values", wrong)
    (notice,) = decoder_notices(cases, executor=Here())
    assert notice.kind == "warning"
    assert "on 3 of 3 images compared (up to 2 values, by up to 4)" in notice.text()
    assert "The decoders pyjpegls and gdcm give different pixels for JPEG-LS Lossless" in notice.text()
    assert COUNT == 4
