"""Arguments: what the command line understands."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path

from pipeline import __version__

OPTIONS = {
    "studies": ("studies", "folder with the DICOM files, of any depth"),
    "annotations": ("annotations.path", "folder or file with the radiologists' annotations"),
    "heatmaps": ("heatmaps.path", "folder with maps that were computed elsewhere"),
    "model": ("model", "model card (YAML)"),
    "weights": ("weights", "weights file, in place of the card's"),
    "out": ("out", "folder for the run's folder (default: reports)"),
}
"""Option → (config key, help)."""


def parser_of() -> ArgumentParser:
    """The parser of every command."""
    parser = ArgumentParser(
        prog="heatproof", description="Does a classifier look where the radiologist looks?"
    )
    parser.add_argument("--version", action="version", version=f"heatproof {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    audit = commands.add_parser(
        "audit",
        help="score a model's heatmaps against annotations and write a report",
        description="Audit a study set. Without arguments: the built-in phantoms and reference model.",
    )
    _add_options(audit, [name for name in OPTIONS if name != "heatmaps"])
    _add_masking(audit)
    score = commands.add_parser(
        "score",
        help="score maps that were computed elsewhere, without a network",
        description="Score maps in NIfTI, .npy, .npz, PNG or DICOM Parametric Map, or contours in DICOM SEG.",
    )
    _add_options(score, [name for name in OPTIONS if name not in {"model", "weights"}])
    _add_masking(score)
    tune = commands.add_parser(
        "tune",
        help="choose threshold rule, threshold and gate of each finding on a tuning split",
        description="Tune on the images that tuning.where names, and write a config to --out, a file.",
    )
    _add_options(tune, [name for name in OPTIONS if name != "heatmaps"])
    validate = commands.add_parser(
        "validate",
        help="check the annotations themselves and write a page and a table of problems",
        description="Validate annotations. With --model, names of findings are held against its card's.",
    )
    _add_options(validate, [name for name in OPTIONS if name != "heatmaps"])
    _add_compare(
        commands.add_parser(
            "compare",
            help="compare two finished runs on the same images",
            description="Compare two finished runs: paired differences, the first less the second.",
        )
    )
    _add_review(
        commands.add_parser(
            "review",
            help="merge what reviewers decided on a run's contours and missed lesions",
            description="Merge decisions that were exported from a run's report: agreement of the reviewers, "
            "disputed cases, and scores without annotations that are called wrong.",
        )
    )
    _add_report(
        commands.add_parser(
            "report",
            help="write a finished run's report again, also as one file to send on",
            description="Write a finished run's report again.",
        )
    )
    return parser


def _add_masking(command: ArgumentParser) -> None:
    command.add_argument(
        "--mask-burned-in",
        action="store_true",
        help="blank what may be text in a picture before the network and the report see it",
    )


def _add_compare(compare: ArgumentParser) -> None:
    compare.add_argument("runs", type=Path, nargs=2, metavar="RUN", help="folder of a finished run")
    compare.add_argument(
        "--methods",
        nargs=2,
        default=(None, None),
        metavar="METHOD",
        help="what is compared in the first and in the second run (default: the first of the network's)",
    )
    compare.add_argument(
        "--intersect", action="store_true", help="compare the images of both where the runs have others, too"
    )
    compare.add_argument("--out", type=Path, default=Path("reports"), help=OPTIONS["out"][1])


def _add_review(review: ArgumentParser) -> None:
    review.add_argument("run", type=Path, metavar="RUN", help="folder of a finished run")
    review.add_argument("decisions", type=Path, nargs="+", help="exported files, one a reviewer")


def _add_report(report: ArgumentParser) -> None:
    report.add_argument("run", type=Path, metavar="RUN", help="folder of a finished run")
    report.add_argument(
        "--single-file",
        type=Path,
        metavar="OUT.html",
        help="also write the overview and some cases as one HTML file",
    )
    report.add_argument(
        "--cases",
        metavar="N|ID,…",
        help="with --single-file: how many cases, the worst first, or which (default: those of the overview)",
    )


def _add_options(command: ArgumentParser, names: Iterable[str]) -> None:
    for name in names:
        command.add_argument(f"--{name}", help=OPTIONS[name][1])
    command.add_argument("--config", type=Path, help="config (YAML); configs/audit.yaml explains every key")
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override a config key, for example --set contours.threshold=0.5; may be repeated",
    )
