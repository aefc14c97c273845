"""Dates: what a manifest says, then the reproducible clock, then today."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.store.dates import date_created


def test_the_date_of_a_manifest_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "manifest.json").write_text('{"created": "2020-02-29"}')
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert date_created(tmp_path) == "2020-02-29"


def test_the_clock_of_a_reproducible_build_counts_from_1970(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86399")
    assert date_created(tmp_path) == "1970-01-01"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert date_created(tmp_path) == "1970-01-02"


def test_otherwise_it_is_today(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    before = datetime.now(tz=UTC).date().isoformat()
    assert before <= date_created(tmp_path) <= datetime.now(tz=UTC).date().isoformat()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"created": 5}'])
def test_a_damaged_manifest_counts_as_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    (tmp_path / "manifest.json").write_text(text)
    assert date_created(tmp_path) == "1970-01-02"
