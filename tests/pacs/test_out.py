"""Objects sent to Orthanc: each once, also where it is killed half way."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread

from pipeline.delivery.archive import Archive, ArchiveOptions, open_archive
from pipeline.delivery.journal import SENT
from pipeline.errors import OutputError
from pipeline.exports.objects import ExportedObject
from pipeline.pacs.patience import Patience
from tests.doors.studies import file_of, radiograph
from tests.pacs.running import Orthanc

STUDIES = 200
HALF = STUDIES // 2
BRIEF = Patience(tries=2, first_wait=0)
DOORS: dict[str, Callable[[Orthanc], str]] = {
    "STOW-RS": lambda archive: archive.web,
    "C-STORE": lambda archive: archive.peer,
}


def send_all(to: str, run: Path, journal: Path, *, at_half: Callable[[], None] = lambda: None) -> Archive:
    """Send 200 radiographs, with something that happens in the middle."""
    options = ArchiveOptions(journal=journal, patience=BRIEF)
    with open_archive(to, run, run_id="run", pseudonymous=False, options=options) as opened:
        for number in range(STUDIES):
            if number == HALF:
                at_half()
            opened.store("image", ExportedObject(radiograph(number), (f"case{number}",)))
        opened.close(())
        return opened


@pytest.mark.parametrize("door", DOORS)
def test_200_studies_are_sent_once_though_the_archive_is_killed_half_way(
    archive: Orthanc, tmp_path: Path, door: str
) -> None:
    to, run, journal = DOORS[door](archive), tmp_path / "run", tmp_path / "journal"
    run.mkdir()

    with pytest.raises(OutputError, match="100 objects were sent; rerun the same command to send the rest"):
        send_all(to, run, journal, at_half=archive.kill)
    archive.start()
    assert len(archive.uids()) == HALF
    second = send_all(to, run, journal)

    assert dict(second.counts) == {"earlier": HALF, "stored": HALF}
    assert archive.uids() == sorted(str(radiograph(number).SOPInstanceUID) for number in range(STUDIES))
    lines = [json.loads(line) for line in (journal / SENT).read_text().splitlines()]
    assert len({line["sop_instance_uid"] for line in lines}) == len(lines) == STUDIES

    third = send_all(to, run, journal, at_half=archive.kill)  # nothing is left that needs the archive
    assert dict(third.counts) == {"earlier": STUDIES}


def test_what_was_stored_before_a_lost_journal_is_stored_once(archive: Orthanc, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    first = send_all(archive.web, tmp_path / "run", tmp_path / "journal")
    again = send_all(archive.web, tmp_path / "run", tmp_path / "another")

    assert first.is_complete
    assert again.is_complete
    assert len(archive.uids()) == STUDIES


def test_the_archive_keeps_the_bytes_that_were_sent(archive: Orthanc, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    send_all(archive.web, tmp_path / "run", tmp_path / "journal")

    kept = {str(dcmread(BytesIO(content)).SOPInstanceUID): content for content in files_in(archive)}
    assert kept == {str(image.SOPInstanceUID): file_of(image) for image in map(radiograph, range(STUDIES))}


def files_in(archive: Orthanc) -> list[bytes]:
    return [archive.file(name) for name in archive.ask("/instances")]


def test_an_archive_that_does_not_know_the_called_title_is_named_at_once(
    archive: Orthanc, tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    to = archive.peer.replace("ARCHIVE", "ELSEWHERE")
    with pytest.raises(OutputError, match="does not know the called title"):
        send_all(to, tmp_path / "run", tmp_path / "journal")
