"""What is fetched, kept, listed and left out."""

from __future__ import annotations

import csv
import hashlib
import resource
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID

from pipeline.errors import ConfigError, OutputError
from pipeline.pacs.address import web_address
from pipeline.pacs.patience import Patience
from pipeline.pacs.search import PAGE, Found
from pipeline.retrieval.cache import FAILURES, JOURNAL, open_cache
from pipeline.retrieval.fetch import Fetched, fetch
from pipeline.retrieval.rooms import uid_and_room
from tests.doors.server import Answer, Answering, Request, entries, file_answer, holding, serving
from tests.doors.studies import ROOT, file_of, radiograph

AT_ONCE = Patience(tries=2, first_wait=0)
SEG = "1.2.840.10008.5.1.4.1.1.66.4"


def found_of(image: Dataset) -> Found:
    return Found(str(image.StudyInstanceUID), str(image.SeriesInstanceUID), str(image.SOPInstanceUID))


def files_of(*images: Dataset) -> dict[Found, bytes]:
    return {found_of(image): file_of(image) for image in images}


def fetched(answering: Answering, root: Path, *, told: Callable[[int], None] = lambda _: None) -> Fetched:
    with serving(answering) as server:
        address = web_address(f"{server.address}?PatientID=*", "studies")
        return fetch(address, root, key="studies", patience=AT_ONCE, told=told)


def same_port(files: Mapping[Found, bytes], root: Path) -> Fetched:
    """Fetch as if the server had the same address each time, as its port is another one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.retrieval.fetch.cache_of", lambda root, _: root / "cache")
        return fetched(holding(files), root)


def kept(found: Fetched) -> list[Path]:
    return sorted(path for path in found.images.parent.rglob("*.dcm"))


def failures(found: Fetched) -> list[dict[str, str]]:
    with (found.images.parent / FAILURES).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_files_are_named_by_their_content_for_their_owner_only(tmp_path: Path) -> None:
    files = files_of(radiograph(1), radiograph(2))
    found = fetched(holding(files), tmp_path)

    assert dict(found.counts) == {"images": 2}
    assert {path.stem for path in kept(found)} == {
        hashlib.sha256(file).hexdigest() for file in files.values()
    }
    entered = [found.images.parent, *(path for path in found.images.parent.rglob("*") if path.is_dir())]
    assert {path.stat().st_mode & 0o777 for path in entered} == {0o700}
    assert {path.stat().st_mode & 0o077 for path in found.images.parent.rglob("*.dcm")} == {0}
    assert {path.stat().st_mtime for path in kept(found)} == {315_532_800}


@pytest.mark.parametrize("level", ["study", "series", "instance"])
def test_an_identifier_with_path_characters_is_listed_and_asked_for_by_nobody(
    tmp_path: Path, level: str
) -> None:
    good, bad = found_of(radiograph(1)), "../../../../etc/passwd"
    hostile = Found(
        **{name: bad if name == level else f"{ROOT}.9" for name in ("study", "series", "instance")}
    )
    asked: list[str] = []

    def answering(request: Request) -> Answer:
        asked.append(request.path)
        if "/instances/" in request.path:
            return file_answer(file_of(radiograph(1)))
        first = "offset=0" in request.path
        if "/instances?" not in request.path:
            return entries([good, hostile] if first else [])
        return entries([] if not first else [good] if good.study in request.path else [hostile])

    found = fetched(answering, tmp_path)

    assert dict(found.counts) == {"images": 1}
    assert [row["reason"] for row in failures(found)] == ["bad_uid"]
    assert not any("passwd" in path for path in asked)


def test_a_file_whose_own_identifier_has_path_characters_is_named_by_its_content_or_refused(
    tmp_path: Path,
) -> None:
    image = radiograph(1)
    asked_for = found_of(image)
    evil = f"../../../../tmp/{'evil':<{len(asked_for.instance) - len('../../../../tmp/')}}"
    content = file_of(image).replace(asked_for.instance.encode(), evil.encode())
    found = fetched(holding({asked_for: content}), tmp_path / "cache")

    assert [row["reason"] for row in failures(found)] == ["other_object"]
    assert kept(found) == []
    assert {path.name for path in tmp_path.iterdir()} == {"cache"}


def test_objects_that_the_archive_has_not_or_garbles_are_listed_and_the_rest_is_fetched(
    tmp_path: Path,
) -> None:
    images = [radiograph(number) for number in range(5)]
    files = files_of(*images)
    files[found_of(images[1])] = b"no DICOM at all"
    files[found_of(images[2])] = file_of(radiograph(4))
    whole = holding(files)

    def answering(request: Request) -> Answer:
        return Answer(404) if request.path.endswith(str(images[3].SOPInstanceUID)) else whole(request)

    found = fetched(answering, tmp_path)

    assert dict(found.counts) == {"images": 2}
    assert sorted(row["reason"] for row in failures(found)) == ["missing", "not_dicom", "other_object"]
    again = fetched(holding(files_of(*images)), tmp_path)
    assert failures(again) == []


def test_an_object_that_is_named_twice_is_fetched_once(tmp_path: Path) -> None:
    files = files_of(radiograph(1))
    whole = holding(files)
    sent: list[str] = []

    def answering(request: Request) -> Answer:
        if "/instances/" in request.path:
            sent.append(request.path)
        if "/instances?" in request.path and "offset=0" in request.path:
            return entries([*files, *files])
        return whole(request)

    found = fetched(answering, tmp_path)
    assert (dict(found.counts), found.repeated, len(sent)) == ({"images": 1}, 1, 1)


def test_an_archive_without_paging_is_read_once_and_one_with_small_pages_to_its_end(tmp_path: Path) -> None:
    files = files_of(*(radiograph(number) for number in range(3)))
    whole = holding(files)

    def without_paging(request: Request) -> Answer:
        return whole(Request(request.method, request.path.replace("offset=", "offset=0&was="), {}, b""))

    def small_pages(request: Request) -> Answer:
        path, _, query = request.path.partition("?")
        if not path.endswith("/studies"):
            return whole(request)
        offset = int(query.split("offset=")[1].split("&")[0])
        return entries(list(files)[offset : offset + 1])

    assert len(kept(fetched(without_paging, tmp_path / "a"))) == 3
    assert len(kept(fetched(small_pages, tmp_path / "b"))) == 3
    assert PAGE > 3


def test_annotations_lie_apart_and_results_of_heatproof_are_left_out(tmp_path: Path) -> None:
    mask, own = radiograph(2), radiograph(3)
    mask.SOPClassUID = mask.file_meta.MediaStorageSOPClassUID = SEG
    own.Manufacturer = "Heatproof"
    files = files_of(radiograph(1), mask, own)
    found = fetched(holding(files), tmp_path)

    assert dict(found.counts) == {"images": 1, "objects": 1, "own": 1}
    assert len(list(found.images.rglob("*.dcm"))) == len(list(found.objects.rglob("*.dcm"))) == 1
    assert len(kept(found)) == 2


@pytest.mark.parametrize(
    ("kind", "room"),
    [
        ("1.2.840.10008.5.1.4.1.1.88.33", "objects"),  # Comprehensive SR
        ("1.2.840.10008.5.1.4.1.1.481.3", "objects"),  # RT Structure Set
        ("1.2.840.10008.5.1.4.1.1.11.1", "objects"),  # Grayscale Softcopy Presentation State
        ("1.2.840.10008.5.1.4.1.1.66.7", "objects"),  # Label Map Segmentation
        ("1.2.840.10008.5.1.4.1.1.30", "objects"),  # Parametric Map
        ("1.2.840.10008.5.1.4.1.1.2", "images"),  # CT
        ("1.2.840.10008.5.1.4.1.1.7", "images"),  # Secondary Capture
        ("1.2.840.10008.5.1.4.1.1.3.1", "images"),  # Ultrasound Multi-frame
    ],
)
def test_the_class_of_an_object_says_whether_it_is_an_image(tmp_path: Path, kind: str, room: str) -> None:
    image = radiograph(1)
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = UID(kind)
    path = tmp_path / "file.dcm"
    path.write_bytes(file_of(image))
    assert uid_and_room(path) == (str(image.SOPInstanceUID), room)


@contextmanager
def small_files(most_bytes: int) -> Iterator[None]:
    """A disk that takes no larger file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_ends_the_fetching_and_the_next_try_goes_on(tmp_path: Path) -> None:
    large = radiograph(2)
    large.Rows, large.PixelData = 1600, large.PixelData * 100
    files = files_of(radiograph(1), large)
    with small_files(20_000), pytest.raises(OutputError, match="cannot be written"):
        same_port(files, tmp_path)
    assert len(list(tmp_path.rglob("*.dcm"))) == 1
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".passing")]

    found = same_port(files, tmp_path)
    assert found.fetched == 1
    assert dict(found.counts) == {"images": 2}


