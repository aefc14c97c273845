"""Studies fetched from Orthanc: each file once, also where it is killed half way."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from pydicom import dcmread

from pipeline.errors import ConfigError
from pipeline.pacs.address import web_address
from pipeline.pacs.patience import Patience
from pipeline.pacs.search import Found
from pipeline.pacs.send import send
from pipeline.pacs.web import open_web
from pipeline.retrieval.fetch import Fetched, fetch
from tests.doors.studies import file_of, radiograph
from tests.pacs.running import Orthanc

STUDIES = 200
HALF = STUDIES // 2
BRIEF = Patience(tries=2, first_wait=0)


@pytest.fixture
def filled(archive: Orthanc) -> Orthanc:
    """An archive of 200 studies."""
    with open_web(web_address(archive.web, "to")) as web:
        for image in map(radiograph, range(STUDIES)):
            found = Found(image.StudyInstanceUID, image.SeriesInstanceUID, image.SOPInstanceUID)
            send(web, found, file_of(image))
    return archive


def fetch_all(archive: Orthanc, cache: Path, *, kill_at: int = -1, query: str = "PatientID=P*") -> Fetched:
    def told(count: int) -> None:
        if count == kill_at:
            archive.kill()

    address = web_address(f"{archive.web}?{query}", "studies")
    return fetch(address, cache, key="studies", patience=BRIEF, told=told)


def files(found: Fetched) -> list[Path]:
    return sorted(found.images.rglob("*.dcm"))


def test_200_studies_are_fetched_once_though_the_archive_is_killed_half_way(
    filled: Orthanc, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    with pytest.raises(ConfigError, match=r"100 objects are in .*; rerun the same command to fetch the rest"):
        fetch_all(filled, cache, kill_at=HALF)
    filled.start()
    second = fetch_all(filled, cache)

    assert second.fetched == HALF
    assert dict(second.counts) == {"images": STUDIES}
    assert second.failures == ()
    kept = files(second)
    assert [path.stem for path in kept] == [hashlib.sha256(path.read_bytes()).hexdigest() for path in kept]
    assert sorted(str(dcmread(path).SOPInstanceUID) for path in kept) == filled.uids()

    third = fetch_all(filled, cache)
    assert third.fetched == 0
    assert files(third) == kept


def test_filters_choose_studies_and_series(filled: Orthanc, tmp_path: Path) -> None:
    one = fetch_all(filled, tmp_path, query="PatientID=P007")
    none = fetch_all(filled, tmp_path, query="PatientID=P007&Modality=MR")
    dated = fetch_all(filled, tmp_path, query="StudyDate=20260101-20260102&Modality=DX")

    assert [str(dcmread(path).PatientID) for path in files(one)] == ["P007"]
    assert dict(none.counts) == {}
    assert dict(dated.counts) == {"images": STUDIES}


def test_what_the_archive_no_longer_has_leaves_the_cache(filled: Orthanc, tmp_path: Path) -> None:
    fetch_all(filled, tmp_path)
    filled.delete(str(radiograph(7).SOPInstanceUID))
    found = fetch_all(filled, tmp_path)

    assert found.removed == 1
    assert len(files(found)) == STUDIES - 1
