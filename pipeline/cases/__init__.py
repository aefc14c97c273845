"""Cases: the steps on one image in a worker process: decode, draw contours, score, write to disk."""
