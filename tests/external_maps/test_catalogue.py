"""Catalogue: the maps in a folder, by its table or by file names, and the reasons for unusable files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.annotations import read_annotation
from pipeline.errors import CaseError, ConfigError, WorkerFailure
from pipeline.executors.pool import Pool
from pipeline.external_maps import catalogue
from pipeline.external_maps.catalogue import MapCatalogue, find_maps
from tests.annotations.segmentations import source_image, write_segmentation
from tests.external_maps.formats.parametric_maps import write_parametric_map

MAP = np.eye(4, 6, dtype=np.float32)


def save(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(folder / name, MAP)


def listed(files: MapCatalogue) -> list[tuple[str, str, str]]:
    return [(item.image, item.finding, item.method) for item in files.items]


def reasons(files: MapCatalogue) -> dict[str, str]:
    return {name: error.reason for name, error in files.problems}


def test_names_say_image_and_finding_and_folders_the_method(tmp_path: Path) -> None:
    save(tmp_path, "a__Lung Lesion.npy", "gradcam/1.2.3__Edema.npy", "x__y__Edema.npy", ".hidden__Edema.npy")
    files = find_maps(tmp_path)
    assert listed(files) == [
        ("a", "Lung Lesion", "heatmap"),
        ("1.2.3", "Edema", "gradcam"),
        ("x__y", "Edema", "heatmap"),
    ]
    assert (files.methods, files.findings) == (("gradcam", "heatmap"), ("Edema", "Lung Lesion"))
    assert not files.has_probabilities


def test_a_table_goes_before_names(tmp_path: Path) -> None:
    save(tmp_path, "1.npy", "2.npy", "a__b.npy")
    (tmp_path / "heatmaps.csv").write_text(
        "file,image,finding,probability,method\n1.npy,images/a.dcm,Edema,0.25,mine\n2.npy,b,Edema,1,\n"
    )
    files = find_maps(tmp_path)
    assert listed(files) == [("images/a", "Edema", "mine"), ("b", "Edema", "heatmap")]
    assert [item.probability for item in files.items] == [0.25, 1]


def test_bad_rows_are_problems_and_the_others_stay(tmp_path: Path) -> None:
    save(tmp_path, "1.npy", "deep/2.npy")
    (tmp_path / "3.txt").write_text("no map")
    (tmp_path.parent / "outside.npy").write_bytes((tmp_path / "1.npy").read_bytes())
    lines = [
        "file,sop_instance_uid,finding,probability",
        "1.npy,1.2,Edema,0.5",
        "gone.npy,1.2,Edema,0.5",
        "../outside.npy,1.2,Edema,0.5",
        f"{tmp_path.parent}/outside.npy,1.2,Edema,0.5",
        "3.txt,1.2,Edema,0.5",
        "deep/2.npy,1.2,,0.5",
        "deep/2.npy,1.2,Edema,often",
    ]
    (tmp_path / "heatmaps.csv").write_text("\n".join(lines))
    files = find_maps(tmp_path)
    assert listed(files) == [("1.2", "Edema", "heatmap")]
    assert [error.reason for _, error in files.problems] == [
        "heatmap_missing",
        "heatmap_missing",
        "heatmap_missing",
        "not_a_heatmap",
        "heatmap_unnamed",
        "probability_missing",
    ]


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("image,finding\n", "has no column 'file'"),
        ("file,image\n", "has no column 'finding'"),
        ("file,finding\n", "has no column 'sop_instance_uid' or 'image'; name the columns in the first row"),
        ("file,image,finding\n", r"holds no usable map \(unusable files: 0\)"),
        (None, r"holds no usable map .* name the file <image>__<finding>\.<ext>"),
    ],
)
def test_a_folder_that_says_nothing_is_refused(tmp_path: Path, table: str | None, complaint: str) -> None:
    if table is not None:
        (tmp_path / "heatmaps.csv").write_text(table)
    with pytest.raises(ConfigError, match=complaint):
        find_maps(tmp_path)
    with pytest.raises(ConfigError, match="is not a folder; give --heatmaps"):
        find_maps(tmp_path / "none")


def test_each_frame_of_a_parametric_map_says_which_frame_it_is_of(tmp_path: Path) -> None:
    planes = np.stack([MAP, 2 * MAP])
    write_parametric_map(tmp_path / "a", planes, image="1.2.7", finding="Mass", frames=(3, 1))
    items = find_maps(tmp_path).items
    assert [(item.image, item.frame, item.plane) for item in items] == [("1.2.7", 2, 0), ("1.2.7", 0, 1)]


def test_a_parametric_map_that_says_nothing_needs_a_name(tmp_path: Path) -> None:
    write_parametric_map(tmp_path / "a.dcm", MAP[None])
    write_parametric_map(tmp_path / "b__Mass.dcm", MAP[None])
    files = find_maps(tmp_path)
    assert listed(files) == [("b", "Mass", "heatmap")]
    assert reasons(files) == {"a.dcm": "heatmap_unnamed"}


def test_segments_are_contours_of_the_images_that_they_name(tmp_path: Path) -> None:
    planes = np.stack([MAP > 0, MAP == 0], axis=-1)[None]
    write_segmentation(tmp_path / "drawn.dcm", planes, [source_image("1.2.7", MAP.shape)], ["Mass", "Cyst"])
    files = find_maps(tmp_path)
    assert sorted(listed(files)) == [("1.2.7", "Cyst", "heatmap"), ("1.2.7", "Mass", "heatmap")]
    assert files.of_contours == {"heatmap"}
    assert all(item.contours is not None for item in files.items)
    (tmp_path / "heatmaps.csv").write_text("file,image,finding,method\ndrawn.dcm,x,Cyst,other\n")
    assert listed(find_maps(tmp_path)) == [("1.2.7", "Cyst", "other")]
    (tmp_path / "heatmaps.csv").write_text("file,image,finding\ndrawn.dcm,x,Edema\n")
    with pytest.raises(ConfigError, match=r"unusable files: 1"):
        find_maps(tmp_path)


def test_contours_that_were_written_again_are_not_scored(tmp_path: Path) -> None:
    path = tmp_path / "drawn__Mass.dcm"
    write_segmentation(path, (MAP > 0)[None, ..., None], [source_image("1.2.7", MAP.shape)], ["Mass"])
    (item,) = find_maps(tmp_path).items
    assert item.contours is not None
    path.write_bytes(path.read_bytes() + bytes(2))
    with pytest.raises(CaseError) as refused:
        read_annotation(item.contours, case_id="c", finding="Mass", shape=MAP.shape)
    assert refused.value.reason == "file_changed"


def test_a_giant_map_is_a_problem_and_the_others_stay(tmp_path: Path) -> None:
    save(tmp_path, "a__Edema.npy", "b__Edema.npy")
    os.truncate(tmp_path / "b__Edema.npy", 200 << 30)
    assert reasons(find_maps(tmp_path)) == {"b__Edema.npy": "too_large"}


def test_the_hash_knows_contents_and_not_places(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        save(tmp_path / folder, "a__Edema.npy")
    one, two = (find_maps(tmp_path / folder).sha256 for folder in ("one", "two"))
    assert one == two
    np.save(tmp_path / "two" / "a__Edema.npy", 2 * MAP)
    assert find_maps(tmp_path / "two").sha256 != one


class LosingOne:
    """An executor whose worker dies on every file that is called lost."""

    def stream(
        self, function: Callable[..., Any], items: Iterable[Any], *, on_failure: Callable[..., Any]
    ) -> Iterator[Any]:
        for item in items:
            lost = isinstance(item, tuple) and "lost" in item[0]
            yield on_failure(item, WorkerFailure("worker_died")) if lost else function(item)


def test_a_map_that_ends_its_worker_costs_itself(tmp_path: Path) -> None:
    save(tmp_path, "a__Edema.npy", "lost__Edema.npy")
    files = find_maps(tmp_path, executor=LosingOne())
    assert listed(files) == [("a", "Edema", "heatmap")]
    assert reasons(files) == {"lost__Edema.npy": "worker_died"}


def test_headers_are_read_in_a_worker_as_in_this_process(tmp_path: Path) -> None:
    save(tmp_path, "1.npy")
    (tmp_path / "heatmaps.csv").write_text("file,image,finding\n1.npy,a,Edema\n2.npy,b,Edema\n")
    with Pool(workers=1) as pool:
        found = find_maps(tmp_path, executor=pool)
    assert (found.items, reasons(found)) == (find_maps(tmp_path).items, {"2.npy": "heatmap_missing"})


def test_a_table_that_needs_too_much_names_itself_and_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhaust(_file: Path) -> None:
        raise MemoryError

    save(tmp_path, "1.npy")
    (tmp_path / "heatmaps.csv").touch()
    monkeypatch.setattr(catalogue, "targets_by_table", exhaust)
    with pytest.raises(ConfigError, match=r"heatmaps\.csv: .*limits\.memory_mb"):
        find_maps(tmp_path)


def test_maps_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, "a__Edema.npy", "b__Edema.npy")
    monkeypatch.setattr(catalogue, "MOST_MAPS", 1)
    with pytest.raises(ConfigError, match=r"more than 250,000 maps"):
        find_maps(tmp_path)
