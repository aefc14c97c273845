"""Layer-wise relevance propagation: the rules, and a torch mode that applies them to a network."""
