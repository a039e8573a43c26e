"""How one batch is cut: a range of rows for each replica, and in it one for each part it computes.

Every worker reads the same batches in the same order and takes its own rows of each. So the place
in the input is the same for all, a checkpoint does not depend on how many they were, and a run on
four workers trains on what a run on one does. What it costs is that each worker reads everything.
"""

import dataclasses

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class BatchParts:
    """A batch of n rows in parts whose sizes differ by 1 at most.

    Replicas are counted over all workers. Each computes `num_accumulated` times, one after the
    other, `num_side_by_side` parts at the same time.
    """

    num_replicas: int = 1
    num_accumulated: int = 1
    num_side_by_side: int = 1

    @property
    def num_a_replica(self) -> int:
        """How many of them one replica computes."""
        return self.num_accumulated * self.num_side_by_side

    @property
    def num_parts(self) -> int:
        """How many."""
        return self.num_replicas * self.num_a_replica

    @property
    def is_whole(self) -> bool:
        """Whether there is one part, the batch itself."""
        return self.num_parts == 1

    def check(self, num_rows: int | None) -> None:
        """Refuses batches that have too few rows; None is a number not known yet.

        Raises:
          ValueError: If a part would be empty.
        """
        if num_rows is not None and num_rows < self.num_parts:
            raise ValueError(
                f"a batch must have at least {self.num_parts} examples, one for each part of "
                f"{self.num_replicas} replicas times {self.num_accumulated} accumulated times "
                f"{self.num_side_by_side} side by side, received {num_rows}. Raise the batch size."
            )

    def rows_of_worker(self, index: int, num_workers: int, num_rows: int | None) -> str:
        """Which rows of a batch worker `index`, from 0, trains on, for people."""
        begin, end = (worker * self.num_replicas // num_workers for worker in (index, index + 1))
        if num_rows is None:
            return f"part {index} of {num_workers} of its rows"
        begin, end = (replica * num_rows // self.num_replicas for replica in (begin, end))
        return f"rows {begin} to {end - 1} of its {num_rows}"

    def rows(self, num_rows: tf.Tensor, number: int) -> tuple[tf.Tensor, tf.Tensor]:
        """First row and end of this replica's part `number`, from 0, int64 scalars.

        To be called in a replica's context.
        """
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        part = tf.cast(replica, tf.int64) * self.num_a_replica + number
        return part * num_rows // self.num_parts, (part + 1) * num_rows // self.num_parts
