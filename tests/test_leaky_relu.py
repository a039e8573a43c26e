"""It is TensorFlow's leaky ReLU, and is fused into a convolution that is trained."""

import numpy as np
import pytest
import tensorflow as tf

from model.leaky_relu import leaky_relu

X = np.concatenate([np.linspace(-3, 3, 13), [-1e-30, 1e-30, -0.0]]).astype(np.float32)


def value_and_gradient(function, dtype):
    x = tf.cast(X, dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
        weighted = tf.reduce_sum(y * tf.cast(tf.range(1, len(X) + 1), dtype))
    return np.asarray(y, np.float32), np.asarray(tape.gradient(weighted, x), np.float32)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float64"])
@pytest.mark.parametrize("compiled", [False, True])
def test_values_and_gradients_are_tensorflows(dtype, compiled):
    ours = tf.function(leaky_relu, autograph=False) if compiled else leaky_relu
    expected = value_and_gradient(tf.nn.leaky_relu, dtype)
    for found, wanted in zip(value_and_gradient(ours, dtype), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(("function", "is_fused"), [(leaky_relu, True), (tf.nn.leaky_relu, False)])
def test_a_convolution_that_is_trained_has_it_inside(function, is_fused):
    kernel = tf.Variable(tf.random.stateless_normal([3, 3, 4, 8], [1, 2]))
    bias = tf.Variable(tf.ones([8]))

    @tf.function(autograph=False)
    def gradients(x):
        with tf.GradientTape() as tape:
            y = function(tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1, "SAME"), bias))
            loss = tf.reduce_sum(y**2)
        return tape.gradient(loss, [kernel, bias])

    assert ("LeakyRelu" in fused_ops(gradients, tf.ones([2, 8, 8, 4]))) == is_fused


def fused_ops(function, *arguments) -> set[str]:
    """What TensorFlow's optimizer fused, of a run of `function`."""
    from tensorflow.python.eager import context

    context.context().enable_graph_collection()
    try:
        function(*arguments)
        graphs = context.context().export_run_metadata().partition_graphs
    finally:
        context.context().disable_graph_collection()
    return {
        op.decode()
        for graph in graphs
        for node in graph.node
        for op in node.attr["fused_ops"].list.s
    }
