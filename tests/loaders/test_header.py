"""Header: one source per frame, allow-listed attributes, and a reason for every file that is not an image."""

from __future__ import annotations

import os
import pickle
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from pipeline.errors import CaseError
from pipeline.guards import deflate
from pipeline.loaders import dataset as datasets
from pipeline.loaders import header, read_header
from pipeline.loaders.header import age_shown

SQUARE = [[0, 1], [2, 3]]


def reason(path: Path, root: Path) -> str:
    with pytest.raises(CaseError) as refusal:
        read_header(path, root=root)
    assert str(root) not in refusal.value.message
    assert path.name not in refusal.value.message
    return refusal.value.reason


def test_every_field_of_a_source(write, tmp_path: Path) -> None:
    path = write(
        np.zeros((2, 3), np.uint16), name="deep/er/IM 1.dcm", BitsStored=12, HighBit=11,
        PatientSex="F", PatientAge="063Y", ViewPosition="PA", ImageLaterality="U", BodyPartExamined="CHEST",
        Manufacturer=" Maker  of\tthings ", ManufacturerModelName="M1", IssuerOfPatientID="HOSPITAL",
        PixelAspectRatio=["2", "1"],
    )  # fmt: skip
    (source,) = read_header(path, root=tmp_path)
    assert source.path == str(path)
    assert source.relative_path == "deep/er/IM 1.dcm"
    assert source.stem == "IM 1"
    assert source.sop_instance_uid == "1.2.3.4"
    assert source.patient == "HOSPITAL:P1"
    assert (source.frame, source.frames, source.shape) == (0, 1, (2, 3))
    assert (source.size_bytes, source.modified_ns) == (path.stat().st_size, path.stat().st_mtime_ns)
    assert source.attributes == {
        "modality": "DX", "view": "PA", "laterality": "U", "sex": "F", "age": "63",
        "manufacturer": "Maker of things",
        "model": "M1", "body_part": "CHEST", "photometric": "MONOCHROME2",
        "transfer_syntax": "Explicit VR Little Endian", "bits_stored": "12", "pixel_aspect_ratio": "2:1",
    }  # fmt: skip
    assert pickle.loads(pickle.dumps(source)) == source


@pytest.mark.parametrize(
    ("number", "shown"), [("3", "3"), ("30102", "30102"), ("20240131", ""), ("0", ""), ("", "")]
)
def test_a_series_number_is_shown_unless_it_may_be_a_date(
    write, tmp_path: Path, number: str, shown: str
) -> None:
    (source,) = read_header(write(np.zeros((2, 2), np.uint8), SeriesNumber=number), root=tmp_path)
    assert source.attributes.get("series", "") == shown


def test_each_frame_is_a_source(write, tmp_path: Path) -> None:
    sources = read_header(write(np.zeros((3, 2, 2), np.uint8), frames=3), root=tmp_path)
    assert [(source.frame, source.frames) for source in sources] == [(0, 3), (1, 3), (2, 3)]


def test_without_a_patient_the_study_and_then_the_file_is_resampled(write, tmp_path: Path) -> None:
    def patients(**elements: object) -> list[str]:
        path = write(np.zeros((3, 2, 2), np.uint8), frames=3, name="a/b", **elements)
        return [source.patient for source in read_header(path, root=tmp_path)]

    nobody = {"PatientID": None, "StudyInstanceUID": None}
    assert patients(PatientID="") == ["1.2.3"] * 3
    assert patients(**nobody) == ["1.2.3.4"] * 3
    assert patients(**nobody, SOPInstanceUID=None, preamble=False) == ["a/b"] * 3


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("IM.0001", "IM.0001"), ("1.2.3.4", "1.2.3.4"), ("1.2.3.4.dcm", "1.2.3.4"), ("a.b.DICOM", "a.b"),
        ("a.IMA", "a"), ("a.png.dcm", "a"), ("a", "a"), (".dcm", ".dcm"), ("a.dcm/b", "b"),
    ],
)  # fmt: skip
def test_a_stem_is_the_name_without_image_suffixes_alone(name: str, stem: str, write, tmp_path: Path) -> None:
    assert read_header(write(SQUARE, name=name), root=tmp_path)[0].stem == stem


