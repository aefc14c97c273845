"""Intended use: what no program can know of a model and its study, from a YAML file of texts.

Every text may be left out; what is left out stays open in the forms, by the name that stands here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import yaml
from pydantic import BaseModel, Field, StringConstraints

from pipeline.guards.yaml_models import Strict, read_yaml, validated

LARGEST_BYTES: Final = 2**18
"""Bytes: a few dozen pages of text."""
LONGEST: Final = 8_000
"""Characters of a text."""
SHORTER: Final = "shorten its texts, and refer to documents instead"
FILE: Final = "intended-use.yaml"
"""Name of the copy in the dossier, which the forms refer to."""
HEADER: Final = """\
# What no program can know of a model and its study, for `heatproof dossier`.
# Every key may stay empty: the forms then name it as open. Put versions, dates and texts with ': ' in quotes;
# write several lines after '|'. No names of patients.
"""
Text: TypeAlias = Annotated[str, StringConstraints(max_length=LONGEST)] | None


class Product(Strict):
    """The product that the network is part of."""

    name: Text = Field(None, description="name of the product")
    version: Text = Field(None, description="version of the product")
    developer: Text = Field(None, description="developer, manufacturer or provider")
    contact: Text = Field(None, description="contact for questions and complaints")
    release_stage: Text = Field(None, description="release stage (research, cleared, on the market)")
    release_date: Text = Field(None, description="release date")
    availability: Text = Field(None, description="countries where it is available")
    regulatory_status: Text = Field(None, description="regulatory approvals")
    reimbursement: Text = Field(None, description="reimbursement status")
    forms_on_market: Text = Field(None, description="form in which it is placed on the market")
    interactions: Text = Field(None, description="hardware and software that it interacts with (PACS, EHR)")
    hardware: Text = Field(None, description="hardware that it runs on in use")
    updates: Text = Field(None, description="software versions and how it is updated")
    user_interface: Text = Field(None, description="user interface")
    instructions: Text = Field(None, description="instructions for use")
    installation: Text = Field(None, description="installation, configuration and calibration by users")
    illustrations: Text = Field(None, description="photographs or illustrations of the product that it is in")


class Use(Strict):
    """Who uses it, for whom and how."""

    purpose: Text = Field(None, description="intended use")
    users: Text = Field(None, description="intended users")
    workflow: Text = Field(None, description="place in the clinical workflow, and how to use it")
    population: Text = Field(None, description="intended patient population")
    environment: Text = Field(None, description="environment of use (hospital, practice, home)")
    benefits: Text = Field(None, description="clinical benefits")
    out_of_scope: Text = Field(None, description="uses that are out of scope")
    risk_level: Text = Field(None, description="clinical risk level or device class")
    human_oversight: Text = Field(None, description="human oversight of its outputs")
    poor_inputs: Text = Field(None, description="what to do with poor or missing inputs")


class Study(Strict):
    """The study that this run is part of."""

    title: Text = Field(None, description="title of the study")
    summary: Text = Field(None, description="structured summary of the study")
    background: Text = Field(None, description="clinical background and existing models")
    inequalities: Text = Field(None, description="known health inequalities between groups")
    objectives: Text = Field(None, description="objectives and hypotheses")
    design: Text = Field(None, description="prospective or retrospective design, and goal")
    sites: Text = Field(None, description="sites and care settings")
    period: Text = Field(None, description="period in which the images were made")
    source: Text = Field(None, description="source of the images, and whom they represent")
    eligibility: Text = Field(None, description="eligibility criteria")
    treatments: Text = Field(None, description="treatments before the images")
    acquisition: Text = Field(None, description="acquisition protocol")
    deidentification: Text = Field(None, description="de-identification before this run")
    sample_size: Text = Field(None, description="how the sample size was planned")
    missing_data: Text = Field(None, description="handling of missing data")
    data_management: Text = Field(None, description="quality assurance, storage and versions of the data")
    independence: Text = Field(None, description="independence of this study set from the training data")
    ethics: Text = Field(None, description="ethical approval")
    consent: Text = Field(None, description="consent or disclosure to patients")
    registration: Text = Field(None, description="registration of the study")
    protocol: Text = Field(None, description="study protocol")


class Reference(Strict):
    """The reference standard."""

    definition: Text = Field(None, description="definition of the reference standard")
    rationale: Text = Field(None, description="reasons for this reference standard")
    annotators: Text = Field(None, description="number, training and experience of the annotators")
    process: Text = Field(None, description="annotation tools, instructions and adjudication")
    blinding: Text = Field(None, description="what the annotators did not know (blinding)")


class Development(Strict):
    """How the network was made."""

    design: Text = Field(None, description="design choices and their reasons")
    data: Text = Field(None, description="training data: origin, size, characteristics")
    labelling: Text = Field(None, description="labelling and cleaning of the training data")
    partitions: Text = Field(None, description="partition of the data, and level at which parts are disjoint")
    inputs: Text = Field(None, description="choice of the inputs")
    training: Text = Field(None, description="training procedure and hyperparameters")
    initialisation: Text = Field(None, description="initial weights")
    selection: Text = Field(None, description="selection of the final network")
    ensembling: Text = Field(None, description="ensembling")
    imbalance: Text = Field(None, description="handling of class imbalance")
    bias_mitigation: Text = Field(None, description="measures against bias")
    foundation_models: Text = Field(None, description="foundation models, pretrained or third-party parts")
    computing: Text = Field(None, description="computing resources of the development")
    internal_results: Text = Field(None, description="results on the developer's own data")


class Acceptance(Strict):
    """When the results are good enough."""

    criteria: Text = Field(None, description="acceptance criteria, fixed before the run")
    metrics: Text = Field(None, description="reasons for the metrics")
    interpretation: Text = Field(None, description="interpretation of the results")
    usability: Text = Field(None, description="usability or human factors evaluation")


class Governance(Strict):
    """Responsibilities before and after release."""

    funding: Text = Field(None, description="funding and role of the funders")
    conflicts: Text = Field(None, description="conflicts of interest")
    stakeholders: Text = Field(None, description="stakeholders that were consulted")
    patient_involvement: Text = Field(None, description="involvement of patients and the public")
    third_parties: Text = Field(None, description="information about third parties")
    data_availability: Text = Field(None, description="availability of the data")
    code_availability: Text = Field(None, description="availability of code and network")
    publications: Text = Field(None, description="peer-reviewed publications")
    citation: Text = Field(None, description="how to cite the network")
    clinical_trials: Text = Field(None, description="clinical trials")
    ethical_considerations: Text = Field(None, description="ethical considerations")
    risk_management: Text = Field(None, description="risk management")
    cybersecurity: Text = Field(None, description="cybersecurity")
    maintenance: Text = Field(None, description="maintenance")
    monitoring: Text = Field(None, description="monitoring after release")
    changes: Text = Field(None, description="changes since the first version")
    predetermined_changes: Text = Field(None, description="predetermined changes")
    standards: Text = Field(None, description="standards applied")
    declaration: Text = Field(None, description="EU declaration of conformity")
    transparency: Text = Field(None, description="transparency towards users")
    implications: Text = Field(None, description="implications for practice")
    next_steps: Text = Field(None, description="next steps, and use elsewhere")


class IntendedUse(Strict):
    """Everything that an author may say."""

    product: Product = Product()
    use: Use = Use()
    study: Study = Study()
    reference: Reference = Reference()
    development: Development = Development()
    acceptance: Acceptance = Acceptance()
    governance: Governance = Governance()


SECTIONS: Final[Mapping[str, type[BaseModel]]] = {
    name: field.annotation
    for name, field in IntendedUse.model_fields.items()
    if isinstance(field.annotation, type)
}
"""Section → its model, in their order."""
STATEMENTS: Final[Mapping[str, str]] = {
    f"{section}.{key}": field.description or key
    for section, model in SECTIONS.items()
    for key, field in model.model_fields.items()
}
"""Dotted key → what it says, which names it in forms where it is open."""


def read_intended_use(path: Path | None) -> dict[str, str]:
    """Dotted key → text of the file; keys without a text are absent, and all of them without a file.

    Raises ConfigError for a file that is missing, too large or malformed, and for unknown keys.
    """
    if path is None:
        return {}
    values = read_yaml(path, most_bytes=LARGEST_BYTES, remedy=SHORTER)
    sections = {key: {} if value is None else value for key, value in values.items()}
    return dict(_texts(validated(IntendedUse, sections, source=str(path))))


def _texts(intended: IntendedUse) -> Iterator[tuple[str, str]]:
    for key in STATEMENTS:
        section, name = key.split(".")
        if text := getattr(getattr(intended, section), name):
            yield key, text


def template() -> str:
    """The YAML file with every key, empty, and what it asks for."""
    lines = [HEADER.rstrip("\n")]
    for section, model in SECTIONS.items():
        lines += ["", f"# {model.__doc__}", f"{section}:"]
        width = max(map(len, model.model_fields)) + 2
        lines += [
            f"  {key + ':':<{width}} # {field.description}" for key, field in model.model_fields.items()
        ]
    return "\n".join(lines) + "\n"


def as_yaml(statements: Mapping[str, str]) -> str:
    """The texts as the file that the forms refer to."""
    sections: dict[str, dict[str, str]] = {}
    for key, text in statements.items():
        section, name = key.split(".")
        sections.setdefault(section, {})[name] = text
    return yaml.safe_dump(sections, sort_keys=False, allow_unicode=True, width=110)
