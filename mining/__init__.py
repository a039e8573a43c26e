"""Finds what a trained network is not sure of, to train on it: hard example mining."""
