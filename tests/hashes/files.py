"""Files: the pinned versions with the hashes of their wheels, as pip reads them with --require-hashes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

CONFIGS = Path(__file__).parents[2] / "configs"
CONSTRAINTS = CONFIGS / "constraints.txt"
BROWSER = frozenset({"axe-playwright-python", "greenlet", "playwright", "pypdfium2"})
"""Packages that only `make test-browser` needs."""
FILES: Mapping[Path, Callable[[str], bool]] = {
    CONFIGS / "hashes.txt": lambda name: name not in BROWSER,
    CONFIGS / "hashes-browser.txt": lambda name: name in BROWSER,
}
"""File → whether it lists a package."""
HEADER = """\
# Written by `make hashes` from constraints.txt and the package index: wheels for CPython on Linux and macOS.
# torch is not listed, because its build is chosen at setup.
"""
PLATFORM = re.compile(
    r"any|manylinux.*_(x86_64|aarch64)|macosx.*_(x86_64|arm64|universal2)|linux_(x86_64|aarch64)"
)
OLDEST, NEWEST = 11, 14
"""Minor versions of Python 3."""


def pins(file: Path = CONSTRAINTS) -> dict[str, str]:
    """Name (normalised) → version."""
    lines = (line.partition("#")[0].strip() for line in file.read_text().splitlines())
    return {
        canonicalize_name(name): version
        for name, _, version in (line.partition("==") for line in lines if line)
    }


def text_of(versions: Mapping[str, str], links: Mapping[str, Mapping[str, str]]) -> str:
    """The requirements with their hashes; `links`: name → file → SHA-256. ValueError without a wheel."""
    text = HEADER
    for name, version in versions.items():
        hashes = sorted({value for file, value in links[name].items() if fits(file, version)})
        if not hashes:
            raise ValueError(f"{name}=={version}: the index lists no wheel with a hash; pin another version")
        text += f"{name}=={version}" + "".join(f" \\\n    --hash=sha256:{value}" for value in hashes) + "\n"
    return text


def fits(file: str, version: str) -> bool:
    """Whether the file is a wheel of the version that the supported interpreters and platforms can use."""
    try:
        _, found, _, tags = parse_wheel_filename(file)
    except ValueError:  # no wheel, or one of a time before the names were as they are
        return False
    return found == Version(version) and any(
        _runs_on(tag.interpreter, tag.abi) and PLATFORM.fullmatch(tag.platform) for tag in tags
    )


def _runs_on(interpreter: str, abi: str) -> bool:
    minor = int(interpreter[3:]) if re.fullmatch(r"(cp|py)3\d+", interpreter) else None
    if minor is None:
        return interpreter == "py3"
    if interpreter.startswith("py") or abi == "abi3":
        return minor <= NEWEST
    return OLDEST <= minor <= NEWEST and abi in {interpreter, "none"}
