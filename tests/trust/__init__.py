"""Trust: defects planted in audits of phantoms, each beside its clean twin. Is the fault named?"""
