"""Device: the kind of processor that the network runs on, and the threads that it uses."""

from __future__ import annotations

from typing import Any

import torch

from pipeline.audited_model.loading import AuditedModel


def device_facts(model: AuditedModel) -> dict[str, Any]:
    """Name of the accelerator, None on a processor, and the threads of torch."""
    device = torch.device(model.classifier.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else None
    other = None if device.type == "cpu" else device.type
    return {"accelerator": name or other, "threads": torch.get_num_threads()}
