"""An archive for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pacs.running import Orthanc

CLOSED_LATE = "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
"""pynetdicom leaves a socket whose peer went away to the garbage collector."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.filterwarnings(CLOSED_LATE))


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Orthanc]:
    archive = Orthanc(tmp_path / "orthanc")
    archive.start()
    yield archive
    archive.kill()
