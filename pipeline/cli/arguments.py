"""Arguments: the options of every command."""

from __future__ import annotations

from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterable
from pathlib import Path

from pipeline import __version__
from pipeline.cli.card import add_card
from pipeline.cli.convert import add_convert
from pipeline.cli.dossier import add_dossier
from pipeline.cli.export import add_export
from pipeline.cli.figure import add_figure
from pipeline.cli.filing import add_filing
from pipeline.cli.receive import add_receive
from pipeline.cli.view import add_view

OPTIONS = {
    "studies": (
        "studies",
        "folder with the images (DICOM, PNG, JPEG, TIFF, NIfTI and others), searched at any depth",
    ),
    "annotations": ("annotations.path", "folder or file with the radiologists' annotations"),
    "heatmaps": ("heatmaps.path", "folder with maps that were computed elsewhere"),
    "model": ("model", "model card (YAML)"),
    "weights": ("weights", "weights file that replaces the one in the model card"),
    "out": ("out", "folder in which the run makes its own folder (default: reports)"),
    "operator": ("operator", "who runs this, for the provenance; shown in the report"),
}
"""Option → (config key, help text)."""


def parser_of() -> ArgumentParser:
    """The parser with all commands."""
    parser = ArgumentParser(
        prog="heatproof",
        description="Check whether a medical-image classifier looks where radiologists look.",
    )
    parser.add_argument("--version", action="version", version=f"heatproof {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    _add_run_commands(commands)
    _add_commands_on_runs(commands)
    _add_commands_on_weights(commands)
    return parser


def _add_commands_on_runs(commands: _SubParsersAction[ArgumentParser]) -> None:
    """compare, review, report, figure and dossier: the commands that read finished runs."""
    _add_compare(
        commands.add_parser(
            "compare",
            help="compare two finished runs on the same images",
            description="Compare two finished runs: paired differences on the same images, first minus "
            "second.",
        )
    )
    _add_review(
        commands.add_parser(
            "review",
            help="merge reviewers' decisions on a run's contours and missed lesions",
            description="Merge the decisions that reviewers exported from a run's report: agreement of the "
            "reviewers, disputed cases, and scores without the annotations that reviewers call wrong.",
        )
    )
    _add_report(
        commands.add_parser(
            "report",
            help="write a finished run's report again, optionally as one file to share",
            description="Write a finished run's report again, optionally as one HTML file to share.",
        )
    )
    add_figure(
        commands.add_parser(
            "figure",
            help="write cases of a finished run as a figure: image, reference and maps side by side",
            description="Write cases of a finished run as a figure (SVG, PNG or PDF): image, reference and "
            "maps side by side, with contours, scales and a caption that names model, method and run.",
        )
    )
    add_dossier(
        commands.add_parser(
            "dossier",
            help="fill the forms of regulators and journals from a finished run",
            description="Fill forms from a finished run: CHAI Applied Model Card, Model Card, CLAIM 2024, "
            "TRIPOD+AI, FDA (draft of January 2025) and EU AI Act Annex IV. Each answer names its file and "
            "row; what nothing answers is open, by name.",
        )
    )
    add_export(
        commands.add_parser(
            "export",
            help="write a finished run's results as DICOM objects of the patients' studies",
            description="Write a finished run's results as DICOM objects of the patients' own studies, for a "
            "PACS and its viewers.",
        )
    )
    add_view(
        commands.add_parser(
            "view",
            help="show a finished run's images and results in Orthanc and OHIF on this machine",
            description="Show a finished run's images and exported results in Orthanc and OHIF, which have "
            "to be installed. Only this machine can reach them.",
        )
    )
    add_filing(commands)


def _add_commands_on_weights(commands: _SubParsersAction[ArgumentParser]) -> None:
    """Card and convert: the commands that prepare an audit."""
    add_card(
        commands.add_parser(
            "card",
            help="write a model card for a weights file, or check one on an example",
            description="Write a model card for a weights file, or check one on an example.",
        )
    )
    add_convert(
        commands.add_parser(
            "convert",
            help="write the tensors of a weights file as safetensors",
            description="Write the tensors of a weights file (.pth, .ckpt, .bin, a whole pickled network) as "
            "safetensors. Nothing in the file is run.",
        )
    )


def _add_run_commands(commands: _SubParsersAction[ArgumentParser]) -> None:
    """audit, score, tune and validate, which read a study set, and receive, which takes one."""
    audit = commands.add_parser(
        "audit",
        help="score a model's heatmaps against annotations and write a report",
        description="Audit a model on a study set. Without arguments, the built-in reference model is "
        "audited on the built-in phantoms.",
    )
    _add_options(audit, [name for name in OPTIONS if name != "heatmaps"])
    _add_masking(audit)
    _add_explaining(audit)
    score = commands.add_parser(
        "score",
        help="score maps that were computed elsewhere, without a model",
        description="Score maps from NIfTI, .npy, .npz, PNG or DICOM Parametric Map files, or contours from "
        "DICOM SEG files.",
    )
    _add_options(score, [name for name in OPTIONS if name not in {"model", "weights"}])
    _add_masking(score)
    _add_explaining(score)
    tune = commands.add_parser(
        "tune",
        help="choose threshold rule, threshold and gate for each finding on a tuning split",
        description="Choose threshold rule, threshold and gate for each finding on the images that "
        "tuning.where selects, and write them as a config. Here --out is the name of that file.",
    )
    _add_options(tune, [name for name in OPTIONS if name not in {"heatmaps", "operator"}])
    validate = commands.add_parser(
        "validate",
        help="check the annotations and write a page and a table of problems",
        description="Check the annotations. With --model, their finding names are compared with those of "
        "the model card.",
    )
    _add_options(validate, [name for name in OPTIONS if name not in {"heatmaps", "operator"}])
    _add_explaining(validate)
    add_receive(
        commands.add_parser(
            "receive",
            help="take studies that an archive sends (DIMSE C-STORE) into a folder",
            description="Take studies that an archive sends (DIMSE C-STORE) into a folder. Files are named "
            "by their content; images and other objects lie apart.",
        )
    )


def _add_masking(command: ArgumentParser) -> None:
    command.add_argument(
        "--mask-burned-in",
        action="store_true",
        help="blank possible text in the pixels before the model and the report use the image",
    )


def _add_explaining(command: ArgumentParser) -> None:
    command.add_argument(
        "--explain-inputs",
        action="store_true",
        help="only print how files, columns, words and names are read, with three examples",
    )


def _add_compare(compare: ArgumentParser) -> None:
    compare.add_argument("runs", type=Path, nargs=2, metavar="RUN", help="folder of a finished run")
    compare.add_argument(
        "--methods",
        nargs=2,
        default=(None, None),
        metavar="METHOD",
        help="method of the first and of the second run (default: the first attribution method of each)",
    )
    compare.add_argument(
        "--intersect", action="store_true", help="if the runs have different images, compare only common ones"
    )
    compare.add_argument("--out", type=Path, default=Path("reports"), help=OPTIONS["out"][1])


def _add_review(review: ArgumentParser) -> None:
    review.add_argument("run", type=Path, metavar="RUN", help="folder of a finished run")
    review.add_argument("decisions", type=Path, nargs="+", help="exported decisions, one file per reviewer")
    review.add_argument(
        "--as-annotations",
        type=Path,
        metavar="FOLDER",
        help="also write annotations: what reviewers marked blind, and of a run without annotations the "
        "contours called right",
    )
    review.add_argument(
        "--annotation-format",
        metavar="FORMAT",
        default="rle_json",
        help="format of the masks of --as-annotations: rle_json (default), coco, png or dicom_seg; boxes and "
        "points are written as CSV",
    )
    review.add_argument(
        "--studies",
        type=Path,
        metavar="FOLDER",
        help="folder that was audited, which dicom_seg refers to; its files hold patients' identifiers",
    )


def _add_report(report: ArgumentParser) -> None:
    report.add_argument("run", type=Path, metavar="RUN", help="folder of a finished run")
    report.add_argument(
        "--single-file",
        type=Path,
        metavar="OUT.html",
        help="also write one HTML file with the overview and some cases",
    )
    report.add_argument(
        "--cases",
        metavar="N|ID,…",
        help="with --single-file: number of cases, worst first, or case ids separated by commas (default: "
        "the worst and best cases of the overview)",
    )
    report.add_argument(
        "--pdf",
        type=Path,
        metavar="OUT.pdf",
        help="also print the overview as a PDF, by an installed Chromium without network access",
    )


def _add_options(command: ArgumentParser, names: Iterable[str]) -> None:
    for name in names:
        command.add_argument(f"--{name}", help=OPTIONS[name][1])
    command.add_argument("--config", type=Path, help="config (YAML); configs/audit.yaml describes every key")
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override a config key, for example --set contours.threshold=0.5; may be repeated",
    )
