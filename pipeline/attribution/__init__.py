"""Attribution: activations and gradients → raw relevance. One file a method, one line here."""

from pipeline.contracts import AttributionMethod
from pipeline.registry import Registry

METHODS: Registry[AttributionMethod] = Registry(
    "attribution method",
    {
        "cam": "pipeline.attribution.cam:cam",
        "gradcam": "pipeline.attribution.gradcam:gradcam",
    },
)
