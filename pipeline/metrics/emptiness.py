"""Emptiness: shared policies for scores where the drawing or the reference is empty."""

from pipeline.contracts import IMAGE_DIAGONAL, Emptiness

LOCALISATION = Emptiness(missed=0.0, healthy_drawn="counted_as_contour_on_healthy", healthy_clear="healthy")
"""A miss scores 0; healthy images have no score here and are counted by `contour_on_healthy`."""

BOTH_PRESENT = Emptiness(missed="nothing_drawn", healthy_drawn="healthy", healthy_clear="healthy")
"""Only images with contour and lesion (true positives of CheXlocalize); hides misses and false positives."""

EITHER_PRESENT = Emptiness(missed=0.0, healthy_drawn=0.0, healthy_clear="healthy")
"""Images with a contour or a lesion: a contour on a healthy image scores 0, as a miss does."""

DISTANCE = Emptiness(
    missed=IMAGE_DIAGONAL, healthy_drawn="counted_as_contour_on_healthy", healthy_clear="healthy"
)
"""A miss scores the largest possible distance; skipping misses would reward networks that rarely draw."""

MAP = Emptiness(missed="no_map", healthy_drawn="healthy", healthy_clear="healthy")
"""A map has a value at every pixel, so it cannot miss; undefined where only contours are known."""
