"""Mask words: what in the name of a file or folder says that it is a mask."""

from __future__ import annotations

import re
from typing import Final

MASK_WORDS: Final = frozenset({
    "mask", "masks", "seg", "segs", "segmentation", "segmentations", "gt", "ground", "truth", "groundtruth",
    "label", "labels", "annotation", "annotations", "roi", "manual", "binary",
})  # fmt: skip
"""Words that say that a file is a mask, and not of what, of which part or by whom."""
OF_FOLDERS: Final = MASK_WORDS - {"ground", "truth", "manual", "binary"} | {"labelstr", "labelsts"}
"""Words of folders of masks: the others need one of these, or are theirs alone."""
OF_IMAGES: Final = frozenset({
    "image", "images", "img", "imgs", "data", "dataset", "study", "studies", "and", "with", "without", "no",
})  # fmt: skip
"""Words of folders that hold images, whatever else they say: "images and masks"."""


def are_mask_words(text: str) -> bool:
    """Whether it consists of words for masks alone."""
    return {*re.findall(r"[^\W_]+", text.casefold())} <= MASK_WORDS


def says_mask(text: str) -> bool:
    """Whether it consists of words for masks, with or without numbers: "mask", "Mask1", "mask_2"."""
    words = _words(text)
    return bool(words) and words <= MASK_WORDS


def is_mask_folder(name: str) -> bool:
    """Whether a folder of that name holds masks: "masks", "lung_masks", "ground truth", "labelsTr"."""
    words = _words(name)
    return says_mask(name) or bool(words & OF_FOLDERS and not words & OF_IMAGES)


def _words(text: str) -> set[str]:
    """The words in lower case, without digits at their ends: "Mask1" → "mask"."""
    return {word.rstrip("0123456789") for word in re.findall(r"[^\W_]+", text.casefold())} - {""}
