"""Orthanc is for this machine's browser alone, and is gone when its block ends."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest

from pipeline.viewer.orthanc import orthanc

PROGRAM = """#!{python}
import http.server, json, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{{}}")

    def log_message(self, *_):
        pass

port = json.load(open(sys.argv[1]))["HttpPort"]
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""
"""Answers like Orthanc."""


@pytest.fixture(autouse=True)
def _program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "Orthanc"
    program.parent.mkdir()
    program.write_text(PROGRAM.format(python=sys.executable))
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setattr("pipeline.viewer.orthanc.PLUGINS", (program,))


def test_it_is_killed_and_not_asked_to_end(tmp_path: Path) -> None:
    with orthanc(tmp_path / "files") as running:
        pass
    assert running.process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("dimse", [False, True])
def test_its_dicom_port_listens_only_where_that_is_asked_for(tmp_path: Path, *, dimse: bool) -> None:
    with orthanc(tmp_path / "files", dimse=dimse):
        config = json.loads((tmp_path / "files" / "orthanc.json").read_text())
    assert config["DicomServerEnabled"] is dimse
    assert config["TemporaryDirectory"] == str(tmp_path / "files")
