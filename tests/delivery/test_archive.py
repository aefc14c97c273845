"""What is noted of an export to an archive, and how the next try goes on."""

from __future__ import annotations

import csv
import json
import resource
from pathlib import Path

import pytest

from pipeline.delivery.archive import Archive, ArchiveOptions, open_archive
from pipeline.delivery.journal import HEAD, REFUSED, SENT, journal_folder, open_journal
from pipeline.errors import ConfigError, OutputError
from pipeline.exports.objects import ExportedObject, LeftOut
from pipeline.pacs.patience import Patience
from tests.doors.server import Answer, Answering, Request, failed, serving, stored
from tests.doors.studies import radiograph

AT_ONCE = Patience(tries=2, first_wait=0)


def obj(number: int) -> ExportedObject:
    return ExportedObject(radiograph(number), (f"case{number}",))


def uid_in(request: Request) -> str:
    """The SOP instance UID of the radiograph that was sent."""
    study = request.path.split("/")[-1]
    return str(radiograph(int(study.split(".")[-1])).SOPInstanceUID)


def takes_all(request: Request) -> Answer:
    return stored(uid_in(request))


def takes_all_but(*numbers: int, answer: Answer | None = None) -> Answering:
    refused = {str(radiograph(number).SOPInstanceUID) for number in numbers}

    def answering(request: Request) -> Answer:
        uid = uid_in(request)
        return (answer or failed(uid, 0x0122, status=202)) if uid in refused else stored(uid)

    return answering


def sent(answering: Answering, folder: Path, numbers: range) -> Archive:
    """Send radiographs, noted in `folder`/journal, as if the server had the same address each time."""
    run = folder / "run"
    run.mkdir(exist_ok=True)
    with serving(answering) as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.delivery.archive.open_journal", renamed)
        options = ArchiveOptions(journal=folder / "journal", patience=AT_ONCE)
        with open_archive(server.address, run, run_id="run", pseudonymous=False, options=options) as archive:
            for number in numbers:
                archive.store("image", obj(number))
            archive.close([LeftOut("case9", "seg", "no_identity", "the header has no UID")])
            return archive


def renamed(path: Path, run: Path, _name: str, **options: object):
    return open_journal(path, run, "the archive", **options)  # type: ignore[arg-type]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_what_was_sent_is_noted_for_the_owner_only_and_not_sent_again(tmp_path: Path) -> None:
    sent(takes_all, tmp_path, range(3))
    again = sent(lambda _: Answer(500), tmp_path, range(3))

    assert dict(again.counts) == {"earlier": 3}
    folder = tmp_path / "journal"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o077 for path in folder.iterdir() if path.name != ".lock"} == {0}
    assert [json.loads(line)["sop_instance_uid"] for line in (folder / SENT).read_text().splitlines()] == [
        str(radiograph(number).SOPInstanceUID) for number in range(3)
    ]


def test_an_object_of_other_content_is_sent_though_its_identifier_was(tmp_path: Path) -> None:
    sent(takes_all, tmp_path, range(1))
    line = json.loads((tmp_path / "journal" / SENT).read_text())
    (tmp_path / "journal" / SENT).write_text(json.dumps(line | {"sha256": "0" * 64}) + "\n")
    assert dict(sent(takes_all, tmp_path, range(1)).counts) == {"stored": 1}


def test_a_refused_object_is_listed_and_tried_again_the_next_time(tmp_path: Path) -> None:
    first = sent(takes_all_but(1), tmp_path, range(3))
    assert not first.is_complete
    assert dict(first.counts) == {"stored": 2}
    (row,) = rows(tmp_path / "journal" / REFUSED)
    assert (row["case_ids"], row["reason"]) == ("case1", "refused")
    assert "0x0122: it stores no objects of this class" in row["message"]
    assert any("Refused: 1, listed with reasons in" in line for line in first.lines())

    second = sent(takes_all, tmp_path, range(3))
    assert second.is_complete
    assert dict(second.counts) == {"earlier": 2, "stored": 1}
    assert rows(tmp_path / "journal" / REFUSED) == []


def test_an_archive_that_fails_on_one_object_gets_the_others_and_on_three_in_a_row_no_more(
    tmp_path: Path,
) -> None:
    broken = Answer(500)
    one = sent(takes_all_but(1, answer=broken), tmp_path, range(4))
    assert dict(one.counts) == {"stored": 3}
    with pytest.raises(OutputError, match="failed on 3 objects in a row"):
        sent(takes_all_but(5, 6, 7, answer=broken), tmp_path, range(4, 9))
    assert len(rows(tmp_path / "journal" / REFUSED)) == 3


