"""Damage: a seeded generator of damaged files, and what becomes of them. `make fuzz` runs it."""
