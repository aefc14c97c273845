"""Statistics: scores of all cases → summaries with intervals, skill, comparisons, policy, verdict."""
