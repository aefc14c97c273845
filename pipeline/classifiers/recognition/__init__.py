"""Recognition: the tensors of a weights file → the networks of cards that have exactly these tensors."""
