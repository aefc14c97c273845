"""Web: an open DICOMweb service."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from dicomweb_client import DICOMwebClient

from pipeline.pacs.address import WebAddress
from pipeline.pacs.credentials import NONE, Credentials
from pipeline.pacs.patience import Patience
from pipeline.pacs.session import GuardedSession

LOUD: Final = ("dicomweb_client", "urllib3")
"""Libraries whose log would show URLs, which may name patients."""


@dataclass(frozen=True, slots=True)
class DicomWeb:
    """A DICOMweb service with its session; requests go one after the other."""

    address: WebAddress
    session: GuardedSession
    client: DICOMwebClient
    """Its searches; files go through `session`, because the client holds whole answers in memory."""
    patience: Patience

    @property
    def host(self) -> str:
        """Name of the machine, for messages."""
        return self.address.host


@contextmanager
def open_web(
    address: WebAddress, credentials: Credentials = NONE, patience: Patience | None = None
) -> Iterator[DicomWeb]:
    """The service; its connections end with the block. Nothing is asked yet."""
    for name in LOUD:
        logging.getLogger(name).addHandler(logging.NullHandler())
        logging.getLogger(name).propagate = False
    patience = patience or Patience()
    with GuardedSession(address.base, credentials, patience) as session:
        # `search.is_uid` checks what it would refuse with an error that quotes the value.
        client = DICOMwebClient(address.base, session=session, permissive_uid=True)
        client.set_http_retry_params(retry=False)  # ours waits as the server asks, and gives up with a reason
        yield DicomWeb(address, session, client, patience)
