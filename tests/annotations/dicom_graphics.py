"""Measurement reports and presentation states for tests, written by highdicom."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import highdicom as hd
import numpy as np
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import generate_uid

from tests.annotations.segmentations import source_image

GREY = {
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "BitsAllocated": 8,
    "BitsStored": 8,
    "PixelRepresentation": 0,
}


class Region(NamedTuple):
    """A region or point of a report, in pixels from the image's corner, or in mm."""

    finding: str | None
    kind: str
    points: Sequence[Sequence[float]] | np.ndarray
    image: Dataset | None = None
    """None: in mm."""
    frame: int | None = None


class Graphic(NamedTuple):
    """A graphic of a presentation state."""

    kind: str
    points: Sequence[Sequence[float]]
    units: str = "PIXEL"
    filled: bool = False


def picture(uid: str, shape: tuple[int, int], **attributes: object) -> Dataset:
    """The header of an image."""
    return source_image(
        uid,
        shape,
        **{"SeriesNumber": 1, "InstanceNumber": 1, "PatientName": "Roe^Jane", **GREY, **attributes},
    )


def write_report(path: Path, *regions: Region, system: str = "1.2.3") -> None:
    """A Comprehensive 3D SR with a measurement group per region."""
    evidence = {r.image.SOPInstanceUID: r.image for r in regions if r.image is not None}
    evidence = evidence or {"9": picture("9", (4, 6))}
    observer = hd.sr.ObserverContext(
        codes.DCM.Person, hd.sr.PersonObserverIdentifyingAttributes(name="Roe^Jane")
    )
    content = hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(observer_person_context=observer),
        procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
        imaging_measurements=[_group(region, system) for region in regions],
    )
    report = hd.sr.Comprehensive3DSR(
        evidence=list(evidence.values()),
        content=content,
        series_instance_uid="1.2.3.3",
        series_number=1,
        sop_instance_uid=generate_uid(entropy_srcs=[str(path)]),
        instance_number=1,
    )
    report.save_as(path)


def write_presentation_state(path: Path, layers: dict[str, Sequence[Graphic]], image: Dataset) -> None:
    """A Grayscale Softcopy Presentation State with a graphic annotation per layer."""
    names = {name: hd.pr.GraphicLayer(name, order) for order, name in enumerate(layers, start=1)}
    state = hd.pr.GrayscaleSoftcopyPresentationState(
        referenced_images=[image],
        series_instance_uid="1.2.3.3",
        series_number=1,
        sop_instance_uid=generate_uid(entropy_srcs=[str(path)]),
        instance_number=1,
        manufacturer="none",
        manufacturer_model_name="none",
        software_versions="1",
        device_serial_number="1",
        content_label="LABEL",
        graphic_layers=list(names.values()),
        graphic_annotations=[
            hd.pr.GraphicAnnotation(
                [image],
                names[name],
                graphic_objects=[
                    hd.pr.GraphicObject(g.kind, np.array(g.points, float), g.units, is_filled=g.filled)
                    for g in graphics
                ],
            )
            for name, graphics in layers.items()
        ],
    )
    state.save_as(path)


def _group(region: Region, system: str) -> hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations:
    points = np.array(region.points, float)
    if region.image is None:
        shape = hd.sr.ImageRegion3D(region.kind, points, system)
    else:
        source = hd.sr.SourceImageForRegion(
            region.image.SOPClassUID, region.image.SOPInstanceUID, [region.frame] if region.frame else None
        )
        shape = hd.sr.ImageRegion(region.kind, points, source)
    return hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier(uid="1.2.3.8", identifier="Roe"),
        referenced_region=shape,
        finding_type=Code("1", "99TEST", region.finding) if region.finding else None,
    )
