"""Server: a DICOMweb service of the loopback that answers as a test says."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from pipeline.pacs.multipart import message_of
from pipeline.pacs.search import INSTANCE, SERIES, STUDY, Found
from pipeline.pacs.send import FAILED, JSON, REASON, STORED, UID

DRIP_SECONDS = 0.02
ENDLESS = 10**6


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
    endless_head: bool = False
    """A header that goes on and on, byte after byte."""
    silent: bool = False
    """Whether the server then waits for ever, instead of going away."""


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


class Handler(BaseHTTPRequestHandler):
    """One connection; its server says what is answered."""

    protocol_version = "HTTP/1.1"
    timeout = 60  # seconds, so that a connection that is left open ends the test late, and not never
    server: Answers

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.command, self.path, dict(self.headers), body)
        self.server.asked.append(request)
        self._give(self.server.answering(request))

    do_POST = do_GET  # noqa: N815  the name that http.server asks for

    def _give(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.endless_head:
            self.flush_headers()
            self._drip()
        length = ENDLESS if answer.drip else len(answer.body) + answer.cut
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(answer.body)
        if answer.drip:
            self._drip()
        if answer.silent:
            self.server.ended.wait()
        self.close_connection = bool(answer.cut or answer.drip)

    def _drip(self) -> None:
        while not self.server.ended.wait(DRIP_SECONDS):
            self.wfile.write(b".")
            self.wfile.flush()


class Answers(ThreadingHTTPServer):
    """A server that waits for its connections when it is closed."""

    daemon_threads = False

    def __init__(self, answering: Answering) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answering = answering
        self.asked: list[Request] = []
        self.ended = Event()

    def handle_error(self, *_: Any) -> None:
        pass  # the other side went away, as tests mean it to


@contextmanager
def serving(answering: Answering, *, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server for the time of the block."""
    server = Answers(answering)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield Server(server.server_address[1], "https" if tls else "http", server.asked)
    finally:
        server.ended.set()
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
