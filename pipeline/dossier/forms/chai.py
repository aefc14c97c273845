"""CHAI: the Applied Model Card of the Coalition for Health AI, schema 0.2, by the paths of its elements."""

from pipeline.dossier.form import Form, Item, Section

TESTING = (
    ("TestType", "Kind of test", ("study.design", "design.intervals")),
    (
        "TestingDataDescription",
        "Test data",
        ("data.flow", "data.patients", "data.sex", "data.age", "data.prevalence"),
    ),
)
VALIDATION = ("design.metrics", "design.sample_size")


def _metric(
    path: str, what: str, results: tuple[str, ...], meaning: tuple[str, ...], *, also: tuple[str, ...] = ()
) -> Section:
    """The elements of a key metric, in the order of the schema; `also` says more of the meaning."""
    start = f"KeyMetrics/{path}"
    return Section(
        what,
        (
            Item(f"{start}/MetricGoal", "Goal", ("acceptance.criteria",)),
            Item(f"{start}/Results", "Results, as values with intervals", results),
            Item(f"{start}/Interpretation", "Interpretation", meaning, also=also),
            *(Item(f"{start}/{name}", asks, parts) for name, asks, parts in TESTING),
            Item(
                f"{start}/ValidationProcessAndJustification", "Validation and its justification", VALIDATION
            ),
        ),
    )


