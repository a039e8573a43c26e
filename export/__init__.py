"""The trained network as a SavedModel, and the reader that loads one back."""
