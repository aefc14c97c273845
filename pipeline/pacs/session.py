"""Session: HTTP that trusts only verified certificates, stays at its host, and reads within bounds.

Nothing is taken from the environment: no proxy, which would see patients' data, and no .netrc.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from threading import Event, Timer
from typing import IO, Any, Final
from urllib.parse import quote, unquote_plus, urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from pipeline.errors import CaseError, PacsError
from pipeline.pacs.credentials import Credentials
from pipeline.pacs.patience import Patience, Transient

LARGEST_ANSWER: Final = 2**26
"""Bytes of an answer that is held in memory."""
PIECE: Final = 2**16
NO_CONTENT, MULTIPLE_CHOICES, CONFLICT = 204, 300, 409
ALLOWED: Final = "=!$'()*,;:@/?"
"""Characters that stand for themselves in the key or value of a query (RFC 3986, 3.4)."""
LONGEST_NUMBER: Final = 6
"""Digits of a Retry-After that is believed."""
TRANSIENT: Final = frozenset({408, 425, 429, 502, 503, 504})
FATAL: Final = {
    401: "does not accept the credentials; give a valid token or client certificate",
    403: "does not allow this; ask for the rights, or give other credentials",
    405: "does not offer this service at the address; check the URL",
    507: "has no room left; make room there, then rerun the same command",
}
SERVER_ERROR: Final = 500
ENDED: Final = (ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""The other side went away, which says nothing about certificates."""
MISSING: Final = frozenset({404, 410})


class GuardedSession(requests.Session):
    """A session of requests. Every answer that it gives is a 2xx, or says "conflict"."""

    def __init__(self, base: str, credentials: Credentials, patience: Patience) -> None:
        super().__init__()
        self.trust_env = False
        self.base = base
        self.host = urlsplit(base).netloc
        self.patience = patience
        self.verify = str(credentials.authority) if credentials.authority else True
        if credentials.certificate:
            certificate, key = str(credentials.certificate), credentials.key
            self.cert = (certificate, str(key)) if key else certificate
        if credentials.token:
            self.headers["Authorization"] = f"Bearer {credentials.token}"
        self.headers["Accept-Encoding"] = "identity"  # nothing that could grow when it is unpacked
        adapter = _Adapter(patience.head)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """The answer to a request. Raises Transient, PacsError, or CaseError "missing" or "refused"."""
        streamed = bool(kwargs.get("stream"))
        kwargs |= {"stream": True, "timeout": (self.patience.connect, self.patience.silent)}
        request.headers.pop("Host", None)  # dicomweb-client leaves the port out of it
        request.url = _plain(request.url or "")
        with self._failures():
            response = super().send(request, **kwargs)
        if response.is_redirect and not kwargs.get("allow_redirects", True):
            return response  # one of several steps, which requests follows
        try:
            self._refuse(response)
        except BaseException:
            response.close()
            raise
        if not streamed:
            held = BytesIO()
            for piece in self.pieces(response, most_bytes=LARGEST_ANSWER):
                held.write(piece)
            if not held.tell() and not is_framed(response):
                raise Transient("an answer ended early")  # within its headers, which nothing else tells
            held.seek(0)
            response.raw = held
        return response

    def pieces(self, response: requests.Response, *, most_bytes: int) -> Iterator[bytes]:
        """The body of an answer as it comes. Raises Transient if it ends early or too slowly."""
        begun, received = self.patience.clock(), 0
        wanted = response.headers.get("Content-Length", "")
        with response, self._failures():
            while piece := response.raw.read1(PIECE, decode_content=False):
                received += len(piece)
                if received > most_bytes:
                    raise CaseError("too_large", f"the answer is larger than {most_bytes >> 20:,} MiB")
                self.patience.refuse_drip(begun, received)
                yield piece
        if wanted.isdigit() and received < int(wanted):
            raise Transient("an answer ended early")

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Where an answer leads. Raises PacsError if that is another host, or if a file was sent."""
        target = super().get_redirect_target(resp)
        if target is None:
            return None
        resp.close()
        resp.raw = BytesIO()  # its body, which requests would read to an end that may never come
        there = urlsplit(urljoin(resp.url, target))
        here = urlsplit(self.base)
        if (there.scheme, there.netloc) != (here.scheme, here.netloc):
            raise PacsError(
                f"{self.host}: leads to another host, {there.scheme}://{there.hostname}, which is refused; "
                "give that as the URL if it is right"
            )
        if resp.request.method != "GET":
            raise PacsError(f"{self.host}: sends files on to another path; give the URL of that path")
        return target

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Turn failures of the network into Transient or PacsError, whose messages quote no URL."""
        try:
            yield
        except (requests.exceptions.SSLError, urllib3.exceptions.SSLError) as error:
            if any(isinstance(cause, ENDED) for cause in _causes(error)):
                raise Transient("the connection broke") from error
            raise PacsError(
                f"{self.host}: its certificate is not trusted, or it refuses this side's; name the "
                "certificates to trust in 'authority', and check the client certificate"
            ) from error
        except requests.exceptions.TooManyRedirects as error:
            raise PacsError(f"{self.host}: leads in a circle; check the URL") from error
        except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError) as error:
            raise Transient("no answer in time") from error
        except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            raise Transient("the connection failed") from error
        except urllib3.exceptions.HTTPError as error:
            raise Transient("the connection broke") from error
        except requests.exceptions.RequestException as error:
            what = type(error).__name__
            raise PacsError(f"{self.host}: cannot be asked ({what}); check the URL") from error
        except OSError as error:
            raise PacsError(
                f"{self.host}: the certificate or key cannot be used ({error.strerror or 'not a PEM file'}); "
                "give PEM files that belong together"
            ) from error

    def _refuse(self, response: requests.Response) -> None:
        status = response.status_code
        if status in TRANSIENT:
            asked = response.headers.get("Retry-After", "")
            wait = float(asked) if asked.isdigit() and len(asked) < LONGEST_NUMBER else 0
            raise Transient(f"it answers with status {status}", wait_seconds=wait)
        if status in FATAL:
            raise PacsError(f"{self.host}: {FATAL[status]} (status {status})")
        if status in MISSING:
            raise CaseError("missing", f"the archive has nothing there (status {status})")
        if status >= SERVER_ERROR:
            raise Transient(f"it answers with status {status}", of_object=True)
        if status >= MULTIPLE_CHOICES and status != CONFLICT:
            raise CaseError("refused", f"the archive refuses it (status {status})")
        encoding = response.headers.get("Content-Encoding", "identity")
        if encoding != "identity":
            raise PacsError(f"{self.host}: sends packed answers that were not asked for; turn that off there")


