"""External maps: heatmaps computed outside Heatproof → cases that are scored like those of an audit."""
