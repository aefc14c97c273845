"""Model Card: the nine sections of Mitchell and others."""

from pipeline.dossier.form import Form, Item, Section

MODEL_CARD = Form(
    "model-card",
    "Model Card",
    "Mitchell M et al. Model cards for model reporting. FAT* 2019: 220–229, doi 10.1145/3287560.3287596. "
    "Numbers are our own: the section, and the field within it.",
    (
        Section(
            "Model details",
            (
                Item("1.1", "Person or organisation that made it", ("product.developer",)),
                Item("1.2", "Date", ("product.release_date", "run.created")),
                Item("1.3", "Version", ("product.version", "model.weights")),
                Item("1.4", "Type", ("model.architecture",)),
                Item(
                    "1.5",
                    "Training, parameters, constraints of fairness, features",
                    ("development.training", "development.bias_mitigation", "model.preprocessing"),
                ),
                Item("1.6", "Paper or other resource", ("governance.publications",)),
                Item("1.7", "Citation", ("governance.citation",)),
                Item("1.8", "License", ("model.license",)),
                Item("1.9", "Contact for questions", ("product.contact",)),
            ),
        ),
        Section(
            "Intended use",
            (
                Item("2.1", "Primary uses", ("use.purpose", "model.purpose")),
                Item("2.2", "Primary users", ("use.users",)),
                Item("2.3", "Uses out of scope", ("use.out_of_scope",)),
            ),
        ),
        Section(
            "Factors",
            (
                Item(
                    "3.1", "Relevant factors: groups, scanners, settings", ("use.population", "data.scanners")
                ),
                Item(
                    "3.2",
                    "Factors evaluated, and why",
                    ("design.groups", "results.one_group"),
                    also=("robust.attributes", "robust.attribute_maps"),
                ),
            ),
        ),
        Section(
            "Metrics",
            (
                Item("4.1", "Measures of performance", ("design.metrics",)),
                Item("4.2", "Decision thresholds", ("model.thresholds", "design.contours")),
                Item("4.3", "Uncertainty and variability", ("design.intervals", "design.sample_size")),
            ),
        ),
        Section(
            "Evaluation data",
            (
                Item(
                    "5.1", "Data sets", ("study.source", "data.flow", "data.patients", "data.sex", "data.age")
                ),
                Item("5.2", "Reasons for the choice", ("study.independence", "data.selection")),
                Item("5.3", "Preprocessing", ("model.preprocessing",)),
            ),
        ),
        Section("Training data", (Item("6.1", "Training data", ("development.data",)),)),
        Section(
            "Quantitative analyses",
            (
                Item(
                    "7.1",
                    "Results overall and by single factor (unitary)",
                    ("results.classification", "results.localisation", "results.verdicts", "results.groups"),
                ),
                Item("7.2", "Results by combined factors (intersectional)", ("results.intersections",)),
            ),
        ),
        Section(
            "Ethical considerations",
            (Item("8.1", "Ethical considerations", ("governance.ethical_considerations",)),),
        ),
        Section(
            "Caveats and recommendations",
            (
                Item(
                    "9.1",
                    "Caveats and recommendations",
                    ("robust.limits", "robust.suspects", "robust.warnings"),
                ),
            ),
        ),
    ),
)
