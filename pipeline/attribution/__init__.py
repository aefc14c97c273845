"""Attribution: activations and gradients → raw relevance. One file per method, registered here."""

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
        "cam": "pipeline.attribution.methods.cam:METHOD",
        "gradcam": "pipeline.attribution.methods.gradcam:METHOD",
        "gradcam++": "pipeline.attribution.methods.gradcampp:METHOD",
        "xgradcam": "pipeline.attribution.methods.xgradcam:METHOD",
        "hirescam": "pipeline.attribution.methods.hirescam:METHOD",
        "layercam": "pipeline.attribution.methods.layercam:METHOD",
        "eigencam": "pipeline.attribution.methods.eigencam:METHOD",
        "scorecam": "pipeline.attribution.methods.scorecam:METHOD",
        "ablationcam": "pipeline.attribution.methods.ablationcam:METHOD",
        "rollout": "pipeline.attribution.methods.rollout:METHOD",
        "chefer": "pipeline.attribution.methods.chefer:METHOD",
        "saliency": "pipeline.attribution.methods.saliency:METHOD",
        "input_x_gradient": "pipeline.attribution.methods.input_x_gradient:METHOD",
        "integrated_gradients": "pipeline.attribution.methods.integrated_gradients:METHOD",
        "guided_backprop": "pipeline.attribution.methods.guided_backprop:METHOD",
        "guided_gradcam": "pipeline.attribution.methods.guided_gradcam:METHOD",
        "lrp": "pipeline.attribution.methods.lrp:METHOD",
        "occlusion": "pipeline.attribution.methods.occlusion:METHOD",
        "rise": "pipeline.attribution.methods.rise:METHOD",
        "smoothgrad": "pipeline.attribution.methods.smoothgrad:METHOD",
        "layers": "pipeline.attribution.methods.layers:METHOD",
        "findings": "pipeline.attribution.methods.findings:METHOD",
        "flips": "pipeline.attribution.methods.flips:METHOD",
    },
    group="heatproof.attribution",
    wanted=AttributionMethod,
)
BACKENDS: Registry[Callable[..., Explainer]] = Registry(
    "backend",
    {
        "openvino": "pipeline.attribution.openvino:compiled",
        "compile": "pipeline.attribution.torch_compiled:compiled",
    },
    group="heatproof.backends",
    wanted=Callable,  # type: ignore[arg-type]  # an abstract class
)
"""backend(explainer, *, example, precision): the same explainer, run by another library or compiled.

`example` is a batch of the size that the run's batches have.

That of OpenVINO takes `kept_at`, too, where it keeps the converted network.
"""
