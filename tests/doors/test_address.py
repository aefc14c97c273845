"""Addresses of archives."""

from __future__ import annotations

import pytest

from pipeline.errors import ConfigError
from pipeline.pacs.address import (
    PeerAddress,
    WebAddress,
    peer_address,
    web_address,
    with_filters,
    without_filters,
)

BASE = "dicomweb:https://pacs.example:8443/dicom-web/"


def test_a_web_address_is_split_into_service_and_filters() -> None:
    found = web_address(f"{BASE}?PatientID=a%20b&StudyDate=2026*&Modality=DX", "studies")
    assert found == WebAddress(
        "https://pacs.example:8443/dicom-web", {"PatientID": "a b", "StudyDate": "2026*"}, {"Modality": "DX"}
    )
    assert found.host == "pacs.example:8443"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("dicomweb:https://ann:s3cret@pacs.example/", "user name or password"),
        ("dicomweb:http://pacs.example/", "without encryption"),
        ("dicomweb:ftp://pacs.example/", "is not a URL"),
        ("dicomweb:pacs.example", "is not a URL"),
        ("dicomweb:https://pacs.example:port/", "is not a URL"),
        (f"{BASE}#a", "leave that out"),
        (f"{BASE}?PatientId=1", "did you mean 'PatientID'"),
        (f"{BASE}?PatientID=", "has no value"),
        (f"{BASE}?PatientID=1&PatientID=2", "is there twice"),
    ],
)
def test_a_wrong_web_address_is_refused_with_what_to_write(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why) as error:
        web_address(text, "studies")
    assert "s3cret" not in str(error.value)


def test_a_source_needs_filters_and_a_destination_has_none() -> None:
    some, none = web_address(f"{BASE}?PatientID=1", "x"), web_address(BASE, "x")
    assert with_filters(some, "x") is some
    assert without_filters(none, "x") is none
    with pytest.raises(ConfigError, match="the whole archive"):
        with_filters(none, "studies")
    with pytest.raises(ConfigError, match="takes no filters"):
        without_filters(some, "--to")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_this_machine_is_reached_without_encryption(host: str) -> None:
    assert web_address(f"dicomweb:http://{host}:8042/dicom-web", "to").base.startswith("http://")


def test_an_application_entity_is_split_into_its_parts() -> None:
    assert peer_address("dimse:MY PACS@10.0.0.1:104", "to") == PeerAddress("MY PACS", "10.0.0.1", 104)
    assert peer_address("dimse:A@B@[::1]:104", "to") == PeerAddress("A@B", "::1", 104)
    assert peer_address("dimse-tls:A@pacs:2762", "to") == PeerAddress("A", "pacs", 2762, tls=True)


@pytest.mark.parametrize(
    "text",
    ["dimse:PACS", "dimse:PACS@host", "dimse:@host:104", "dimse:SEVENTEEN_LETTERS@h:104", "dimse:A@h:70000"],
)
def test_a_wrong_application_entity_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--to"):
        peer_address(text, "--to")
