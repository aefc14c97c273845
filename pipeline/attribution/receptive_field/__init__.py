"""Receptive fields: where the cells of a layer lie on the network's input.

One forward pass is followed operation by operation. The centre of a cell's receptive field depends only on
kernel, stride, padding and dilation of the operations before it (Araujo et al., "Computing Receptive Fields
of Convolutional Neural Networks", Distill 2019), so it holds for any layer, padding and size of the input.
"""
