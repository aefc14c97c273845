"""Emptiness: what metrics that share a policy are worth where one side is empty."""

from pipeline.contracts import IMAGE_DIAGONAL, Emptiness

LOCALISATION = Emptiness(missed=0.0, healthy_drawn="counted_as_contour_on_healthy", healthy_clear="healthy")
"""A miss is the worst score; a healthy image has nothing to find, and `contour_on_healthy` judges it."""

DRAWN_AND_THERE = Emptiness(missed="nothing_drawn", healthy_drawn="healthy", healthy_clear="healthy")
"""True positives alone, as CheXlocalize calls it: it hides misses and contours on healthy images."""

DRAWN_OR_THERE = Emptiness(missed=0.0, healthy_drawn=0.0, healthy_clear="healthy")
"""Whatever either side has: a contour on a healthy image is as bad as a miss."""

DISTANCE = Emptiness(
    missed=IMAGE_DIAGONAL, healthy_drawn="counted_as_contour_on_healthy", healthy_clear="healthy"
)
"""A miss is as far as can be: left out, it would reward a network that draws where it is sure alone."""

MAP = Emptiness(missed="no_map", healthy_drawn="healthy", healthy_clear="healthy")
"""A map misses nothing, since it says something of every pixel; but only contours may be known."""
