"""Mutation testing of run, cases and statistics: one token is flipped at a time. `make mutation`."""
