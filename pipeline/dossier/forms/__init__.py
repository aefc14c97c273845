"""Forms: every form of a dossier, by name. To add one, write its file and add it here."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.dossier.form import Form
from pipeline.dossier.forms.audit_record import AUDIT_RECORD
from pipeline.dossier.forms.chai import CHAI
from pipeline.dossier.forms.claim import CLAIM
from pipeline.dossier.forms.eu_ai_act import EU_AI_ACT
from pipeline.dossier.forms.fda import FDA
from pipeline.dossier.forms.model_card import MODEL_CARD
from pipeline.dossier.forms.tripod import TRIPOD

FORMS: Mapping[str, Form] = {
    form.name: form for form in (CHAI, MODEL_CARD, CLAIM, TRIPOD, FDA, EU_AI_ACT, AUDIT_RECORD)
}
"""Name → form, in the order of the dossier."""
