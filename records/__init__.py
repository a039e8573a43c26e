"""The dataset on disk: one table of fields drives writer, readers and descriptions.

Nothing here loads TensorFlow except what reads for a network: `records.input_fn_maker`, the book's
entry, is imported when it is first asked for.
"""


def __getattr__(name: str):
    if name == "input_fn_maker":
        from records.input_fn import input_fn_maker  # noqa: PLC0415

        return input_fn_maker
    raise AttributeError(f"module 'records' has no attribute {name!r}")
