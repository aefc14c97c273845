"""Metrics: regions against a reference → scores; scores → summaries with intervals."""

from pipeline.contracts import Metric
from pipeline.registry import Registry

METRICS: Registry[Metric] = Registry(
    "metric",
    {
        "iou": "pipeline.metrics.overlap:IOU",
        "dice": "pipeline.metrics.overlap:DICE",
        "lesion_iou": "pipeline.metrics.overlap:LESION_IOU",
        "lesion_dice": "pipeline.metrics.overlap:LESION_DICE",
        "box_iou": "pipeline.metrics.boxes:BOX_IOU",
        "hit": "pipeline.metrics.hit:HIT",
        "box_hit": "pipeline.metrics.hit:BOX_HIT",
        "contour_on_healthy": "pipeline.metrics.healthy:CONTOUR_ON_HEALTHY",
    },
)
