"""Tests of the settings of an export: those of a config, or those that the run keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import Exports, load_config
from pipeline.delivery.settings import kinds_of, section_for
from pipeline.errors import ConfigError
from pipeline.exports import EXPORTS
from pipeline.run.manifest import UNRECORDED


def config(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_settings_everything_is_exported() -> None:
    section = section_for(None, {}, {})
    assert section == Exports()
    assert kinds_of(section) == EXPORTS.own
    assert section.settings == {"segmentation": "binary", "map_grid": "own", "overlay": "none"}


def test_the_run_keeps_its_settings_and_set_changes_single_ones() -> None:
    recorded = {"kinds": ["sr", "seg"], "segmentation": "labelmap", "overlay": "jet"}
    section = section_for(None, recorded, {"exports.overlay": "inferno"})
    assert section.settings == {"segmentation": "labelmap", "map_grid": "own", "overlay": "inferno"}
    assert kinds_of(section) == ("seg", "sr")  # in the order in which they are made


def test_a_config_replaces_the_settings_of_the_run(tmp_path: Path) -> None:
    path = config(tmp_path, "exports: {map_grid: image, to: objects}")
    section = section_for(path, {"segmentation": "labelmap"}, {})
    assert section.settings == {"segmentation": "binary", "map_grid": "image", "overlay": "none"}
    assert section.to == "objects"


def test_settings_of_a_newer_version_are_passed_over() -> None:
    assert section_for(None, {"colour": "red"}, {}) == Exports()


@pytest.mark.parametrize(
    ("overrides", "complaint"),
    [
        ({"exports.kinds": ["sg"]}, "exports.kinds: unknown export 'sg'; did you mean"),
        ({"exports.kinds": []}, "exports.kinds"),
        ({"exports.segmentation": "fractional"}, "exports.segmentation: wanted 'binary' or 'labelmap'"),
        ({"exports.colour": "red"}, "exports.colour: unknown key"),
        ({"contours.threshold": 0.5}, "--set contours.threshold: an export reads only the keys of exports"),
    ],
)
def test_what_cannot_be_exported_is_named(overrides: dict[str, object], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        section_for(None, {}, overrides)


def test_the_run_id_does_not_depend_on_exports() -> None:
    assert "exports" in UNRECORDED
    first, second = load_config(None, {}), load_config(None, {"exports.segmentation": "labelmap"})
    assert first.model_dump(exclude=UNRECORDED) == second.model_dump(exclude=UNRECORDED)
