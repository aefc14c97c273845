"""Running: Orthanc on the loopback, with a temporary store, which can be killed and started again."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tests.patience import SECONDS

ORTHANC = os.environ.get("ORTHANC", "/usr/sbin/Orthanc")
PLUGIN = os.environ.get("ORTHANC_DICOMWEB", "/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
TITLE = "ARCHIVE"


def free_port() -> int:
    """A port of the loopback that nothing listened on a moment ago."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@dataclass
class Orthanc:
    """An archive of its own store; ports stay the same when it is started again."""

    folder: Path
    http: int = field(default_factory=free_port)
    dicom: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def web(self) -> str:
        """The address of its DICOMweb service."""
        return f"dicomweb:http://127.0.0.1:{self.http}/dicom-web"

    @property
    def peer(self) -> str:
        """The address of its application entity."""
        return f"dimse:{TITLE}@127.0.0.1:{self.dicom}"

    def start(self, **settings: Any) -> None:
        self.folder.mkdir(exist_ok=True)
        config = self.folder / "orthanc.json"
        config.write_text(json.dumps(self._config() | settings))
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([ORTHANC, str(config)], stdout=log, stderr=log)
        for _ in range(SECONDS * 10):
            if self.process.poll() is not None:
                raise AssertionError((self.folder / "log").read_text()[-2000:])
            if self.answers():
                return
            time.sleep(0.1)
        raise AssertionError("Orthanc does not answer")

    def answers(self) -> bool:
        try:
            self.ask("/system")
        except OSError:
            return False
        return True

    def kill(self) -> None:
        """End the process without a chance to write anything more."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def ask(self, path: str) -> Any:
        with urlopen(f"http://127.0.0.1:{self.http}{path}") as answer:
            return json.load(answer)

    def file(self, instance: str) -> bytes:
        with urlopen(f"http://127.0.0.1:{self.http}/instances/{instance}/file") as answer:
            content: bytes = answer.read()
            return content

    def delete(self, uid: str) -> None:
        """Remove an object by its SOP instance UID."""
        found = [
            entry["ID"] for entry in self.ask("/instances?expand") if uid in entry["MainDicomTags"].values()
        ]
        request = Request(f"http://127.0.0.1:{self.http}/instances/{found[0]}", method="DELETE")
        with urlopen(request):
            pass

    def uids(self) -> list[str]:
        """The SOP instance UIDs of all objects, sorted."""
        found = self.ask("/instances?expand")
        return sorted(entry["MainDicomTags"]["SOPInstanceUID"] for entry in found)

    def _config(self) -> dict[str, Any]:
        return {
            "Name": "Archive of the tests",
            "StorageDirectory": str(self.folder / "store"),
            "IndexDirectory": str(self.folder / "store"),
            "TemporaryDirectory": str(self.folder),
            "Plugins": [PLUGIN],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "Host": "127.0.0.1"},
            "HttpPort": self.http,
            "DicomPort": self.dicom,
            "DicomAet": TITLE,
            "DicomCheckCalledAet": True,
            "DicomAlwaysAllowStore": True,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "SaveJobs": False,
            "UnknownSopClassAccepted": True,
            "HttpThreadsCount": 4,
            "StableAge": 3600,
        }
