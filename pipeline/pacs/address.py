"""Address: `dicomweb:URL`, `dimse:AET@host:port` and `dimse-tls:…`, checked before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pipeline.errors import ConfigError
from pipeline.registry import did_you_mean

DICOMWEB: Final = "dicomweb:"
DIMSE: Final = "dimse:"
DIMSE_TLS: Final = "dimse-tls:"
STUDY_KEYS: Final = (
    "PatientID", "PatientName", "StudyDate", "StudyTime", "AccessionNumber", "ModalitiesInStudy",
    "ReferringPhysicianName", "StudyInstanceUID", "StudyID", "StudyDescription",
)  # fmt: skip
"""Keys by which studies are searched (PS3.18, table 10.6.1-5)."""
SERIES_KEYS: Final = (
    "Modality",
    "SeriesInstanceUID",
    "SeriesNumber",
    "SeriesDescription",
    "BodyPartExamined",
)
"""Keys by which series of the found studies are searched."""
TITLE: Final = re.compile(r"[ -\[\]-~]{1,16}")
"""An application entity title (AE, PS3.5, 6.2): up to 16 characters of ASCII without backslash."""
PEER: Final = re.compile(r"(?P<title>.*)@(?P<host>\[[0-9A-Fa-f:.]+\]|[^@:/\s]+):(?P<port>\d{1,5})")
LAST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class WebAddress:
    """A DICOMweb service, and what is searched there."""

    base: str
    """URL without query and without a slash at its end."""
    studies: Mapping[str, str] = field(default_factory=dict)
    """Key of the study level → value to match."""
    series: Mapping[str, str] = field(default_factory=dict)
    """Key of the series level → value to match."""

    @property
    def host(self) -> str:
        """Name of the machine, for messages: the URL's query may name a patient."""
        return urlsplit(self.base).netloc


@dataclass(frozen=True, slots=True)
class PeerAddress:
    """An application entity of DIMSE."""

    title: str
    host: str
    port: int
    tls: bool = False
    """Whether the connection is encrypted (PS3.15, B.9)."""


def is_dicomweb(text: str) -> bool:
    """Whether a path or destination is a DICOMweb service."""
    return text.startswith(DICOMWEB)


def is_dimse(text: str) -> bool:
    """Whether a destination is an application entity."""
    return text.startswith((DIMSE, DIMSE_TLS))


def web_address(text: str, key: str) -> WebAddress:
    """The service in `dicomweb:URL`, with its query. Raises ConfigError that names `key`, and no secret."""
    url = _split(text.removeprefix(DICOMWEB), key)
    if url.username is not None or url.password is not None:
        raise ConfigError(
            f"{key}: the URL holds a user name or password, which logs and process lists would show; give a "
            "token in HEATPROOF_PACS_TOKEN, or a file of credentials"
        )
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ConfigError(f"{key}: is not a URL; write dicomweb:https://<host>/<path of DICOMweb>")
    if url.scheme == "http" and not is_this_machine(url.hostname):
        raise ConfigError(
            f"{key}: {url.netloc} would be reached without encryption; write https, or give a tunnel on "
            "localhost"
        )
    if url.fragment:
        raise ConfigError(f"{key}: the URL ends with '#…', which no server is told; leave that out")
    studies, series = _filters(url.query, key)
    return WebAddress(f"{url.scheme}://{url.netloc}{url.path.rstrip('/')}", studies, series)


def without_filters(address: WebAddress, key: str) -> WebAddress:
    """The service as a destination. Raises ConfigError if it has a query."""
    if address.studies or address.series:
        raise ConfigError(f"{key}: a destination takes no filters; leave out what follows '?'")
    return address


def with_filters(address: WebAddress, key: str) -> WebAddress:
    """The service as a source. Raises ConfigError without a filter of studies: that would be the archive."""
    if not address.studies:
        raise ConfigError(
            f"{key}: names no studies, so that the whole archive would be fetched; add filters, as in "
            f"?PatientID=… (known: {', '.join(STUDY_KEYS)}; of series: {', '.join(SERIES_KEYS)})"
        )
    return address


def peer_address(text: str, key: str) -> PeerAddress:
    """The entity in `dimse:AET@host:port` or `dimse-tls:…`. Raises ConfigError that names `key`."""
    found = PEER.fullmatch(text.removeprefix(DIMSE).removeprefix(DIMSE_TLS))
    if found is None or not 0 < int(found["port"]) <= LAST_PORT:
        raise ConfigError(f"{key}: is not an application entity; write dimse:AET@host:port")
    title, tls = checked_title(found["title"], key), text.startswith(DIMSE_TLS)
    return PeerAddress(title, found["host"].strip("[]"), int(found["port"]), tls)


def checked_title(title: str, key: str) -> str:
    """An application entity title. Raises ConfigError if it cannot be one."""
    if TITLE.fullmatch(title) is None or not title.strip():
        raise ConfigError(
            f"{key}: '{title}' is no application entity title; wanted 1 to 16 characters of ASCII, without \\"
        )
    return title


def is_this_machine(host: str) -> bool:
    """Whether a host is the loopback interface."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _split(text: str, key: str) -> SplitResult:
    try:
        url = urlsplit(text)
        _ = url.port  # raises if it is no number
    except ValueError as error:
        raise ConfigError(f"{key}: is not a URL; write dicomweb:https://<host>/<path of DICOMweb>") from error
    return url


def _filters(query: str, key: str) -> tuple[dict[str, str], dict[str, str]]:
    studies: dict[str, str] = {}
    series: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        found = studies if name in STUDY_KEYS else series
        if name not in STUDY_KEYS and name not in SERIES_KEYS:
            raise ConfigError(
                f"{key}: unknown filter '{name}'{did_you_mean(name, (*STUDY_KEYS, *SERIES_KEYS))}"
            )
        if not value or name in found:
            problem = "has no value" if not value else "is there twice"
            raise ConfigError(f"{key}: the filter {name} {problem}; write {name}=<value> once")
        found[name] = value
    return studies, series
