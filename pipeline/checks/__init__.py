"""Checks: can an explanation of the loaded model be trusted? One file a check, one line here."""

from pipeline.contracts import Check
from pipeline.registry import Registry

CHECKS: Registry[Check] = Registry(
    "self-check",
    {
        "findings": "pipeline.checks.findings:findings_line_up",
        "gradients": "pipeline.checks.gradients:gradients_equal_autograd",
        "batch": "pipeline.checks.batch:batch_equals_one_by_one",
        "corner": "pipeline.checks.corner:corner_lights_corner",
    },
)
