"""Questions about the inside of the network: what its features hold, how images differ from training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.dossier.answers import Answer, Question, of_row
from pipeline.dossier.material import Material
from pipeline.dossier.numbers import BOUNDS, plain_interval, value_in
from pipeline.reporting import words
from pipeline.reporting.readouts import label_title
from pipeline.run_files.tables import read_rows

LABEL = ("kind", "name", "group")
LAYERS = "normalisation.csv"


def _attributes(material: Material) -> Iterator[Answer]:
    """Attributes in readouts.csv, and the label without meaning beside them; none without attributes."""
    rows = [row for row in material.run.table("readouts") if row["kind"] != "finding"]
    for row in rows if any(row["kind"] == "attribute" for row in rows) else ():
        number = f"no AUROC, because of {row['because']}" if row["because"] else _read(row)
        yield Answer(
            f"{label_title(row)}: {number}.",
            of_row("readouts.csv", row, LABEL, "auroc", "low", "high", "n", "patients", "positives"),
        )


def _read(row: Mapping[str, str]) -> str:
    return (
        "a linear function of the network’s last features tells it from the other images with an AUROC of "
        f"{plain_interval(row, ('auroc', 'low', 'high'))}, n {words.plural(int(row['n']), 'image')} "
        f"({int(row['positives']):,} of this value), {words.plural(int(row['patients']), 'patient')}"
    )


def _attribute_maps(material: Material) -> Iterator[Answer]:
    for row in material.run.table("attribute_maps"):
        label = label_title(row)
        number = row["because"] or (
            f"rank correlation {plain_interval(row)} (1: the same order of cells), n "
            f"{words.plural(int(row['n']), 'image')} with the finding, "
            f"{words.plural(int(row['patients']), 'patient')}"
        )
        yield Answer(
            f"{row['finding']}: its map compared with that of “{label}”: {number}.",
            of_row("attribute_maps.csv", row, ("finding", *LABEL), *BOUNDS, "n", "patients"),
            value_in(row, f"Likeness of maps, {row['finding']} and {label}", material),
        )


def _shift(material: Material) -> Iterator[Answer]:
    """The first layer, and those that differ most, of the card as it is."""
    path = material.run.path / LAYERS
    rows = [row for row in read_rows(path) if not row["variant"]] if path.exists() else []
    if not rows:
        return
    chosen = {
        "the first": rows[0],
        "the one with the largest factor": max(rows, key=lambda row: float(row["factor"] or 0)),
        "the one with most channels far from the training": max(rows, key=lambda row: float(row["far"])),
    }
    told = set[str]()
    for which, row in chosen.items():
        if row["layer"] in told:
            continue
        told.add(row["layer"])
        yield Answer(
            f"Of {len(rows):,} batch normalisations, {which} ({row['layer']}): {_differs(row)}; n "
            f"{words.plural(int(row['n']), 'image')}.",
            of_row(LAYERS, row, ("variant", "layer"), "n", "distance", "factor", "far"),
        )


def _differs(row: Mapping[str, str]) -> str:
    """Median differences of a layer from the training, over its channels."""
    far = f"{100 * float(row['far']):.0f} % of {int(row['channels']):,} channels far from the training"
    if not row["distance"] or not row["factor"]:
        return far
    return (
        f"audited images differ from the training by {float(row['distance']):.2f} SD in mean and by a "
        f"factor of {float(row['factor']):.2f} in variance (medians over channels), {far}"
    )


QUESTIONS = {
    "robust.attributes": Question(
        "attributes of patients and scanners that the features hold (probes: full)", _attributes
    ),
    "robust.attribute_maps": Question(
        "whether maps of findings look like maps of such attributes (probes: full)", _attribute_maps
    ),
    "robust.shift": Question(
        "differences between the audited images and the training, by batch normalisations", _shift
    ),
}
