"""What a sender gets told, and what lies in the folder."""

from __future__ import annotations

import gc
import hashlib
import resource
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import pytest
from pydicom import dcmread

from pipeline.errors import CaseError, ConfigError, PacsError
from pipeline.pacs.address import PeerAddress
from pipeline.pacs.dimse import Peer, open_peer
from pipeline.pacs.patience import Patience
from pipeline.retrieval.cache import INCOMING
from pipeline.retrieval.receive import Listening, receive
from tests.doors.studies import file_of, radiograph
from tests.patience import SECONDS

TITLE = "HERE"
AT_ONCE = Patience(tries=1)
# pynetdicom leaves sockets whose peer went away, and files that it cannot write, to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <(socket|_io):pytest.PytestUnraisableExceptionWarning",
    "ignore::pytest.PytestUnhandledThreadExceptionWarning",
)


@dataclass
class Receiving:
    """A folder that receives, and what came in the end."""

    port: int = 0
    counts: dict[str, int] = field(default_factory=dict)


@contextmanager
def receiving(folder: Path, *callers: str) -> Iterator[Receiving]:
    """A folder that receives during the block."""
    found, began, ended = Receiving(), Event(), Event()

    def ready(port: int) -> None:
        found.port = port
        began.set()

    def listen() -> None:
        listening = Listening("127.0.0.1", 0, TITLE, callers)
        found.counts |= receive(folder, listening, ready=ready, ended=ended.is_set)

    thread = Thread(target=listen)
    thread.start()
    try:
        assert began.wait(SECONDS)
        yield found
    finally:
        ended.set()
        thread.join()


@contextmanager
def sender(found: Receiving, *, called: str = TITLE, calling: str = "THERE") -> Iterator[Peer]:
    address = PeerAddress(called, "127.0.0.1", found.port)
    with open_peer(address, title=calling, patience=AT_ONCE) as peer:
        yield peer


def kept(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.dcm"))


def test_objects_are_named_by_their_content_and_kept_once(tmp_path: Path) -> None:
    report, own = radiograph(3), radiograph(4)
    report.SOPClassUID = report.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.88.33"
    own.Manufacturer = "Heatproof"
    with receiving(tmp_path / "in") as found, sender(found) as peer:
        for image in (radiograph(1), radiograph(2), radiograph(1), report, own):
            assert peer.send(file_of(image)) == "stored"

    assert found.counts == {"images": 2, "objects": 1, "own": 1, "repeated": 1}
    names = kept(tmp_path / "in")
    hashes = [hashlib.sha256((tmp_path / "in" / name).read_bytes()).hexdigest() for name in names]
    rooms = ["images", "images", "objects", "own"]
    assert names == [f"{room}/{sha[:2]}/{sha}.dcm" for room, sha in zip(rooms, hashes, strict=True)]
    assert list((tmp_path / "in" / INCOMING).iterdir()) == []


def test_another_object_of_the_same_identifier_is_refused_and_the_first_is_kept(tmp_path: Path) -> None:
    first, corrected, other = radiograph(1), radiograph(1), radiograph(1)
    corrected.PatientName = "Roe^Corrected"
    other.PixelData = bytes(len(other.PixelData))
    with receiving(tmp_path / "in") as found, sender(found) as peer:
        assert peer.send(file_of(first)) == "stored"
        assert peer.send(file_of(corrected)) == "stored"
        assert peer.send(file_of(other)) == "there"  # "duplicate SOP instance", as archives say
    assert found.counts == {"images": 1, "repeated": 1, "refused": 1}
    (name,) = kept(tmp_path / "in")
    assert dcmread(tmp_path / "in" / name).PixelData == first.PixelData


def test_an_identifier_with_path_characters_leads_nowhere(tmp_path: Path) -> None:
    content, uid = file_of(radiograph(1)), str(radiograph(1).SOPInstanceUID)
    evil = f"../../../../tmp/{'evil':<{len(uid) - len('../../../../tmp/')}}"
    with receiving(tmp_path / "in") as found, sender(found) as peer:
        refused = suppress(CaseError, PacsError, UserWarning)  # the library of the sender may refuse it first
        with refused:
            peer.send(content.replace(uid.encode(), evil.encode()))
    assert {path.name for path in tmp_path.iterdir()} == {"in"}
    assert all(name.startswith("images/") for name in kept(tmp_path / "in"))


def test_the_sender_is_told_of_a_full_disk_and_its_next_try_is_kept(tmp_path: Path) -> None:
    large = radiograph(1)
    large.Rows, large.PixelData = 1600, large.PixelData * 100
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with receiving(tmp_path / "in") as found:
        with sender(found) as peer:
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
            try:
                with pytest.raises(PacsError):
                    peer.send(file_of(large))
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert not [name for name in kept(tmp_path / "in") if not name.startswith(INCOMING)]
        with sender(found) as peer:
            assert peer.send(file_of(large)) == "stored"
    assert len(kept(tmp_path / "in")) == 1  # and nothing of what broke off
    with warnings.catch_warnings():  # pynetdicom leaves its file to the collector where it cannot write
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def test_only_those_who_are_named_may_send(tmp_path: Path) -> None:
    with receiving(tmp_path / "in", "THERE") as found:
        with sender(found) as peer:
            assert peer.send(file_of(radiograph(1))) == "stored"
        with sender(found, calling="STRANGER") as peer, pytest.raises(PacsError, match="calling title"):
            peer.send(file_of(radiograph(2)))
        with sender(found, called="ELSEWHERE") as peer, pytest.raises(PacsError, match="called title"):
            peer.send(file_of(radiograph(2)))
    assert found.counts == {"images": 1}


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with receiving(tmp_path / "in") as found, pytest.raises(ConfigError, match="--port"):
        receive(tmp_path / "other", Listening("127.0.0.1", found.port, TITLE), ready=print)


def test_it_ends_by_itself_when_nothing_comes(tmp_path: Path) -> None:
    counts = receive(tmp_path, Listening("127.0.0.1", 0, TITLE, idle=0), ready=lambda _: None)
    assert dict(counts) == {}
