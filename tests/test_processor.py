import platform

import pytest

from training import processor


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        (
            "cpu family\t: 26\nmodel\t\t: 2\nmodel name\t: AMD EPYC\n",
            "AMD EPYC (family 26, model 2)",
        ),
        ("cpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC 9654\n", "AMD EPYC 9654"),
        ("model name\t: Graviton\nCPU implementer\t: 0x41\n", "Graviton"),
        ("CPU implementer\t: 0x41\n", "as Python says"),
        (None, "as Python says"),
    ],
    ids=["of_many", "a_model", "without_numbers", "without_a_name", "not_linux"],
)
def test_a_processor_whose_name_is_of_many_is_told_with_its_numbers(
    tmp_path, monkeypatch, cpuinfo, expected
):
    path = tmp_path / "cpuinfo"
    if cpuinfo is not None:
        path.write_text(cpuinfo)
    monkeypatch.setattr(processor, "_CPUINFO", path)
    monkeypatch.setattr(platform, "processor", lambda: "as Python says")
    assert processor.processor_name() == expected
