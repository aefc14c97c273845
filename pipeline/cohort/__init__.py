"""Cohort: study folder → pseudonymised cases, and the selection of those that are audited."""
