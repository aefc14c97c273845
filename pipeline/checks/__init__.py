"""Checks: self-checks of the loaded model and its explanations. One file per check, registered here."""

from collections.abc import Callable

from pipeline.contracts import Check
from pipeline.registry import Registry

CHECKS: Registry[Check] = Registry(
    "self-check",
    {
        "findings": "pipeline.checks.findings:findings_line_up",
        "gradients": "pipeline.checks.gradients:gradients_equal_autograd",
        "batch": "pipeline.checks.batch:batch_equals_one_by_one",
        "cells": "pipeline.checks.cells:cells_lie_where_computed",
        "corner": "pipeline.checks.corner:corner_lights_corner",
    },
    group="heatproof.checks",
    wanted=Callable,  # type: ignore[arg-type]  # an abstract class
)
