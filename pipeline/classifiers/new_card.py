"""New card: weights, or an ONNX file → a model card of what they say, with questions for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from os.path import relpath
from pathlib import Path
from typing import Final

from pipeline.classifiers.card import QUESTION
from pipeline.classifiers.card_text import ACTIVATION, INTENSITY, SIZE, Known, Line, card_text, quoted
from pipeline.classifiers.classifier import DAMAGED_ONNX
from pipeline.classifiers.onnx.describing import Described, describe
from pipeline.classifiers.recognition.candidates import written
from pipeline.classifiers.recognition.fitting import tensors_of
from pipeline.classifiers.recognition.recognising import Recognised, recognise
from pipeline.classifiers.weight_formats import is_onnx
from pipeline.classifiers.weights import check_fit, load_content, read_bytes
from pipeline.guards.inside_folder import is_inside
from pipeline.guards.reading import about, guarded, named
from pipeline.records import Notice

UNSAID: Final = "The file does not say pooling and epsilon either"
UNSAID_OF_RESNETS: Final = (
    "The file does not say stride and pool of the first convolution, or epsilon, either"
)
MOST_NAMED: Final = 4
"""Other networks that a comment names; the notice names more."""


def new_card(file: Path, *, out: Path) -> tuple[str, tuple[Notice, ...]]:
    """The text of a model card in the file `out` for weights or an ONNX file, and what was guessed.

    Its questions are answered by hand; `load_card` refuses the card until then. Raises ConfigError if the
    file has no network that a card can name; of a state dict it says which is nearest and what differs.
    """
    content = read_bytes(file)
    digest = sha256(content).hexdigest()
    if is_onnx(content, file):
        with named(file), about("the ONNX file"), guarded("damaged", DAMAGED_ONNX):
            described = describe(content)
        return card_text(_of_onnx(described, file, out, digest)), described.notices
    found = recognise(load_content(content, file, allow_pickle=True), file)
    fit = found.fit
    wanted = tensors_of(fit.candidate, channels=fit.channels, outputs=fit.outputs)
    check_fit(fit.checkpoint.tensors, wanted, file, size=len(content))
    notices = (*fit.checkpoint.notices, *_notices(found))
    return card_text(_of_weights(found, file, out, digest)), notices


def _of_weights(found: Recognised, file: Path, out: Path, digest: str) -> Known:
    fit, checkpoint = found.fit, found.fit.checkpoint
    sizes = {"spatial_dims": 2, "in_channels": fit.channels, "out_channels": fit.outputs}
    stated = {**sizes, **fit.candidate.arguments}
    arguments = ", ".join(f"{key}: {written(value)}" for key, value in stated.items())
    asked = [key for key, value in stated.items() if value == QUESTION]
    points = ", ".join(f"{point:g}" for point in checkpoint.operating_points)
    is_resnet = fit.candidate.class_name.startswith("ResNet")
    return Known(
        name=file.stem,
        architecture=[
            (f"  class: {fit.candidate.class_name}", _guess(found)),
            (f"  arguments: {{{arguments}}}", f"{', '.join(asked)}: true or false" if asked else ""),
        ],
        outputs=fit.outputs,
        channels=fit.channels,
        head=checkpoint.head,
        thresholds=[(f"# op_threshs of torchxrayvision in the file, which `file` takes over: {points}", "")]
        if points
        else [],
        file=[_place("weights", file, out), (f"sha256: {digest}", "")],
        unsaid=UNSAID_OF_RESNETS if is_resnet else UNSAID,
    )


def _of_onnx(described: Described, file: Path, out: Path, digest: str) -> Known:
    layout = "channels last (NHWC)" if described.channels_last else "channels first (NCHW)"
    sides = " x ".join("any" if side is None else str(side) for side in described.sides)
    key, comment = _place("onnx", file, out)
    ends = (described.activation, f"the graph ends in {described.end}; maps are of the logits before it")
    scaled = f"the graph computes {', '.join(described.before)} first: if these scale intensities, none"
    return Known(
        name=file.stem,
        architecture=[(f"  {key}", comment or f"{described.channels} x {sides} px, {layout}")],
        outputs=described.outputs,
        channels=described.channels,
        head=described.output,
        activation=ends if described.activation else ACTIVATION,
        size=SIZE if None in described.sides else (str(list(described.sides)), "the input of the graph"),
        intensity=scaled if described.before else INTENSITY,
        file=[(f"sha256: {digest}", "")],
        unsaid="The file does not say how images were prepared",
    )


def _guess(found: Recognised) -> str:
    """Whether the class is the only one with these tensors."""
    others = [one.words for one in found.alternatives]
    more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
    if others:
        return f"a guess: the same tensors fit {'; '.join(others[:MOST_NAMED])}{more}"
    return f"names and shapes of its {found.fit.wanted} tensors are those of the file"


def _notices(found: Recognised) -> Iterator[Notice]:
    """That other networks have the same tensors."""
    if found.alternatives:
        names = (found.fit.candidate.words, "; ".join(one.words for one in found.alternatives))
        message = (
            "The weights were taken for those of {0}. The same tensors also fit what may compute something "
            "else: {1}. If it is that, correct class and arguments in the card."
        )
        yield Notice("guess", "architecture.class", message, names)


def _place(key: str, file: Path, out: Path) -> Line:
    """The card's line on the file, which names it only in the card's folder or below."""
    if is_inside(file, out.parent):
        return f"{key}: {quoted(relpath(file.absolute(), out.absolute().parent))}", ""
    return f"# {key}:", f"copy {quoted(file.name)} beside the card and name it, or give it with --weights"
