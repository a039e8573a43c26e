import pathlib
import subprocess
import sys

import pytest

import records

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What must import TensorFlow, as it builds a tf.data pipeline.
TENSORFLOW_MODULES = {"batch_parser", "input_fn", "record_stream", "shuffle"}


def test_only_the_input_pipeline_loads_tensorflow():
    modules = {path.stem for path in (ROOT / "records").glob("[a-z]*.py")}
    assert modules > TENSORFLOW_MODULES
    program = "import sys, records\n" + "".join(
        f"import records.{name}\n" for name in sorted(modules - TENSORFLOW_MODULES)
    )
    program += "print({name.split('.')[0] for name in sys.modules} & {'tensorflow', 'keras'})"
    process = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert process.stdout == "set()\n"


@pytest.mark.slow  # TensorFlow takes 3 s to import.
def test_the_books_entry_is_found_in_the_package():
    from records.input_fn import input_fn_maker

    assert records.input_fn_maker is input_fn_maker


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'no_such_name'"):
        _ = records.no_such_name
