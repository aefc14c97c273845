"""FDA: the draft guidance of January 2025 on AI-enabled device software functions."""

from pipeline.dossier.form import Form, Item, Section

FDA = Form(
    "fda-ai-device",
    "FDA, AI-enabled device software functions (draft, January 2025)",
    "US Food and Drug Administration. Artificial Intelligence-Enabled Device Software Functions: Lifecycle "
    "Management and Marketing Submission Recommendations. Draft guidance, 7 January 2025; not binding, not "
    "final. It is a text without numbered items: fields are our own short form of what its sections V to "
    "XIII and its appendix E recommend, and the heading of each group names the section.",
    (
        Section(
            "V Device description, and VI user interface and labeling",
            (
                Item(
                    "D1",
                    "That AI is used, and how it serves the intended use",
                    ("use.purpose", "model.architecture"),
                ),
                Item("D2", "Inputs and outputs", ("model.preprocessing", "model.outputs")),
                Item("D3", "Intended users, and their training", ("use.users",)),
                Item("D4", "Environment of use", ("use.environment", "product.interactions")),
                Item(
                    "D5",
                    "Workflow, degree of automation and oversight",
                    ("use.workflow", "use.human_oversight"),
                ),
                Item(
                    "D6",
                    "Installation, maintenance, configuration and calibration",
                    ("product.installation", "governance.maintenance"),
                ),
                Item("D7", "Elements that users configure: thresholds", ("model.thresholds",)),
                Item("D8", "User interface", ("product.user_interface",)),
                Item("D9", "Labeling and instructions", ("product.instructions",)),
                Item("D10", "Visualisations that give context to outputs", ("model.methods",)),
            ),
        ),
        Section(
            "VII Risk assessment", (Item("R1", "Risk management file", ("governance.risk_management",)),)
        ),
        Section(
            "VIII Data management: test data",
            (
                Item("T1", "Source, sites, period", ("study.source", "study.sites", "study.period")),
                Item(
                    "T2",
                    "Inclusion, exclusion, and numbers",
                    ("study.eligibility", "data.flow", "data.exclusions"),
                ),
                Item(
                    "T3",
                    "Patients, demography and disease",
                    ("data.patients", "data.sex", "data.age", "data.prevalence"),
                ),
                Item("T4", "Acquisition: devices and conditions", ("data.scanners", "data.acquisition")),
                Item("T5", "Missing values, and their treatment", ("data.missing",)),
                Item("T6", "Cleaning and processing", ("model.preprocessing", "reference.problems")),
                Item(
                    "T7",
                    "Reference standard, and its uncertainty",
                    ("reference.definition", "reference.forms", "reference.annotated"),
                ),
                Item(
                    "T8",
                    "Annotators: expertise, instructions, blinding, adjudication",
                    ("reference.annotators", "reference.process", "reference.blinding"),
                ),
                Item("T9", "Variability within and between annotators", ("reference.agreement",)),
                Item("T10", "Independence from training data", ("study.independence", "data.independence")),
                Item(
                    "T11",
                    "Representativeness of the intended population, in the US as well",
                    ("use.population", "study.source", "data.sex", "data.age"),
                ),
                Item(
                    "T12",
                    "Storage, versions and quality assurance of the data",
                    ("study.data_management", "run.inputs"),
                ),
            ),
        ),
        Section(
            "VIII Data management: development data, and IX model description and development",
            (
                Item(
                    "M1",
                    "Training and tuning data, and how they were split",
                    ("development.data", "development.labelling", "development.partitions"),
                ),
                Item(
                    "M2",
                    "Architecture, features, loss, training, results of tuning",
                    ("model.architecture", "development.training", "development.internal_results"),
                ),
                Item(
                    "M3",
                    "Pretrained or third-party parts, and ensembles",
                    ("development.foundation_models", "development.ensembling"),
                ),
                Item(
                    "M4",
                    "How thresholds were determined; calibration",
                    ("model.thresholds", "design.tuning", "results.calibration"),
                ),
                Item("M5", "Measures against bias", ("development.bias_mitigation",)),
                Item("M6", "Quality control of inputs", ("use.poor_inputs",)),
                Item(
                    "M7",
                    "Differences between development and test data",
                    ("study.independence",),
                    also=("robust.shift",),
                ),
            ),
        ),
        Section(
            "X Validation",
            (
                Item(
                    "P1",
                    "Protocol, study design, criteria set beforehand",
                    ("study.protocol", "study.design", "acceptance.criteria"),
                ),
                Item("P2", "Metrics and statistics", ("design.metrics", "design.intervals")),
                Item("P3", "Sample size", ("study.sample_size", "design.sample_size")),
                Item(
                    "P4",
                    "Performance overall, with intervals",
                    ("results.classification", "results.localisation"),
                    also=("results.errors",),
                ),
                Item(
                    "P5",
                    "Performance by subgroup, with intervals",
                    ("design.groups", "results.groups", "results.one_group"),
                ),
                Item("P6", "Groups too small to judge", ("results.small_groups",)),
                Item("P7", "Repeatability and reproducibility", ("robust.repeatability", "model.checks")),
                Item("P8", "Robustness to changed inputs", ("robust.probes",)),
                Item("P9", "Failures, and by size of the lesion", ("results.failures", "results.sizes")),
                Item("P10", "Calibration", ("results.calibration",)),
                Item(
                    "P11",
                    "Explanations shown to users, and their validation",
                    ("model.methods", "results.verdicts", "robust.map_tests"),
                    also=("robust.attribute_maps",),
                ),
                Item(
                    "P12",
                    "Sources of bias in what the network reads",
                    ("robust.suspects",),
                    also=("robust.attributes", "robust.attribute_maps"),
                ),
                Item("P13", "Criteria met", ("design.policy", "acceptance.interpretation")),
                Item("P14", "Usability, and people working with the device", ("acceptance.usability",)),
                Item(
                    "P15",
                    "Version tested, and its history",
                    ("product.version", "model.weights", "governance.changes"),
                ),
            ),
        ),
        Section(
            "XI Performance monitoring, XII cybersecurity; limitations",
            (
                Item("L1", "Limitations", ("robust.limits", "robust.suspects")),
                Item("L2", "Performance monitoring", ("governance.monitoring",)),
                Item("L3", "Predetermined changes", ("governance.predetermined_changes",)),
                Item("L4", "Cybersecurity", ("governance.cybersecurity",)),
            ),
        ),
        Section(
            "XIII Public submission summary, as the model card of appendix E",
            (
                Item(
                    "C1",
                    "Device information: name, version, date, architecture",
                    ("product.name", "product.version", "product.release_date", "model.architecture"),
                    also=("product.developer", "product.contact"),
                ),
                Item("C2", "Regulatory status", ("product.regulatory_status",)),
                Item(
                    "C3",
                    "Description: users, use, population, instructions, benefits, workflow, inputs and "
                    "outputs, automation",
                    (
                        "use.users",
                        "use.purpose",
                        "use.population",
                        "product.instructions",
                        "use.benefits",
                        "use.workflow",
                        "model.outputs",
                        "use.human_oversight",
                    ),
                ),
                Item(
                    "C4",
                    "Performance and limitations: accuracy, bias, precision, gaps in the data, evidence",
                    (
                        "results.classification",
                        "results.verdicts",
                        "robust.repeatability",
                        "results.one_group",
                        "use.out_of_scope",
                        "robust.limits",
                        "governance.publications",
                        "data.flow",
                    ),
                    also=("governance.clinical_trials",),
                ),
                Item(
                    "C5",
                    "Risk management: risks, resources, deployment and updates",
                    ("governance.risk_management", "product.hardware", "product.updates"),
                ),
                Item("C6", "Development: characteristics of the data", ("development.data",)),
            ),
        ),
    ),
    note="The run audits one network on one study set. It is not a submission, and whether an answer "
    "suffices is for the applicant and the agency to judge.",
)
