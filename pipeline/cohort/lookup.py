"""Lookup: find the image of a study set that a name in an annotation or a table refers to."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain, pairwise
from typing import Literal, TypeAlias

import numpy as np

from pipeline.errors import CaseError
from pipeline.orientation import SAME_PLANE_MM, height_mm, turn_between
from pipeline.records import AnnotationItem, Case, HeatmapItem, ImagePlane, file_stem

AMBIGUOUS_IMAGE = (
    "several files of the study folder have this image name; refer to the image by its SOP instance UID"
)
Join: TypeAlias = Literal["auto", "uid", "path", "stem"]
"""What of a name counts, after SOP instance UIDs: all that tells images apart, nothing, the whole path, or
the file name alone."""
Parts: TypeAlias = tuple[str, ...]
"""A file name without suffix, then its folders from the innermost on."""
PARTS_OF_STUDY_SETS = frozenset({
    "train", "training", "val", "valid", "validation", "dev", "test", "testing", "holdout",
})  # fmt: skip
CONTAINERS = PARTS_OF_STUDY_SETS | {
    "image", "images", "img", "imgs", "picture", "pictures", "png", "pngs", "jpg", "jpgs", "jpeg", "jpegs",
    "dicom", "dicoms", "dcm", "dcms", "study", "studies", "data", "dataset", "raw", "file", "files", "export",
    "xray", "xrays", "cxr", "scan", "scans", "frontal", "original", "originals", "resized",
}  # fmt: skip
"""Words of folders that hold images of many patients, so that another folder of the kind may replace them."""

MOST_FOLDERS = 6
"""Folders of a path that may be joined to a name."""

NO_IMAGE_THERE = (
    "the annotation names no image, and no image of the study folder has its frame of reference and plane; "
    "add the image, or export the annotation with one source image per frame"
)
SEVERAL_IMAGES_THERE = (
    "the annotation names no image, and several images have its frame of reference and plane; export it with "
    "one source image per frame"
)
NO_SLICE_THERE = (
    "the study folder has no image of the annotation's name at its slice location, or its header does not "
    "say where it lies; correct the location, in mm along the normal of the images, or name each file"
)
SEVERAL_SLICES_THERE = (
    f"several images of the annotation's name lie within {SAME_PLANE_MM} mm of its slice location; "
    "name each file"
)
ROUNDED_MM = 0.01
"""Difference of positions that rounding makes."""


class ImageLookup:
    """The images of a study set by the names that annotations or a table use.

    A SOP instance UID takes precedence over an equal file name, and the name of an audited file over that of
    a skipped duplicate with the same UID. `names` are all names that are used together: of names that end
    alike, such as patient1/view1 and patient2/view1, the folders count. A folder of one image names it, too.
    """

    def __init__(self, cases: Iterable[Case], names: Iterable[str] = (), *, join: Join = "auto") -> None:
        self._by_uid: dict[str, list[Case]] = defaultdict(list)
        self._by_stem: dict[str, list[Case]] = defaultdict(list)
        self._by_other_stem: dict[str, list[Case]] = defaultdict(list)
        self._by_folder: dict[str, list[Case]] = defaultdict(list)
        self._by_frame_of_reference: dict[str, list[tuple[ImagePlane, Case]]] = defaultdict(list)
        self._join = join
        self._names = tuple(dict.fromkeys(names))
        self._needed = _distinguishing(map(_parts, self._names))
        self._found: dict[str, tuple[str, Sequence[Case]]] = {}
        for case in cases:
            if case.source.plane and case.source.plane.frame_of_reference:
                uid = case.source.plane.frame_of_reference
                self._by_frame_of_reference[uid].append((case.source.plane, case))
            if case.source.sop_instance_uid:
                self._by_uid[case.source.sop_instance_uid].append(case)
            self._by_stem[case.source.stem].append(case)
            for folder in _parts(case.source.relative_path)[1:]:
                self._by_folder[folder].append(case)
            for stem in case.other_stems:
                self._by_other_stem[stem].append(case)

    def owners(self, name: str) -> Sequence[Case]:
        """The images with that name: frames of one file, or of several files if the name is `ambiguous`."""
        return self._joined(name)[1]

    def joined_by(self, name: str) -> str:
        """How a name was matched, "" if it was not.

        "uid", "path", "stem" (of a file in other folders) or "folders" (joined by _).
        """
        return self._joined(name)[0]

    def ambiguous(self, name: str) -> bool:
        """Whether several files have that name, so that it identifies none of them."""
        return len({case.source.relative_path for case in self.owners(name)}) > 1

    def owner(self, item: AnnotationItem | HeatmapItem, *, what: str) -> Case:
        """The image of an annotation or heatmap; `what` is "annotation" or "heatmap", for the message.

        Raises CaseError "ambiguous_image", "<what>_without_frame" or "<what>_without_image".
        """
        if isinstance(item, AnnotationItem) and item.place:
            return self._at(item.place)
        if isinstance(item, AnnotationItem) and item.slice_mm is not None:
            return self._slice(item.image, item.slice_mm)
        if self.ambiguous(item.image):
            raise CaseError("ambiguous_image", AMBIGUOUS_IMAGE)
        owners = self.owners(item.image)
        for case in owners:
            if _is_of_frame(case, item.frame):
                return case
        if owners and item.frame is None:
            raise CaseError(
                f"{what}_without_frame",
                f"the {what}'s image has several frames, but the {what} does not say of which it is; "
                "state the frame, or save the frame as a file of its own",
            )
        if owners:
            raise CaseError(
                f"{what}_without_image",
                f"the {what}'s image does not have the frame that the {what} names; correct the number",
            )
        raise CaseError(
            f"{what}_without_image",
            f"the {what}'s image is not in the study folder; add the image, or correct the name",
        )

    def _at(self, place: ImagePlane) -> Case:
        """The image with the frame of reference and plane of an annotation that names none."""
        known = self._by_frame_of_reference[place.frame_of_reference]
        near = [(height_mm(place, plane), case) for plane, case in known if turn_between(place, plane)]
        least = min((height for height, _ in near), default=math.inf)
        if not least <= SAME_PLANE_MM:
            raise CaseError("annotation_without_image", NO_IMAGE_THERE)
        found = [case for height, case in near if height - least < ROUNDED_MM]
        if len(found) > 1:
            raise CaseError("ambiguous_image", SEVERAL_IMAGES_THERE)
        return found[0]

    def _slice(self, name: str, slice_mm: float) -> Case:
        """The slice at a position along the normal, of the files called or in the folders called `name`."""
        inside = f"/{name}/"
        folders = self._by_folder.get(_parts(name)[0], ()) if self._join in {"auto", "path"} else ()
        several = self.owners(name) or [c for c in folders if inside in f"/{c.source.relative_path}"]
        near = [case for case in several if abs(_along_normal(case) - slice_mm) <= SAME_PLANE_MM]
        if not near:
            raise CaseError("annotation_without_image", NO_SLICE_THERE)
        if len(near) > 1:
            raise CaseError("ambiguous_image", SEVERAL_SLICES_THERE)
        return near[0]

    def names_of(self, case: Case) -> Sequence[str]:
        """The names, of those given at the start, that refer to the image, ambiguous or not.

        If one is the image's SOP instance UID, only this one.
        """
        names = self._names_by_file.get(case.source.relative_path, ())
        return [name for name in names if self.joined_by(name) == "uid"] or names

    @cached_property
    def _names_by_file(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for name in self._names:
            for path in {case.source.relative_path for case in self.owners(name)}:
                found[path].append(name)
        return found

    def _joined(self, name: str) -> tuple[str, Sequence[Case]]:
        if name not in self._found:
            self._found[name] = self._search(_parts(name))
        return self._found[name]

    def _search(self, name: Parts) -> tuple[str, Sequence[Case]]:
        by_uid = self._by_uid.get(name[0])
        if by_uid:
            return "uid", by_uid
        if self._join == "uid":
            return "", ()
        needed = 1 if self._join == "stem" else self._needed.get(name, 1)
        graded = [
            (self._grade(name, _parts(c.source.relative_path), needed), c) for c in self._by_stem[name[0]]
        ]
        best = max((depth for depth, _ in graded), default=0)
        if best:
            owners = [case for depth, case in graded if depth == best]
            return self._kind(name, owners[0], best), owners
        others = self._by_other_stem.get(name[0], ()) if needed == 1 else ()
        if others:
            return "stem", others
        in_folder = self._in_folder(name)
        return in_folder if in_folder[1] else self._with_folders(name)

    def _in_folder(self, name: Parts) -> tuple[str, Sequence[Case]]:
        """The image of the folder called so, if it is the only one there, as in CBIS-DDSM."""
        there = self._by_folder.get(name[0], ()) if len(name) == 1 and self._join == "auto" else ()
        single = len({case.source.relative_path for case in there}) == 1
        return ("path", there) if single else ("", ())

    def _with_folders(self, name: Parts) -> tuple[str, Sequence[Case]]:
        """The image whose folders and file name, joined by _, are the name, or whose file is called so.

        CheXlocalize names patient64622/study1/view1_frontal.jpg of CheXpert like that, with _.
        """
        if self._join != "auto":
            return "", ()
        files = self._by_folders.get(name[0], ()) if len(name) == 1 else ()
        flat = (self._by_stem.get(flat, ()) for flat in _flattened(name))
        found = files or next(filter(None, flat), ())
        return ("folders", found) if found else ("", ())

    @cached_property
    def _by_folders(self) -> Mapping[str, Sequence[Case]]:
        found: dict[str, list[Case]] = defaultdict(list)
        for case in chain.from_iterable(self._by_stem.values()):
            for name in _flattened(_parts(case.source.relative_path)):
                found[name].append(case)
        return found

    def _grade(self, name: Parts, file: Parts, needed: int) -> int:
        """How many parts of name and file agree, from the file name on; 0 if the file is another one."""
        if self._join == "stem":
            return 1
        depth = _common(name, file)
        whole = depth == min(len(name), len(file))
        if self._join == "path" or depth < needed or whole:
            return depth if whole and depth >= needed else 0
        return depth if _may_differ(name[depth], file[depth]) else 0

    def _kind(self, name: Parts, case: Case, depth: int) -> str:
        file = _parts(case.source.relative_path)
        return "path" if depth > 1 and depth == min(len(name), len(file)) else "stem"


def _along_normal(case: Case) -> float:
    """Position of an image along the normal of its plane in mm; NaN if its header does not say it."""
    plane = case.source.plane
    if plane is None or plane.position is None:
        return math.nan
    return float(np.cross(plane.along, plane.down) @ np.array(plane.position))


def _parts(name: str) -> Parts:
    *folders, last = name.split("/")
    return (file_stem(last), *reversed(folders))


def _flattened(name: Parts) -> list[str]:
    """The file name with its innermost folders before it, joined by _: with most folders first."""
    return ["_".join(reversed(name[:depth])) for depth in range(min(len(name), MOST_FOLDERS + 1), 1, -1)]


def _distinguishing(names: Iterable[Parts]) -> dict[Parts, int]:
    """Name → how many of its parts tell it from all other names."""
    order = sorted(set(names))
    needed = dict.fromkeys(order, 1)
    for first, second in pairwise(order):
        for name in (first, second):
            needed[name] = max(needed[name], min(_common(first, second) + 1, len(name)))
    return needed


def _common(first: Parts, second: Parts) -> int:
    """Number of leading parts that agree."""
    for number, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return number
    return min(len(first), len(second))


def _may_differ(first: str, second: str) -> bool:
    """Whether two folders may hold the same image: one at least is no name of a patient or study."""
    one, other = _words(first), _words(second)
    both_parts = one & PARTS_OF_STUDY_SETS and other & PARTS_OF_STUDY_SETS
    return not both_parts and (one <= CONTAINERS or other <= CONTAINERS)


def _words(folder: str) -> frozenset[str]:
    """The words of a folder's name in lower case; numbers are words, too."""
    return frozenset(re.findall(r"[^\W\d_]+|\d+", folder.casefold()) or [folder])


def _is_of_frame(case: Case, frame: int | None) -> bool:
    """Whether an annotation of that frame, counted from 0, is of the image; None: it names no frame."""
    if case.source.frames == 1:
        return frame in {None, 0, case.source.frame}
    return frame == case.source.frame
