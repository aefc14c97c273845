"""TRIPOD+AI: the checklist for reports of prediction models, 27 items with their parts."""

from pipeline.dossier.form import Form, Item, Section

TRIPOD = Form(
    "tripod-ai",
    "TRIPOD+AI",
    "Collins GS et al. TRIPOD+AI statement: updated guidance for reporting clinical prediction "
    "models that use "
    "regression or machine learning methods. BMJ 2024; 385: e078378. Items are paraphrased; their "
    "numbers are "
    "those of the checklist.",
    (
        Section(
            "Title, abstract, introduction",
            (
                Item("1", "Title names model, population and outcome", ("study.title", "model.outputs")),
                Item("2", "Structured abstract", ("study.summary",)),
                Item("3a", "Clinical context and existing models", ("study.background",)),
                Item("3b", "Population, purpose and users", ("use.population", "use.purpose", "use.users")),
                Item("3c", "Known health inequalities", ("study.inequalities",)),
                Item("4", "Objectives: development or evaluation", ("study.objectives",)),
            ),
        ),
        Section(
            "Methods",
            (
                Item("5a", "Sources of data and whom they represent", ("study.source", "data.flow")),
                Item("5b", "Dates", ("study.period", "data.dates")),
                Item("6a", "Setting and centres", ("study.sites",)),
                Item("6b", "Eligibility", ("study.eligibility", "data.selection")),
                Item("6c", "Treatments", ("study.treatments",)),
                Item("7", "Data preparation and quality checks", ("model.preprocessing", "robust.suspects")),
                Item("8a", "Outcome: definition and assessment", ("reference.definition", "reference.forms")),
                Item("8b", "Qualification of the assessors", ("reference.annotators", "reference.readers")),
                Item("8c", "Blinding of the outcome assessment", ("reference.blinding",)),
                Item("9a", "Choice of predictors", ("development.inputs",)),
                Item("9b", "Definition of predictors", ("model.preprocessing", "data.acquisition")),
                Item("9c", "Assessors of predictors", ("study.acquisition",)),
                Item("10", "Sample size", ("study.sample_size", "design.sample_size")),
                Item("11", "Missing data", ("data.missing", "study.missing_data")),
                Item("12a", "Use of the data: partitions", ("development.partitions", "data.selection")),
                Item("12b", "Handling of predictors", ("model.preprocessing",)),
                Item(
                    "12c",
                    "Type of model, building, tuning, internal validation",
                    ("model.architecture", "development.training", "development.selection"),
                ),
                Item("12d", "Differences between clusters", ("results.groups",)),
                Item("12e", "Measures of performance", ("design.metrics", "design.intervals")),
                Item("12f", "Updating of the model", ("design.tuning",)),
                Item(
                    "12g", "How predictions were computed", ("model.outputs", "model.checks", "model.weights")
                ),
                Item("13", "Class imbalance", ("development.imbalance", "data.prevalence")),
                Item("14", "Fairness", ("development.bias_mitigation", "results.groups")),
                Item("15", "Output of the model and thresholds", ("model.outputs", "model.thresholds")),
                Item(
                    "16", "Differences from the development data", ("study.independence", "data.independence")
                ),
                Item("17", "Ethical approval and consent", ("study.ethics", "study.consent")),
            ),
        ),
        Section(
            "Open science",
            (
                Item("18a", "Funding", ("governance.funding",)),
                Item("18b", "Conflicts of interest", ("governance.conflicts",)),
                Item("18c", "Protocol", ("study.protocol",)),
                Item("18d", "Registration", ("study.registration",)),
                Item("18e", "Sharing of data", ("governance.data_availability",)),
                Item("18f", "Sharing of code", ("governance.code_availability", "run.identity")),
                Item("19", "Involvement of patients and the public", ("governance.patient_involvement",)),
            ),
        ),
        Section(
            "Results",
            (
                Item("20a", "Flow of participants", ("data.flow", "data.exclusions", "data.patients")),
                Item(
                    "20b",
                    "Characteristics, dates, missing values",
                    ("data.sex", "data.age", "data.dates", "data.scanners", "data.missing"),
                ),
                Item("20c", "Comparison with the development data", ("development.data", "robust.suspects")),
                Item("21", "Numbers of participants and events", ("data.patients", "data.prevalence")),
                Item("22", "Full model for reuse", ("model.architecture", "model.weights", "model.source")),
                Item(
                    "23a",
                    "Performance with intervals, also in groups",
                    ("results.classification", "results.calibration", "results.groups"),
                ),
                Item("23b", "Differences between clusters", ("results.groups", "results.one_group")),
                Item("24", "Results of updating", ("design.tuning",)),
            ),
        ),
        Section(
            "Discussion",
            (
                Item(
                    "25", "Interpretation, with fairness", ("acceptance.interpretation", "results.verdicts")
                ),
                Item("26", "Limitations", ("robust.limits", "results.small_groups")),
                Item("27a", "Poor or missing inputs", ("use.poor_inputs",)),
                Item("27b", "Interaction and expertise of users", ("use.users", "use.human_oversight")),
                Item("27c", "Next steps", ("governance.next_steps",)),
            ),
        ),
    ),
    note="The run evaluates a network; items about development are answered only where the file of "
    "the intended "
    "use says so.",
)
