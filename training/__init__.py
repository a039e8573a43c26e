"""What `python train.py` does: a config to data, network, Estimator, training, report."""
