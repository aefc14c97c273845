"""Ground truth: match annotations and labels to cases, and read the references of each case."""
