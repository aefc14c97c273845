"""Explaining: cost of the maps of all findings, compared with libraries that do one at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import cycle

import numpy as np
import torch
from captum.attr import LayerGradCam
from monai.networks.nets import DenseNet121
from monai.visualize import GradCAM
from numpy.typing import NDArray
from rich.table import Column, Table
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from pipeline.attribution.explainer import Explainer, open_explainer
from tests.bench.drifting import drifts
from tests.bench.promises import Promises
from tests.bench.timing import interleaved

FINDINGS = 18
GRID = 224
LAYER = "class_layers.relu"
"""Name of the layer "last" of MONAI's DenseNet in the other libraries."""
SAME = 1e-4
"""Tolerance relative to the largest value: the compared libraries must give the same map."""
MATRIX = 2048
"""Rows and columns of the matrices whose product measures the machine's speed of multiplication."""
FORWARD, OURS = "forward alone", "gradcam"
CAPTUM, MONAI, MONAI_WHOLE = "Captum LayerGradCam", "MONAI GradCAM, map alone", "MONAI GradCAM"
OTHERS = (CAPTUM, MONAI, MONAI_WHOLE)
"""Called once per finding; by default MONAI's also upsamples and normalises the map."""
MOST_MAPS = 1.10
"""Promised ratio of a forward with maps to one without."""
LEAST = {CAPTUM: 15.0, MONAI_WHOLE: 45.0}
"""How many times as long another library takes for 18 findings, at least: it runs the network for each."""
DEEPER = ("layercam@stride16", "gradcam++@stride16")
OPENVINO = {"float32": 1.0, "bfloat16": 2.0}
"""How many times as fast as torch OpenVINO is, at least."""
Call = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Setting:
    """The network and the batch of all measurements."""

    network: nn.Module
    inputs: Tensor

    def milliseconds(self, seconds: float) -> float:
        """Milliseconds per image."""
        return 1000 * seconds / len(self.inputs)


def explaining(*, batch: int, device: str, promises: Promises) -> Table:
    """Milliseconds per image, and the promised ratios."""
    setting = _setting(batch, device)
    ours = {method: _explainer(setting, method) for method in ("gradcam", *DEEPER)}
    compiled = _compiled(ours["gradcam"], setting)
    matrices = {dtype: _product(dtype, device) for dtype in (torch.float32, torch.bfloat16)}
    calls: dict[str, Call] = {
        FORWARD: lambda: _forward(setting),
        OURS: partial(ours["gradcam"].explain, setting.inputs),
        **{method: partial(ours[method].explain, setting.inputs) for method in DEEPER},
        **{_row(precision): partial(model.explain, setting.inputs) for precision, model in compiled.items()},
        **_others(setting, ours["gradcam"]),
        **{str(dtype): call for dtype, call in matrices.items()},
    }
    # One finding a round: each call of the other libraries is timed, and all findings are called once.
    medians = interleaved([_finished(call, device) for call in calls.values()], rounds=FINDINGS)
    seconds = dict(zip(calls, medians, strict=True))
    rates = {dtype: 2 * MATRIX**3 / seconds.pop(str(dtype)) for dtype in matrices}
    for name in OTHERS:
        seconds[name] *= FINDINGS
    heads = (f"maps of {FINDINGS} findings", "ms an image", "ratio", "wanted")
    table = Table(*(Column(head, no_wrap=True) for head in heads), box=None, pad_edge=False)
    table.title = f"DenseNet-121 at {GRID}², batches of {batch}, float32, channels last, {device}"
    for name, took in seconds.items():
        table.add_row(
            name, f"{setting.milliseconds(took):.1f}", _ratio(name, seconds), _wanted(name, seconds, promises)
        )
    notes = [_floor(setting, seconds[FORWARD], rates), *drifts(ours["gradcam"], compiled, setting.inputs)]
    table.caption = "\n".join(notes)
    return table


def _setting(batch: int, device: str) -> Setting:
    torch.manual_seed(0)
    network = DenseNet121(spatial_dims=2, in_channels=1, out_channels=FINDINGS).eval().requires_grad_(False)
    inputs = torch.randn(batch, 1, GRID, GRID)
    layout = torch.channels_last
    return Setting(network.to(device, memory_format=layout), inputs.to(device, memory_format=layout))


def _explainer(setting: Setting, method: str) -> Explainer:
    return open_explainer(setting.network, methods=[method], example=setting.inputs[:2])


def _forward(setting: Setting) -> None:
    with torch.inference_mode():
        setting.network(setting.inputs).cpu()


