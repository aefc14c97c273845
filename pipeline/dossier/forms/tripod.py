"""TRIPOD+AI: the checklist for reports of prediction models, 27 items with their parts."""

from pipeline.dossier.form import Form, Item, Section

TRIPOD = Form(
    "tripod-ai",
    "TRIPOD+AI",
    "Collins GS et al. TRIPOD+AI statement: updated guidance for reporting clinical prediction models that "
    "use regression or machine learning methods. BMJ 2024; 385: e078378. Items are paraphrased; their "
    "numbers, and the marks D and E, are those of the checklist.",
    (
        Section(
            "Title", (Item("1", "Names model, population and outcome", ("study.title", "model.outputs")),)
        ),
        Section("Abstract", (Item("2", "By the TRIPOD+AI checklist for abstracts", ("study.summary",)),)),
        Section(
            "Introduction",
            (
                Item("3a", "Clinical context, rationale and existing models", ("study.background",)),
                Item(
                    "3b",
                    "Target population, purpose in the care pathway, and users",
                    ("use.population", "use.purpose", "use.workflow", "use.users"),
                ),
                Item("3c", "Known health inequalities between groups", ("study.inequalities",)),
                Item("4", "Objectives: development, evaluation or both", ("study.objectives",)),
            ),
        ),
        Section(
            "Methods",
            (
                Item(
                    "5a",
                    "Sources of the data for development and evaluation, and whom they represent",
                    ("development.data", "study.source", "data.flow"),
                ),
                Item("5b", "Dates of the data, from start to end", ("study.period", "data.dates")),
                Item("6a", "Setting, number and location of the centres", ("study.sites",)),
                Item("6b", "Eligibility", ("study.eligibility", "data.selection")),
                Item("6c", "Treatments, and how they were handled", ("study.treatments",)),
                Item(
                    "7",
                    "Data preparation and quality checks, alike in all groups or not",
                    ("model.preprocessing", "reference.problems", "robust.suspects"),
                ),
                Item(
                    "8a",
                    "Outcome: definition, when and how assessed, reasons",
                    ("reference.definition", "reference.forms", "reference.rationale"),
                ),
                Item(
                    "8b",
                    "Qualification and demography of the assessors of the outcome",
                    ("reference.annotators", "reference.readers"),
                ),
                Item("8c", "Blinding of the assessment of the outcome", ("reference.blinding",)),
                Item("9a", "Choice of the initial predictors (D)", ("development.inputs",)),
                Item(
                    "9b",
                    "Definition of the predictors, and how and when they were measured",
                    ("model.preprocessing", "data.acquisition"),
                ),
                Item(
                    "9c",
                    "Assessors of predictors that need judgement: who made and chose the images",
                    ("study.acquisition",),
                ),
                Item(
                    "10",
                    "Sample size, and whether it suffices",
                    ("study.sample_size", "design.sample_size"),
                ),
                Item("11", "Handling of missing data", ("data.missing", "study.missing_data")),
                Item(
                    "12a",
                    "Use of the data, and partitions (D)",
                    ("development.partitions", "data.selection"),
                ),
                Item("12b", "Handling of the predictors in the analysis (D)", ("model.preprocessing",)),
                Item(
                    "12c",
                    "Type of model, steps of building and tuning, internal validation (D)",
                    (
                        "model.architecture",
                        "development.training",
                        "development.selection",
                        "development.internal_results",
                    ),
                ),
                Item(
                    "12d",
                    "How differences between clusters (hospitals, countries) were handled and measured",
                    ("study.sites", "design.groups"),
                ),
                Item(
                    "12e",
                    "Measures and plots of performance, and reasons",
                    ("design.metrics", "design.intervals", "acceptance.metrics"),
                ),
                Item("12f", "Updating of the model after the evaluation (E)", ("design.updating",)),
                Item(
                    "12g",
                    "How predictions were computed (E)",
                    ("model.outputs", "model.checks", "model.weights"),
                ),
                Item(
                    "13",
                    "Methods against class imbalance, and recalibration after them",
                    ("development.imbalance", "data.prevalence"),
                ),
                Item(
                    "14",
                    "Fairness: approaches and their reasons",
                    ("development.bias_mitigation", "design.groups"),
                    also=("robust.attributes",),
                ),
                Item(
                    "15",
                    "Output of the model; classes, thresholds and how they were chosen (D)",
                    ("model.outputs", "model.thresholds"),
                ),
                Item(
                    "16",
                    "Differences between development and evaluation data",
                    ("study.independence", "data.independence"),
                    also=("robust.shift",),
                ),
                Item("17", "Ethical approval and consent", ("study.ethics", "study.consent")),
            ),
        ),
        Section(
            "Open science",
            (
                Item("18a", "Funding, and role of the funders", ("governance.funding",)),
                Item("18b", "Conflicts of interest", ("governance.conflicts",)),
                Item("18c", "Protocol, or that there is none", ("study.protocol",)),
                Item("18d", "Registration, or that there is none", ("study.registration",)),
                Item("18e", "Sharing of data", ("governance.data_availability",)),
                Item(
                    "18f",
                    "Sharing of the code of the analysis",
                    ("governance.code_availability", "run.identity"),
                ),
            ),
        ),
        Section(
            "Patient and public involvement",
            (Item("19", "Involvement, or that there was none", ("governance.patient_involvement",)),),
        ),
        Section(
            "Results",
            (
                Item(
                    "20a",
                    "Flow of participants, with and without the outcome",
                    ("data.flow", "data.exclusions", "data.patients", "data.prevalence"),
                ),
                Item(
                    "20b",
                    "Characteristics, dates, treatments, missing values",
                    (
                        "data.patients",
                        "data.sex",
                        "data.age",
                        "data.dates",
                        "data.scanners",
                        "study.treatments",
                        "data.missing",
                    ),
                ),
                Item(
                    "20c",
                    "Comparison with the development data (E)",
                    ("development.data",),
                    also=("robust.shift",),
                ),
                Item(
                    "21",
                    "Participants and events in each analysis",
                    ("data.patients", "data.prevalence", "reference.annotated"),
                ),
                Item(
                    "22",
                    "Full model for others to use, and restrictions (D)",
                    ("model.architecture", "model.weights", "model.source", "model.license"),
                ),
                Item(
                    "23a",
                    "Performance with intervals, also of groups",
                    (
                        "results.classification",
                        "results.calibration",
                        "results.localisation",
                        "results.groups",
                    ),
                ),
                Item(
                    "23b",
                    "Differences of performance between clusters",
                    ("results.groups", "results.one_group"),
                ),
                Item("24", "Results of updating (E)", ("design.updating",)),
            ),
        ),
        Section(
            "Discussion",
            (
                Item(
                    "25",
                    "Interpretation, with fairness and earlier studies",
                    ("acceptance.interpretation", "results.verdicts"),
                ),
                Item(
                    "26",
                    "Limitations, and what they do to bias and uncertainty",
                    ("robust.limits", "results.small_groups"),
                ),
                Item("27a", "Poor or missing inputs in use (D)", ("use.poor_inputs",)),
                Item(
                    "27b",
                    "Interaction that users have, and expertise that they need (D)",
                    ("use.users", "use.human_oversight"),
                ),
                Item("27c", "Next steps, and use elsewhere", ("governance.next_steps",)),
            ),
        ),
    ),
    note="D: the checklist asks it of the development of a model; E: of an evaluation; the others of both. "
    "The run evaluates a network; items about development are answered only where the file of the intended "
    "use says so.",
)
