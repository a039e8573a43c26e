"""What the processor of this machine calls itself."""

import pathlib
import platform
import re

_CPUINFO = pathlib.Path("/proc/cpuinfo")


def processor_name() -> str:
    """The model, as Linux tells it; elsewhere what Python knows.

    A name that many models have ("AMD EPYC") comes with the numbers of family and model.
    """
    known = platform.processor() or platform.machine()
    if not _CPUINFO.exists():
        return known
    told = dict(
        re.findall(r"^(model name|cpu family|model)\s*: *(.+)$", _CPUINFO.read_text(), re.M)
    )
    name = told.get("model name", known)
    if re.search(r"\d", name) or not {"cpu family", "model"} <= told.keys():
        return name
    return f"{name} (family {told['cpu family']}, model {told['model']})"
