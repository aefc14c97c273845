"""Orthanc sends its studies to `heatproof receive`, which is killed half way."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from pydicom import dcmread

from pipeline.pacs.address import web_address
from pipeline.pacs.search import Found
from pipeline.pacs.send import send
from pipeline.pacs.web import open_web
from tests.doors.studies import file_of, radiograph
from tests.pacs.running import Orthanc, free_port
from tests.patience import SECONDS

STUDIES = 200
HERE = "HERE"


@contextmanager
def receiving(folder: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """The command, once it listens; killed at the end of the block."""
    command = [
        sys.executable, "-m", "pipeline.cli.main", "receive", str(folder), "--port", str(port), "--aet", HERE,
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "Receiving as HERE" in process.stdout.readline()
        yield process
        process.kill()


def kept(folder: Path) -> list[Path]:
    return sorted((folder / "images").rglob("*.dcm"))


def send_all(archive: Orthanc) -> None:
    """Let the archive send everything that it has. Raises HTTPError if it cannot."""
    body = json.dumps({"Resources": archive.ask("/instances"), "Synchronous": True}).encode()
    url = f"http://127.0.0.1:{archive.http}/modalities/{HERE}/store"
    with urlopen(Request(url, data=body, method="POST")):
        pass


def test_200_studies_are_received_once_though_the_receiver_is_killed_half_way(tmp_path: Path) -> None:
    folder, port = tmp_path / "in", free_port()
    archive = Orthanc(tmp_path / "orthanc")
    archive.start(DicomModalities={HERE: [HERE, "127.0.0.1", port]})
    try:
        with open_web(web_address(archive.web, "to")) as web:
            for image in map(radiograph, range(STUDIES)):
                found = Found(image.StudyInstanceUID, image.SeriesInstanceUID, image.SOPInstanceUID)
                send(web, found, file_of(image))
        _kill_half_way(archive, folder, port)
        assert 0 < len(kept(folder)) < STUDIES
        before = {path: path.read_bytes() for path in kept(folder)}
        with receiving(folder, port):
            send_all(archive)
        uids = sorted(str(dcmread(path).SOPInstanceUID) for path in kept(folder))
        assert uids == archive.uids()
        assert len(uids) == STUDIES
        assert {path: path.read_bytes() for path in before} == before
        assert not list((folder / "incoming").iterdir())
    finally:
        archive.kill()


def _kill_half_way(archive: Orthanc, folder: Path, port: int) -> None:
    job = {"Resources": archive.ask("/instances"), "Asynchronous": True}
    with receiving(folder, port) as process:
        url = f"http://127.0.0.1:{archive.http}/modalities/{HERE}/store"
        with urlopen(Request(url, data=json.dumps(job).encode(), method="POST")) as answer:
            path = json.load(answer)["Path"]
        for _ in range(SECONDS * 100):
            if len(kept(folder)) >= STUDIES // 4:
                break
            time.sleep(0.01)
        process.kill()
    for _ in range(SECONDS * 10):
        state = archive.ask(path)["State"]
        if state in {"Failure", "Success"}:
            break
        time.sleep(0.1)
    assert state == "Failure"
    with pytest.raises(HTTPError):  # nobody listens now, and the archive says so
        send_all(archive)
