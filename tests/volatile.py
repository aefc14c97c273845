"""Volatile: what differs between two runs with the same results, and the rest, which must be the same bytes.

When, by whom and on what a run was made is in provenance.json, in the block "Provenance" of the overview, and
so in the two hashes of these files in outputs.sha256. Nothing else may differ.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from pipeline.run_files.outputs import OUTPUTS, PROVENANCE

BLOCK = re.compile(rb'<div id="provenance">.*?</div>', re.DOTALL)
LINES = re.compile(rb"^[0-9a-f]{64}(?=  (?:provenance\.json|index\.html)\n)", re.MULTILINE)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a run but its lock, without the facts that are not of its results."""
    return {
        path.relative_to(folder).as_posix(): _lasting(path)
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def _lasting(path: Path) -> bytes:
    content = path.read_bytes()
    if path.name == PROVENANCE:
        return json.dumps(sorted(json.loads(content))).encode()
    if path.name == OUTPUTS:
        content, count = LINES.subn(b"", content)
        assert count <= 2
        return content
    if path.name in {"index.html", "overview.html"} and path.parent.parent.name != "cases":
        content, count = BLOCK.subn(b"", content)
        assert count <= 1
        return content
    return content
