"""Emptiness: what metrics that share a policy are worth where one side is empty."""

from pipeline.contracts import Emptiness

LOCALISATION = Emptiness(missed=0.0, healthy_drawn="counted_as_contour_on_healthy", healthy_clear="healthy")
"""A miss is the worst score; a healthy image has nothing to find, and `contour_on_healthy` judges it."""