def test_a_full_archive_ends_the_export_and_the_next_try_sends_the_rest(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"no room left.*2 objects were sent; rerun the same command"):
        sent(takes_all_but(2, answer=Answer(507)), tmp_path, range(5))
    assert dict(sent(takes_all, tmp_path, range(5)).counts) == {"earlier": 2, "stored": 3}


def test_a_journal_that_cannot_be_written_ends_the_export_and_nothing_is_twice(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    kept: set[str] = set()

    def archive(request: Request) -> Answer:
        kept.add(uid_in(request))
        if len(kept) == 3:
            resource.setrlimit(
                resource.RLIMIT_FSIZE, (len((tmp_path / "journal" / SENT).read_bytes()), before[1])
            )
        return stored(uid_in(request))

    try:
        with pytest.raises(OutputError, match="cannot be written"):
            sent(archive, tmp_path, range(5))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    second = sent(takes_all, tmp_path, range(5))
    assert dict(second.counts) == {
        "earlier": 2,
        "stored": 3,
    }  # the third is there and sent again under its UID


def test_a_line_that_a_crash_left_half_written_is_sent_again(tmp_path: Path) -> None:
    sent(takes_all, tmp_path, range(2))
    journal = tmp_path / "journal" / SENT
    whole = journal.read_bytes()
    journal.write_bytes(whole[:-7])
    assert dict(sent(takes_all, tmp_path, range(2)).counts) == {"earlier": 1, "stored": 1}
    assert journal.read_bytes() == whole


def test_a_damaged_journal_is_not_believed(tmp_path: Path) -> None:
    sent(takes_all, tmp_path, range(2))
    journal = tmp_path / "journal" / SENT
    journal.write_bytes(journal.read_bytes().replace(b'"kind"', b"kind", 1))
    with pytest.raises(ConfigError, match="line 1 is damaged"):
        sent(takes_all, tmp_path, range(2))


def test_a_journal_belongs_to_one_run_and_one_archive_and_lies_outside_the_run(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    with (
        open_journal(tmp_path / "j", run, "A", run_id="run", pseudonymous=False),
        pytest.raises(ConfigError, match="another export writes there"),
        open_journal(tmp_path / "j", run, "A", run_id="run", pseudonymous=False),
    ):
        pass
    for name, run_id, pseudonymous in (("B", "run", False), ("A", "other", False), ("A", "run", True)):
        with (
            pytest.raises(ConfigError, match="something else than the journal"),
            open_journal(tmp_path / "j", run, name, run_id=run_id, pseudonymous=pseudonymous),
        ):
            pass
    with (
        pytest.raises(ConfigError, match="lies in the run's folder"),
        open_journal(run / "j", run, "A", run_id="run", pseudonymous=False),
    ):
        pass
    assert journal_folder(run, "A", pseudonymous=False) != journal_folder(run, "A", pseudonymous=True)
    assert not journal_folder(run, "A", pseudonymous=False).is_relative_to(run)


@pytest.mark.parametrize("to", ["dicomweb:https://pacs.example/?PatientID=1", "dimse:nobody", "elsewhere:x"])
def test_a_wrong_destination_is_refused_before_anything_is_written(tmp_path: Path, to: str) -> None:
    with (
        pytest.raises(ConfigError, match="--to"),
        open_archive(to, tmp_path, run_id="run", pseudonymous=False),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_journal_that_broke_off_before_its_first_file_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / ".lock").touch()
    (tmp_path / "journal" / ".passing-x").touch()
    assert dict(sent(takes_all, tmp_path, range(1)).counts) == {"stored": 1}
    (tmp_path / "journal" / HEAD).unlink()
    with pytest.raises(ConfigError, match="something else than the journal"):
        sent(takes_all, tmp_path, range(1))


def test_an_address_where_nothing_is_ends_the_export(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="failed on 3 objects in a row"):
        sent(lambda _: Answer(404), tmp_path, range(5))


def test_what_was_refused_is_listed_though_the_archive_then_ends_the_export(tmp_path: Path) -> None:
    def archive(request: Request) -> Answer:
        return Answer(507) if uid_in(request) == uid_of(2) else takes_all_but(1)(request)

    with pytest.raises(OutputError, match="no room left"):
        sent(archive, tmp_path, range(5))
    assert [row["case_ids"] for row in rows(tmp_path / "journal" / REFUSED)] == ["case1"]


def test_only_what_the_archive_has_counts_as_there(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    options = ArchiveOptions(journal=tmp_path / "journal", patience=AT_ONCE)
    with (
        serving(takes_all_but(1)) as server,
        open_archive(
            server.address, tmp_path / "run", run_id="run", pseudonymous=False, options=options
        ) as archive,
    ):
        found = [archive.store("image", obj(number)) for number in (0, 1, 0)]
    assert found == [True, False, True]


def uid_of(number: int) -> str:
    return str(radiograph(number).SOPInstanceUID)
