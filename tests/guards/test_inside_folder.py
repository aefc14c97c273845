"""Paths in the files of others lead no further than the file's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.guards.inside_folder import inside_folder, is_inside


@pytest.fixture
def card(tmp_path: Path) -> Path:
    (tmp_path / "models" / "below").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "models" / "out").symlink_to(tmp_path)
    return tmp_path / "models" / "card.yaml"


@pytest.mark.parametrize("name", ["weights", "below/weights", "below/../weights", "out/models/weights"])
def test_a_path_that_ends_in_the_folder_is_given_as_it_is_written(card: Path, name: str) -> None:
    assert inside_folder(card, name, key="weights", remedy="") == card.parent / name


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "out/secret", "below/../../secret", "a\0b"])
def test_a_path_that_leads_out_is_refused_without_a_look_at_it(card: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"card\.yaml: weights: leads out .*; copy it there$"):
        inside_folder(card, name, key="weights", remedy="copy it there")


def test_a_folder_reached_by_a_link_holds_its_files(card: Path) -> None:
    assert is_inside(card.parent / "below", card.parent.parent / "models" / "out" / "models")
