"""The pinned packages have hashes, and are no older than the floors."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.hashes.files import BROWSER, CONFIGS, FILES, fits, pins, text_of

PROJECT = CONFIGS.parent
ENTRY = re.compile(r"^([a-z0-9-]+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)


def entries(file: Path) -> dict[str, str]:
    """Name → version, of the entries with at least one hash; nothing else is in the file."""
    text = file.read_text()
    assert not "".join(line for line in ENTRY.sub("", text).splitlines() if not line.startswith("#"))
    return {name: version for name, version, _ in ENTRY.findall(text)}


def test_every_pinned_version_has_hashes_and_nothing_else_has() -> None:
    both = [entries(file) for file in FILES]
    assert {name: version for part in both for name, version in part.items()} == pins()
    assert set(both[1]) == BROWSER
    assert not set(both[0]) & set(both[1])


OF_THE_USERS_TORCH = {"torchvision", "timm"}
"""Extras that `make setup` does not install: which wheel fits depends on the torch that is there."""


def test_the_pins_meet_the_floors_and_name_every_direct_dependency() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    extras = {k: v for k, v in project["optional-dependencies"].items() if k not in OF_THE_USERS_TORCH}
    asked = [
        Requirement(text) for text in (*project["dependencies"], *(t for of in extras.values() for t in of))
    ]
    torch = re.search(r"^TORCH \?= torch==(\S+)$", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert torch is not None
    pinned = {**pins(), "torch": torch[1]}
    for one in asked:
        name = canonicalize_name(one.name)
        assert name == "heatproof" or one.specifier.contains(pinned[name]), str(one)


@pytest.mark.parametrize(
    ("file", "fitting"),
    [
        ("a-1.0-py3-none-any.whl", True),
        ("a-1.0-cp311-cp311-manylinux_2_28_x86_64.whl", True),
        ("a-1.0-cp38-abi3-macosx_11_0_arm64.whl", True),
        ("a-1.0-cp314-cp314t-manylinux_2_28_x86_64.whl", False),  # without the global interpreter lock
        ("a-1.0-cp310-cp310-manylinux_2_28_x86_64.whl", False),
        ("a-1.0-cp311-cp311-win_amd64.whl", False),
        ("a-2.0-py3-none-any.whl", False),
        ("a-1.0.tar.gz", False),
    ],
)
def test_wheels_are_listed_for_the_supported_interpreters_and_platforms(file: str, *, fitting: bool) -> None:
    assert fits(file, "1.0") is fitting


def test_a_version_without_a_wheel_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a==1\.0: the index lists no wheel"):
        text_of({"a": "1.0"}, {"a": {"a-1.0.tar.gz": "0" * 64}})
