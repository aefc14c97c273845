"""Names: what the tables of a run call things that more than one stage writes or reads."""

ALL_FINDINGS = "(all)"
"""The finding of rows over all findings together."""
CLASSIFIER = "classifier"
"""The method of rows about the probabilities, not about maps."""
READER_START = "reader "
"""How the method of a reader who is held against another one begins."""
FROC_RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""False positives an image at which FROC gives the sensitivity (Setio et al. 2017, LUNA16)."""
POINTING = ("hit", "box_hit")
"""Metrics of the map's peak; where there are masks, masks before boxes."""
OVERLAPS = ("iou", "box_iou")
"""Metrics of the contours, likewise."""
HEADLINES = ("hit", "iou", "box_hit", "box_iou")
"""What methods, groups and runs are compared by: where the map points, and how well contours fit."""
