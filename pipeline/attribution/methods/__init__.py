"""Attribution methods, one per file; they are registered in `pipeline.attribution.METHODS`."""
