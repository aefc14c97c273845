"""Receiver: a storage SCP that hands every object it is sent to its owner (PS3.4, B)."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pynetdicom import ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, _config, evt
from pynetdicom.ae import ApplicationEntity
from pynetdicom.events import Event
from pynetdicom.transport import ThreadedAssociationServer

from pipeline.errors import AuditError, CaseError, ConfigError

VERIFICATION: Final = "1.2.840.10008.1.1"
"""C-ECHO, by which archives test an address."""
SUCCESS: Final = 0x0000
NO_ROOM: Final = 0xA700
CANNOT_UNDERSTAND: Final = 0xC000
DUPLICATE: Final = "duplicate"
"""Reason of an object whose identifier another one has."""
OF_DUPLICATES: Final = 0x0111
SILENT: Final = 120
"""Seconds after which an association without a packet ends."""
MOST_ASSOCIATIONS: Final = 8
"""At a time."""

Keep = Callable[[Path], None]
"""keep(file): keep a DICOM file, which is removed afterwards. Raises CaseError for a file that it refuses."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """A running SCP."""

    port: int
    is_busy: Callable[[], bool]
    """Whether anybody is associated; else files in its incoming folder are what broke off."""


@contextmanager
def receiving(
    keep: Keep, incoming: Path, *, host: str, port: int, title: str, callers: Collection[str] = ()
) -> Iterator[Receiver]:
    """A running SCP, which ends with the block.

    `incoming` is a folder for files that are not yet whole. `callers`: the titles that may call; empty: all.
    An object counts as stored only after `keep` returned. Raises ConfigError if the port cannot be used.
    """
    logging.getLogger("pynetdicom").addHandler(logging.NullHandler())
    logging.getLogger("pynetdicom").propagate = False
    entity = ApplicationEntity(title)
    entity.maximum_associations = MOST_ASSOCIATIONS
    entity.network_timeout = entity.dimse_timeout = entity.acse_timeout = SILENT
    entity.require_called_aet = True
    entity.require_calling_aet = list(callers)
    for context in AllStoragePresentationContexts:
        entity.add_supported_context(str(context.abstract_syntax), ALL_TRANSFER_SYNTAXES)
    entity.add_supported_context(VERIFICATION)

    def on_store(event: Event) -> int:
        return _status(keep, event.dataset_path)

    chunked, folder = _config.STORE_RECV_CHUNKED_DATASET, tempfile.tempdir
    _config.STORE_RECV_CHUNKED_DATASET, tempfile.tempdir = True, str(incoming)
    try:
        server = _started(entity, host, port, [(evt.EVT_C_STORE, on_store)])
        try:
            yield Receiver(server.server_address[1], lambda: bool(entity.active_associations))
        finally:
            server.shutdown()
            entity.shutdown()
    finally:
        _config.STORE_RECV_CHUNKED_DATASET, tempfile.tempdir = chunked, folder


def _started(
    entity: ApplicationEntity, host: str, port: int, handlers: list[Any]
) -> ThreadedAssociationServer:
    try:
        server = entity.start_server((host, port), block=False, evt_handlers=handlers)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or "no such port"
        raise ConfigError(f"--port: {host}:{port} cannot be used ({why}); choose another") from error
    assert server is not None  # only a blocking call gives none
    return server


def _status(keep: Keep, file: Path) -> int:
    """Keep a file, and the status that tells the sender what became of it."""
    try:
        keep(file)
    except CaseError as error:
        return OF_DUPLICATES if error.reason == DUPLICATE else CANNOT_UNDERSTAND
    except (AuditError, OSError):
        return NO_ROOM
    return SUCCESS
