"""One update of the weights, compiled: alone, or several in a loop.

A batch may be spread over replicas (`RunConfig.train_distribute`) and over parts computed one after
the other (`accumulate_gradients`). Each part's loss weighs what it holds of the batch, so that the
sum over all of them is the loss of the whole batch, and so are the gradients.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import tensorflow as tf

from model.estimator.batch_parts import BatchParts
from model.estimator.input_data import split
from model.estimator.spec import ModeKeys
from model.estimator.tf_variables import tf_variable

if TYPE_CHECKING:
    from model.estimator.program import Program

Values = dict[str, tf.Tensor]


class TrainStep:
    """What `program` does to learn from a batch."""

    def __init__(self, program: "Program", parts: BatchParts):
        self._program = program
        self._parts = parts
        self._function = tf.function(self._step, autograph=False)
        self._loop = tf.function(self._steps, autograph=False)

    def trace(self, features_spec, labels_spec) -> Callable:
        """Compiles the step for batches of these specs.

        Returns:
          (features, labels) to the values of one step, float32 `[1]` by name: `loss`, the mean of
          each train metric, `learning_rate` of this update, `gradient_norm` (L2, over all weights,
          before the optimizer clips it), and `num_examples`.

        Raises:
          ValueError: If there are fewer rows in a batch than parts.
        """
        self._parts.check(tf.nest.flatten(features_spec)[0].shape[0])
        program = self._program
        _ = program.optimizer, program.average  # Their variables must exist before the trace.
        if program.strategy is not None:
            # Keras would reduce the gradients itself, but after clipping those of each replica.
            program.optimizer._all_reduce_sum_gradients = list
        # For the dataset's own shapes, so a short last batch does not trace it again.
        self._traced = self._function.get_concrete_function(features_spec, labels_spec)
        return self._traced

    @property
    def graph(self) -> tf.Graph:
        """The graph of a step, once it has been traced."""
        return self._traced.graph

    def check(self, num_rows: int) -> None:
        """Refuses a batch that cannot be cut into as many parts.

        Raises:
          ValueError: If it has too few rows.
        """
        self._parts.check(num_rows)

    def run_several(self, iterator: tf.data.Iterator, num_steps: int) -> tuple[Values, bool]:
        """Takes up to `num_steps` batches from `iterator`, and a step on each, in one call.

        Returns:
          The values of `trace`, float32 `[k]` for the k steps that there were batches for, and
          whether the input has ended.
        """
        values, num_done = self._loop(iterator, tf.constant(num_steps, tf.int32))
        return {name: value[:num_done] for name, value in values.items()}, num_done < num_steps

    def _steps(self, iterator, num_steps):
        names = list(self._traced.structured_outputs)

        def step(index, _, arrays):
            batch = iterator.get_next_as_optional()

            def update():
                values = self._traced(*split(batch.get_value()))
                written = [
                    array.write(index, values[name][0])
                    for name, array in zip(names, arrays, strict=True)
                ]
                return index + 1, True, written

            return tf.cond(batch.has_value(), update, lambda: (index, False, arrays))

        arrays = [tf.TensorArray(tf.float32, num_steps, element_shape=[]) for _ in names]
        num_done, _, arrays = tf.while_loop(
            lambda index, goes_on, _: goes_on & (index < num_steps),
            step,
            (tf.constant(0), tf.constant(True), arrays),
            parallel_iterations=1,
        )
        return dict(zip(names, [array.stack() for array in arrays], strict=True)), num_done

    def _step(self, features, labels):
        program = self._program
        if program.strategy is None:
            values = self._replica_step(features, labels)
        else:
            values = program.strategy.run(self._replica_step, args=(features, labels))
            values = {
                name: program.strategy.experimental_local_results(value)[0]
                for name, value in values.items()
            }
        program.global_step.assign_add(1)
        if program.average is not None:
            program.average.update(tf.convert_to_tensor(program.global_step))
        num_examples = tf.shape(tf.nest.flatten(features)[0])[0]
        values = {**values, "num_examples": tf.cast(num_examples, tf.float32)}
        return {name: tf.reshape(value, [1]) for name, value in values.items()}

    def _replica_step(self, features, labels):
        optimizer = self._program.optimizer
        learning_rate = tf.convert_to_tensor(optimizer.learning_rate)  # Before it moves on.
        gradients, values = self._gradients(features, labels)
        if self._program.strategy is not None:
            context = tf.distribute.get_replica_context()
            gradients, values = context.all_reduce("SUM", [gradients, values])
        norm = tf.linalg.global_norm(gradients)
        if optimizer.loss_scale_factor is not None:
            norm /= optimizer.loss_scale_factor
        optimizer.apply(gradients, self._reached)
        return {**values, "learning_rate": learning_rate, "gradient_norm": norm}

    def _gradients(self, features, labels):
        """Gradients and values of this replica's rows of a batch, added up over its parts."""
        if self._parts.is_whole:
            return self._part_gradients(features, labels)
        num_rows = tf.shape(tf.nest.flatten(features)[0], tf.int64)[0]

        def part(index):
            begin, end = self._parts.rows(num_rows, index)

            def cut(batch):
                if batch is None:
                    return None
                return tf.nest.map_structure(lambda tensor: tensor[begin:end], batch)

            weight = tf.cast(end - begin, tf.float32) / tf.cast(num_rows, tf.float32)
            return self._part_gradients(cut(features), cut(labels), tf.range(begin, end), weight)

        sums = part(0)
        if self._parts.num_accumulated == 1:
            return sums
        # A loop and not its steps side by side: those would all be in memory at once.
        _, *sums = tf.while_loop(
            lambda index, *_: index < self._parts.num_accumulated,
            lambda index, *sums: (
                index + 1,
                *tf.nest.map_structure(tf.add, tuple(sums), part(index)),
            ),
            (tf.constant(1), *sums),
            parallel_iterations=1,
        )
        return tuple(sums)

    def _part_gradients(self, features, labels, rows=None, weight=None):
        program = self._program
        with tf.GradientTape() as tape:
            spec = program.call_model_fn(features, labels, ModeKeys.TRAIN, rows)
            loss = spec.loss if weight is None else spec.loss * tf.cast(weight, spec.loss.dtype)
            scaled_loss = program.optimizer.scale_loss(loss)  # The loss itself, but for float16.
        variables = program.net.trainable_variables
        gradients = tape.gradient(scaled_loss, [tf_variable(variable) for variable in variables])
        # A weight that the loss does not depend on has none.
        reached = [(g, v) for g, v in zip(gradients, variables, strict=True) if g is not None]
        if not reached:
            raise ValueError(
                "the loss must depend on the network's trainable variables, received one that "
                "depends on none. Compute it from what `net` returns."
            )
        gradients, self._reached = zip(*reached, strict=True)
        if weight is not None or program.strategy is not None:
            gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]  # No slices.
        means = {
            name: tf.reduce_mean(tf.cast(values, tf.float32))
            for name, values in (spec.train_metric_ops or {}).items()
        }
        if weight is not None:
            means = {name: value * weight for name, value in means.items()}
        return list(gradients), {"loss": tf.cast(loss, tf.float32), **means}
