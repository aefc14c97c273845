"""Config: YAML → frozen pydantic models. Every key is commented once, in configs/audit.yaml."""

from pipeline.config.audit_config import AuditConfig, load_config, parse_override
from pipeline.config.decoding import Decoding
from pipeline.config.exports import Exports
from pipeline.config.policy import Policy
from pipeline.config.report import Report
from pipeline.config.review import Review
from pipeline.config.sections import (
    DEFAULT_BASELINES,
    TORCH,
    Annotations,
    BackendDrift,
    BurnedInText,
    Columns,
    Contours,
    Heatmaps,
    Labels,
    Lesions,
    OtherImages,
    OwnRule,
    Readers,
    Select,
    Splits,
    Statistics,
    Studies,
    StudyTable,
    Subgroups,
    SurfaceDistance,
    Table,
    Tolerances,
    Tuned,
    Tuning,
    Validation,
)
from pipeline.config.workers import Limits, Workers

__all__ = [
    "DEFAULT_BASELINES",
    "TORCH",
    "Annotations",
    "AuditConfig",
    "BackendDrift",
    "BurnedInText",
    "Columns",
    "Contours",
    "Decoding",
    "Exports",
    "Heatmaps",
    "Labels",
    "Lesions",
    "Limits",
    "OtherImages",
    "OwnRule",
    "Policy",
    "Readers",
    "Report",
    "Review",
    "Select",
    "Splits",
    "Statistics",
    "Studies",
    "StudyTable",
    "Subgroups",
    "SurfaceDistance",
    "Table",
    "Tolerances",
    "Tuned",
    "Tuning",
    "Validation",
    "Workers",
    "load_config",
    "parse_override",
]
