"""An exported network at work on people's own pictures: proposes labels, finds wrong ones."""
