"""Bill: the pinned packages with their licences and the libraries in their wheels, as CycloneDX 1.6."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from tests.hashes.files import pins

PROJECT = Path(__file__).parents[2]
FILE = PROJECT / "configs" / "sbom.cdx.json"
LIBRARY = re.compile(
    r"(?P<name>lib.+?)(-[0-9a-f]{8})*(-r\d+)?(-[0-9a-f]{8})?(\.\d[\d.]*)?\.so(\.(?P<version>\d.*))?"
)
"""A shared library: lib<name>[-<hash>].so[.<version>]."""
LINKED: Mapping[str, tuple[str, ...]] = {
    "isal": ("ISA-L",),
    "opencv-python": ("OpenCV",),
    "pycocotools": ("COCO API",),
    "pyjpegls": ("CharLS",),
    "pylibjpeg-openjpeg": ("OpenJPEG",),
    "python-gdcm": ("GDCM",),
    "scikit-learn": ("LIBSVM", "LIBLINEAR"),
    "scipy": ("Qhull", "HiGHS", "SuperLU", "ARPACK"),
    "simpleitk": ("SimpleITK", "ITK"),
}
"""Package → libraries within its extension modules, which no file name tells."""
TORCH = "torch"
"""Its build is chosen at setup, so that its libraries differ."""


def bill() -> dict[str, Any]:
    """The bill of this environment: one component per pinned package. Without times and serial numbers."""
    makefile = (PROJECT / "Makefile").read_text()
    torch = re.search(r"^TORCH \?= torch==(\S+)$", makefile, re.MULTILINE)
    assert torch is not None, "Makefile: found no line TORCH ?= torch==<version>"
    versions = sorted({**pins(), TORCH: torch[1]}.items())
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "heatproof", "bom-ref": "heatproof"}},
        "components": [component(name, version) for name, version in versions],
    }


def component(name: str, version: str) -> dict[str, Any]:
    """One package; without licence and libraries if it is not installed."""
    reference = f"pkg:pypi/{name}@{version}"
    entry: dict[str, Any] = {"type": "library", "bom-ref": reference, "name": name, "version": version}
    entry["purl"] = reference
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return entry
    if licence := _licence(found):
        entry["licenses"] = [licence]
    if libraries := [*_libraries(found, reference)] if name != TORCH else []:
        entry["components"] = libraries
    return entry


def _licence(found: Distribution) -> dict[str, Any] | None:
    """The licence as the metadata state it: an SPDX expression, or else a name."""
    if expression := found.metadata.get("License-Expression"):
        return {"expression": expression}
    classified = [
        text for text in found.metadata.get_all("Classifier") or [] if text.startswith("License ::")
    ]
    named = [text.rpartition(" :: ")[2] for text in classified if not text.endswith("OSI Approved")]
    stated = (found.metadata.get("License") or "").strip().splitlines()
    name = ", ".join(named) or (stated[0] if stated else "")
    return {"license": {"name": name}} if name else None


def _libraries(found: Distribution, reference: str) -> Iterator[dict[str, Any]]:
    """Libraries that the wheel brings, each with the version that its file name has."""
    names = {(name, "") for name in LINKED.get(canonicalize_name(found.name), ())}
    for file in found.files or ():
        match = LIBRARY.fullmatch(file.name)
        if match:
            names.add((match["name"], match["version"] or ""))
    for name, version in sorted(names):
        entry = {"type": "library", "bom-ref": f"{reference}#{name}{version and f'@{version}'}", "name": name}
        yield entry | ({"version": version} if version else {})
