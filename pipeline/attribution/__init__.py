"""Attribution: activations and gradients → raw relevance. One file a method, one line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline.contracts import AttributionMethod
from pipeline.registry import Registry

if TYPE_CHECKING:
    from pipeline.attribution.explainer import Explainer

METHODS: Registry[AttributionMethod] = Registry(
    "attribution method",
    {
        "cam": "pipeline.attribution.cam:METHOD",
        "gradcam": "pipeline.attribution.gradcam:METHOD",
        "gradcam++": "pipeline.attribution.gradcampp:METHOD",
        "xgradcam": "pipeline.attribution.xgradcam:METHOD",
        "hirescam": "pipeline.attribution.hirescam:METHOD",
        "layercam": "pipeline.attribution.layercam:METHOD",
        "eigencam": "pipeline.attribution.eigencam:METHOD",
        "scorecam": "pipeline.attribution.scorecam:METHOD",
        "ablationcam": "pipeline.attribution.ablationcam:METHOD",
        "saliency": "pipeline.attribution.saliency:METHOD",
        "input_x_gradient": "pipeline.attribution.input_x_gradient:METHOD",
        "integrated_gradients": "pipeline.attribution.integrated_gradients:METHOD",
        "guided_backprop": "pipeline.attribution.guided_backprop:METHOD",
        "guided_gradcam": "pipeline.attribution.guided_gradcam:METHOD",
        "lrp": "pipeline.attribution.lrp:METHOD",
        "occlusion": "pipeline.attribution.occlusion:METHOD",
        "rise": "pipeline.attribution.rise:METHOD",
        "smoothgrad": "pipeline.attribution.smoothgrad:METHOD",
        "layers": "pipeline.attribution.fusion:METHOD",
        "findings": "pipeline.attribution.findings:METHOD",
        "flips": "pipeline.attribution.flips:METHOD",
    },
)
BACKENDS: Registry[Callable[..., Explainer]] = Registry(
    "backend", {"openvino": "pipeline.attribution.openvino:compiled"}
)
"""backend(explainer, *, example, precision): the same explainer, run by something else than torch."""
