"""Audited model: card, weights and explainer, opened and self-checked."""