@pytest.mark.parametrize(
    ("written", "years"),
    [("063Y", "63"), ("089Y", "89"), ("090Y", "90+"), ("112Y", "90+"), ("018M", "1"), ("012M", "1"),
     ("006W", "0"),     ("003D", "0"), ("000Y", "0"), ("63", ""), ("", ""), ("OLD", ""), ("Y", "")],
)  # fmt: skip
def test_age_in_whole_years(written: str, years: str) -> None:
    assert age_shown(written) == years


def test_free_text_in_a_code_is_dropped(write, tmp_path: Path) -> None:
    (source,) = read_header(
        write(SQUARE, BodyPartExamined="<script>", PatientSex="MISS", ViewPosition="Mr. Smith"), root=tmp_path
    )
    assert not {"body_part", "sex", "view"} & set(source.attributes)


def test_long_text_is_shortened_and_control_characters_are_removed(write, tmp_path: Path) -> None:
    (source,) = read_header(write(SQUARE, Manufacturer="A\x07B" + "c" * 99), root=tmp_path)
    assert source.attributes["manufacturer"] == "A B" + "c" * 61


def test_a_file_name_that_is_not_utf8_is_escaped(write, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.dcm"))
    write(SQUARE).rename(odd)
    (source,) = read_header(odd, root=tmp_path)
    assert source.relative_path == "caf\\xe9.dcm"
    assert Path(source.path).exists()


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_without_preamble_and_meta_it_is_still_dicom(syntax: UID, write, load, tmp_path: Path) -> None:
    path = write(np.array([[0, 51], [102, 255]], np.uint8), syntax=syntax, preamble=False)
    (source,) = read_header(path, root=tmp_path)
    assert source.attributes["transfer_syntax"] == syntax.name
    assert (load(path).pixels * 255).tolist() == [[0, 51], [102, 255]]


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF89a" + b"\0" * 500, b"7z\xbc\xaf\x27\x1c" + b"\0" * 500, b"%PDF-1.7\n" + b" " * 500,
     b"image,finding\n1,2\n" * 50, b"\x08\x00", b"\x08\x00\x05\x00\x04\x00\x00\x00abcd", b"\0" * 200],
    ids=["empty", "gif", "7z", "pdf", "csv", "two bytes", "one element", "zeros"],
)  # fmt: skip
def test_what_is_not_dicom(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "subject").write_bytes(content)
    assert reason(tmp_path / "subject", tmp_path) == "not_dicom"


def test_pixels_that_are_no_image_are_named(write, tmp_path: Path) -> None:
    for sop_class in header.NOT_IMAGES:
        assert reason(write(SQUARE, SOPClassUID=sop_class), tmp_path) == "not_an_image"
    assert reason(write(SQUARE, Modality="RTDOSE"), tmp_path) == "not_an_image"


