"""Labelled pictures: rendered from a style and a seed, or imported from files, written as records.

`render` is a pure function of (style, label, rng); `generate` runs it on all cores; neither loads
TensorFlow, so that a rendering process starts in 0.2 s.
"""
