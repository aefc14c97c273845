"""ONNX: a network as a file of operators and weights → a network of torch's own operations."""
