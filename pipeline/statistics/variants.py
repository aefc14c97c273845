"""Variants: the names of variants of a model card, as noun phrases."""

from __future__ import annotations

from collections.abc import Mapping

FORMS: Mapping[str, str] = {
    "mirrored": "mirrored images",
    "upside_down": "images that are upside down",
    "inverted": "inverted images",
    "stretched": "whole images stretched to the input",
    "padded": "images padded to a square",
    "window_header": "the window of the files (window: header)",
    "window_full": "the full range of grey levels (window: full)",
}
"""Variant of the card → its images as a noun phrase."""


def form_of(variant: str) -> str:
    """The images of a variant of the card as a noun phrase."""
    return FORMS.get(variant, f"the intensities '{variant.removeprefix('intensity_')}'")
