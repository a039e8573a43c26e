"""What is raised for damaged data."""


class RecordError(ValueError):
    """A record, or the shard around it, is not as the schema and the format say."""
