"""Archives: images in ZIP and tar files are those on the disk; hostile archives have reasons."""

from __future__ import annotations

import os
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import CaseError
from pipeline.loaders import Packed, archives, decode, read_header, read_study_file
from tests.loaders.files import write_file
from tests.loaders.pictures import GREY, WIDE, png, saved, tarred, write_volume, zipped

NOISE = np.random.default_rng(1).integers(0, 4096, (30, 20), dtype=np.uint16)


@pytest.fixture
def images(tmp_path: Path) -> dict[str, bytes]:
    """Name in the archive → content, of images whose values differ."""
    dicom = write_file(tmp_path / "a.dcm", NOISE).read_bytes()
    (tmp_path / "a.dcm").unlink()
    return {"p1/a.dcm": dicom, "p2/b.png": png(WIDE, colour=0), "c.jpg": saved(GREY, "JPEG")}


def packed(path: Path) -> tuple[Packed, ...]:
    found = read_study_file(path, root=path.parent)
    assert all(isinstance(one, Packed) for one in found)
    return tuple(one for one in found if isinstance(one, Packed))


def problems(path: Path) -> list[str]:
    """For each member, "image" or the reason for which it is refused."""
    return [outcome(one, path.parent) for one in packed(path)]


def outcome(member: Packed, root: Path) -> str:
    try:
        for source in read_header(member, root=root):
            decode(source, case_id="case")
    except CaseError as refusal:
        return refusal.reason
    return "image"


def refused(path: Path) -> str:
    with pytest.raises(CaseError) as refusal:
        packed(path)
    return refusal.value.reason


ARCHIVES = {
    "deflated": zipped,
    "stored": lambda path, files: zipped(path, files, method=zipfile.ZIP_STORED),
    "tar": tarred,
    "tar.gz": lambda path, files: tarred(path, files, mode="w:gz"),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_images_in_archives_are_those_on_the_disk(kind: str, images, tmp_path: Path) -> None:
    path = ARCHIVES[kind](tmp_path / "set", images)
    members = packed(path)
    assert [one.member.name for one in members] == list(images)
    for one, (name, content) in zip(members, images.items(), strict=True):
        alone = tmp_path / "disk" / name
        alone.parent.mkdir(parents=True, exist_ok=True)
        alone.write_bytes(content)
        (source,), (expected,) = (read_header(place, root=tmp_path) for place in (one, alone))
        assert source.relative_path == f"set/{name}"
        assert (source.stem, source.shape, source.size_bytes) == (
            expected.stem, expected.shape, len(content),
        )  # fmt: skip
        assert source.fingerprint == expected.fingerprint
        image, known = (decode(one, case_id="case") for one in (source, expected))
        np.testing.assert_array_equal(image.pixels, known.pixels)
        assert (image.sha256, image.cautions) == (known.sha256, known.cautions)
    assert {path.name for path in tmp_path.iterdir()} == {"set", "disk"}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_an_archive_that_changed_is_noticed(kind: str, images, tmp_path: Path) -> None:
    path = ARCHIVES[kind](tmp_path / "set", images)
    (source,) = read_header(packed(path)[0], root=tmp_path)
    os.utime(path, ns=(1, 1))
    with pytest.raises(CaseError, match="changed after the folder was listed"):
        decode(source, case_id="case")


@pytest.mark.parametrize(
    "name", ["../out.dcm", "/etc/out.dcm", "a/../../b", "C:\\a.dcm", "..\\a", "a\nb", "x" * 2000]
)
def test_names_that_lead_out_are_not_used(name: str, images, tmp_path: Path) -> None:
    for path in (zipped(tmp_path / "z", {name: images["p1/a.dcm"]}), tarred(tmp_path / "t", {name: b"1"})):
        (member,) = packed(path)
        assert member.member.name.startswith("unsafe-")
        assert outcome(member, tmp_path) == "unsafe_name"


def test_a_name_that_is_there_twice_is_read_once(images, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set", "w") as archive:
        archive.writestr("a.dcm", images["p1/a.dcm"])
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.dcm", images["p1/a.dcm"])
    assert problems(tmp_path / "set") == ["image", "repeated_name"]


def test_links_and_devices_in_archives_are_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "set", "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            entry = tarfile.TarInfo(f"a{kind.decode()}")
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
    assert problems(tmp_path / "set") == ["link_in_archive"] * 2 + ["not_a_file"] * 2
    link = zipfile.ZipInfo("link")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "zip", "w") as zip_file:
        zip_file.writestr(link, "/etc/passwd")
    assert problems(tmp_path / "zip") == ["link_in_archive"]


def test_encrypted_and_unusual_members_are_refused(images, tmp_path: Path) -> None:
    content = bytearray(zipped(tmp_path / "a", {"a.dcm": images["p1/a.dcm"]}).read_bytes())
    place = content.rfind(b"PK\1\2")
    content[place + 8] |= 1
    (tmp_path / "a").write_bytes(content)
    assert problems(tmp_path / "a") == ["encrypted"]
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        assert problems(zipped(tmp_path / "b", images, method=method)) == ["unknown_compression"] * 3


def test_a_member_that_unpacks_too_far_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "set", {"a": bytes(2**20), "b": bytes(2**14)})
    monkeypatch.setattr(archives, "FREE_BYTES", 2**16)
    assert problems(path) == ["inflates_too_far", "not_dicom"]
    monkeypatch.setattr(archives, "LARGEST_MEMBER_BYTES", 2**16)
    assert problems(path) == ["too_large", "not_dicom"]


