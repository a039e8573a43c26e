"""Muon, for networks of convolutions: an update of each kernel that is nearly orthogonal."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("captcha")
class ConvolutionMuon(keras.optimizers.Muon):
    """Muon for the kernels of convolutions, Adam for all other weights.

    Keras's own gives Muon to matrices only and convolutions to Adam; here it is the other way. A
    kernel `[3, 3, in, out]` is taken as the matrix `[3 * 3 * in, out]`, as Jordan does
    (https://kellerjordan.github.io/posts/muon/), and its update is scaled by sqrt(max(1, rows /
    columns)). The first dense layer is most of the weights, and its iterations would cost more than
    those of all kernels together.

    Args:
      learning_rate: Number or schedule: Adam's.
      kernel_ratio: Times the learning rate it is the spectral norm of a kernel's update, about.
      weight_decay: Times the learning rate it is what weights lose of themselves in a step; None:
        nothing.
      global_clipnorm: Longest L2 norm of the gradient over all weights; None: as it is.
    """

    def __init__(
        self,
        learning_rate,
        *,
        kernel_ratio: float = 4.0,
        weight_decay: float | None = None,
        global_clipnorm: float | None = None,
        name: str = "muon",
        **kwargs,
    ):
        super().__init__(
            learning_rate,
            weight_decay=weight_decay,
            adam_weight_decay=weight_decay,
            global_clipnorm=global_clipnorm,
            name=name,
            **kwargs,
        )
        self._kernel_ratio = kernel_ratio

    def get_config(self):
        """The arguments."""
        config = {**super().get_config(), "kernel_ratio": self._kernel_ratio}
        del config["adam_weight_decay"]  # The same for all weights.
        return config

    # The methods of Keras's that differ.

    def _apply_weight_decay(self, variables):
        # Not Muon's, which replicas cannot do, but that of all optimizers.
        super(keras.optimizers.Muon, self)._apply_weight_decay(variables)

    def _should_use_adamw(self, variable) -> bool:
        return len(variable.shape) != 4

    def _muon_update_step(self, gradient, variable, lr, m):
        momentum = self.momentum * m + gradient
        self.assign(m, momentum)
        update = gradient + self.momentum * momentum if self.nesterov else momentum
        matrix = tf.reshape(update, [-1, variable.shape[-1]])
        rows, columns = matrix.shape
        direction = self._orthogonalised(_unit(matrix))
        scale = self._kernel_ratio * max(1.0, rows / columns) ** 0.5
        self.assign_sub(variable, lr * scale * tf.reshape(direction, variable.shape))

    def _orthogonalised(self, x: tf.Tensor) -> tf.Tensor:
        """Newton-Schulz: singular values in (0, 1] to about 1.

        Each iteration multiplies x by a polynomial of x'x. Those polynomials commute, so they are
        multiplied with each other first, and x is needed only at the start and at the end: for a
        kernel, tall as it is, that is half of the work and exact in float32 (BUILD_NOTES.md,
        "Speed of a training step").
        """
        rows, columns = x.shape
        if rows < columns:
            return tf.transpose(self._orthogonalised(tf.transpose(x)))
        gram = tf.matmul(x, x, transpose_a=True)
        product = identity = tf.eye(columns)
        for _ in range(self.ns_steps):
            polynomial = self.muon_a * identity + self.muon_b * gram
            polynomial += self.muon_c * tf.matmul(gram, gram)
            product = tf.matmul(product, polynomial)
            gram = tf.matmul(polynomial, tf.matmul(gram, polynomial))
        return tf.matmul(x, product)


def _unit(matrix: tf.Tensor) -> tf.Tensor:
    """Of Frobenius norm 1; zeros stay zeros, as what is divided by has a summand of 1e-7."""
    return matrix / (tf.norm(matrix) + 1e-7)
