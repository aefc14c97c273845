"""Orthanc: a PACS of its own on loopback, in a temporary folder, that ends with its block."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from pipeline.errors import ConfigError, OutputError

PLUGINS: Final = (
    Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so"),
    Path("/usr/lib/orthanc/plugins/libOrthancDicomWeb.so"),
    Path("/usr/local/share/orthanc/plugins/libOrthancDicomWeb.so"),
)
"""Where packages put the plugin for DICOMweb."""
LOOPBACK: Final = "127.0.0.1"
SECONDS: Final = 60
"""Longest wait for Orthanc to answer."""
PAUSE: Final = 0.1
MISSING: Final = "install Orthanc and its DICOMweb plugin (Debian: apt-get install orthanc orthanc-dicomweb)"


@dataclass(frozen=True, slots=True)
class Orthanc:
    """A running Orthanc."""

    url: str
    """Of its REST interface, "http://127.0.0.1:…"."""
    dicom_port: int
    process: subprocess.Popen[bytes]

    @property
    def dicomweb(self) -> str:
        """The root of its DICOMweb services."""
        return f"{self.url}/dicom-web"

    def add(self, content: bytes) -> None:
        """Store one DICOM file; one that is there already is not stored twice.

        Raises OutputError if Orthanc does not take it.
        """
        request = urllib.request.Request(f"{self.url}/instances", data=content, method="POST")  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310  our own, on loopback
                pass
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.CONFLICT:
                raise OutputError(f"Orthanc refused a file ({error.code} {error.reason})") from error
        except OSError as error:
            raise OutputError(f"Orthanc does not answer ({error}); start the command again") from error

    def ask(self, path: str) -> Any:
        """The JSON at a path of its REST interface."""
        with urllib.request.urlopen(f"{self.url}/{path}", timeout=SECONDS) as answer:  # noqa: S310
            return json.load(answer)


@contextmanager
def orthanc(folder: Path, *, overwrite: bool = False, dimse: bool = False) -> Iterator[Orthanc]:
    """Orthanc with its files in `folder`, reachable from this machine only, until the block ends.

    Then it is killed: its files are not for keeping. `overwrite`: a file with a known SOP instance UID
    replaces the one that is there. `dimse`: its DICOM port listens, on every address of this machine.
    Raises ConfigError if Orthanc or its plugin is missing, or does not start.
    """
    program, plugin = shutil.which("Orthanc"), next((path for path in PLUGINS if path.exists()), None)
    if program is None or plugin is None:
        raise ConfigError(f"{'Orthanc' if program is None else PLUGINS[0].name}: not found; {MISSING}")
    folder.mkdir(parents=True, exist_ok=True)
    http_port, dicom_port = _free_ports()
    config = folder / "orthanc.json"
    settings = _config(folder, http_port, dicom_port, plugin) | {
        "OverwriteInstances": overwrite,
        "DicomServerEnabled": dimse,
    }
    config.write_text(json.dumps(settings))
    with (folder / "orthanc.log").open("wb") as log:
        process = subprocess.Popen([program, str(config)], stdout=log, stderr=subprocess.STDOUT)  # noqa: S603
    running = Orthanc(f"http://{LOOPBACK}:{http_port}", dicom_port, process)
    try:
        _wait(running, folder / "orthanc.log")
        yield running
    finally:
        process.kill()
        process.wait()


def _config(folder: Path, http_port: int, dicom_port: int, plugin: Path) -> dict[str, Any]:
    return {
        "Name": "HEATPROOF",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "index"),
        "TemporaryDirectory": str(folder),
        "HttpPort": http_port,
        "DicomPort": dicom_port,
        "DicomAet": "ORTHANC",
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomAlwaysAllowStore": True,
        "HttpsCACertificates": "",
        "Plugins": [str(plugin)],
        "DicomWeb": {
            "Enable": True,
            "Root": "/dicom-web/",
            "StudiesMetadata": "Full",
            "SeriesMetadata": "Full",
        },
    }


def _free_ports() -> tuple[int, int]:
    """Two ports that no program listens on at this moment."""
    with socket.socket() as first, socket.socket() as second:
        first.bind((LOOPBACK, 0))
        second.bind((LOOPBACK, 0))
        return first.getsockname()[1], second.getsockname()[1]


def _wait(running: Orthanc, log: Path) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and running.process.poll() is None:
        with suppress(OSError):
            running.ask("system")
            return
        time.sleep(PAUSE)
    lines = log.read_text(errors="replace").splitlines()[-3:]
    raise ConfigError(f"Orthanc did not start: {' | '.join(lines) or 'it said nothing'}; {MISSING}")
