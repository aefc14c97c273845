"""Naming: which image of a study set a name in an annotation or a table stands for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence

from pipeline.joints.intake import Case


class Names:
    """SOP instance UIDs and file stems of all images of a study set.

    A SOP instance UID goes before a stem that reads the same.
    """

    def __init__(self, cases: Iterable[Case]) -> None:
        self._by_uid: dict[str, list[Case]] = defaultdict(list)
        self._by_stem: dict[str, list[Case]] = defaultdict(list)
        for case in cases:
            if case.source.sop_instance_uid:
                self._by_uid[case.source.sop_instance_uid].append(case)
            self._by_stem[case.source.stem].append(case)

    def owners(self, name: str) -> Sequence[Case]:
        """The images of that name: frames of one file, or of several where the name is `ambiguous`."""
        return self._by_uid.get(name) or self._by_stem.get(name) or ()

    def ambiguous(self, name: str) -> bool:
        """Whether several files have that name, so that nothing can be said of any of them by it."""
        return len({case.source.relative_path for case in self.owners(name)}) > 1

    def name_among(self, known: Container[str], case: Case) -> str | None:
        """The one of `known` that stands for an image, ambiguous or not; None where there is none."""
        uid, stem = case.source.sop_instance_uid, case.source.stem
        if uid and uid in known:
            return uid
        return stem if stem in known and stem not in self._by_uid else None
