"""OHIF: its static build and a DICOMweb server at one loopback address, as browsers want it."""

from __future__ import annotations

import http.server
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from threading import Thread
from typing import Any, Final
from urllib.parse import quote

from pipeline.errors import ConfigError
from pipeline.viewer.orthanc import LOOPBACK

INDEX: Final = "index.html"
APP_CONFIG: Final = "app-config.js"
PROXIED: Final = ("/dicom-web/", "/wado")
"""Paths that the DICOMweb server answers."""
SECONDS: Final = 120
HEADERS: Final = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cache-Control": "no-store",
}
"""OHIF decodes in threads that share memory, which browsers allow only isolated pages."""


@contextmanager
def ohif(build: Path, dicomweb: str, *, port: int = 0) -> Iterator[str]:
    """The address of OHIF's static build over the DICOMweb server at `dicomweb`, until the block ends.

    Port 0 is any free one. Raises ConfigError if the folder holds no build, or the port is taken.
    """
    build = next(
        (path for path in (build, build / "dist", build / "package" / "dist") if _is_build(path)), build
    )
    if not _is_build(build):
        raise ConfigError(
            f"--ohif: {build} holds no {INDEX} and {APP_CONFIG}; give the folder dist of the npm package "
            "@ohif/app, unpacked"
        )
    try:
        server = _Server(build, dicomweb, port)
    except OSError as error:
        raise ConfigError(f"--port: {port} cannot be used ({error.strerror}); choose another") from error
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.address
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def address_of_study(address: str, study_uid: str) -> str:
    """The page that shows one study."""
    return f"{address}/viewer?StudyInstanceUIDs={quote(study_uid)}"


def app_config(address: str) -> str:
    """OHIF's own configuration: one source, at its own address."""
    source = {
        "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
        "sourceName": "dicomweb",
        "configuration": {
            "friendlyName": "Heatproof",
            "name": "heatproof",
            "qidoRoot": f"{address}/dicom-web",
            "wadoRoot": f"{address}/dicom-web",
            "wadoUriRoot": f"{address}/wado",
            "imageRendering": "wadors",
            "thumbnailRendering": "wadors",
            "enableStudyLazyLoad": True,
            "qidoSupportsIncludeField": False,
            "supportsFuzzyMatching": False,
            "supportsWildcard": True,
            "omitQuotationForMultipartRequest": True,
        },
    }
    settings = {
        "routerBasename": "/",
        "extensions": [],
        "modes": [],
        "showStudyList": True,
        "showCPUFallbackMessage": False,
        "showWarningMessageForCrossOrigin": False,
        "investigationalUseDialog": {"option": "always"},
        "defaultDataSourceName": "dicomweb",
        "dataSources": [source],
    }
    return f"window.config = {json.dumps(settings)};\n"


def _is_build(folder: Path) -> bool:
    return (folder / INDEX).is_file() and (folder / APP_CONFIG).is_file()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, build: Path, dicomweb: str, port: int) -> None:
        self.build, self.dicomweb = build, dicomweb
        super().__init__((LOOPBACK, port), _Handler)

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.server_port}"


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Files of the build; the configuration; what the DICOMweb server answers."""

    server: _Server

    def __init__(self, request: Any, client: Any, server: _Server) -> None:
        super().__init__(request, client, server, directory=str(server.build))

    def log_message(self, *_: Any) -> None:
        """Say nothing: addresses hold identifiers."""

    def end_headers(self) -> None:
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if f"http://{self.headers.get('Host')}" != self.server.address:
            self.send_error(HTTPStatus.FORBIDDEN)  # a page elsewhere whose name was pointed here
        elif path == f"/{APP_CONFIG}":
            self._reply(HTTPStatus.OK, "application/javascript", app_config(self.server.address).encode())
        elif path.startswith(PROXIED):
            self._reply(
                *_answer(
                    f"{self.server.dicomweb}{self.path}",
                    self.headers.get("Accept", "*/*"),
                    own=(self.server.dicomweb, self.server.address),
                )
            )
        else:
            if not Path(self.translate_path(self.path)).is_file():  # a page within the application
                self.path = f"/{INDEX}"
            super().do_GET()

    def _reply(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _answer(url: str, accept: str, *, own: tuple[str, str]) -> tuple[int, str, bytes]:
    """Status, type and body of what the DICOMweb server answers, with our address in place of its own."""
    request = urllib.request.Request(url, headers={"Accept": accept})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310  on loopback
            status, kind, body = answer.status, answer.headers.get("Content-Type", ""), answer.read()
    except urllib.error.HTTPError as error:
        status, kind, body = error.code, error.headers.get("Content-Type", ""), error.read()
    except OSError as error:
        return HTTPStatus.BAD_GATEWAY, "text/plain", f"Orthanc does not answer: {error}".encode()
    if "json" in kind:
        body = body.replace(own[0].encode(), own[1].encode())
    return status, kind, body
