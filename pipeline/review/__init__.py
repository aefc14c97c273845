"""Review: agreement and corrected scores from the decisions of several reviewers on one run."""
