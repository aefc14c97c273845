"""Run files: what each file of a run folder must hold, and the readers that check it on the way in."""
