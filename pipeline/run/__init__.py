"""Run: the run folder, the stream of batches, the tables and the manifest."""