def test_a_line_that_a_crash_left_half_written_is_fetched_again(tmp_path: Path) -> None:
    files = files_of(radiograph(1), radiograph(2))
    found = same_port(files, tmp_path)
    journal = found.images.parent / JOURNAL
    lines = journal.read_bytes()
    journal.write_bytes(lines[:-10])

    again = same_port(files, tmp_path)
    assert again.fetched == 1
    assert journal.read_bytes() == lines


def test_a_file_that_was_cut_is_fetched_again(tmp_path: Path) -> None:
    files = files_of(radiograph(1))
    path = kept(same_port(files, tmp_path))[0]
    path.write_bytes(path.read_bytes()[:100])

    assert same_port(files, tmp_path).fetched == 1
    assert path.read_bytes() == next(iter(files.values()))


def test_a_file_that_is_another_object_is_fetched_again(tmp_path: Path) -> None:
    files = files_of(radiograph(1), radiograph(2))
    first = same_port(files, tmp_path)
    one, other = kept(first)
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    assert one.stat().st_size == len(content)
    again = same_port(files, tmp_path)
    assert (again.fetched, dict(again.counts)) == (1, {"images": 2})
    assert one.read_bytes() == content
    assert same_port(files, tmp_path).fetched == 0


def test_an_archive_that_fails_on_everything_is_given_up(tmp_path: Path) -> None:
    whole = holding(files_of(*(radiograph(number) for number in range(10))))

    def answering(request: Request) -> Answer:
        return Answer(500) if "/instances/" in request.path else whole(request)

    with pytest.raises(ConfigError, match="failed on 3 objects in a row"):
        fetched(answering, tmp_path)


def test_a_folder_with_other_files_is_no_cache(tmp_path: Path) -> None:
    found = same_port(files_of(radiograph(1)), tmp_path)
    (found.images.parent / "cache.json").unlink()
    with pytest.raises(ConfigError, match="choose an empty or a new folder"):
        same_port({}, tmp_path)


def test_a_cache_that_broke_off_before_its_first_file_is_begun_again(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    (cache / "incoming").mkdir(parents=True)
    (cache / "images").mkdir()
    (cache / ".lock").touch()
    with open_cache(cache, "studies"):
        assert (cache / "cache.json").exists()
    (cache / "cache.json").unlink()
    (cache / "images" / "mine").touch()
    with pytest.raises(ConfigError, match="choose an empty or a new folder"), open_cache(cache, "studies"):
        pass
