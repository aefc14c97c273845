"""Affixes: the names of masks that have more than the image's name, such as "17_mask"."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from pipeline.annotations.mask_words import are_mask_words
from pipeline.ground_truth.input_notices import sources_notice
from pipeline.ground_truth.inputs import FoundItems
from pipeline.records import AnnotationItem, Case, Notice, file_stem

NUMBERED = re.compile(r"(.*?)([ _.-]?)\d+")
"""A name with a number at its end, which tells several masks of an image apart: "17_mask_1"."""
SAMPLE = 200
"""Number of names that suggest an affix; it is then tried on all."""
ABOUT = "annotations.sources"


class Affix(NamedTuple):
    """What stands before and after the names of images in the names of masks."""

    before: str
    after: str

    def strip(self, name: str) -> str:
        """The name without the affix; empty if it does not have it."""
        fits = name.startswith(self.before) and name.endswith(self.after)
        return name[len(self.before) : len(name) - len(self.after)] if fits else ""

    def numbered(self, name: str) -> tuple[str, str]:
        """The name without the affix and a number behind it, and what stands before the number; or empty."""
        match = NUMBERED.fullmatch(name)
        image = self.strip(match[1]) if match else ""
        return (image, match[2]) if match and image else ("", "")

    def image_of(self, name: str, images: Collection[str]) -> str:
        """The image's name in that of a mask; empty if it is that of no image."""
        found = (self.strip(name), self.numbered(name)[0])
        return next((image for image in found if image in images), "")

    def in_pattern(self, pattern: str, *, lesion: str = "") -> str:
        """The pattern with the affix around its images, and `lesion` behind it."""
        before, after = (text.replace("{", "{{").replace("}", "}}") for text in self)
        return pattern.replace("{image}", f"{before}{{image}}{after}{lesion}")

    def says_mask(self) -> bool:
        """Whether it consists of words for masks alone."""
        return are_mask_words(" ".join(self))


class Misnamed(NamedTuple):
    """A source no name of which is an image's, and the affix without which most are."""

    number: int
    """Its place among the sources."""
    items: Sequence[AnnotationItem]
    affix: Affix
    fitting: int
    """Number of names that are an image's without the affix, and without a number behind it."""
    names: int
    before_numbers: Sequence[str]
    """What stands between the affix and numbers, where some names have these."""


def names_of(cases: Iterable[Case]) -> frozenset[str]:
    """The file names and UIDs of all images."""
    found = {
        name for case in cases for name in (case.source.stem, *case.other_stems, case.source.sop_instance_uid)
    }
    return frozenset(found - {""})


def common_affix(names: Collection[str], images: Collection[str]) -> Affix | None:
    """The affix without which more than half of the names are an image's.

    None if there is no such affix, or if some name is an image's as it is.
    """
    if any(file_stem(name) in images for name in names):
        return None
    found = Counter(affix for name in sorted(names)[:SAMPLE] for affix in _affixes(name, images))
    if not found:
        return None
    best = max(found, key=lambda affix: (found[affix], -len(affix.before) - len(affix.after), affix))
    return best if 2 * sum(best.strip(name) in images for name in names) > len(names) else None


def _affixes(name: str, images: Collection[str]) -> Iterator[Affix]:
    """Whatever surrounds an image's name in `name`, except where it would cut a number in two."""
    for start in range(len(name)):
        for end in range(start + 1, len(name) + 1):
            if name[start:end] in images and not (_in_number(name, start) or _in_number(name, end)):
                yield Affix(name[:start], name[end:])


def _in_number(name: str, place: int) -> bool:
    """Whether a cut at that place has a digit on both sides."""
    return name[:place][-1:].isdecimal() and name[place:][:1].isdecimal()


def misnamed(found: FoundItems, images: Collection[str]) -> list[Misnamed]:
    """The sources of masks that need an affix in their patterns."""
    needing = []
    for number, source in enumerate(found.sources):
        items = [item for item in found.items if _is_of(item, source)]
        names = {_last(item.image) for item in items}
        affix = common_affix(names, images)
        if affix:
            fitting = sum(bool(affix.image_of(name, images)) for name in names)
            others = (affix.numbered(name) for name in names if affix.strip(name) not in images)
            before = sorted({before for image, before in others if image in images})
            needing.append(Misnamed(number, items, affix, fitting, len(names), before))
    return needing


