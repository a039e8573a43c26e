"""A learning-rate schedule times a number that may change during a run."""

import keras
import tensorflow as tf


class ScaledSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """The rate of another schedule times `scale`, which is 1 until somebody sets it.

    Like the schedule it is configuration and not part of a checkpoint: whoever sets it (a plateau
    rule) does so again when a run resumes.
    """

    def __init__(self, schedule: keras.optimizers.schedules.LearningRateSchedule):
        self.schedule = schedule
        self.scale = tf.Variable(
            1.0,
            trainable=False,
            name="learning_rate_scale",
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )

    def __call__(self, step):
        """The rate for update number `step`, float32."""
        return self.schedule(step) * tf.convert_to_tensor(self.scale)

    def get_config(self):
        """The arguments."""
        return {"schedule": self.schedule}