def test_a_member_that_states_less_than_it_holds_is_refused(tmp_path: Path) -> None:
    content = bytearray(zipped(tmp_path / "set", {"a": bytes(2**20)}).read_bytes())
    struct.pack_into("<I", content, content.rfind(b"PK\1\2") + 24, 100)
    (tmp_path / "set").write_bytes(content)
    assert problems(tmp_path / "set") == ["archive_damaged"]


def test_members_that_share_bytes_are_refused(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "set", {"a": os.urandom(10_000)}, method=zipfile.ZIP_STORED).read_bytes()
    start, end = whole.rfind(b"PK\1\2"), whole.rfind(b"PK\5\6")
    entry, ending = whole[start:end], bytearray(whole[end:])
    entries = b"".join(entry[:46] + bytes([65 + number]) for number in range(20))
    struct.pack_into("<HHII", ending, 8, 20, 20, len(entries), start)
    (tmp_path / "set").write_bytes(whole[:start] + entries + ending)
    assert refused(tmp_path / "set") == "archive_damaged"


def test_an_archive_with_too_many_members_is_refused(
    images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 2)
    for kind, write in ARCHIVES.items():
        assert refused(write(tmp_path / kind, images)) == "too_large"


def test_a_gzip_stream_is_unpacked_up_to_a_limit(
    images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "LARGEST_GZIP_BYTES", 2**16)
    path = tarred(tmp_path / "set", images | {"zeros": bytes(2**20)}, mode="w:gz")
    assert refused(path) == "too_large"


@pytest.mark.parametrize("kind", ARCHIVES)
def test_an_archive_that_was_cut_has_a_reason(kind: str, images, tmp_path: Path) -> None:
    content = ARCHIVES[kind](tmp_path / "set", images).read_bytes()
    for length in range(1, len(content), len(content) // 25):
        (tmp_path / "set").write_bytes(content[:length])
        try:
            assert set(problems(tmp_path / "set")) <= {"image", "archive_damaged"}
        except (CaseError, AssertionError) as error:
            if isinstance(error, AssertionError):
                raise
            assert error.reason in {"archive_damaged", "not_dicom", "unreadable"}  # noqa: PT017


@pytest.mark.parametrize("kind", ["deflated", "stored", "tar.gz"])
def test_a_changed_byte_of_an_archive_with_checksums_is_noticed(kind: str, images, tmp_path: Path) -> None:
    path = ARCHIVES[kind](tmp_path / "set", {"a.dcm": images["p1/a.dcm"]})
    whole = path.read_bytes()
    for place in range(len(whole) // 4, len(whole) // 2, 97):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        found = [refused(path)] if kind == "tar.gz" else problems(path)
        assert found == ["archive_damaged"]


def test_archives_in_archives_are_not_read(images, tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner", images).read_bytes()
    assert problems(zipped(tmp_path / "set", {"inner.zip": inner})) == ["packed_archive"]


SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".mha")
HEADER = {"spacing": (0.5, 2.0, 1.0), "direction": (0, -1, 0, 1, 0, 0, 0, 0, 1)}


@pytest.fixture
def volumes(tmp_path: Path) -> dict[str, bytes]:
    """Slices whose headers turn them."""
    found = {}
    for number, suffix in enumerate(SUFFIXES):
        path = write_volume(tmp_path / f"v{suffix}", NOISE[None].astype(np.int16) + number, **HEADER)
        found[f"p1/{number}{suffix}"] = path.read_bytes()
        path.unlink()
    return found


@pytest.mark.parametrize("kind", ARCHIVES)
def test_volumes_in_archives_are_those_on_the_disk(
    kind: str, volumes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And they leave nothing in the folder of temporary files."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    path = ARCHIVES[kind](tmp_path / "set", volumes)
    for one, (name, content) in zip(packed(path), volumes.items(), strict=True):
        alone = tmp_path / "disk" / name
        alone.parent.mkdir(parents=True, exist_ok=True)
        alone.write_bytes(content)
        (source,), (expected,) = (read_header(place, root=tmp_path) for place in (one, alone))
        assert source.shape == expected.shape == NOISE.T.shape
        assert source.plane == expected.plane
        image, known = (decode(one, case_id="case") for one in (source, expected))
        np.testing.assert_array_equal(image.pixels, known.pixels)
        assert (image.sha256, image.spacing_mm, image.cautions) == (
            known.sha256, known.spacing_mm, known.cautions,
        )  # fmt: skip
    assert not any((tmp_path / "temporary").iterdir())


def test_damaged_volumes_in_archives_have_reasons(volumes, tmp_path: Path) -> None:
    cut = {name: content[: len(content) // 2] for name, content in volumes.items()}
    assert problems(zipped(tmp_path / "cut", cut)) == ["decode_failed"] * len(SUFFIXES)
    (nifti, *_) = volumes.values()
    assert problems(zipped(tmp_path / "other", {"a.dat": nifti, "b.nii.gz": nifti})) == [
        "misnamed", "decode_failed",
    ]  # fmt: skip
    elsewhere = b"NRRD0004\ntype: uchar\ndimension: 2\nsizes: 2 2\nencoding: raw\ndata file: /etc/passwd\n\n"
    assert problems(zipped(tmp_path / "link", {"a.nrrd": elsewhere})) == ["decode_failed"]
