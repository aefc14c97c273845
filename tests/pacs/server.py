"""Server: a DICOMweb service of the loopback that answers as a test says."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from pipeline.pacs.multipart import message_of
from pipeline.pacs.search import INSTANCE, SERIES, STUDY, Found
from pipeline.pacs.send import FAILED, JSON, REASON, STORED, UID

DRIP_SECONDS = 0.02


@dataclass(frozen=True)
class Answer:
    """What the server says."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    drip: bool = False
    """Byte after byte, with pauses, without an end."""
    cut: int = 0
    """Bytes that are announced and not sent."""


@dataclass
class Request:
    """What the server was asked."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


Answering = Callable[[Request], Answer]


@dataclass
class Server:
    """A running server, and what it was asked so far."""

    port: int
    scheme: str
    requests: list[Request]

    @property
    def address(self) -> str:
        return f"dicomweb:{self.scheme}://localhost:{self.port}/web"


@contextmanager
def serving(answering: Answering, *, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server for the time of the block."""
    asked: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Request(self.command, self.path, dict(self.headers), body)
            asked.append(request)
            self._give(answering(request))

        do_POST = do_GET

        def _give(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if not answer.drip:
                self.send_header("Content-Length", str(len(answer.body) + answer.cut))
            self.end_headers()
            self.wfile.write(answer.body)
            while answer.drip:
                self.wfile.write(b".")
                self.wfile.flush()
                time.sleep(DRIP_SECONDS)
            if answer.cut or answer.drip:
                self.close_connection = True

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass  # the other side went away, as tests mean it to

    server = Quiet(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield Server(server.server_address[1], "https" if tls else "http", asked)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def in_turn(*answers: Answer | Answering) -> Answering:
    """One answer after the other; the last one for ever."""
    left = list(answers)

    def answering(request: Request) -> Answer:
        answer = left.pop(0) if len(left) > 1 else left[0]
        return answer if isinstance(answer, Answer) else answer(request)

    return answering


def entries(found: Sequence[Found]) -> Answer:
    """The answer to a search."""
    said = [
        {tag: {"vr": "UI", "Value": [uid]} for tag, uid in zip((STUDY, SERIES, INSTANCE), parts, strict=True)}
        for parts in ((one.study, one.series, one.instance) for one in found)
    ]
    return Answer(body=json.dumps(said).encode(), headers={"Content-Type": JSON})


def holding(files: Mapping[Found, bytes]) -> Answering:
    """An archive of these files."""

    def answering(request: Request) -> Answer:
        path, _, query = request.path.partition("?")
        if path.endswith(("/studies", "/instances")):
            study = path.split("/")[-2]
            found = list(files) if path.endswith("/studies") else [one for one in files if one.study == study]
            return entries(found if "offset=0" in query else [])
        for found, content in files.items():
            if path.endswith(f"/instances/{found.instance}"):
                return file_answer(content)
        return Answer(404)

    return answering


def file_answer(content: bytes, *, cut: int = 0) -> Answer:
    """A file, as WADO-RS sends it."""
    body, kind = message_of(content)
    return Answer(body=body[: len(body) - cut], headers={"Content-Type": kind}, cut=cut)


def stored(uid: str) -> Answer:
    """That STOW-RS stored an object."""
    return Answer(body=_listed(STORED, uid, None), headers={"Content-Type": JSON})


def failed(uid: str, reason: int, *, status: int = 409) -> Answer:
    """That STOW-RS did not store an object."""
    return Answer(status, _listed(FAILED, uid, reason), {"Content-Type": JSON})


def _listed(tag: str, uid: str, reason: int | None) -> bytes:
    item: dict[str, Any] = {UID: {"vr": "UI", "Value": [uid]}}
    if reason is not None:
        item[REASON] = {"vr": "US", "Value": [reason]}
    return json.dumps({tag: {"vr": "SQ", "Value": [item]}}).encode()
