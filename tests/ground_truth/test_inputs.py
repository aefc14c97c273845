"""Annotations and labels are read in workers: strangers' files neither fill this process nor end the run."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import pipeline.annotations as annotations_module
from pipeline.annotations import labels as labels_module
from pipeline.annotations.source_files import MOST_SHAPES
from pipeline.errors import ConfigError
from pipeline.executors.pool import Pool
from pipeline.executors.worker import Limits
from pipeline.ground_truth import inputs
from pipeline.ground_truth.inputs import find_items, find_labels
from pipeline.records import AnnotationItem

BOXES = "image,finding,x,y,width,height\n7,Mass,0,0,1,1\n"
RUNS = {"7": {"Mass": {"size": [2, 3], "counts": [3, 3]}}}
MOST_GROWTH_MIB = 300
GROWTH = """
import sys
from pathlib import Path
from pipeline.errors import ConfigError
from pipeline.executors.pool import Pool
from pipeline.executors.worker import Limits
from pipeline.ground_truth.inputs import find_items, find_labels

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) // 1024

with Pool(workers=1, limits=Limits(memory_mb=2048)) as pool:
    before = peak()
    for read in (
        lambda: find_items(Path(sys.argv[1]), sources=(), findings=("Mass",), words={}, executor=pool),
        lambda: find_labels(Path(sys.argv[1]), None, findings=("Mass",), words={}, executor=pool),
    ):
        try:
            read()
            print("read")
        except ConfigError as error:
            print(str(error)[-300:].splitlines()[0])
    print(peak() - before)
"""


def wide(columns: int, rows: int) -> str:
    return "image," + ",".join(map(str, range(columns - 1))) + "\n" + "1\n" * rows


def runs_of_nothing(mib: int) -> str:
    return '{"7":{"Mass":{"size":[2,3],"counts":[' + "0," * (mib * 2**19 - 100) + "0]}}}"


def brackets(mib: int) -> str:
    return '{"7":{"Mass":{"size":[2,3],"counts":[' + "[]," * (mib * 2**20 // 3 - 100) + "[]]}}}"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", lambda: wide(20_000, 3_000)),
        ("a.csv", lambda: wide(9_999, 9_999)),
        ("a.json", lambda: runs_of_nothing(64)),
        ("a.json", lambda: brackets(64)),
    ],
    ids=["more columns than are read", "most cells", "runs", "brackets"],
)
def test_the_main_process_stays_small(tmp_path: Path, name: str, content: Callable[[], str]) -> None:
    (tmp_path / name).write_text(content())
    ended = subprocess.run(
        [sys.executable, "-c", GROWTH, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout.splitlines()[-1]) < MOST_GROWTH_MIB


def test_a_worker_reads_what_this_process_would(tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text(BOXES)
    (tmp_path / "masks.json").write_text(json.dumps(RUNS))
    (tmp_path / "labels.csv").write_text("image,Mass\n7,1\n")
    with Pool(workers=1) as pool:
        for executor in (None, pool):
            found = find_items(tmp_path, sources=(), findings=("Mass",), words={}, executor=executor)
            labels = find_labels(tmp_path, None, findings=("Mass",), words={}, executor=executor)
            assert [(item.format, item.image) for item in found.items] == [("boxes", "7"), ("rle_json", "7")]
            assert found.files == {tmp_path / "boxes.csv", tmp_path / "masks.json"}
            assert labels.rows == {"7": {"Mass": 1}}
            assert pickle.loads(pickle.dumps(found)) == found


def test_what_exceeds_a_limit_names_the_source_and_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhaust(*_: object, **__: object) -> None:
        raise MemoryError

    (tmp_path / "boxes.csv").write_text(BOXES)
    stated = [{"format": "png"}, {"format": "boxes", "file": "boxes.csv"}]
    (tmp_path / "7.png").touch()
    monkeypatch.setattr(inputs, "rows_of", exhaust)
    with pytest.raises(ConfigError, match=r"^annotations\.sources\[1\] \(boxes, boxes\.csv\): .*memory_mb"):
        find_items(tmp_path, sources=stated, findings=("Mass",), words={})
    monkeypatch.setattr(inputs, "guess_sources", exhaust)
    with pytest.raises(ConfigError, match=r"^annotations\.path: .*limits\.memory_mb"):
        find_items(tmp_path, sources=(), findings=("Mass",), words={})
    monkeypatch.setattr(inputs, "read_labels", exhaust)
    with pytest.raises(ConfigError, match=r"^annotations\.labels: .*a\.csv: .*limits\.memory_mb"):
        find_labels(tmp_path, (tmp_path / "a.csv", "image", {"Mass": ["Mass"]}), findings=("Mass",), words={})


def test_annotations_boxes_and_masks_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotations_module, "MOST_SHAPES", 4)
    monkeypatch.setattr(inputs, "MOST_SHAPES", 5)
    (tmp_path / "boxes.csv").write_text(BOXES + "7,Mass,1,1,1,1\n")
    source = {"format": "boxes", "file": "boxes.csv"}
    assert len(find_items(tmp_path, sources=[source], findings=("Mass",), words={}).items) == 1
    with pytest.raises(ConfigError, match=f"^annotations.sources: more than {MOST_SHAPES:,} annotations"):
        find_items(tmp_path, sources=[source, source], findings=("Mass",), words={})
    (tmp_path / "boxes.csv").write_text(BOXES + "7,Mass,1,1,1,1\n8,Mass,1,1,1,1\n")
    with pytest.raises(ConfigError, match=r"^annotations\.sources\[0\] \(boxes\): more than"):
        find_items(tmp_path, sources=[source], findings=("Mass",), words={})


def test_images_of_a_table_of_labels_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels_module, "MOST_IMAGES", 2)
    (tmp_path / "a.csv").write_text("image,Mass\n7,1\n8,0\n7,1\n")
    labels = (tmp_path / "a.csv", "image", {"Mass": ["Mass"]})
    found = find_labels(tmp_path, labels, findings=("Mass",), words={})
    assert found.rows == {"7": {"Mass": 1}, "8": {"Mass": 0}}
    (tmp_path / "a.csv").write_text("image,Mass\n7,1\n8,0\n9,1\n")
    with pytest.raises(ConfigError, match="names more than 2 images"):
        find_labels(tmp_path, labels, findings=("Mass",), words={})


def test_a_table_damaged_further_down_is_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text(BOXES)
    (tmp_path / "other.csv").write_text(BOXES + "8,Mass,0,0,1,1\n" * 50 + "9,Mass,0,0,1,1,1\n")
    (tmp_path / "labels.csv").write_text("image,Mass\n" + "7,1\n" * 50 + "7,1,1\n")
    found = find_items(tmp_path, sources=(), findings=("Mass",), words={})
    assert [source["file"] for source in found.sources] == ["boxes.csv"]
    assert find_labels(tmp_path, None, findings=("Mass",), words={}).file is None


def test_json_of_a_stranger_is_not_parsed(tmp_path: Path) -> None:
    """Its brackets are more than the parser can follow, so that parsing would show."""
    (tmp_path / "boxes.csv").write_text(BOXES)
    (tmp_path / "a.json").write_text("[" + "[]," * 6_000_000 + "[]]")
    with Pool(workers=1, limits=Limits(memory_mb=200)) as pool:
        found = find_items(tmp_path, sources=(), findings=("Mass",), words={}, executor=pool)
    assert [type(item) for item in found.items] == [AnnotationItem]
