"""EU AI Act: the technical documentation of Annex IV, nine points."""

from pipeline.dossier.form import Form, Item, Section

EU_AI_ACT = Form(
    "eu-ai-act-annex-iv",
    "EU AI Act, Annex IV",
    "Regulation (EU) 2024/1689 of 13 June 2024, Annex IV: technical documentation referred to in Article "
    "11(1). Points are paraphrased; their numbers are those of the annex.",
    (
        Section(
            "1 General description",
            (
                Item(
                    "1(a)",
                    "Purpose, provider, version and its relation to earlier ones",
                    ("use.purpose", "product.developer", "product.version", "model.weights"),
                ),
                Item(
                    "1(b)",
                    "Interaction with other hardware, software and AI systems",
                    ("product.interactions",),
                ),
                Item(
                    "1(c)",
                    "Software versions, and requirements of updates",
                    ("product.updates", "model.versions"),
                ),
                Item("1(d)", "Forms in which it is placed on the market", ("product.forms_on_market",)),
                Item("1(e)", "Hardware on which it is to run", ("product.hardware", "model.device")),
                Item(
                    "1(f)",
                    "Photographs or illustrations of the product that it is a component of",
                    ("product.illustrations",),
                ),
                Item("1(g)", "User interface for the deployer", ("product.user_interface",)),
                Item(
                    "1(h)",
                    "Instructions for use, and the user interface again",
                    ("product.instructions", "product.user_interface"),
                ),
            ),
        ),
        Section(
            "2 Elements and development",
            (
                Item(
                    "2(a)",
                    "Methods, steps, pretrained parts",
                    ("development.training", "development.foundation_models"),
                ),
                Item(
                    "2(b)",
                    "Design: logic, choices and their reasons, what it optimises, expected outputs and "
                    "their quality",
                    ("development.design", "model.outputs", "model.thresholds"),
                ),
                Item(
                    "2(c)",
                    "Architecture and computing resources",
                    ("model.architecture", "development.computing"),
                ),
                Item(
                    "2(d)",
                    "Data sheets: training methods and data, origin, selection, labelling, cleaning",
                    ("development.data", "development.labelling", "development.training"),
                ),
                Item(
                    "2(e)",
                    "Measures of human oversight, and means to interpret outputs",
                    ("use.human_oversight", "model.methods", "results.verdicts"),
                ),
                Item("2(f)", "Predetermined changes", ("governance.predetermined_changes",)),
                Item(
                    "2(g)",
                    "Validation and testing: data, metrics of accuracy and robustness, discriminatory "
                    "impact, logs and reports with date and signature",
                    (
                        "data.flow",
                        "data.sex",
                        "data.age",
                        "design.metrics",
                        "results.classification",
                        "results.localisation",
                        "robust.probes",
                        "results.groups",
                        "run.created",
                        "run.files",
                        "run.operator",
                        "run.signature",
                    ),
                    also=("results.one_group", "robust.attributes", "robust.attribute_maps"),
                ),
                Item("2(h)", "Measures of cybersecurity", ("governance.cybersecurity",)),
            ),
        ),
        Section(
            "3 Monitoring, functioning, control",
            (
                Item(
                    "3",
                    "Capabilities and limits, accuracy for groups and overall, foreseeable risks, "
                    "oversight, inputs",
                    (
                        "results.verdicts",
                        "results.groups",
                        "robust.limits",
                        "robust.suspects",
                        "governance.risk_management",
                        "use.human_oversight",
                        "model.preprocessing",
                    ),
                ),
            ),
        ),
        Section(
            "4 Performance metrics",
            (Item("4", "Why the metrics are appropriate", ("acceptance.metrics", "design.metrics")),),
        ),
        Section(
            "5 Risk management", (Item("5", "Risk management (Article 9)", ("governance.risk_management",)),)
        ),
        Section("6 Changes", (Item("6", "Changes through the lifecycle", ("governance.changes",)),)),
        Section(
            "7 Standards",
            (Item("7", "Harmonised standards applied, or other solutions", ("governance.standards",)),),
        ),
        Section(
            "8 Declaration of conformity",
            (Item("8", "EU declaration of conformity (Article 47)", ("governance.declaration",)),),
        ),
        Section(
            "9 Post-market monitoring",
            (Item("9", "Performance after release, and its plan (Article 72)", ("governance.monitoring",)),),
        ),
    ),
    note="Technical documentation of the audit, as a part of the provider’s own. It is not legal advice.",
)
