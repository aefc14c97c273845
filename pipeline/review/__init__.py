"""Review: the decisions of several reviewers on one run, merged into agreement and corrected scores."""