def _is_of(item: AnnotationItem, source: Mapping[str, Any]) -> bool:
    same = item.format == source["format"] and "pattern" in source
    return same and source.get("finding") in {None, item.finding}


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def without_images(found: FoundItems, cases: Iterable[Case]) -> FoundItems:
    """The items without those that are images of the study set, which lie in one folder with their masks."""
    if found.stated:
        return found
    images = {os.path.abspath(case.source.path) for case in cases if case.source.member is None}  # noqa: PTH100
    items = [item for item in found.items if _path(item) not in images]
    return replace(found, items=items) if items else found


def _path(item: AnnotationItem) -> str:
    """The file of an item that has one of its own; empty if it has not."""
    path = item.payload.get("path")
    return os.path.abspath(str(path)) if path else ""  # noqa: PTH100  as above: links are kept


def without_affixes(found: FoundItems, images: Collection[str]) -> FoundItems:
    """The items with the images' names, where a guessed source's files all have an affix of masks."""
    if found.stated:
        return found
    sure = [one for one in misnamed(found, images) if one.fitting == one.names and one.affix.says_mask()]
    if not sure:
        return found
    affixes = {id(item): one.affix for one in sure for item in one.items}
    items = [
        replace(item, image=affixes[id(item)].image_of(item.image, images)) if id(item) in affixes else item
        for item in found.items
    ]
    sources = _with_affixes(found.sources, sure)
    notice = sources_notice(sources, found.public)
    others = [other for other in found.notices if other.kind != "guess" or other.about != ABOUT]
    return replace(found, items=items, sources=sources, notices=(notice, *others))


def _with_affixes(
    sources: Sequence[Mapping[str, Any]], needing: Iterable[Misnamed]
) -> tuple[Mapping[str, Any], ...]:
    changed = [*sources]
    for one in needing:
        before = _patterns(sources[one.number])
        patterns = [one.affix.in_pattern(pattern) for pattern in before]
        patterns += [
            one.affix.in_pattern(pattern, lesion=f"{text}{{lesion}}")
            for text in one.before_numbers
            for pattern in before
            if "{lesion}" not in pattern
        ]
        pattern = patterns[0] if len(patterns) == 1 else patterns
        changed[one.number] = {**sources[one.number], "pattern": pattern}
    return tuple(changed)


def _patterns(source: Mapping[str, Any]) -> Sequence[str]:
    pattern = source.get("pattern", ())
    return [pattern] if isinstance(pattern, str) else [*pattern]


def corrected_sources(
    found: FoundItems, images: Collection[str], *, findings: Sequence[str], labelled: bool
) -> tuple[tuple[Notice, ...], int]:
    """The notices, with the sources to write where masks fit no image or no finding; how many names they fit.

    `labelled`: labels give the findings of masks that name none. A guess that fits nothing has no pin.
    """
    needing = misnamed(found, images)
    nameless = [] if labelled else [*_nameless(found)]
    notices = found.notices
    if nameless or any(_fits_nothing(found, source, images) for source in found.sources):
        notices = tuple(
            replace(notice, pin={}) if (notice.kind, notice.about) == ("guess", ABOUT) else notice
            for notice in notices
        )
    if not needing and not nameless:
        return notices, 0
    sources = [*_with_affixes(found.sources, needing)]
    for number in nameless:
        sources[number] = {**sources[number], "finding": _one_of(findings)}
    names = sum(one.names for one in needing)
    why = []
    if needing:
        fitting = sum(one.fitting for one in needing)
        why.append(
            f"none of {names:,} names of masks is an image's, but {fitting:,} are without their common part"
        )
    if nameless:
        why.append("masks name no finding, and no labels give one")
    text = "; ".join(why)
    pin = sources_notice(sources, found.public)
    return (*notices, replace(pin, kind="warning", message=text[0].upper() + text[1:])), names


def _one_of(findings: Sequence[str]) -> str:
    """The only finding, else what to write in its place."""
    several = f"<one of {', '.join(findings)}>" if findings else "<finding>"
    return findings[0] if len(findings) == 1 else several


def _fits_nothing(found: FoundItems, source: Mapping[str, Any], images: Collection[str]) -> bool:
    names = [item.image for item in found.items if _is_of(item, source)]
    return bool(names) and not any(file_stem(name) in images for name in names)


def _nameless(found: FoundItems) -> Iterator[int]:
    """The places of the sources of masks that name no finding."""
    for number, source in enumerate(found.sources):
        if any(_is_of(item, source) and item.finding is None for item in found.items):
            yield number
