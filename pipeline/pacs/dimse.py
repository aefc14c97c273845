"""DIMSE: objects sent to an application entity (C-STORE SCU, PS3.4, B)."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Final, Literal

import certifi
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    ColorSoftcopyPresentationStateStorage,
    ComprehensiveSRStorage,
    ExplicitVRLittleEndian,
    GrayscaleSoftcopyPresentationStateStorage,
    KeyObjectSelectionDocumentStorage,
    ParametricMapStorage,
    SecondaryCaptureImageStorage,
    SegmentationStorage,
)
from pynetdicom.ae import ApplicationEntity
from pynetdicom.association import Association

from pipeline.errors import CaseError, ConfigError, PacsError
from pipeline.pacs.address import PeerAddress
from pipeline.pacs.credentials import NONE, Credentials
from pipeline.pacs.patience import Patience, Transient, tried

OWN_TITLE: Final = "HEATPROOF"
MOST_CONTEXTS: Final = 128
"""Of one association (PS3.8, 9.3.2.2)."""
OVER_TLS: Final = (
    ", or a certificate is not trusted: name those to trust in 'authority', and check this side's own"
)
NOT_TAKEN: Final = "the archive takes no objects of this class in this transfer syntax"
DUPLICATE: Final = 0x0111
NO_ROOM: Final = range(0xA700, 0xA800)
MISMATCH: Final = range(0xA900, 0xAA00)
WARNINGS: Final = (0x0001, 0x0107, 0x0116, *range(0xB000, 0xC000))
"""Stored, though elements were changed or left out (PS3.4, B.2.3)."""
REASONS: Final = {
    0x0110: "processing failure",
    0x0122: "it stores no objects of this class",
    0x0124: "not authorised",
    0x0117: "the object's UID is not valid there",
}
PERMANENT: Final = 1
"""Result of a rejected association that no further try changes (PS3.8, 9.3.4)."""
REJECTED: Final[Mapping[tuple[int | None, int | None], str]] = {
    (1, 3): "does not know the calling title; enter it there, or give the one that is entered",
    (1, 7): "does not know the called title; correct it in the address",
}
"""(source, reason) → what to do."""

Sent = Literal["stored", "there"]
Context = tuple[str, str]
"""Class of an object and its transfer syntax."""
LABEL_MAPS: Final = "1.2.840.10008.5.1.4.1.1.66.7"
"""Class of label map segmentations, which pydicom 3.0 does not name."""
RESULTS: Final[tuple[Context, ...]] = tuple(
    (str(storage_class), str(ExplicitVRLittleEndian))
    for storage_class in (
        SegmentationStorage,
        LABEL_MAPS,
        ParametricMapStorage,
        SecondaryCaptureImageStorage,
        GrayscaleSoftcopyPresentationStateStorage,
        ColorSoftcopyPresentationStateStorage,
        ComprehensiveSRStorage,
        KeyObjectSelectionDocumentStorage,
    )
)
"""Of objects that hold results on images."""


@dataclass(slots=True)
class Peer:
    """An application entity, and the association with it while one is open."""

    address: PeerAddress
    title: str
    patience: Patience
    tls: ssl.SSLContext | None = None
    contexts: list[Context] = field(default_factory=list)
    """Of all objects so far, so that the next association takes them all."""
    association: Association | None = None

    @property
    def host(self) -> str:
        """Name of the entity, for messages."""
        return f"{self.address.title}@{self.address.host}:{self.address.port}"

    def send(self, content: bytes) -> Sent:
        """Store a DICOM file. Raises PacsError, or CaseError "refused" or "server_error"."""
        dataset = dcmread(BytesIO(content))
        context = (str(dataset.SOPClassUID), str(dataset.file_meta.TransferSyntaxUID))
        return tried(lambda: self._once(dataset, context), self.patience, host=self.host)

    def close(self) -> None:
        """Release the association."""
        if self.association is not None and self.association.is_established:
            self.association.release()
        self.association = None

    def _once(self, dataset: Dataset, context: Context) -> Sent:
        association = self._associated(context)
        try:
            status = association.send_c_store(dataset)
        except ValueError as error:  # none of the contexts it accepted fits
            raise CaseError("refused", NOT_TAKEN) from error
        except RuntimeError as error:
            self._abort()
            raise Transient("the association ended") from error
        if "Status" not in status:  # no answer, or one that is none
            self._abort()
            raise Transient("no answer in time, or the association ended")
        return _read(int(status.Status))

    def _associated(self, context: Context) -> Association:
        open_one = self.association
        if open_one is not None and open_one.is_established and context in self.contexts:
            return open_one
        self.close()
        if context not in self.contexts:
            self.contexts = [*self.contexts, context][-MOST_CONTEXTS:]
        entity = ApplicationEntity(self.title)
        entity.connection_timeout = self.patience.connect
        entity.acse_timeout = self.patience.silent
        entity.dimse_timeout = entity.network_timeout = self.patience.silent
        for storage_class, syntax in self.contexts:
            entity.add_requested_context(storage_class, syntax)
        made = entity.associate(
            self.address.host,
            self.address.port,
            ae_title=self.address.title,
            tls_args=(self.tls, self.address.host) if self.tls else None,
        )
        if not made.is_established:
            if made.rejected_contexts and not made.accepted_contexts:  # an answer, though it takes nothing
                raise CaseError("refused", NOT_TAKEN)
            raise self._rejection(made)
        self.association = made
        return made

    def _rejection(self, made: Association) -> PacsError | Transient:
        answer = made.acceptor.primitive
        if not made.is_rejected or answer is None or answer.result != PERMANENT:
            return Transient(f"no association is made{OVER_TLS if self.tls else ''}")
        why = REJECTED.get((answer.result_source, answer.diagnostic), "rejects the association; ask its log")
        return PacsError(f"{self.host}: {why} (called {self.address.title}, calling {self.title})")

    def _abort(self) -> None:
        if self.association is not None and self.association.is_established:
            self.association.abort()
        self.association = None


@contextmanager
def open_peer(
    address: PeerAddress,
    *,
    title: str = OWN_TITLE,
    patience: Patience | None = None,
    credentials: Credentials = NONE,
    contexts: Sequence[Context] = (),
) -> Iterator[Peer]:
    """The application entity; its association ends with the block. Nothing is asked yet.

    `contexts`: what the first association proposes besides its object's; others follow as they come. Raises
    ConfigError if certificates of the credentials cannot be used.
    """
    logging.getLogger("pynetdicom").addHandler(logging.NullHandler())
    logging.getLogger("pynetdicom").propagate = False
    tls = _encryption(credentials) if address.tls else None
    peer = Peer(address, title, patience or Patience(), tls, list(contexts))
    try:
        yield peer
    finally:
        peer.close()


def _encryption(credentials: Credentials) -> ssl.SSLContext:
    """TLS that trusts verified certificates of the host alone, and shows this side's own, if there is one."""
    try:
        context = ssl.create_default_context(cafile=credentials.authority or certifi.where())
        if credentials.certificate:
            context.load_cert_chain(credentials.certificate, credentials.key)
    except OSError as error:
        raise ConfigError(
            f"--to: the certificate, key or authority cannot be used ({error.strerror or 'not a PEM file'}); "
            "give PEM files"
        ) from error
    return context


def _read(status: int) -> Sent:
    if status == 0 or status in WARNINGS:
        return "stored"
    if status == DUPLICATE:
        return "there"  # our UIDs are made of the content
    if status in NO_ROOM:
        raise Transient("it has no room left, or is short of resources")
    if status in MISMATCH:
        raise CaseError("refused", f"the archive says that the object contradicts its class ({status:#06x})")
    said = REASONS.get(status, "see the archive's conformance statement")
    raise CaseError("refused", f"the archive refuses it (status {status:#06x}: {said})")