def _compiled(explainer: Explainer, setting: Setting) -> Mapping[str, Explainer]:
    """Compiled networks by precision; empty without OpenVINO or if the network is not on the CPU."""
    if setting.inputs.device.type != "cpu" or find_spec("openvino") is None:
        return {}
    from pipeline.attribution.openvino import compiled, openvino  # noqa: PLC0415  # an optional extra

    native = "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    precisions = ("float32", "bfloat16") if native else ("float32",)
    return {p: compiled(explainer, example=setting.inputs, precision=p) for p in precisions}


def _others(setting: Setting, explainer: Explainer) -> dict[str, Call]:
    """The other libraries on the whole batch; every call explains the next finding.

    Each has its own copy of the network, with weights that require gradients, as these libraries expect.
    """
    networks = [deepcopy(setting.network).requires_grad_() for _ in range(2)]
    captum = LayerGradCam(networks[0], networks[0].get_submodule(LAYER))
    raw = GradCAM(networks[1], LAYER, upsampler=lambda _size: _unchanged, postprocessing=_unchanged)
    whole = GradCAM(raw.nn_module, LAYER)
    expected = explainer.explain(setting.inputs).maps["gradcam"][:, :1]
    _same(captum.attribute(setting.inputs, target=0), expected)
    _same(raw(setting.inputs, class_idx=0), expected, positive=True)
    numbers = [cycle(range(FINDINGS)) for _ in range(3)]
    return {
        CAPTUM: lambda: captum.attribute(setting.inputs, target=next(numbers[0])).detach().cpu(),
        MONAI: lambda: raw(setting.inputs, class_idx=next(numbers[1])).detach().cpu(),
        MONAI_WHOLE: lambda: whole(setting.inputs, class_idx=next(numbers[2])).detach().cpu(),
    }


def _unchanged(relevance: Tensor) -> Tensor:
    return relevance


def _same(theirs: Tensor, ours: NDArray[np.float32], *, positive: bool = False) -> None:
    """Raise if the maps differ; ours sums the gradient, the other libraries average it."""
    wanted = ours.clip(0) if positive else ours
    summed = ours[0, 0].size * theirs.detach().cpu().numpy()
    assert np.abs(summed - wanted).max() < SAME * np.abs(ours).max()


def _product(dtype: torch.dtype, device: str) -> Call:
    """The product of two square matrices, with the precision of convolutions on the device."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32
    matrix = torch.randn(MATRIX, MATRIX).to(device, dtype)
    return lambda: matrix @ matrix


def _finished(call: Call, device: str) -> Call:
    """The call, which returns once the device has finished."""
    if not device.startswith("cuda"):
        return call

    def done() -> None:
        call()
        torch.cuda.synchronize()

    return done


def _row(precision: str) -> str:
    return f"gradcam by OpenVINO, {precision}"


def _ratio(name: str, seconds: Mapping[str, float]) -> str:
    if name in OTHERS:
        compiled = seconds.get(_row("float32"))
        beside = f" ({seconds[name] / compiled:.1f} × by OpenVINO)" if compiled else ""
        return f"{seconds[name] / seconds[OURS]:.1f} × gradcam{beside}"
    if name in map(_row, OPENVINO):
        return f"{seconds[OURS] / seconds[name]:.2f} × as fast as by torch"
    return "" if name == FORWARD else f"{seconds[name] / seconds[FORWARD]:.2f} × forward"


def _wanted(name: str, seconds: Mapping[str, float], promises: Promises) -> str:
    if name == OURS:
        return promises.at_most(name, seconds[name] / seconds[FORWARD], MOST_MAPS)
    if name in LEAST:
        return promises.at_least(name, seconds[name] / seconds[OURS], LEAST[name])
    for precision, times in OPENVINO.items():
        if name == _row(precision):
            return promises.at_least(name, seconds[OURS] / seconds[name], times)
    return ""


def _floor(setting: Setting, forward: float, rates: Mapping[torch.dtype, float]) -> str:
    """Time of the multiplications alone."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        setting.network(setting.inputs[:1])
    operations, rate = counter.get_total_flops(), rates[torch.float32]
    floor = 1000 * operations / rate
    return (
        f"floor: {operations / 1e9:.2f} GFLOP an image / {rate / 1e9:.0f} GFLOP/s (float32 matrix product) = "
        f"{floor:.1f} ms; the forward takes {setting.milliseconds(forward) / floor:.2f} × that; "
        f"the matrix product in bfloat16 is {rates[torch.bfloat16] / rate:.2f} × as fast"
    )
