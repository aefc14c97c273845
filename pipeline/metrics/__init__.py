"""Metrics: one drawing compared with one reference → scores. One file per family, one line per metric."""

from pipeline.contracts import Metric
from pipeline.registry import Registry

METRICS: Registry[Metric] = Registry(
    "metric",
    {
        "iou": "pipeline.metrics.overlap:IOU",
        "iou_true_positives": "pipeline.metrics.overlap:IOU_TRUE_POSITIVES",
        "iou_with_false_positives": "pipeline.metrics.overlap:IOU_WITH_FALSE_POSITIVES",
        "dice": "pipeline.metrics.overlap:DICE",
        "precision": "pipeline.metrics.overlap:PRECISION",
        "recall": "pipeline.metrics.overlap:RECALL",
        "boundary_iou": "pipeline.metrics.boundary:BOUNDARY_IOU",
        "surface_distance": "pipeline.metrics.surface:SURFACE_DISTANCE",
        "hd95": "pipeline.metrics.surface:HD95",
        "centroid_distance": "pipeline.metrics.centroid:CENTROID_DISTANCE",
        "lesion_iou": "pipeline.metrics.overlap:LESION_IOU",
        "lesion_dice": "pipeline.metrics.overlap:LESION_DICE",
        "panoptic_quality": "pipeline.metrics.panoptic:PANOPTIC_QUALITY",
        "hit": "pipeline.metrics.hit:HIT",
        "near_hit": "pipeline.metrics.hit:NEAR_HIT",
        "energy_inside": "pipeline.metrics.energy:ENERGY_INSIDE",
        "rank_accuracy": "pipeline.metrics.rank_accuracy:RANK_ACCURACY",
        "box_rank_accuracy": "pipeline.metrics.rank_accuracy:BOX_RANK_ACCURACY",
        "pixel_auprc": "pipeline.metrics.pixels:PIXEL_AUPRC",
        "pixel_auroc": "pipeline.metrics.pixels:PIXEL_AUROC",
        "best_iou": "pipeline.metrics.pixels:BEST_IOU",
        "box_iou": "pipeline.metrics.boxes:BOX_IOU",
        "iobb": "pipeline.metrics.boxes:IOBB",
        "box_hit": "pipeline.metrics.hit:BOX_HIT",
        "point_hit": "pipeline.metrics.hit:POINT_HIT",
        "contour_on_healthy": "pipeline.metrics.healthy:CONTOUR_ON_HEALTHY",
    },
    group="heatproof.metrics",
    wanted=Metric,
)

DEFAULT = (
    *("iou", "dice", "precision", "recall", "lesion_iou", "lesion_dice", "hit", "near_hit", "energy_inside"),
    *("box_iou", "iobb", "box_hit", "point_hit", "contour_on_healthy"),
)
"""Metrics scored if the config names none: those that need no further pass over the image."""
