"""Apart: pictures and volumes of a study folder that are no images of it, but masks or copies of them.

DICOM files say themselves whether they are masks (`loaders.masks`); of pictures and volumes, names do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from pipeline.annotations.mask_words import is_mask_folder, says_mask
from pipeline.cohort.listing import UNKNOWN, Refused
from pipeline.errors import CaseError
from pipeline.loaders import format_of_file
from pipeline.records import ImageSource, Notice, file_stem

NOT_AN_IMAGE = "not_an_image"
DICOM = "DICOM"
VOLUMES = frozenset({"NIfTI", "NRRD", "MetaImage"})
OTHERS = VOLUMES | {"PNG", "JPEG", "TIFF"}
"""All formats but DICOM, as `loaders.foreign` names them."""
NAMED = "the file is a mask: its name is that of another image with a word for masks"
IN_FOLDER = "the file is a mask: its folder is named like masks"
IN_ANNOTATIONS = "the file lies in the folder of the annotations; images and annotations need other folders"
BESIDE_DICOM = (
    "the file is a picture or volume beside DICOM images, which alone are read; name its format in "
    "studies.formats to read it"
)
BESIDE_PICTURE = (
    "the file is a volume with the name of a picture, which is read; name its format in studies.formats to "
    "read it instead"
)
OTHER_FORMAT = "the file is in none of the formats in studies.formats; name its format there to read it"
ONE_OF = {
    NAMED: "{count} files are read as masks and not as images, because their names are those of other "
    "images with a word such as 'mask'; rename them if they are images",
    IN_FOLDER: "{count} files are read as masks and not as images, because their folders are named like "
    "masks; rename the folders if they hold images",
    BESIDE_DICOM: "{count} pictures and volumes are not read as images, because DICOM images lie beside "
    "them; name the formats that hold the images in studies.formats",
    BESIDE_PICTURE: "{count} volumes are not read as images, because pictures have their names; name the "
    "format that holds the images in studies.formats",
}
"""Message of a skipped file → that of the notice about all of them."""

Reason = Callable[[ImageSource], str]


def format_of(source: ImageSource) -> str:
    """The format of an image's file, as in the key studies.formats."""
    return source.attributes.get("file_format", DICOM)


def without_masks(
    sources: Sequence[ImageSource], *, formats: Collection[str] = (), annotations: str = ""
) -> tuple[list[ImageSource], dict[str, CaseError]]:
    """The images, and relative path → why a file is none.

    `formats`: those that hold images, by the config; none: DICOM if there is any, else all. `annotations`:
    path of the folder of the annotations below that of the studies, if it lies there.
    """
    reasons: list[Reason] = [_by_annotations(annotations)] if annotations else []
    kept, refused = _sift(sources, [*reasons, _by_format(formats, sources), _by_folder])
    kept, masks = _sift(kept, [_by_name(kept)])
    kept, copies = _sift(kept, [] if formats else [_by_picture(kept)])
    return kept, refused | masks | copies


def beside_dicom(folder: Path, refused: Sequence[Refused], sources: Iterable[ImageSource]) -> list[Refused]:
    """The refused files; pictures and volumes beside DICOM images are none of the images that are missing."""
    if not any(format_of(source) == DICOM for source in sources):
        return list(refused)
    found = [
        one.error.reason not in {UNKNOWN, NOT_AN_IMAGE} and format_of_file(folder / one.relative_path)
        for one in refused
    ]
    error = CaseError(NOT_AN_IMAGE, BESIDE_DICOM)
    return [
        Refused(one.relative_path, error) if other and other.name in OTHERS else one
        for one, other in zip(refused, found, strict=True)
    ]


def notices(refused: Iterable[CaseError]) -> Iterator[Notice]:
    """One guess for each kind of files that are no images by their names or neighbours."""
    messages = [error.message for error in refused]
    for message, text in ONE_OF.items():
        count = messages.count(message)
        if count:
            pin = {"studies": {"formats": [DICOM]}} if message == BESIDE_DICOM else {}
            yield Notice("guess", "studies", text.format(count=f"{count:,}"), pin=pin)


def _sift(
    sources: Iterable[ImageSource], reasons: Sequence[Reason]
) -> tuple[list[ImageSource], dict[str, CaseError]]:
    kept: list[ImageSource] = []
    refused: dict[str, CaseError] = {}
    for source in sources:
        message = next(filter(None, (reason(source) for reason in reasons)), "")
        if message:
            refused[source.relative_path] = CaseError(NOT_AN_IMAGE, message)
        else:
            kept.append(source)
    return kept, refused


def _by_format(formats: Collection[str], sources: Iterable[ImageSource]) -> Reason:
    if formats:
        return lambda source: "" if format_of(source) in formats else OTHER_FORMAT
    only_dicom = any(format_of(source) == DICOM for source in sources)
    return lambda source: BESIDE_DICOM if only_dicom and format_of(source) != DICOM else ""


def _by_annotations(folder: str) -> Reason:
    inside = f"{folder}/"
    return lambda source: (
        IN_ANNOTATIONS if format_of(source) != DICOM and source.relative_path.startswith(inside) else ""
    )


def _by_folder(source: ImageSource) -> str:
    folders = PurePosixPath(source.relative_path).parent.parts
    return IN_FOLDER if format_of(source) != DICOM and any(map(is_mask_folder, folders)) else ""


def _by_name(sources: Iterable[ImageSource]) -> Reason:
    """By names such as "17_mask", "17_mask_2" and "mask-17" beside "17", in the same folder or another."""
    stems = {source.stem for source in sources}
    return lambda source: NAMED if format_of(source) != DICOM and _named_like(source.stem, stems) else ""


def _named_like(stem: str, stems: Collection[str]) -> bool:
    """Whether the stem is another one with words for masks, and with numbers behind these, around it."""
    parts = re.split(r"([\s_.-]+)", stem)
    for end in range(1, len(parts), 2):
        before, after = "".join(parts[:end]), "".join(parts[end + 1 :])
        if (before in stems and says_mask(after)) or (after in stems and says_mask(before)):
            return True
    return False


def _by_picture(sources: Iterable[ImageSource]) -> Reason:
    pictures = {source.stem for source in sources if format_of(source) not in VOLUMES}
    return lambda source: (
        BESIDE_PICTURE if format_of(source) in VOLUMES and file_stem(source.relative_path) in pictures else ""
    )
