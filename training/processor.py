"""What the processor of this machine calls itself."""

import pathlib
import platform


def processor_name() -> str:
    """The model, as Linux tells it; elsewhere what Python knows."""
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
