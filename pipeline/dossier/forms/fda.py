"""FDA: the draft guidance of January 2025 on AI-enabled device software functions."""

from pipeline.dossier.form import Form, Item, Section

FDA = Form(
    "fda-ai-device",
    "FDA, AI-enabled device software functions (draft, January 2025)",
    "US Food and Drug Administration. Artificial Intelligence-Enabled Device Software Functions: Lifecycle "
    "Management and Marketing Submission Recommendations. Draft guidance, 7 January 2025; not "
    "binding, not final. "
    "Fields are our own short form of what its sections and appendices ask for; the letter names the group.",
    (
        Section(
            "Device description and labelling",
            (
                Item(
                    "D1",
                    "Use of AI, and how it serves the intended use",
                    ("use.purpose", "model.architecture"),
                ),
                Item("D2", "Inputs and outputs", ("model.preprocessing", "model.outputs")),
                Item("D3", "Intended users, and their training", ("use.users",)),
                Item("D4", "Environment and workflow", ("use.workflow", "product.interactions")),
                Item("D5", "Degree of automation and oversight", ("use.human_oversight",)),
                Item("D6", "User interface", ("product.user_interface",)),
                Item("D7", "Instructions and labelling", ("product.instructions",)),
                Item("D8", "Configuration: thresholds", ("model.thresholds",)),
            ),
        ),
        Section("Risk assessment", (Item("R1", "Risks and their control", ("governance.risk_management",)),)),
        Section(
            "Data management: test data",
            (
                Item("T1", "Source, sites, period", ("study.source", "study.sites", "study.period")),
                Item(
                    "T2",
                    "Inclusion, exclusion, and numbers",
                    ("study.eligibility", "data.flow", "data.exclusions"),
                ),
                Item(
                    "T3",
                    "Patients, demography and prevalence",
                    ("data.patients", "data.sex", "data.age", "data.prevalence"),
                ),
                Item("T4", "Acquisition: scanners and views", ("data.scanners", "data.acquisition")),
                Item("T5", "Missing values", ("data.missing",)),
                Item("T6", "Cleaning and processing", ("model.preprocessing", "reference.problems")),
                Item(
                    "T7",
                    "Reference standard",
                    ("reference.definition", "reference.forms", "reference.annotated"),
                ),
                Item(
                    "T8", "Annotators: expertise and process", ("reference.annotators", "reference.process")
                ),
                Item("T9", "Agreement of annotators", ("reference.agreement",)),
                Item("T10", "Independence from training data", ("study.independence", "data.independence")),
                Item(
                    "T11",
                    "Representativeness of the intended population",
                    ("use.population", "data.sex", "data.age"),
                ),
            ),
        ),
        Section(
            "Data management: training data, and development",
            (
                Item("M1", "Training and tuning data", ("development.data", "development.labelling")),
                Item(
                    "M2",
                    "Model: architecture, features, loss, training",
                    ("model.architecture", "development.training"),
                ),
                Item("M3", "Pretrained or third-party parts", ("development.foundation_models",)),
                Item("M4", "Choice of thresholds", ("model.thresholds", "design.tuning")),
                Item("M5", "Measures against bias", ("development.bias_mitigation",)),
            ),
        ),
        Section(
            "Performance validation",
            (
                Item("P1", "Study design and acceptance criteria", ("study.design", "acceptance.criteria")),
                Item("P2", "Metrics and statistics", ("design.metrics", "design.intervals")),
                Item("P3", "Sample size", ("study.sample_size", "design.sample_size")),
                Item(
                    "P4",
                    "Performance overall, with intervals",
                    ("results.classification", "results.localisation"),
                ),
                Item(
                    "P5", "Performance by subgroup, with intervals", ("results.groups", "results.one_group")
                ),
                Item("P6", "Groups too small to judge", ("results.small_groups",)),
                Item("P7", "Repeatability and reproducibility", ("robust.repeatability", "model.checks")),
                Item("P8", "Robustness to changed inputs", ("robust.probes",)),
                Item("P9", "Failures, and by size of the lesion", ("results.failures", "results.sizes")),
                Item("P10", "Calibration", ("results.calibration",)),
                Item(
                    "P11",
                    "Explanations shown to users",
                    ("model.methods", "results.verdicts", "robust.map_tests"),
                ),
                Item("P12", "Criteria met", ("design.policy", "acceptance.interpretation")),
                Item("P13", "Human factors", ("acceptance.usability",)),
                Item(
                    "P14",
                    "Version tested, and its history",
                    ("product.version", "model.weights", "governance.changes"),
                ),
            ),
        ),
        Section(
            "Limitations and lifecycle",
            (
                Item("L1", "Limitations", ("robust.limits", "robust.suspects")),
                Item("L2", "Monitoring after release", ("governance.monitoring",)),
                Item("L3", "Predetermined changes", ("governance.predetermined_changes",)),
                Item("L4", "Cybersecurity", ("governance.cybersecurity",)),
            ),
        ),
        Section(
            "Model card and public summary",
            (
                Item(
                    "C1",
                    "Name, developer, version, contact",
                    ("product.name", "product.developer", "product.version", "product.contact"),
                ),
                Item("C2", "Intended use, users, population", ("use.purpose", "use.users", "use.population")),
                Item("C3", "Out of scope, precautions", ("use.out_of_scope", "robust.limits")),
                Item("C4", "Regulatory status", ("product.regulatory_status",)),
                Item("C5", "Data and performance in short", ("data.flow", "results.verdicts")),
            ),
        ),
    ),
    note="The run audits one network on one study set. It is not a submission, and whether an answer "
    "suffices is for "
    "the applicant and the agency to judge.",
)
