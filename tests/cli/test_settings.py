"""Settings: what is wrong in a config is named together with the paths of options that do not exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli.arguments import parser_of
from pipeline.cli.settings import loaded_config
from pipeline.errors import ConfigError


def test_wrong_keys_and_wrong_paths_are_named_at_once(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("contuors: {}\nbatch_size: many\n")
    options = parser_of().parse_args(
        ["audit", "--config", str(config), "--studies", "/nowhere/s", "--model", "/nowhere/m.yaml",
         "--annotations", str(tmp_path), "--out", "/nowhere/out"]
    )  # fmt: skip
    with pytest.raises(ConfigError) as refusal:
        loaded_config(options)
    lines = str(refusal.value).splitlines()
    assert [line.removeprefix(f"{config}: ").partition(":")[0] for line in lines] == [
        "batch_size", "contuors", "studies", "model",
    ]  # fmt: skip
    assert lines[2] == "studies: /nowhere/s does not exist; correct the path, or give another --studies"
