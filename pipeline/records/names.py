"""Names: values in the tables of a run that several stages write or read."""

from typing import Literal, TypeAlias

Standing: TypeAlias = Literal["better", "no_better", "worse", "unknown"]
"""Value of `verdict` and `standing`: the network compared with its strongest baseline."""
Conclusion: TypeAlias = Literal[
    "weights", "card", "masks", "labels", "not_used", "shortcut", "shown", "not_shown", "used", "too_few"
]
"""Value of `conclusion`: what is at fault, or whether the network needs the lesions and the map shows it."""
Question: TypeAlias = Literal["pointing", "contours", "absent", "other_map"]
"""Value of `question` in verdict.csv. Judged: pointing and fit of contours. Only reported: contours on
healthy images, other maps."""

Limit: TypeAlias = Literal["", "auroc_low", "auroc_turned", "auroc_uncertain", "same_place"]
"""Value of `because` in verdict.csv: why a standing says less than the comparison with baselines does.
auroc_low: the network hardly tells the finding; auroc_turned: it takes the one for the other;
auroc_uncertain: its AUROC is not shown to be above chance; same_place: a fixed map hits nearly always."""

Third: TypeAlias = Literal["small", "medium", "large"]
"""Value of `third` in lesion_sizes.csv: thirds of the lesions by area."""
AreaUnit: TypeAlias = Literal["mm2", "image_share"]
"""Value of `unit` in lesion_sizes.csv."""

PRODUCT = "Heatproof"
"""Manufacturer of all DICOM objects that exports make, by which they are told from others' objects."""
ALL_FINDINGS = "(all)"
"""Value of `finding` in rows about all findings together."""
CLASSIFIER = "classifier"
"""Value of `method` in rows about probabilities instead of maps."""
CONSENSUS_READERS = frozenset({"majority", "staple"})
"""Values of `reader` for a consensus of several readers, named after the consensus rule."""
ONE_PER_IMAGE = "one per image"
"""Value of `reader` in subgroups.csv where each image counts with one of several readers."""
LABELS_READER = "labels"
"""Value of `reader` in rows that compare with image-level labels instead of annotations."""
READER_START = "reader "
"""Prefix of `method` in rows that score a reader against another reader."""
FROC_RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""False positives per image at which FROC reports the sensitivity (Setio et al. 2017, LUNA16)."""
POINTING = ("hit", "box_hit", "point_hit")
"""Metrics of the map's peak; the first one that a finding has is used: for masks, boxes or points."""
OVERLAPS = ("iou", "box_iou")
"""Metrics of the contours; the first one that a finding has is used."""
LEVEL = 0.05
"""Significance level: from here down a p-value, corrected or not, counts as a difference."""
HEADLINES = ("hit", "iou", "box_hit", "box_iou", "point_hit")
"""Metrics by which methods, groups and runs are compared: pointing of the map, and fit of the contours."""
