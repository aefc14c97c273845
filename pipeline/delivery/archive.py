"""Archive: exported objects sent to a PACS, each once."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.delivery.journal import REFUSED, Journal, journal_folder, open_journal
from pipeline.errors import CaseError, ConfigError, OutputError, PacsError
from pipeline.exports.objects import ExportedObject, LeftOut, encoded
from pipeline.pacs.address import is_dicomweb, is_dimse, peer_address, web_address, without_filters
from pipeline.pacs.credentials import Credentials
from pipeline.pacs.dimse import OWN_TITLE, RESULTS, open_peer
from pipeline.pacs.patience import Patience
from pipeline.pacs.search import Found
from pipeline.pacs.send import Stored, send
from pipeline.pacs.web import DicomWeb, open_web

Send = Callable[[ExportedObject, bytes], Stored]
MOST_ERRORS = 3
"""Objects in a row that the archive cannot store for such a reason, before the rest is left."""
ERRORS = ("server_error", "missing")
"""Reasons that count: an error of the archive's own, or an address where nothing is (404)."""
TO = "--to"


@dataclass(frozen=True, slots=True)
class ArchiveOptions:
    """How an archive is reached."""

    credentials: Credentials = field(default_factory=Credentials)
    title: str = OWN_TITLE
    """Our own application entity title."""
    journal: Path | None = None
    """Folder of the journal; None: beside the run."""
    patience: Patience = field(default_factory=Patience)


@dataclass(slots=True)
class Archive:
    """A PACS as a destination."""

    host: str
    send: Send
    journal: Journal
    counts: Counter[str] = field(default_factory=Counter)
    """Objects "stored" now, "there" already, and sent "earlier"."""
    refused: list[dict[str, str]] = field(default_factory=list)
    errors: int = 0
    """Of the archive, in a row."""

    def store(self, kind: str, stored: ExportedObject) -> bool:
        """Send an object, unless the journal says that it was sent; whether the archive has it.

        Raises OutputError if no other can be sent.
        """
        content = encoded(stored.dataset)
        sha256 = hashlib.sha256(content).hexdigest()
        if self.journal.holds(stored.uid, sha256):
            self.counts["earlier"] += 1
            return True
        try:
            outcome = self.send(stored, content)
        except CaseError as error:
            self._refuse(kind, stored, error)
            return False
        except PacsError as error:
            self.close(())
            raise OutputError(
                f"{error}; {self._so_far()}; rerun the same command to send the rest"
            ) from error
        self.journal.add(kind, stored.uid, sha256)
        self.counts[outcome] += 1
        self.errors = 0
        return True

    def close(self, left_out: Iterable[LeftOut]) -> None:
        """Write the lists of what was refused, and of what no object was made of."""
        self.journal.write_lists(self.refused, left_out)

    def lines(self) -> Iterator[str]:
        """What was sent, and where the lists are."""
        yield f"{self.host}: {self._so_far()}"
        if self.refused:
            yield f"Refused: {len(self.refused):,}, listed with reasons in {self.journal.path / REFUSED}"
        yield f"Journal: {self.journal.path}"

    @property
    def is_complete(self) -> bool:
        """Whether nothing was refused."""
        return not self.refused

    def _refuse(self, kind: str, stored: ExportedObject, error: CaseError) -> None:
        self.refused.append(
            {
                "kind": kind,
                "case_ids": " ".join(stored.case_ids),
                "sop_instance_uid": stored.uid,
                "reason": error.reason,
                "message": error.message,
            }
        )
        self.errors = self.errors + 1 if error.reason in ERRORS else 0
        if self.errors == MOST_ERRORS:
            self.close(())
            raise OutputError(
                f"{self.host}: failed on {MOST_ERRORS} objects in a row ({error.message}); {self._so_far()}; "
                "rerun the same command to send the rest"
            )

    def _so_far(self) -> str:
        there = self.counts["there"]
        known = f", {there:,} were there already" if there else ""
        earlier = f", {self.counts['earlier']:,} earlier" if self.counts["earlier"] else ""
        return f"{self.counts['stored']:,} objects were sent{earlier}{known}"


def is_archive(to: str) -> bool:
    """Whether a destination is an archive, not a folder."""
    return is_dicomweb(to) or is_dimse(to)


@contextmanager
def open_archive(
    to: str, run: Path, *, run_id: str, pseudonymous: bool, options: ArchiveOptions | None = None
) -> Iterator[Archive]:
    """The archive with its journal; connections end with the block.

    Raises ConfigError for an address, credentials or journal that cannot be used.
    """
    options = options or ArchiveOptions()
    with ExitStack() as stack:
        if is_dicomweb(to):
            address = without_filters(web_address(to, TO), TO)
            name, where = address.base, address.host
            sender = _web_sender(
                stack.enter_context(open_web(address, options.credentials, options.patience))
            )
        elif is_dimse(to):
            peer = stack.enter_context(
                open_peer(
                    peer_address(to, TO),
                    title=options.title,
                    patience=options.patience,
                    credentials=options.credentials,
                    contexts=RESULTS,
                )
            )
            name = where = peer.host

            def sender(_stored: ExportedObject, content: bytes) -> Stored:
                return peer.send(content)
        else:
            raise ConfigError(
                f"{TO}: {to} is no archive; write dicomweb:URL, dimse:AET@host:port or dimse-tls:…"
            )
        path = options.journal or journal_folder(run, name, pseudonymous=pseudonymous)
        journal = stack.enter_context(open_journal(path, run, name, run_id=run_id, pseudonymous=pseudonymous))
        yield Archive(where, sender, journal)


def _web_sender(web: DicomWeb) -> Send:
    def sender(stored: ExportedObject, content: bytes) -> Stored:
        found = Found(str(stored.dataset.StudyInstanceUID), str(stored.dataset.SeriesInstanceUID), stored.uid)
        return send(web, found, content)

    return sender
