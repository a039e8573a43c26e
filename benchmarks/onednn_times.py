"""What oneDNN says of its work if ONEDNN_VERBOSE=profile_exec is set: milliseconds by problem."""

import collections
import re
import statistics
from collections.abc import Iterable

_LINE = "onednn_verbose,v1,primitive,exec,"
_PASS_OF = {
    "forward_training": "forward",
    "forward_inference": "forward",
    "backward_data": "by_inputs",
    "backward_weights": "by_weights",
}
_CONVOLUTION = re.compile(r"_(ic\d+oc\d+)_(ih\d+)\w*?_(iw\d+)")
_INNER_PRODUCT = re.compile(r"mb(\d+)ic(\d+)oc(\d+)")


def times_by_problem(lines: Iterable[str], num_steps: int) -> dict[str, float]:
    """Milliseconds a step, by problem, the largest first.

    Args:
      lines: Standard output of a process that ran `num_steps` steps.
      num_steps: How many, the first ones included, of which memory and kernels are made. They do
        not count: each problem counts with its median time, as often as it occurs a step.

    Returns:
      "convolution forward ic16oc32_ih15_iw50", "matmul 64x10:10x256" and so on to milliseconds.
      What occurs less than once a step is left out.
    """
    times = collections.defaultdict(list)
    for line in lines:
        if line.startswith(_LINE):
            problem, milliseconds = _parse(line.rstrip("\n").split(","))
            times[problem].append(milliseconds)
    sums = {
        problem: statistics.median(all_times) * round(len(all_times) / num_steps)
        for problem, all_times in times.items()
        if len(all_times) >= num_steps
    }
    return dict(sorted(sums.items(), key=lambda pair: -pair[1]))


def kind_of(problem: str) -> str:
    """Its kind and pass, without the shape."""
    kind, *rest = problem.split(" ")
    return f"{kind}_{rest[0]}" if kind in ("convolution", "pooling") else kind


def _parse(columns: list[str]) -> tuple[str, float]:
    kind, pass_name, shape = columns[5], _PASS_OF.get(columns[7], ""), columns[-2]
    if kind == "convolution":
        problem = f"convolution {pass_name} {'_'.join(_CONVOLUTION.search(shape).groups())}"
    elif kind == "inner_product":
        n, inputs, units = _INNER_PRODUCT.search(shape).groups()
        problem = f"matmul {n}x{inputs}:{inputs}x{units}"
    elif kind in ("matmul", "gemm_api"):
        problem = f"matmul {shape}"
    else:
        problem = f"{kind} {pass_name} {shape}"
    return problem, float(columns[-1])
