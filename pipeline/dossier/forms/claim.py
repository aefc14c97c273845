"""CLAIM 2024: the checklist for artificial intelligence in medical imaging, 44 items."""

from pipeline.dossier.form import Form, Item, Section

CLAIM = Form(
    "claim-2024",
    "CLAIM 2024",
    "Tejani AS et al. Checklist for Artificial Intelligence in Medical Imaging (CLAIM): 2024 update. "
    "Radiology: Artificial Intelligence 2024; 6(4): e240300. Items are paraphrased; their numbers are those "
    "of the checklist.",
    (
        Section(
            "Title, abstract and introduction",
            (
                Item(
                    "1",
                    "Named as a study of artificial intelligence, with the kind of method",
                    ("study.title", "model.architecture"),
                ),
                Item("2", "Summary of design, methods, results and conclusions", ("study.summary",)),
                Item("3", "Background, intended use and clinical role", ("study.background", "use.purpose")),
                Item("4", "Aims, objectives and hypotheses", ("study.objectives",)),
            ),
        ),
        Section(
            "Methods: study design and data",
            (
                Item("5", "Prospective or retrospective", ("study.design",)),
                Item("6", "Goal of the study", ("study.objectives", "model.purpose")),
                Item("7", "Sources of the data", ("study.source", "study.sites", "data.flow")),
                Item(
                    "8", "Inclusion and exclusion", ("study.eligibility", "data.selection", "data.exclusions")
                ),
                Item("9", "Preprocessing", ("model.preprocessing",)),
                Item("10", "Selection of parts of the data", ("data.selection",)),
                Item("11", "De-identification", ("data.pseudonyms", "study.deidentification")),
                Item("12", "Missing data", ("data.missing", "study.missing_data")),
                Item(
                    "13",
                    "Acquisition of the images",
                    ("study.acquisition", "data.scanners", "data.acquisition"),
                ),
            ),
        ),
        Section(
            "Methods: reference standard",
            (
                Item(
                    "14",
                    "Definition of the reference standard, and how it was obtained",
                    ("reference.definition", "reference.forms"),
                ),
                Item("15", "Reasons for the reference standard", ("reference.rationale",)),
                Item(
                    "16",
                    "Source of the annotations: annotators and their qualification",
                    ("reference.readers", "reference.annotators"),
                ),
                Item("17", "Annotation of the test set", ("reference.annotated", "reference.process")),
                Item("18", "Variability within and between annotators", ("reference.agreement",)),
            ),
        ),
        Section(
            "Methods: data partitions and testing data",
            (
                Item("19", "Assignment to partitions", ("development.partitions", "data.selection")),
                Item(
                    "20",
                    "Level at which partitions are disjoint",
                    ("development.partitions", "data.independence"),
                ),
                Item("21", "Intended sample size", ("study.sample_size", "design.sample_size")),
            ),
        ),
        Section(
            "Methods: model and training",
            (
                Item(
                    "22",
                    "Description of the model, its inputs and outputs",
                    ("model.architecture", "model.outputs", "model.preprocessing"),
                ),
                Item("23", "Software libraries, frameworks and packages", ("model.versions",)),
                Item("24", "Initial parameters", ("development.initialisation",)),
                Item("25", "Training", ("development.training",)),
                Item("26", "How the final model was selected", ("development.selection", "model.weights")),
                Item("27", "Ensembling", ("development.ensembling",)),
            ),
        ),
        Section(
            "Methods: evaluation",
            (
                Item("28", "Metrics", ("design.metrics", "acceptance.metrics")),
                Item("29", "Measures of significance and uncertainty", ("design.intervals",)),
                Item(
                    "30",
                    "Analysis of robustness or sensitivity",
                    ("robust.probes",),
                    also=("robust.repeatability", "robust.shift"),
                ),
                Item(
                    "31",
                    "Methods of explainability or interpretability, and how they were checked",
                    (
                        "model.methods",
                        "design.contours",
                        "results.verdicts",
                    ),
                    also=("robust.map_tests", "robust.attribute_maps"),
                ),
                Item("32", "Evaluation on internal data", ("development.internal_results",)),
                Item(
                    "33",
                    "Testing on external data",
                    ("study.independence", "results.classification", "results.localisation"),
                ),
                Item("34", "Registration of a clinical trial", ("study.registration",)),
            ),
        ),
        Section(
            "Results",
            (
                Item(
                    "35",
                    "Numbers of patients or examinations included and excluded",
                    ("data.flow", "data.exclusions", "data.patients"),
                ),
                Item(
                    "36",
                    "Demographic and clinical characteristics in each partition",
                    ("data.sex", "data.age", "data.prevalence", "data.missing", "development.data"),
                ),
                Item(
                    "37",
                    "Metrics of performance, and their uncertainty",
                    (
                        "results.classification",
                        "results.localisation",
                        "results.calibration",
                        "results.verdicts",
                    ),
                ),
                Item(
                    "38",
                    "Diagnostic performance and its precision",
                    ("results.classification",),
                    also=("results.groups",),
                ),
                Item(
                    "39",
                    "Failure analysis of wrongly classified cases",
                    ("results.errors", "results.failures", "results.false_alarms", "robust.suspects"),
                ),
            ),
        ),
        Section(
            "Discussion and other information",
            (
                Item("40", "Limitations", ("robust.limits",)),
                Item(
                    "41",
                    "Implications for practice, with intended use and clinical role",
                    ("governance.implications", "use.purpose"),
                ),
                Item(
                    "42",
                    "Reference to the full protocol or further technical details",
                    ("study.protocol", "run.identity"),
                ),
                Item(
                    "43",
                    "Availability of software, model and data",
                    ("governance.code_availability", "governance.data_availability", "model.license"),
                ),
                Item(
                    "44",
                    "Sources of funding and other support, and role of the funders",
                    ("governance.funding",),
                ),
            ),
        ),
    ),
    note="Answers are about the audit of this run. What was done in development is answered only where the "
    "file of the intended use says it.",
)
