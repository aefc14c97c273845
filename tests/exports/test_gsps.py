"""Tests of GSPS: our own reader gets the outlines back, dcmtk shows the image as it shows itself."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from pipeline.annotations import read_annotation
from pipeline.annotations.gsps import find
from pipeline.exports.gsps import GSPS
from pipeline.exports.objects import ExportedObject, encoded
from pipeline.exports.study import ExportedStudy
from tests.contracts.test_export_laws import without_identifiers
from tests.exports.made import FINDINGS, METHODS, MODALITIES, SHAPE, header, study
from tests.exports.validators import complaints

PATIENT = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")
LAYERS = ["NODULE GRADCAM", "NODULE INTEGRA_2", "CYST WITH A NA_3"]


def made(of: ExportedStudy) -> list[ExportedObject]:
    return list(GSPS.objects(of, {}))


def written(one: ExportedObject, path: Path) -> Path:
    path.write_bytes(encoded(one.dataset))
    return path


def with_header(of: ExportedStudy, changed: Dataset) -> ExportedStudy:
    return replace(of, images=(replace(of.images[0], header=changed), *of.images[1:]))


@pytest.fixture(params=MODALITIES)
def modality(request: pytest.FixtureRequest) -> str:
    return request.param


def test_our_own_reader_gives_the_outlines_back(modality, tmp_path):
    """Half a pixel is added and taken away in float32: each rounds by half a unit in the last place."""
    of = study(modality)
    one = made(of)[0]
    written(one, tmp_path / "state.dcm")
    image = of.images[0]
    contours = {
        (frame.frame if len(image.frames) > 1 else None, contour.finding, contour.method): contour
        for frame in image.frames
        for found in frame.findings
        for contour in found.contours
    }
    layer_of = dict(
        zip([(FINDINGS[0], m) for m in METHODS] + [(FINDINGS[1], METHODS[0])], LAYERS, strict=True)
    )
    items = {(item.frame, item.finding): item for item in find(tmp_path)}
    assert len(items) == len(contours) == 3 * len(image.frames)
    tolerance = np.spacing(np.float32(max(SHAPE)))
    for (frame, finding, method), contour in contours.items():
        item = items[frame, layer_of[finding, method]]
        assert item.image == image.header.SOPInstanceUID
        (polygon,) = read_annotation(item, case_id="c", finding=finding, shape=SHAPE).polygons
        np.testing.assert_allclose(polygon, contour.outlines[0], rtol=0, atol=tolerance)


def test_the_centre_of_the_first_pixel_is_at_one_half():
    of = study("DX")
    contour = of.images[0].frames[0].findings[0].contours[0]
    graphic = made(of)[0].dataset.GraphicAnnotationSequence[0].GraphicObjectSequence[0]
    np.testing.assert_array_equal(graphic.GraphicData[:2], contour.outlines[0][0] + np.float32(0.5))
    assert graphic.GraphicAnnotationUnits == "PIXEL"
    assert graphic.GraphicData[-2:] == graphic.GraphicData[:2]


def test_layers_are_findings_and_methods_and_each_contour_has_a_text():
    dataset = made(study("MG"))[0].dataset
    assert [layer.GraphicLayer for layer in dataset.GraphicLayerSequence] == LAYERS
    assert dataset.GraphicLayerSequence[1].GraphicLayerDescription == "nodule by integrated_gradients"
    first, second, _ = dataset.GraphicAnnotationSequence
    assert first.TextObjectSequence[0].UnformattedTextValue == "nodule 0.75 (gradcam)"
    assert second.TextObjectSequence[0].UnformattedTextValue == "nodule 0.75 (integrated_gradients)"
    colours = {tuple(one.GraphicLayerRecommendedDisplayCIELabValue) for one in dataset.GraphicLayerSequence}
    assert len(colours) == len(METHODS)


def test_with_one_method_a_layer_is_called_like_its_finding():
    of = study("MG")
    layers = made(replace(of, run=replace(of.run, methods=METHODS[:1])))[0].dataset.GraphicLayerSequence
    assert [layer.GraphicLayer for layer in layers] == ["NODULE", "CYST WITH A NA_2"]


def test_the_text_stands_at_the_rightmost_point_of_its_contour():
    of = study("DX")
    contour = of.images[0].frames[0].findings[0].contours[0]
    text = made(of)[0].dataset.GraphicAnnotationSequence[0].TextObjectSequence[0]
    assert text.AnchorPoint[0] == contour.outlines[0][:, 0].max() + 0.5


def test_patient_and_study_are_those_of_the_image(modality):
    of = study(modality)
    for one in made(of):
        for name in PATIENT:
            assert one.dataset[name].value == of.images[0].header[name].value


def test_dcmtk_accepts_the_presentation_states(modality, tmp_path):
    for number, one in enumerate(made(study(modality))):
        path = written(one, tmp_path / f"{number}.dcm")
        checked = subprocess.run(["dcmpschk", path], capture_output=True, text=True, check=False)
        assert "Test passed." in checked.stdout + checked.stderr


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize(
    "look",
    [
        {},
        {"WindowCenter": "900", "WindowWidth": "1200"},
        {"WindowCenter": "500", "WindowWidth": "3000", "RescaleSlope": "2", "RescaleIntercept": "-1000"},
        {"WindowCenter": ["900", "40"], "WindowWidth": ["1200", "80"], "VOILUTFunction": "SIGMOID"},
    ],
)
def test_dcmtk_shows_the_image_as_without_the_presentation_state(photometric, look, tmp_path):
    image = header("1.2.840.10008.5.1.4.1.1.1", "CR")
    image.PhotometricInterpretation = photometric
    for name, value in look.items():
        setattr(image, name, value)
    state = written(made(with_header(study("CR"), image))[0], tmp_path / "state.dcm")
    image.PixelData = np.arange(SHAPE[0] * SHAPE[1], dtype="<u2").tobytes()
    image.save_as(tmp_path / "image.dcm", enforce_file_format=True)
    for name, options in (("without", []), ("with", ["-p", state])):
        done = subprocess.run(
            ["dcmp2pgm", *options, tmp_path / "image.dcm", tmp_path / name],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    shown = (tmp_path / "with").read_bytes()
    assert shown == (tmp_path / "without").read_bytes()
    assert len(set(shown[-SHAPE[0] * SHAPE[1] :])) > 100


def test_each_window_of_an_enhanced_image_has_its_frames():
    image = MODALITIES["enhanced CT"]()[0].header
    for groups, centre in zip(image.PerFrameFunctionalGroupsSequence, ("40", "400"), strict=True):
        window = Dataset()
        window.WindowCenter, window.WindowWidth = centre, "350"
        groups.FrameVOILUTSequence = [window]
    (one,) = made(with_header(study("enhanced CT"), image))
    windows = one.dataset.SoftcopyVOILUTSequence
    assert [item.WindowCenter for item in windows] == [40, 400]
    assert [item.ReferencedImageSequence[0].ReferencedFrameNumber for item in windows] == [1, 2]


def test_frames_with_different_modality_luts_have_presentation_states_of_their_own():
    image = MODALITIES["enhanced CT"]()[0].header
    for groups, slope in zip(image.PerFrameFunctionalGroupsSequence, ("1", "2"), strict=True):
        transformation = Dataset()
        transformation.RescaleSlope, transformation.RescaleIntercept = slope, "0"
        groups.PixelValueTransformationSequence = [transformation]
    states = made(with_header(study("enhanced CT"), image))
    assert [one.dataset.RescaleSlope for one in states] == [1, 2]
    referenced = [one.dataset.ReferencedSeriesSequence[0].ReferencedImageSequence[0] for one in states]
    assert [item.ReferencedFrameNumber for item in referenced] == [1, 2]
    assert all(one.dataset.RescaleType == "HU" for one in states)
    assert [len(one.dataset.GraphicAnnotationSequence) for one in states] == [3, 3]


def test_pixels_keep_their_shape():
    area = made(study("CR"))[0].dataset.DisplayedAreaSelectionSequence[0]
    assert area.PresentationPixelSpacing == [0.5, 0.25]
    assert "PresentationPixelAspectRatio" not in area
    assert list(area.DisplayedAreaBottomRightHandCorner) == [SHAPE[1], SHAPE[0]]
    loop = MODALITIES["US multi-frame"]()[0].header
    loop.PixelAspectRatio = ["3", "2"]
    of = with_header(study("US multi-frame"), loop)
    frames = tuple(replace(frame, spacing_mm=None) for frame in of.images[0].frames)
    (one,) = made(replace(of, images=(replace(of.images[0], frames=frames),)))
    assert one.dataset.DisplayedAreaSelectionSequence[0].PresentationPixelAspectRatio == [3, 2]


def test_a_look_up_table_is_kept_and_windows_beside_it_are_not(tmp_path):
    image, table = header("1.2.840.10008.5.1.4.1.1.1", "CR"), Dataset()
    table.LUTDescriptor = [4096, 0, 12]
    table.add_new("LUTData", "OW", np.arange(4096, dtype="<u2")[::-1].tobytes())
    table["LUTDescriptor"].VR = "US"
    image.VOILUTSequence, image.WindowCenter, image.WindowWidth = [table], "10", "20"
    state = written(made(with_header(study("CR"), image))[0], tmp_path / "state.dcm")
    (item,) = dcmread(state).SoftcopyVOILUTSequence
    assert item.VOILUTSequence[0].LUTData == table.LUTData
    assert "WindowCenter" not in item
    assert image.WindowCenter == 10
    image.PixelData = np.arange(SHAPE[0] * SHAPE[1], dtype="<u2").tobytes()
    image.save_as(tmp_path / "image.dcm", enforce_file_format=True)
    arguments = ["dcmp2pgm", "-p", state, tmp_path / "image.dcm", tmp_path / "shown"]
    subprocess.run(arguments, check=True, capture_output=True)
    shown = np.frombuffer((tmp_path / "shown").read_bytes()[-SHAPE[0] * SHAPE[1] :], np.uint8)
    assert shown[0] == 255
    assert (np.diff(shown.astype(int)) <= 0).all()


def test_an_outline_with_more_points_than_a_graphic_holds_is_simplified(tmp_path):
    of = study("CR")
    angles = np.linspace(0, 2 * np.pi, 9000, endpoint=False)
    circle = np.stack([24 + 15 * np.cos(angles), 32 + 15 * np.sin(angles)], axis=1).astype(np.float32)
    frame = of.images[0].frames[0]
    contour = replace(frame.findings[0].contours[0], outlines=(circle,))
    frame = replace(frame, findings=(replace(frame.findings[0], contours=(contour,)),))
    one = made(replace(of, images=(replace(of.images[0], frames=(frame,)),)))[0]
    graphic = dcmread(written(one, tmp_path / "a.dcm")).GraphicAnnotationSequence[0].GraphicObjectSequence[0]
    points = np.reshape(graphic.GraphicData, (-1, 2)) - 0.5
    assert 30 < len(points) < 8192
    assert graphic["GraphicData"].VR == "FL"
    np.testing.assert_allclose(np.hypot(*(points - [24, 32]).T), 15, atol=1e-4)


def test_a_shutter_is_kept():
    image = header("1.2.840.10008.5.1.4.1.1.1", "CR")
    image.ShutterShape = "RECTANGULAR"
    image.ShutterLeftVerticalEdge, image.ShutterRightVerticalEdge = "2", "40"
    image.ShutterUpperHorizontalEdge, image.ShutterLowerHorizontalEdge = "3", "60"
    (one,) = made(with_header(study("CR"), image))
    assert (one.dataset.ShutterShape, one.dataset.ShutterRightVerticalEdge) == ("RECTANGULAR", 40)
    assert one.dataset.ShutterPresentationValue == 0


def test_colour_images_have_a_colour_presentation_state():
    (one,) = made(study("US multi-frame"))
    assert one.dataset.SOPClassUID.name == "Color Softcopy Presentation State Storage"
    assert len(one.dataset.ICCProfile) > 1000
    assert not {"PresentationLUTShape", "SoftcopyVOILUTSequence", "RescaleSlope"} & set(one.dataset.dir())
    frames = [
        item.ReferencedImageSequence[0].ReferencedFrameNumber
        for item in one.dataset.GraphicAnnotationSequence
    ]
    assert frames == [1, 1, 1, 3, 3, 3]


def test_the_pseudonymous_form_has_the_same_look():
    image = header("1.2.840.10008.5.1.4.1.1.1", "CR")
    image.PhotometricInterpretation = "MONOCHROME1"
    image.WindowCenter, image.WindowWidth, image.VOILUTFunction = "900", "1200", "SIGMOID"
    image.ShutterShape, image.CenterOfCircularShutter, image.RadiusOfCircularShutter = "CIRCULAR", [9, 9], "8"
    of = with_header(study("CR"), image)
    (named,), (bare,) = made(of), made(without_identifiers(of))
    for name in (
        "SoftcopyVOILUTSequence",
        "PresentationLUTShape",
        "ShutterShape",
        "CenterOfCircularShutter",
        "DisplayedAreaSelectionSequence",
    ):
        assert bare.dataset[name].value == named.dataset[name].value, name


def test_images_without_contours_have_no_presentation_state():
    assert [one.case_ids for one in made(study("CT series"))] == [
        ("case-0bbbbbbbbbbb",),
        ("case-1bbbbbbbbbbb",),
    ]


def test_overlays_of_the_image_are_shown_below_the_contours(tmp_path):
    of = study("DX")
    image = of.images[0].header
    for group in (0x6000, 0x6002):
        image.add_new((group, 0x0010), "US", SHAPE[0])
        image.add_new((group, 0x0011), "US", SHAPE[1])
    (one,) = made(of)
    layers = {layer.GraphicLayer: layer.GraphicLayerOrder for layer in one.dataset.GraphicLayerSequence}
    shown = [one.dataset[group, 0x1001].value for group in (0x6000, 0x6002)]
    assert len(set(shown)) == 1
    assert layers[shown[0]] == 1
    assert sorted(layers.values()) == [1, 2, 3, 4]
    assert {item.GraphicLayer for item in one.dataset.GraphicAnnotationSequence} == layers.keys() - set(shown)
    assert complaints(one, tmp_path) == []
    assert (0x6000, 0x1001) not in made(study("CR"))[0].dataset