CHAI = Form(
    "chai-model-card",
    "CHAI Applied Model Card",
    "Coalition for Health AI, Applied Model Card, XML schema v0.2 (draft, "
    "https://mc.chai.org/v0.2/schema.xsd). Elements are called by their paths.",
    (
        Section(
            "Basic information",
            (
                Item("BasicInfo/ModelName", "Name", ("model.name",)),
                Item("BasicInfo/ModelDeveloper", "Developer", ("product.developer",)),
                Item("BasicInfo/DeveloperContact", "Contact", ("product.contact",)),
            ),
        ),
        Section(
            "Release",
            (
                Item("ReleaseInfo/ReleaseStage", "Stage", ("product.release_stage",)),
                Item("ReleaseInfo/ReleaseDate", "Date", ("product.release_date",)),
                Item("ReleaseInfo/ReleaseVersion", "Version", ("product.version", "model.weights")),
                Item("ReleaseInfo/GlobalAvailability", "Availability", ("product.availability",)),
                Item(
                    "ReleaseInfo/EHRCompatibility",
                    "Compatible systems",
                    ("product.interactions",),
                    optional=True,
                ),
                Item(
                    "ReleaseInfo/RegulatoryApproval",
                    "Approvals",
                    ("product.regulatory_status",),
                    optional=True,
                ),
            ),
        ),
        Section(
            "Summary",
            (
                Item("ModelSummary/Summary", "Summary", ("model.purpose", "results.verdicts")),
                Item("ModelSummary/Keywords", "Keywords", ("model.keywords",)),
            ),
        ),
        Section(
            "Uses and directions",
            (
                Item(
                    "UsesAndDirections/IntendedUseAndWorkflow",
                    "Intended use and workflow",
                    ("use.purpose", "use.workflow"),
                ),
                Item("UsesAndDirections/PrimaryIntendedUsers", "Users", ("use.users",)),
                Item("UsesAndDirections/HowToUse", "How to use", ("product.instructions",)),
                Item("UsesAndDirections/TargetedPatientPopulation", "Population", ("use.population",)),
                Item("UsesAndDirections/CautionedOutOfScopeSettings", "Out of scope", ("use.out_of_scope",)),
            ),
        ),
        Section(
            "Warnings",
            (
                Item(
                    "Warnings/KnownRisksAndLimitations",
                    "Risks and limitations",
                    ("robust.limits", "robust.suspects"),
                ),
                Item(
                    "Warnings/KnownBiasesOrEthicalConsiderations",
                    "Biases and ethics",
                    ("governance.ethical_considerations", "results.one_group", "results.small_groups"),
                ),
                Item("Warnings/ClinicalRiskLevel", "Risk level", ("use.risk_level",)),
            ),
        ),
        Section(
            "Trust ingredients: the system",
            (
                Item("TrustIngredients/AISystemFacts/OutcomesAndOutputs", "Outputs", ("model.outputs",)),
                Item("TrustIngredients/AISystemFacts/ModelType", "Type", ("model.architecture",)),
                Item(
                    "TrustIngredients/AISystemFacts/FoundationModels",
                    "Foundation models",
                    ("development.foundation_models",),
                    optional=True,
                ),
                Item(
                    "TrustIngredients/AISystemFacts/InputDataSource",
                    "Source of inputs",
                    ("study.source", "data.scanners"),
                ),
                Item(
                    "TrustIngredients/AISystemFacts/OutputAndInputDataTypes",
                    "Types of data",
                    ("model.preprocessing", "model.outputs", "data.acquisition"),
                ),
                Item(
                    "TrustIngredients/AISystemFacts/DevelopmentDataCharacterization",
                    "Development data",
                    ("development.data",),
                ),
                Item(
                    "TrustIngredients/AISystemFacts/BiasMitigationApproaches",
                    "Measures against bias",
                    ("development.bias_mitigation",),
                ),
                Item(
                    "TrustIngredients/AISystemFacts/OngoingMaintenance",
                    "Maintenance",
                    ("governance.maintenance", "governance.monitoring"),
                ),
                Item(
                    "TrustIngredients/AISystemFacts/Security",
                    "Security",
                    ("governance.cybersecurity",),
                    optional=True,
                ),
                Item(
                    "TrustIngredients/AISystemFacts/Transparency",
                    "Transparency",
                    ("governance.transparency",),
                    optional=True,
                ),
            ),
        ),
        Section(
            "Trust ingredients: transparency",
            (
                Item(
                    "TrustIngredients/TransparencyInformation/FundingSource",
                    "Funding",
                    ("governance.funding",),
                ),
                Item(
                    "TrustIngredients/TransparencyInformation/ThirdPartyInformation",
                    "Third parties",
                    ("governance.third_parties",),
                    optional=True,
                ),
                Item(
                    "TrustIngredients/TransparencyInformation/StakeholdersConsulted",
                    "Stakeholders",
                    ("governance.stakeholders",),
                ),
            ),
        ),
        _metric(
            "UsefulnessUsabilityEfficacy",
            "Key metrics: usefulness",
            ("results.classification", "results.localisation"),
            ("results.verdicts", "acceptance.interpretation"),
        ),
        _metric(
            "FairnessEquity",
            "Key metrics: fairness",
            ("results.groups",),
            ("results.one_group", "results.small_groups"),
            also=("robust.attributes", "robust.attribute_maps"),
        ),
        _metric(
            "SafetyReliability",
            "Key metrics: safety and reliability",
            ("results.false_alarms", "robust.probes"),
            ("results.conclusions", "robust.suspects"),
        ),
        Section(
            "Resources",
            (
                Item(
                    "Resources/EvaluationReferences",
                    "Evaluation",
                    ("run.identity", "run.files"),
                    optional=True,
                ),
                Item(
                    "Resources/ClinicalTrial",
                    "Clinical trials",
                    ("governance.clinical_trials",),
                    optional=True,
                ),
                Item("Resources/PeerReviewedPublications", "Publications", ("governance.publications",)),
                Item(
                    "Resources/ReimbursementStatus",
                    "Reimbursement",
                    ("product.reimbursement",),
                    optional=True,
                ),
                Item("Resources/PatientConsentOrDisclosure", "Consent or disclosure", ("study.consent",)),
            ),
        ),
    ),
    note="chai-model-card.xml is the card itself. An element that the schema requires and nobody answered "
    "says OPEN and what is missing; optional ones are then left out. The schema is not part of Heatproof, "
    "which writes by a transcription of its v0.2 (elements, order, what may be missing), without the "
    "optional signature. Check the card with the schema itself before you publish it.",
)
