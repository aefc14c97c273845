"""Case: what becomes of one image before and behind the network."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from pipeline.baselines.local_contrast import local_contrast
from pipeline.cases.baselines import baselines_npz
from pipeline.cases.burned_in_text import TextSearch
from pipeline.cases.case import NO_TENSOR, decode, decode_case, draw_and_score, finish_case
from pipeline.cases.protocol import Protocol
from pipeline.cases.readers import MOST_READERS
from pipeline.classifiers import Preprocessing
from pipeline.errors import CaseError
from pipeline.geometry import whole
from pipeline.records import Caution, DecodedCase, ModelInput, Skipped
from pipeline.store.cases import read_case
from tests.cases.explained import (
    CASE,
    QUARTER,
    explained,
    finished,
    mask_item,
    reasons,
)
from tests.cohort.cases import case
from tests.store.test_pictures import read_back
from tests.study import uid, write_image


def test_a_peak_is_where_the_map_is_highest_with_its_raw_relevance(protocol: Protocol) -> None:
    peak = finished(explained(), protocol)["peaks"][0]
    # The 2 × 2 cells are flat from their centres, 1.5, to the edge; of the pixels 0 and 1, 1 is nearer.
    assert (peak["x"], peak["y"], peak["relevance"]) == (1, 1, 2)


def test_a_skipped_image_is_written_to_disk_and_passed_on(protocol: Protocol) -> None:
    skipped = Skipped(CASE.case_id, "load", "unreadable", "a sentence")
    assert finish_case(skipped, protocol=protocol) == skipped
    assert read_case(protocol.run, CASE.case_id) == skipped


def test_of_an_image_that_cannot_be_scored_nothing_is_put_on_disk(
    protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise CaseError("heatmap_not_finite", "a sentence")

    monkeypatch.setattr("pipeline.cases.contours.draw", fails)
    with pytest.raises(CaseError, match="a sentence"):
        finish_case(explained(), protocol=protocol)
    assert not protocol.run.exists()


PREPROCESSING = Preprocessing.model_validate({"window": "full", "resize": {"rule": "exact", "size": [2, 3]}})


def test_a_loaded_image_is_what_the_network_takes_and_its_picture(tmp_path: Path) -> None:
    path = write_image(tmp_path, 1, np.array([[0, 255, 51, 0], [255, 255, 0, 0]], np.uint8))
    found = decode_case(
        case("image1", uid=uid(1), path=str(path), shape=(2, 4)), preprocessing=PREPROCESSING, run=tmp_path
    )
    assert isinstance(found, DecodedCase)
    assert (found.shape, found.spacing_mm, found.model_input.tensor.shape) == ((2, 4), (0.5, 0.5), (1, 2, 3))
    assert not found.baselines
    script = (tmp_path / "cases" / found.case.case_id / "pixels.js").read_bytes()
    assert read_back(script)[0].tolist() == [[0, 255, 51, 0], [255, 255, 0, 0]]


def test_cautions_of_the_file_reach_the_case_before_those_of_the_text_search(tmp_path: Path) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (20, 30), dtype=np.uint8)
    path = write_image(
        tmp_path, 1, grey, EstimatedRadiographicMagnificationFactor="2", BurnedInAnnotation="YES"
    )
    source = case(
        "image1", uid=uid(1), path=str(path), shape=(20, 30), attributes={"burned_in_annotation": "YES"}
    )
    found = decode_case(source, preprocessing=PREPROCESSING, search=TextSearch("contrast", mask=False))
    assert [caution.reason for caution in found.cautions] == [
        "spacing_contradiction",
        "burned_in_text_by_header",
    ]


def test_local_contrast_is_made_while_the_pixels_are_there(tmp_path: Path) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (20, 30), dtype=np.uint8)
    image = case("image1", uid=uid(1), path=str(write_image(tmp_path, 1, grey)), shape=(20, 30))
    found = decode_case(image, preprocessing=PREPROCESSING, run=tmp_path, baselines=["local_contrast"])
    assert isinstance(found, DecodedCase)
    np.testing.assert_array_equal(
        found.baselines["local_contrast"], local_contrast((grey / np.float32(255)).astype(np.float32))
    )


def test_of_an_image_that_cannot_be_decoded_nothing_is_put_on_disk(tmp_path: Path) -> None:
    path = write_image(tmp_path, 1, np.zeros((4, 6), np.uint8))
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(CaseError):
        decode_case(case("image1", path=str(path)), preprocessing=PREPROCESSING, run=tmp_path)
    assert not (tmp_path / "cases").exists()


def test_without_a_network_an_image_is_decoded_as_a_whole_and_no_input_is_made(tmp_path: Path) -> None:
    path = write_image(tmp_path, 1, np.zeros((4, 6), np.uint8))
    image = case("image1", uid=uid(1), path=str(path), attributes={"modality": "DX"})
    found = decode_case(image, preprocessing=None)
    assert found.model_input == ModelInput("case-image1-0", NO_TENSOR, whole((4, 6)))
    assert NO_TENSOR.size == 0
    assert (found.attributes["modality"], found.sha256) == ("DX", sha256(path.read_bytes()).hexdigest())


def test_without_a_run_no_picture_is_written(tmp_path: Path) -> None:
    path = write_image(tmp_path, 1, np.zeros((4, 6), np.uint8))
    decode_case(case("image1", path=str(path)), preprocessing=None)
    assert list(tmp_path.iterdir()) == [path]


def test_a_network_sees_the_image_through_the_window_of_its_card(tmp_path: Path) -> None:
    grey = np.array([[0, 100, 200], [50, 100, 250]], np.uint8)
    path = write_image(tmp_path, 1, grey, WindowCenter="100", WindowWidth="100")
    image = case("image1", uid=uid(1), path=str(path), shape=(2, 3))
    seen = {}
    for window in ("full", "header"):
        asked = PREPROCESSING.model_copy(update={"window": window})
        seen[window] = decode_case(image, preprocessing=asked).model_input.tensor[0]
    np.testing.assert_allclose(seen["full"], grey / 255, atol=0.01)
    np.testing.assert_allclose(seen["header"], [[0, 0.5, 1], [0, 0.5, 1]], atol=0.02)


def test_what_is_done_to_each_case_is_what_the_protocol_asks(tmp_path: Path, protocol: Protocol) -> None:
    asked = replace(
        protocol, baselines=("random", "local_contrast"), search=TextSearch("contrast", mask=False)
    )
    grey = np.random.default_rng(0).integers(0, 256, (20, 30), dtype=np.uint8)
    path = write_image(tmp_path, 1, grey)
    attributes = {"burned_in_annotation": "YES"}
    image = case("image1", uid=uid(1), path=str(path), shape=(20, 30), attributes=attributes)
    found = decode(asked, PREPROCESSING)(image)
    assert found.baselines.keys() == {"local_contrast"}
    assert [caution.reason for caution in found.cautions] == ["burned_in_text_by_header"]
    assert found.model_input.tensor.shape == (1, 2, 3)
    assert (protocol.run / "cases" / found.case_id / "pixels.js").exists()
    assert decode(asked)(image).model_input.tensor.size == 0


def test_what_is_done_to_each_explained_case_goes_to_the_run_of_the_protocol(protocol: Protocol) -> None:
    assert draw_and_score(protocol)(explained()) is None
    assert isinstance(read_case(protocol.run, CASE.case_id), dict)


def test_a_finished_case_says_what_is_known_of_its_image(protocol: Protocol) -> None:
    work = explained(labels={"nodule": 1})
    source = replace(CASE.source, frame=2)
    decoded = replace(
        work.decoded,
        case=replace(CASE, source=source, object_id="object-1"),
        spacing_mm=(0.5, 0.25),
        attributes={"view": "PA"},
        cautions=(Caution("burned_in_text", "a sentence"),),
    )
    found = finished(replace(work, decoded=decoded), protocol)
    assert (found["patient_id"], found["frame"], found["object_id"]) == (CASE.patient_id, 2, "object-1")
    assert (found["rows"], found["columns"], found["spacing_mm"]) == (8, 8, [0.5, 0.25])
    assert found["attributes"] == {"view": "PA"}
    assert found["view"] == [-0.5, -0.5, 8, 8]
    assert found["labels"] == {"nodule": 1, "effusion": None}
    assert [p["finding"] for p in found["predictions"]] == ["nodule", "effusion"]
    assert [c["reason"] for c in found["cautions"]] == ["burned_in_text"]


def test_annotations_that_could_not_be_used_come_before_maps_that_could_not(
    tmp_path: Path, protocol: Protocol
) -> None:
    work = explained(mask_item(tmp_path, np.ones((3, 3), bool)))
    found = finished(replace(work, skipped=(Skipped("case", "heatmaps", "unreadable", "why"),)), protocol)
    assert reasons(found) == ["mask_size", "unreadable"]


def test_contours_that_are_too_small_are_counted_for_the_network_alone(protocol: Protocol) -> None:
    protocol.run.mkdir()
    corner = np.eye(2, dtype=np.float32)
    (protocol.run / "baselines.npz").write_bytes(baselines_npz({"center_prior": corner}))
    asked = replace(protocol, minimum_area_px=60, baselines=("center_prior",))
    found = finished(explained(), asked)
    assert found["dropped"] == [
        {"finding": finding, "method": "gradcam", "count": 1} for finding in ("nodule", "effusion")
    ]
    assert found["regions"] == []
    assert finished(explained(), replace(asked, minimum_area_px=0))["dropped"] == []


def test_maps_are_stored_as_they_are_drawn(protocol: Protocol) -> None:
    stored = {}
    for scaling in ("positive", "minmax"):
        found = finished(explained(), replace(protocol, scaling=scaling))  # type: ignore[arg-type]
        with np.load(protocol.run / "cases" / CASE.case_id / "heatmaps.npz") as maps:
            stored[scaling] = maps["gradcam/nodule"].tolist(), found["peaks"][0]["relevance"]
    assert stored["positive"] == ([[2, 0], [0, -1]], 2)
    assert stored["minmax"] == ([[1, pytest.approx(1 / 3)], [pytest.approx(1 / 3), 0]], 1)


def test_a_map_that_is_flat_has_no_peak(protocol: Protocol) -> None:
    work = explained()
    flat = (replace(h, relevance=np.ones((2, 2), np.float32)) for h in work.heatmaps[:1])
    found = finished(replace(work, heatmaps=(*flat, *work.heatmaps[1:])), protocol)
    assert [peak["finding"] for peak in found["peaks"]] == ["effusion"]


def test_where_only_a_sample_of_readers_is_compared_the_case_says_so(
    tmp_path: Path, protocol: Protocol
) -> None:
    masks = tmp_path / "masks"
    masks.mkdir()
    items = [mask_item(masks, QUARTER, reader=f"reader{number}") for number in range(MOST_READERS + 1)]
    found = finished(explained(*items), replace(protocol, metrics=("iou",)))
    assert [caution["reason"] for caution in found["cautions"]] == ["readers_sampled"]
    assert str(len(items)) in found["cautions"][0]["message"]
    assert finished(explained(*items[1:]), replace(protocol, metrics=("iou",)))["cautions"] == []
