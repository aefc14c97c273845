"""Tests of what Parametric Maps of `heatproof export` say beside their values."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import ImplicitVRLittleEndian

from pipeline.errors import CaseError
from pipeline.exports.objects import encoded
from pipeline.exports.parametric_map import PARAMETRIC_MAP
from pipeline.external_maps.case import _heatmap
from pipeline.external_maps.catalogue import find_maps
from pipeline.external_maps.formats.parametric_map import planes
from tests.exports.made import FINDINGS, METHODS, SHAPE, study


def exported() -> Dataset:
    """A map of the first finding by the first method, on its own grid."""
    one = next(PARAMETRIC_MAP.objects(study("DX", options={"map_grid": "own"}), {}))
    return dcmread(BytesIO(encoded(one.dataset)))


def certainty(dataset: Dataset) -> Dataset:
    mapping = dataset.PerFrameFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    return mapping.QuantityDefinitionSequence[-1]


def test_a_file_alone_says_finding_method_probability_and_place(tmp_path: Path):
    exported().save_as(tmp_path / "a.dcm")
    catalogue = find_maps(tmp_path)
    (item,) = catalogue.items
    assert (item.finding, item.method) == (FINDINGS[0], METHODS[0])
    assert (item.probability, item.operating_point) == (0.75, 0.5)
    assert item.placement.scale == (8.0, 8.0)
    assert catalogue.has_probabilities
    assert _heatmap(item, "c", SHAPE).placement == item.placement


def test_a_folder_names_the_method_before_the_file_does(tmp_path: Path):
    (tmp_path / "mine").mkdir()
    exported().save_as(tmp_path / "mine" / "a.dcm")
    assert find_maps(tmp_path).methods == ("mine",)


def test_a_table_counts_more_than_the_file(tmp_path: Path):
    dataset = exported()
    dataset.save_as(tmp_path / "a.dcm")
    image = study("DX").images[0].header.SOPInstanceUID
    (tmp_path / "heatmaps.csv").write_text(
        f"file,sop_instance_uid,finding,method,probability\na.dcm,{image},other,mine,0.25\n"
    )
    (item,) = find_maps(tmp_path).items
    assert (item.finding, item.method, item.probability) == ("other", "mine", 0.25)


def test_a_probability_beyond_one_is_refused(tmp_path: Path):
    dataset = exported()
    certainty(dataset).NumericValue = "75"
    dataset.save_as(tmp_path / "a.dcm")
    exported().save_as(tmp_path / "b.dcm")
    catalogue = find_maps(tmp_path)
    assert [error.reason for _, error in catalogue.problems] == ["probability_missing"]
    assert len(catalogue.items) == 1


@pytest.mark.parametrize("element", [0x01, 0x02, 0x03, 0x04])
def test_a_place_that_is_incomplete_is_refused(element: int, tmp_path: Path):
    dataset = exported()
    block = dataset.PerFrameFunctionalGroupsSequence[0].private_block(0x0099, "HEATPROOF")
    block[element].value = 3.0
    dataset.save_as(tmp_path / "a.dcm")
    with pytest.raises(CaseError) as refused:
        planes(tmp_path / "a.dcm")
    assert refused.value.reason == "heatmap_unreadable"


def test_a_place_on_another_image_is_refused(tmp_path: Path):
    exported().save_as(tmp_path / "a.dcm")
    (item,) = find_maps(tmp_path).items
    wrong = replace(item, placement=replace(item.placement, image_shape=(64, 64)))
    with pytest.raises(CaseError) as refused:
        _heatmap(wrong, "c", SHAPE)
    assert refused.value.reason == "heatmap_unreadable"
    with pytest.raises(CaseError):
        _heatmap(item, "c", (64, 64))


def test_a_place_that_is_no_number_is_refused(tmp_path: Path):
    dataset = exported()
    block = dataset.PerFrameFunctionalGroupsSequence[0].private_block(0x0099, "HEATPROOF")
    block[0x02].value = [float("nan"), 8.0]
    dataset.save_as(tmp_path / "a.dcm")
    with pytest.raises(CaseError) as refused:
        planes(tmp_path / "a.dcm")
    assert refused.value.reason == "heatmap_unreadable"


def test_an_archive_that_stores_implicit_vrs_changes_nothing(tmp_path: Path):
    """Private elements then have no type, and are bytes."""
    exported().save_as(tmp_path / "explicit.dcm")
    dataset = exported()
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    dataset.save_as(tmp_path / "implicit.dcm", implicit_vr=True, little_endian=True)
    assert planes(tmp_path / "implicit.dcm") == planes(tmp_path / "explicit.dcm")


def test_other_peoples_maps_say_no_more_than_before(tmp_path: Path):
    dataset = exported()
    groups = dataset.PerFrameFunctionalGroupsSequence[0]
    del groups[0x00990010], groups.RealWorldValueMappingSequence[0].QuantityDefinitionSequence[1:]
    dataset.save_as(tmp_path / "a.dcm")
    (plane,) = planes(tmp_path / "a.dcm")
    assert (plane.finding, plane.method, plane.probability) == (FINDINGS[0], "", None)
    assert (plane.placement, plane.operating_point) == (None, None)
    (item,) = find_maps(tmp_path).items
    assert item.method == "heatmap"
    np.testing.assert_array_equal(_heatmap(item, "c", SHAPE).placement.model_shape, (8, 6))
