"""What a storage SCP answers, and what becomes of the object."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.uid import UID
from pynetdicom import evt
from pynetdicom.ae import ApplicationEntity
from pynetdicom.events import Event

from pipeline.errors import CaseError, ConfigError, PacsError
from pipeline.pacs.address import PeerAddress
from pipeline.pacs.credentials import Credentials
from pipeline.pacs.dimse import Peer, open_peer
from pipeline.pacs.patience import Patience
from tests.doors.certificates import self_signed, server_side
from tests.doors.studies import DX, file_of, radiograph

TITLE = "ARCHIVE"
REPORT = "1.2.840.10008.5.1.4.1.1.88.33"
pytestmark = pytest.mark.filterwarnings(
    # pynetdicom leaves a socket whose peer went away to the garbage collector
    "ignore:Exception ignored in. <(socket|ssl):pytest.PytestUnraisableExceptionWarning"
)


@contextmanager
def answering(*statuses: int, classes: tuple[str, ...] = (DX,)) -> Iterator[tuple[Peer, list[str]]]:
    """An entity that answers so, one status after the other, and what it did."""
    left, did = list(statuses), []

    def on_store(event: Event) -> int:
        did.append(str(event.request.AffectedSOPInstanceUID))
        return left.pop(0) if len(left) > 1 else left[0]

    entity = ApplicationEntity(TITLE)
    for one in classes:
        entity.add_supported_context(one)
    handlers = [(evt.EVT_C_STORE, on_store), (evt.EVT_ACCEPTED, lambda _: did.append("associated"))]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    assert server is not None
    try:
        address = PeerAddress(TITLE, "127.0.0.1", server.server_address[1])
        with open_peer(address, patience=Patience(tries=2, first_wait=0)) as peer:
            yield peer, did
    finally:
        server.shutdown()
        entity.shutdown()


@contextmanager
def encrypting(folder: Path, *, clients: Path | None = None) -> Iterator[tuple[PeerAddress, Path]]:
    """The address of an entity that speaks TLS only, and its certificate."""
    certificate, key = self_signed(folder, "localhost")
    entity = ApplicationEntity(TITLE)
    entity.add_supported_context(DX)
    server = entity.start_server(
        ("localhost", 0),
        block=False,
        evt_handlers=[(evt.EVT_C_STORE, lambda _: 0)],
        ssl_context=server_side(certificate, key, clients=clients),
    )
    assert server is not None
    try:
        yield PeerAddress(TITLE, "localhost", server.server_address[1], tls=True), certificate
    finally:
        server.shutdown()
        entity.shutdown()


ONCE = Patience(tries=1)


def test_an_object_goes_over_tls_to_an_archive_whose_certificate_is_trusted(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path, "client")
    with encrypting(tmp_path, clients=certificate) as (address, authority):
        known = Credentials(certificate=certificate, key=key, authority=authority)
        with open_peer(address, patience=ONCE, credentials=known) as peer:
            assert peer.send(file_of(radiograph(1))) == "stored"
        unknown = Credentials(authority=authority)
        with open_peer(address, patience=ONCE, credentials=unknown) as peer, pytest.raises(PacsError):
            peer.send(file_of(radiograph(1)))


def test_nothing_goes_to_an_archive_whose_certificate_is_not_trusted(tmp_path: Path) -> None:
    with encrypting(tmp_path) as (address, certificate):
        with open_peer(address, patience=ONCE) as peer, pytest.raises(PacsError, match="is not trusted"):
            peer.send(file_of(radiograph(1)))
        elsewhere = replace(address, host="127.0.0.1")  # not the name in the certificate
        trusting = Credentials(authority=certificate)
        with (
            open_peer(elsewhere, patience=ONCE, credentials=trusting) as peer,
            pytest.raises(PacsError, match="is not trusted"),
        ):
            peer.send(file_of(radiograph(1)))


def test_a_certificate_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("none")
    address = PeerAddress(TITLE, "localhost", 1, tls=True)
    with (
        pytest.raises(ConfigError, match="give PEM files"),
        open_peer(address, credentials=Credentials(authority=tmp_path / "no.pem")),
    ):
        pass


def uid(number: int) -> str:
    return str(radiograph(number).SOPInstanceUID)


def test_objects_share_one_association() -> None:
    with answering(0x0000) as (peer, did):
        assert [peer.send(file_of(radiograph(number))) for number in range(3)] == ["stored"] * 3
    assert did == ["associated", uid(0), uid(1), uid(2)]


def test_an_object_of_another_class_gets_an_association_for_both() -> None:
    report = radiograph(2)
    report.SOPClassUID = report.file_meta.MediaStorageSOPClassUID = UID(REPORT)
    with answering(0x0000, classes=(DX, REPORT)) as (peer, did):
        for image in (radiograph(1), report, radiograph(3)):
            peer.send(file_of(image))
    assert did == ["associated", uid(1), "associated", uid(2), uid(3)]


@pytest.mark.parametrize(("status", "outcome"), [(0xB000, "stored"), (0xB007, "stored"), (0x0111, "there")])
def test_a_warning_means_stored_and_a_duplicate_means_there(status: int, outcome: str) -> None:
    with answering(status) as (peer, did):
        assert peer.send(file_of(radiograph(1))) == outcome
    assert did == ["associated", uid(1)]


def test_an_archive_without_room_is_asked_again_and_then_given_up() -> None:
    with answering(0xA700, 0x0000) as (peer, did):
        assert peer.send(file_of(radiograph(1))) == "stored"
    assert did.count(uid(1)) == 2
    with answering(0xA701) as (peer, _), pytest.raises(PacsError, match=r"no room left.*2 times"):
        peer.send(file_of(radiograph(1)))


@pytest.mark.parametrize("status", [0x0122, 0xA900, 0xC000, 0x0110])
def test_an_object_that_is_refused_for_good_is_not_sent_again(status: int) -> None:
    with answering(status, 0x0000) as (peer, did):
        with pytest.raises(CaseError, match=f"{status:#06x}") as error:
            peer.send(file_of(radiograph(1)))
        assert error.value.reason == "refused"
        assert peer.send(file_of(radiograph(2))) == "stored"
    assert did == ["associated", uid(1), uid(2)]


def test_a_class_that_the_archive_does_not_take_is_refused() -> None:
    report = radiograph(2)
    report.SOPClassUID = report.file_meta.MediaStorageSOPClassUID = UID(REPORT)
    with answering(0x0000) as (peer, did):
        peer.send(file_of(radiograph(1)))
        with pytest.raises(CaseError, match="no objects of this class"):
            peer.send(file_of(report))
        assert peer.send(file_of(radiograph(3))) == "stored"
    assert uid(2) not in did


def test_an_archive_that_is_not_there_is_given_up_after_all_tries() -> None:
    waits: list[float] = []
    patience = Patience(tries=3, sleep=waits.append)
    with (
        open_peer(PeerAddress(TITLE, "127.0.0.1", 1), patience=patience) as peer,
        pytest.raises(PacsError, match="no association is made, 3 times"),
    ):
        peer.send(file_of(radiograph(1)))
    assert waits == [1, 2]


def test_an_archive_that_takes_none_of_the_classes_refuses_the_object_and_takes_the_next() -> None:
    report = radiograph(2)
    report.SOPClassUID = report.file_meta.MediaStorageSOPClassUID = UID(REPORT)
    with answering(0x0000) as (peer, did):
        with pytest.raises(CaseError, match="no objects of this class") as error:
            peer.send(file_of(report))
        assert error.value.reason == "refused"
        assert peer.send(file_of(radiograph(1))) == "stored"
    assert did == ["associated", "associated", uid(1)]


def test_classes_that_are_named_before_need_no_second_association() -> None:
    report = radiograph(2)
    report.SOPClassUID = report.file_meta.MediaStorageSOPClassUID = UID(REPORT)
    syntax = str(report.file_meta.TransferSyntaxUID)
    with (
        answering(0x0000, classes=(DX, REPORT)) as (peer, did),
        open_peer(peer.address, patience=ONCE, contexts=[(REPORT, syntax)]) as proposing,
    ):
        for image in (radiograph(1), report):
            proposing.send(file_of(image))
    assert did == ["associated", uid(1), uid(2)]
