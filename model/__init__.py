"""The network that reads captchas: VGG trunk, parallel heads, loss, metrics, and its Estimator.

`model.estimator` is the training loop; it knows nothing of captchas.
"""
