"""Naming: which image of a study set a name in an annotation or a table stands for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence

from pipeline.errors import CaseError
from pipeline.joints.intake import Case
from pipeline.records import AnnotationItem, HeatmapItem, file_stem

AMBIGUOUS_IMAGE = (
    "several files of the study folder have the name by which the image is called; "
    "name the image by its SOP instance UID"
)


class Names:
    """SOP instance UIDs and file stems of all images of a study set.

    A SOP instance UID goes before a stem that reads the same, and the stem of a file that is audited before
    that of one that was set aside for another with its UID.
    """

    def __init__(self, cases: Iterable[Case]) -> None:
        self._by_uid: dict[str, list[Case]] = defaultdict(list)
        self._by_stem: dict[str, list[Case]] = defaultdict(list)
        self._by_other_stem: dict[str, list[Case]] = defaultdict(list)
        for case in cases:
            if case.source.sop_instance_uid:
                self._by_uid[case.source.sop_instance_uid].append(case)
            self._by_stem[case.source.stem].append(case)
            for stem in case.other_stems:
                self._by_other_stem[stem].append(case)

    def owners(self, name: str) -> Sequence[Case]:
        """The images of that name: frames of one file, or of several where the name is `ambiguous`."""
        return self._by_uid.get(name) or self._by_stem.get(name) or self._by_other_stem.get(name) or ()

    def ambiguous(self, name: str) -> bool:
        """Whether several files have that name, so that nothing can be said of any of them by it."""
        return len({case.source.relative_path for case in self.owners(name)}) > 1

    def owner(self, item: AnnotationItem | HeatmapItem, *, what: str) -> Case:
        """The image that an annotation or a heatmap, as `what` calls it, is about.

        Raises CaseError("ambiguous_image") or, where there is none, CaseError("<what>_without_image").
        """
        name = file_stem(item.image)
        if self.ambiguous(name):
            raise CaseError("ambiguous_image", AMBIGUOUS_IMAGE)
        for case in self.owners(name):
            if case.source.frames == 1 or case.source.frame == item.frame:
                return case
        raise CaseError(f"{what}_without_image", f"the {what}'s image is not in the study folder")

    def name_among(self, known: Container[str], case: Case) -> str | None:
        """The one of `known` that stands for an image, ambiguous or not; None where there is none."""
        uid = case.source.sop_instance_uid
        if uid and uid in known:
            return uid
        if case.source.stem in known and case.source.stem not in self._by_uid:
            return case.source.stem
        others = (s for s in case.other_stems if s not in self._by_uid and s not in self._by_stem)
        return next((stem for stem in others if stem in known), None)
