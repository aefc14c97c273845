"""Objects: what is refused of a run's JSON and maps, with file, key and remedy."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.run_files.arrays import read_maps
from pipeline.run_files.objects import read_created, read_manifest
from pipeline.run_files.scripts import arguments, is_archive
from tests.damage.run_folders import OF_ARRAYS

MANIFEST: dict[str, Any] = {"findings": ["nodule"], "methods": [{"name": "gradcam", "kind": "network"}]}
STATISTICS = {"replicates": 20, "confidence": 0.95, "seed": 0}


def refused(run: Path, **changes: Any) -> str:
    path = run / "manifest.json"
    path.write_text(json.dumps({**MANIFEST, **changes}))
    with pytest.raises(ConfigError) as caught:
        read_manifest(run)
    said = str(caught.value)
    assert said.startswith(f"{path}: ")
    assert "; rerun to regenerate it" in said
    return said


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"findings": [1]}, "findings.0: wanted a text (found 1)"),
        ({"findings": ["a", "a"]}, "findings: wanted every name once"),
        ({"findings": ["\ud800"]}, "findings.0: wanted a text in UTF-8"),
        ({"methods": MANIFEST["methods"] * 2}, "methods: wanted every name once"),
        (
            {"methods": [{"name": "a", "kind": "x"}]},
            "methods.0.kind: wanted 'network' or 'baseline'",
        ),
        ({"statistics": STATISTICS | {"replicates": 10**9}}, "statistics.replicates: wanted 1000000 or less"),
        ({"statistics": STATISTICS | {"confidence": 1}}, "statistics.confidence: wanted less than 1"),
        ({"checks": [{"title": "a"}]}, "checks.0.detail: is missing"),
        ({"card": {"a": json.loads("[" * 60 + "]" * 60)}}, "holds more than 50 lists and objects within"),
    ],
)
def test_a_wrong_manifest_is_refused_by_key(tmp_path: Path, changes: dict[str, Any], complaint: str) -> None:
    assert complaint in refused(tmp_path, **changes)


def test_the_bytes_of_a_name_may_be_no_utf_8(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST | {"title": "a\udcff"}))
    assert read_manifest(tmp_path)["title"] == "a\udcff"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"created": 5}', "[" * 200_000])
def test_a_damaged_manifest_has_no_date(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    assert read_created(tmp_path) is None


@pytest.mark.parametrize("kind", OF_ARRAYS)
def test_maps_that_are_none_are_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "baselines.npz"
    OF_ARRAYS[kind](Random(0), path)
    with pytest.raises(ConfigError, match=r"baselines\.npz: is not a (NumPy|readable) .*; rerun"):
        read_maps(path)


@pytest.mark.parametrize("order", ["C", "F"])
def test_maps_come_back_whatever_their_order(tmp_path: Path, order: str) -> None:
    grid = np.asarray([[1, 2, 3], [4, 5, 6]], np.float32, order=order)  # type: ignore[call-overload]
    np.savez(tmp_path / "a.npz", **{"gradcam/nodule": grid})
    (found,) = read_maps(tmp_path / "a.npz").values()
    assert np.array_equal(found, grid)
    assert is_archive(tmp_path / "a.npz")


def test_a_part_that_inflates_beyond_what_it_declares_is_cut_there(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(2**20))
    data = content.getvalue().replace((2**20).to_bytes(4, "little"), (400).to_bytes(4, "little"))
    (tmp_path / "a.npz").write_bytes(data)
    with pytest.raises(ConfigError, match="is not a NumPy file"):
        read_maps(tmp_path / "a.npz")


@pytest.mark.parametrize("text", ["", "x", "heatproof.case(", "heatproof.case({);\n", "alert(1);\n"])
def test_a_script_that_holds_no_data_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "case.js").write_text(text)
    with pytest.raises(ConfigError, match=r"case\.js: (contains no data|is not JSON)"):
        arguments(tmp_path / "case.js")