def test_an_object_of_another_kind_and_an_image_without_pixels(write, tmp_path: Path) -> None:
    report = write(SQUARE, SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11", PixelData=None)
    assert reason(report, tmp_path) == "not_an_image"
    assert reason(write(SQUARE, PixelData=None), tmp_path) == "no_pixels"
    assert reason(write(SQUARE, PixelData=b""), tmp_path) == "no_pixels"


def test_floating_point_pixels_are_refused(write, tmp_path: Path) -> None:
    path = write(SQUARE, PixelData=None, FloatPixelData=np.ones(4, np.float32).tobytes())
    assert reason(path, tmp_path) == "float_pixels"


def test_a_transfer_syntax_without_decoder_is_named(write, tmp_path: Path) -> None:
    path = write(SQUARE)
    mpeg = b"1.2.840.10008.1.2.4.100\0"
    content = path.read_bytes()
    offset = content.index(b"1.2.840.10008.1.2.1\0")
    length = struct.pack("<H", len(mpeg))
    content = content[: offset - 2] + length + mpeg + content[offset + 20 :]
    path.write_bytes(content)
    assert reason(path, tmp_path) == "unknown_transfer_syntax"


@pytest.mark.parametrize("missing", ["Rows", "Columns", "PhotometricInterpretation"])
def test_a_header_that_does_not_describe_its_pixels(missing: str, write, tmp_path: Path) -> None:
    assert reason(write(SQUARE, **{missing: None}), tmp_path) == "incomplete_header"


def test_a_number_of_frames_beyond_reason(write, tmp_path: Path) -> None:
    assert reason(write(SQUARE, NumberOfFrames=2_000_000_000), tmp_path) == "too_large"
    assert reason(write(SQUARE, NumberOfFrames=-1), tmp_path) == "incomplete_header"


def test_a_deflated_bomb_is_not_inflated(write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(np.zeros((100, 100), np.uint8), syntax=DeflatedExplicitVRLittleEndian)
    assert path.stat().st_size < 1000
    assert len(read_header(path, root=tmp_path)) == 1
    monkeypatch.setattr(deflate, "LARGEST_INFLATED_BYTES", 5000)
    monkeypatch.setattr(zlib, "decompress", None)
    assert reason(path, tmp_path) == "too_large"


def test_a_file_truncated_anywhere_is_an_image_or_a_reason(write, tmp_path: Path) -> None:
    content = write(SQUARE, Manufacturer="Maker").read_bytes()
    cut = tmp_path / "cut"
    for length in range(0, len(content), 7):
        cut.write_bytes(content[:length])
        try:
            read_header(cut, root=tmp_path)
        except CaseError as refusal:
            assert refusal.reason in {"not_dicom", "unreadable", "no_pixels", "incomplete_header"}  # noqa: PT017 – either is right


def test_what_rust_raises_in_panic_is_a_reason_too_but_an_interrupt_is_not() -> None:
    class PanicException(BaseException):
        """A panic with the base class that pyo3 uses."""

    with pytest.raises(CaseError) as refusal, datasets.refusing("decode_failed", "broken"):
        raise PanicException
    assert refusal.value.message == "broken; export the file again"
    with pytest.raises(KeyboardInterrupt), datasets.refusing("decode_failed", "broken"):
        raise KeyboardInterrupt


def test_importing_the_loaders_loads_no_heavy_library() -> None:
    heavy = "{'torch', 'monai', 'highdicom', 'SimpleITK', 'pandas', 'cv2'}"
    script = f"import sys, pipeline.loaders; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_attributes_that_cannot_be_shown_are_named_and_stop_nothing(write, load) -> None:
    odd = {"PatientAge": "OLD", "StudyDate": "yesterday", "PixelAspectRatio": ["0", "1"]}
    assert [caution.message for caution in load(write([[0, 99], [2, 3]], **odd)).cautions] == [
        "Patient's Age is not an age such as 063Y, so it was not used",
        "Study Date is not a date such as 20240131, so it was not used",
        "Pixel Aspect Ratio is not two positive numbers, so it was not used",
    ]
    usual = {"PatientAge": "063Y", "StudyDate": "20240131", "PixelAspectRatio": ["2", "1"]}
    assert not load(write([[0, 99], [2, 3]], **usual)).cautions
    assert not load(write([[0, 99], [2, 3]], PatientAge="", StudyDate="")).cautions


def test_a_number_that_is_needed_and_is_none_is_named(write, tmp_path: Path) -> None:
    path = write(np.zeros((2, 2, 2), np.uint8), frames=2)
    path.write_bytes(path.read_bytes().replace(b"IS\x02\x002 ", b"IS\x02\x00xx"))
    with pytest.raises(CaseError, match=r"^Number of Frames is not a number; export the file again$"):
        read_header(path, root=tmp_path)
