"""What a profile says, without TensorBoard: a table of its costliest ops, and a trace to browse.

TensorFlow writes one protobuf (`.xplane.pb`), for which TensorBoard needs a plugin that is not part
of it. A plane is a device, a line of it is a thread (or a stream of a GPU), an event a piece of
work. An op is an event on a thread called "<node>:<type>", or any event of a stream.
"""

import collections
import gzip
import itertools
import json
import pathlib
import re
import statistics
from collections.abc import Iterator

from absl import logging
from tensorflow.tsl.profiler.protobuf import xplane_pb2

STEP_EVENT = "train"  # What the hook calls each step.
_OP = re.compile(r"[^:$ ]+:[A-Za-z_]\w*")  # No "Iterator::Map" and no "$file.py:7 function".
_MAX_ROWS = 40  # Of each table.
_MAX_LOGGED = 5


def write_summary(folder: pathlib.Path, num_steps: int) -> None:
    """Writes `ops.txt` and `<host>.trace.json.gz` beside the profile in `folder`; logs the top.

    Args:
      folder: Of one profile: `.../plugins/profile/<time>`.
      num_steps: How many steps it covers.
    """
    for path in sorted(folder.glob("*.xplane.pb")):
        space = xplane_pb2.XSpace()
        space.ParseFromString(path.read_bytes())
        host = path.name.removesuffix(".xplane.pb")
        with gzip.open(folder / f"{host}.trace.json.gz", "wt") as file:
            json.dump({"traceEvents": list(_trace_events(space))}, file)
        by_type, by_node = op_times(space)
        total = sum(ms for ms, _ in by_type.values())
        inside_ms, between_ms = _step_times(space, num_steps)
        table = [
            f"{num_steps} steps of {inside_ms:.2f} ms with their input, {between_ms:.2f} ms "
            f"between two; {total / num_steps:.2f} ms of ops a step, added up over all threads",
            *_rows("type of op", by_type, num_steps, total),
            "",
            *_rows("op", by_node, num_steps, total),
        ]
        (folder / "ops.txt").write_text("\n".join(table) + "\n")
        for line in table[: 2 + _MAX_LOGGED]:
            logging.info("profile | %s", line)
    logging.info("profile | %s | ops.txt; open the .trace.json.gz in ui.perfetto.dev", folder)


def op_times(space: xplane_pb2.XSpace) -> tuple[dict, dict]:
    """Milliseconds and calls by type of op, and by op; each dict is name to (ms, calls)."""
    by_type, by_node = collections.Counter(), collections.Counter()
    type_calls, node_calls = collections.Counter(), collections.Counter()
    for plane in space.planes:
        on_device = plane.name.startswith("/device:")
        for line in plane.lines:
            if on_device and not line.name.startswith("Stream"):
                continue  # The same work once more, put together otherwise.
            for event in line.events:
                name = plane.event_metadata[event.metadata_id].name
                if not on_device and not _OP.fullmatch(name):
                    continue
                node, _, kind = name.rpartition(":") if not on_device else (name, "", name)
                for times, calls, key in (
                    (by_type, type_calls, kind),
                    (by_node, node_calls, node),
                ):
                    times[key] += event.duration_ps / 1e9
                    calls[key] += 1
    return (
        {name: (ms, type_calls[name]) for name, ms in by_type.most_common()},
        {name: (ms, node_calls[name]) for name, ms in by_node.most_common()},
    )


def _step_times(space: xplane_pb2.XSpace, num_steps: int) -> tuple[float, float]:
    """Milliseconds that a step took, and that lay between two: medians, so a save is left out."""
    spans = sorted(
        (line.timestamp_ns / 1e6 + event.offset_ps / 1e9, event.duration_ps / 1e9)
        for plane in space.planes
        for line in plane.lines
        for event in line.events
        if plane.event_metadata[event.metadata_id].name == STEP_EVENT
    )
    gaps = [
        start - (before + duration) for (before, duration), (start, _) in itertools.pairwise(spans)
    ]
    steps_a_span = num_steps / len(spans) if spans else 1  # Several with `steps_per_loop`.
    medians = (statistics.median(times or [0.0]) for times in ([d for _, d in spans], gaps))
    inside, between = (median / steps_a_span for median in medians)
    return inside, between


def _rows(title: str, times: dict, num_steps: int, total: float) -> Iterator[str]:
    yield f"{'ms a step':>10}  {'share':>6}  {'calls a step':>12}  {title}"
    for name, (ms, calls) in list(times.items())[:_MAX_ROWS]:
        share = ms / total if total else 0.0
        yield f"{ms / num_steps:10.3f}  {share:6.1%}  {calls / num_steps:12.1f}  {name}"


def _trace_events(space: xplane_pb2.XSpace) -> Iterator[dict]:
    """The events in the format of chrome://tracing; times in microseconds from the first one."""
    lines = [(plane, line) for plane in space.planes for line in plane.lines if line.events]
    first_ns = min((line.timestamp_ns for _, line in lines), default=0)
    for number, (plane, line) in enumerate(lines):
        place = {"pid": plane.id, "tid": number}
        yield {"ph": "M", "name": "process_name", "args": {"name": plane.name}, **place}
        yield {"ph": "M", "name": "thread_name", "args": {"name": line.name}, **place}
        start_us = (line.timestamp_ns - first_ns) / 1e3
        for event in line.events:
            if event.duration_ps == 0:
                continue
            yield {
                "ph": "X",
                "name": plane.event_metadata[event.metadata_id].name,
                "ts": start_us + event.offset_ps / 1e6,
                "dur": event.duration_ps / 1e6,
                **place,
            }
