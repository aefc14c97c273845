"""The software bill of materials is that of the pinned packages."""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

import pytest

from tests.sbom.bill import FILE, LIBRARY, bill

HERE = (platform.system(), platform.machine(), platform.python_version_tuple()[:2])
WRITTEN_ON = ("Linux", "x86_64", ("3", "11"))
"""Where the libraries of the bill were listed; wheels of other platforms bring others."""


def is_installed(component: dict[str, Any]) -> bool:
    try:
        return distribution(component["name"]).version.partition("+")[0] == component["version"]
    except PackageNotFoundError:
        return False


def test_the_bill_is_current() -> None:
    written, now = json.loads(FILE.read_text()), bill()
    assert {**written, "components": ()} == {**now, "components": ()}
    identity = ("type", "bom-ref", "name", "version", "purl")
    stated, found = written["components"], now["components"]
    assert [[c[key] for key in identity] for c in stated] == [[c[key] for key in identity] for c in found]
    compared = [pair for pair in zip(stated, found, strict=True) if is_installed(pair[1])]
    assert len(compared) > 60
    for one, other in compared:
        assert one.get("licenses") == other.get("licenses"), f"{one['name']}: run make sbom"
        if HERE == WRITTEN_ON:
            assert one.get("components") == other.get("components"), f"{one['name']}: run make sbom"


def test_the_bill_names_what_wheels_bring() -> None:
    brought = {
        component["name"]: {library["name"] for library in component.get("components", ())}
        for component in json.loads(FILE.read_text())["components"]
    }
    assert {"libavcodec", "libQt5Core"} <= brought["opencv-python"]
    assert any("openblas" in name for name in brought["numpy"])
    assert "ITK" in brought["simpleitk"]
    assert "OpenJPEG" in brought["pylibjpeg-openjpeg"]
    assert "GDCM" in brought["python-gdcm"]
    assert brought["torch"] == set()


def test_references_are_unique() -> None:
    components = json.loads(FILE.read_text())["components"]
    references = [entry["bom-ref"] for c in components for entry in (c, *c.get("components", ()))]
    assert len(references) == len(set(references))


@pytest.mark.parametrize(
    ("file", "name", "version"),
    [
        ("libavcodec-c4204469.so.62.28.101", "libavcodec", "62.28.101"),
        ("libgfortran-040039e1-0352e75f.so.5.0.0", "libgfortran", "5.0.0"),
        ("libssl-81259c47.so.1.1.1k", "libssl", "1.1.1k"),
        ("libscipy_openblas-6cdc3b4a.so", "libscipy_openblas", None),
    ],
)
def test_a_library_is_told_from_its_file(file: str, name: str, version: str | None) -> None:
    match = LIBRARY.fullmatch(file)
    assert match is not None
    assert (match["name"], match["version"]) == (name, version)
