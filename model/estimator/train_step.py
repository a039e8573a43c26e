"""One update of the weights, compiled: alone, or several in a loop.

A batch may be spread over replicas (`RunConfig.train_distribute`), over parts computed one after
the other (`accumulate_gradients`) and over parts computed at the same time (`parts_side_by_side`).
Each part's loss weighs what it holds of the batch, so that the sum over all of them is the loss of
the whole batch, and so are the gradients.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import tensorflow as tf

from model.estimator import strategies
from model.estimator.batch_parts import BatchParts
from model.estimator.input_data import split
from model.estimator.spec import ModeKeys
from model.estimator.tf_variables import tf_variable
from model.estimator.training_log import log

if TYPE_CHECKING:
    from model.estimator.program import Program

Values = dict[str, tf.Tensor]
_NO_BATCH = -1  # In the place of a number of rows: the input has ended.


class TrainStep:
    """What `program` does to learn from a batch."""

    def __init__(self, program: "Program", parts: BatchParts):
        self._program = program
        self._parts = parts
        self._function = tf.function(self._step, autograph=False)
        self._loop = tf.function(self._steps, autograph=False)
        self._traced = None

    def trace(self, features_spec, labels_spec) -> Callable:
        """Compiles the step for batches of these specs.

        Returns:
          (features, labels) to the values of one step, float32 `[1]` by name: `loss`, the mean of
          each train metric, `learning_rate` of this update, `gradient_norm` (L2, over all weights,
          before the optimizer clips it), and `num_examples`.

        Raises:
          ValueError: If there are fewer rows in a batch than parts.
        """
        num_rows = tf.nest.flatten(features_spec)[0].shape[0]
        self._parts.check(num_rows)
        program = self._program
        if self._traced is None:
            self._tell_which_rows(num_rows)
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

        Raises:
          ValueError: If a batch has too few rows to be cut into as many parts.
        """
        values, num_done, num_rows = self._loop(iterator, tf.constant(num_steps, tf.int32))
        has_ended = num_rows == _NO_BATCH
        if not has_ended:
            self._parts.check(int(num_rows))
        return {name: value[:num_done] for name, value in values.items()}, bool(has_ended)

    def _tell_which_rows(self, num_rows: int | None) -> None:
        """Whoever knows input that is sharded by files wonders what happens if there are few."""
        num_workers = strategies.num_workers(self._program.strategy)
        if num_workers > 1:
            index = strategies.worker_index(self._program.strategy)
            rows = self._parts.rows_of_worker(index, num_workers, num_rows)
            line = "input | worker %d of %d, from 0, reads every batch and trains on %s"
            log(line, index, num_workers, rows)

    def _steps(self, iterator, num_steps):
        names = list(self._traced.structured_outputs)

        def step(index, _, arrays):
            batch = iterator.get_next_as_optional()
            num_rows = _at_most_once(
                batch.has_value(), lambda _: _num_rows(batch.get_value()), tf.constant(_NO_BATCH)
            )

            def update(arrays):
                values = self._traced(*split(batch.get_value()))
                return [
                    array.write(index, values[name][0])
                    for name, array in zip(names, arrays, strict=True)
                ]

            is_enough = num_rows >= self._parts.num_parts
            arrays = _at_most_once(is_enough, update, arrays)
            return index + tf.cast(is_enough, tf.int32), num_rows, arrays

        arrays = [tf.TensorArray(tf.float32, num_steps, element_shape=[]) for _ in names]
        num_done, num_rows, arrays = tf.while_loop(
            lambda index, num_rows, _: (index < num_steps) & (num_rows >= self._parts.num_parts),
            step,
            (tf.constant(0), tf.constant(self._parts.num_parts), arrays),
            parallel_iterations=1,
        )
        values = dict(zip(names, [array.stack() for array in arrays], strict=True))
        return values, num_done, num_rows

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
        values = {**values, "num_examples": tf.cast(_num_rows(features), tf.float32)}
        return {name: tf.reshape(value, [1]) for name, value in values.items()}

    def _replica_step(self, features, labels):
        optimizer = self._program.optimizer
        learning_rate = tf.convert_to_tensor(optimizer.learning_rate)  # Before it moves on.
        gradients, values = self._gradients(features, labels)
        if self._program.strategy is not None:
            context = tf.distribute.get_replica_context()
            gradients, values = context.all_reduce("SUM", [gradients, values])
        # Not as they are: weights may be of several dtypes.
        norm = tf.linalg.global_norm([tf.cast(gradient, tf.float32) for gradient in gradients])
        if optimizer.loss_scale_factor is not None:
            norm /= optimizer.loss_scale_factor
        optimizer.apply(gradients, self._reached)
        return {**values, "learning_rate": learning_rate, "gradient_norm": norm}

    def _gradients(self, features, labels):
        """Gradients and values of this replica's rows of a batch, added up over its parts."""
        if self._parts.is_whole:
            return self._part_gradients(features, labels)
        num_rows = tf.cast(_num_rows(features), tf.int64)

        def part(number):
            begin, end = self._parts.rows(num_rows, number)

            def cut(batch):
                if batch is None:
                    return None
                return tf.nest.map_structure(lambda tensor: tensor[begin:end], batch)

            weight = tf.cast(end - begin, tf.float64) / tf.cast(num_rows, tf.float64)
            return self._part_gradients(cut(features), cut(labels), tf.range(begin, end), weight)

        num_side_by_side, sums = self._parts.num_side_by_side, None
        # No tf.while_loop: layers that keep statistics cannot average them over replicas in one.
        for first in range(0, self._parts.num_a_replica, num_side_by_side):
            # After those before: all at the same time would all be in memory at once.
            with tf.control_dependencies([] if sums is None else tf.nest.flatten(sums)):
                together = [part(first + index) for index in range(num_side_by_side)]
            for one in together:
                sums = one if sums is None else tf.nest.map_structure(tf.add, sums, one)
        return sums

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
            means = {name: value * tf.cast(weight, tf.float32) for name, value in means.items()}
        return list(gradients), {"loss": tf.cast(loss, tf.float32), **means}


def _num_rows(element) -> tf.Tensor:
    return tf.shape(tf.nest.flatten(element)[0])[0]


def _at_most_once(condition, function, value):
    """`function(value)` if `condition`, else `value`.

    By a loop and not tf.cond, in which TensorFlow 2.21 loses the inputs of a step that runs on
    several devices ("You must feed a value for placeholder tensor").
    """
    _, value = tf.while_loop(
        lambda is_due, _: is_due,
        lambda _, value: (tf.constant(False), function(value)),
        (condition, value),
    )
    return value
