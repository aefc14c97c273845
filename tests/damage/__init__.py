"""Damage: a seeded generator of damaged files, and their outcomes (`make fuzz`)."""