class _Adapter(HTTPAdapter):
    """Connections that end if an answer's headers take too long: time-outs of sockets are for one packet."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """The pools of connections with a limit of time."""
        super().init_poolmanager(*args, **kwargs)
        plain, encrypted = _limited(HTTPConnection, self.seconds), _limited(HTTPSConnection, self.seconds)
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("Pool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("SafePool", (HTTPSConnectionPool,), {"ConnectionCls": encrypted}),
        }

    def close(self) -> None:
        """Close all connections now: clearing the pools alone leaves them to the garbage collector."""
        for key in self.poolmanager.pools.keys():  # noqa: SIM118  the container refuses to be iterated
            self.poolmanager.pools[key].close()
        super().close()


def _limited(base: type[HTTPConnection], seconds: float) -> type[HTTPConnection]:
    """The class of connections whose answers have to begin within the time."""

    def getresponse(self: Any) -> Any:
        late = Event()
        timer = Timer(seconds, _end, (self.sock, late))
        timer.daemon = True
        timer.start()
        try:
            answer = base.getresponse(self)
        finally:
            timer.cancel()
        if late.is_set():
            answer.close()
            raise TimeoutError  # the end of the connection passed for that of the headers
        return answer

    return type(base.__name__, (base,), {"getresponse": getresponse})


def _end(sock: socket.socket | None, late: Event) -> None:
    """End both directions of a socket, so that whoever reads it gets an end at once."""
    late.set()
    if sock is not None:
        try:
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        except OSError:
            return  # it ended by itself


def _plain(url: str) -> str:
    """The URL with a query that escapes only what it must: dicomweb-client writes those of forms.

    Orthanc's DICOMweb plug-in 1.7 reads no escapes, so that *, / and : have to stand for themselves.
    """
    path, mark, query = url.partition("?")
    return path + mark + "&".join(quote(unquote_plus(pair), safe=ALLOWED) for pair in query.split("&"))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what it came of."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def is_framed(response: requests.Response) -> bool:
    """Whether an answer says where it ends, so that one which breaks off is told (RFC 9112, 6.3)."""
    chunked = "chunked" in response.headers.get("Transfer-Encoding", "").lower()
    return chunked or "Content-Length" in response.headers or response.status_code == NO_CONTENT


def rewind(target: IO[bytes]) -> None:
    """Empty a file that an earlier try wrote to."""
    target.seek(0)
    target.truncate()
