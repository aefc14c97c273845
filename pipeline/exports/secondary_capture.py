"""Secondary Capture: image, contours and legend as one colour picture, for a PACS that shows nothing else.

PS3.3, A.8.1. Pixels are square, and need not be those of the image; nothing can be measured on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from highdicom.sr import CodedConcept
from pydicom.sr.codedict import codes
from pydicom.uid import SecondaryCaptureImageStorage

from pipeline.contracts import Export
from pipeline.exports.anatomy import add_body_part
from pipeline.exports.captures import NOT_FOR_DIAGNOSIS, RGB, Marks, capture, method_marks, reader_marks
from pipeline.exports.instances import LOSSY, copy_elements, new_instance, reference_to
from pipeline.exports.objects import ExportedObject, LeftOut, settled
from pipeline.exports.planes import aspect_of, spacing_shown
from pipeline.exports.study import ExportedFinding, ExportedFrame, ExportedImage, ExportedStudy

NO_OVERLAY: Final = "none"
BURNED_IN: Final = ("YES", "NO")
"""What an image may say of names in its pixels; of one that says nothing it is unknown."""
LABELS: Final = {1: "present", 0: "absent"}


def objects(
    study: ExportedStudy, _earlier: Mapping[str, Sequence[ExportedObject]]
) -> Iterator[ExportedObject | LeftOut]:
    """One picture per frame and finding with contours."""
    number = 0
    for image in study.images:
        for frame in image.frames:
            outlined = [found for found in frame.findings if found.contours]
            if outlined and frame.picture is None:
                yield LeftOut(frame.case_id, SECONDARY_CAPTURE.name, "no_picture", frame.why_no_picture)
                continue
            for found in outlined:
                number += 1
                yield _object(study, image, frame, found, number)


def _object(
    study: ExportedStudy, image: ExportedImage, frame: ExportedFrame, found: ExportedFinding, number: int
) -> ExportedObject:
    run, header = study.run, image.header
    pixels = _pixels(study, image, frame, found)
    made = new_instance(
        header,
        run,
        SECONDARY_CAPTURE,
        sop_class=SecondaryCaptureImageStorage,
        modality="OT",
        number=number,
    )
    add_body_part(made, (one.header for one in study.images))
    made.ConversionType = "WSD"
    made.ImageType = ["DERIVED", "SECONDARY"]
    made.DerivationDescription = f"Contours of heatmaps of {found.finding}, run {run.run_id}"
    source = reference_to(header, frame.frame)
    source.PurposeOfReferenceCodeSequence = [
        CodedConcept.from_code(codes.DCM.SourceImageForImageProcessingOperation)
    ]
    made.SourceImageSequence = [source]
    made.ImageComments = NOT_FOR_DIAGNOSIS
    if header.get("BurnedInAnnotation") in BURNED_IN:
        made.BurnedInAnnotation = header.BurnedInAnnotation
    copy_elements(header, made, LOSSY)
    made.SamplesPerPixel = 3
    made.PhotometricInterpretation = "RGB"
    made.PlanarConfiguration = 0
    made.Rows, made.Columns = pixels.shape[:2]
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 8, 8, 7, 0
    made.PixelData = pixels.tobytes() + b"\0" * (pixels.size % 2)
    return settled(made, run, kind=SECONDARY_CAPTURE.name, case_ids=(frame.case_id,))


def _pixels(study: ExportedStudy, image: ExportedImage, frame: ExportedFrame, found: ExportedFinding) -> RGB:
    run, colours = study.run, study.options.get("overlay", NO_OVERLAY)
    assert frame.picture is not None
    picture, texts = frame.picture(), _texts(study, frame, found)
    if colours != NO_OVERLAY and frame.overlay is not None and found.maps:
        shown = found.maps[0]
        picture = frame.overlay(found.finding, shown.method, colours)
        top = max(float(shown.relevance.max()), 0.0)
        unit = " logit" if shown.unit == "logit" else ""
        texts.insert(1, f"Colours ({colours}): {shown.method}, from 0 to its maximum, {top:.3g}{unit}")
    spacing = spacing_shown(image.header, frame.frame, frame.spacing_mm)
    return capture(
        picture,
        [*_marks(study, found)],
        texts,
        pixel_aspect=spacing[0] / spacing[1] if spacing else float(aspect_of(image.header)),
        font=run.font,
    )


def _marks(study: ExportedStudy, found: ExportedFinding) -> Iterator[Marks]:
    for reader in found.readers:
        yield reader_marks(f"annotated by {reader.reader}", reader.outlines, reader.points)
    for index, method in enumerate(study.run.methods):
        contours = [contour for contour in found.contours if contour.method == method]
        if contours:
            count = f"{len(contours)} contour{'s' if len(contours) > 1 else ''}"
            lines = [line for contour in contours for line in contour.outlines]
            yield method_marks(f"{method}: {count}", lines, method=index)


def _texts(study: ExportedStudy, frame: ExportedFrame, found: ExportedFinding) -> list[str]:
    run = study.run
    said = [found.finding]
    if found.probability is not None:
        said.append(f"probability {found.probability:.2f}")
    if found.threshold is not None:
        said.append(f"threshold {found.threshold:.2f}")
    if found.label in LABELS:
        said.append(f"label {LABELS[found.label]}")
    return [
        ", ".join(said),
        f"Network {run.model} ({run.model_version}), Heatproof {run.version}",
        f"Run {run.run_id}, {frame.case_id}, frame {frame.frame + 1}",
    ]


SECONDARY_CAPTURE = Export(
    name="secondary_capture", title="Heatmap contours (pictures)", series_number=9704, objects=objects
)
