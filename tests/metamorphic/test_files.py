"""Files: the same study under other names, in other orders, tables and formats has the same scores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.metamorphic.files import (
    CHANGES,
    Key,
    boxes_in_one_table,
    boxes_in_two_tables,
    differing,
    made,
)


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> Mapping[Key, str | float]:
    return made(tmp_path_factory.mktemp("wanted")).scores()


@pytest.mark.parametrize("change", CHANGES)
def test_no_score_changes(change: str, wanted: Mapping[Key, str | float], tmp_path: Path) -> None:
    found = CHANGES[change](made(tmp_path)).scores()
    assert differing(found, wanted) == []
    assert sum(isinstance(value, float) and value > 0 for value in found.values()) > 10


def test_two_tables_are_one(tmp_path: Path) -> None:
    one, two = (
        change(made(tmp_path / name)).scores()
        for name, change in (("one", boxes_in_one_table), ("two", boxes_in_two_tables))
    )
    assert differing(one, two) == []
    assert {key[4] for key in one} >= {"box_iou", "box_hit"}
