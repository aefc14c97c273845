"""Audit record: our own form, about the run that all other forms draw on."""

from pipeline.dossier.form import Form, Item, Section

AUDIT_RECORD = Form(
    "audit-record",
    "Audit record",
    "Heatproof’s own form: what it takes to repeat the run, and to check that its files are unchanged.",
    (
        Section(
            "The run",
            (
                Item("A1", "Identity", ("run.identity", "run.created")),
                Item("A2", "Start and end in UTC", ("run.started", "run.ended")),
                Item("A3", "Command and code", ("run.command", "run.commit")),
                Item("A4", "Operator", ("run.operator",)),
                Item("A5", "Machine and software", ("run.host", "model.device", "model.versions")),
                Item("A6", "Hashes of inputs", ("run.inputs", "model.weights")),
                Item("A7", "Hashes of results, and their signature", ("run.outputs", "run.signature")),
                Item("A8", "Files", ("run.files",)),
            ),
        ),
        Section(
            "Method and inputs",
            (
                Item("B1", "Self-checks before the first image", ("model.checks",)),
                Item(
                    "B2", "Contours: rule, gate, tuning", ("design.contours", "design.gate", "design.tuning")
                ),
                Item("B3", "Baselines and their scores", ("design.baselines", "results.baselines")),
                Item(
                    "B4",
                    "Guesses and warnings",
                    ("robust.guesses", "robust.warnings", "robust.cautions"),
                ),
                Item("B5", "What the model card states of its development", ("model.figures",)),
                Item("B6", "Conclusion per finding", ("results.conclusions",)),
                Item(
                    "B7",
                    "What the features hold, and what maps look like",
                    ("robust.attributes", "robust.attribute_maps"),
                ),
                Item("B8", "Audited images compared with the training of the network", ("robust.shift",)),
            ),
        ),
    ),
)
