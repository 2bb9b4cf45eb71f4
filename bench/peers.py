#!/usr/bin/env python3
"""ONNX Runtime's GRU beside ours: one frame a call, one thread, the shapes of gru_step.

    bash bench/run.sh --json figures.json
    python3 bench/peers.py figures.json

Needs onnxruntime, onnx and numpy (pip); without them it says so and ends well.
"""

import json
import os
import statistics
import sys
import time

SHAPES = [(8, 16), (16, 32), (40, 64), (64, 128), (128, 256)]
REPETITIONS = 9
SECONDS_A_REPETITION = 0.05


def our_figures(path):
    """Median ns a step by shape, from a file of run.sh --json."""
    with open(path, encoding="utf-8") as file:
        rows = json.load(file)["benchmarks"]
    medians = {row["run_name"]: row["cpu_time"] for row in rows if row.get("aggregate_name") == "median"}
    return {shape: medians.get("gru_step/f32/in:%d/hid:%d" % shape) for shape in SHAPES}


def gru_session(inputs, hidden):
    """A session with one GRU node, reset after the recurrent product as in our cell, and random weights."""
    import numpy
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    random = numpy.random.default_rng(1)

    def weights(name, *shape):
        values = random.uniform(-1, 1, shape) / hidden**0.5
        return numpy_helper.from_array(values.astype(numpy.float32), name)

    def value(name, *shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    node = helper.make_node(
        "GRU", ["x", "w", "r", "b", "", "h"], ["", "y"], hidden_size=hidden, linear_before_reset=1
    )
    graph = helper.make_graph(
        [node],
        "gru",
        [value("x", 1, 1, inputs), value("h", 1, 1, hidden)],
        [value("y", 1, 1, hidden)],
        [
            weights("w", 1, 3 * hidden, inputs),
            weights("r", 1, 3 * hidden, hidden),
            weights("b", 1, 6 * hidden),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def step_function(session, inputs, hidden):
    """One frame: bound input and output, no copies; the state goes to and fro between two arrays."""
    import numpy
    import onnxruntime

    def array(*shape):
        return onnxruntime.OrtValue.ortvalue_from_numpy(numpy.full(shape, 0.5, numpy.float32))

    x, states = array(1, 1, inputs), [array(1, 1, hidden), array(1, 1, hidden)]
    bindings = []
    for source, target in ((0, 1), (1, 0)):
        binding = session.io_binding()
        binding.bind_ortvalue_input("x", x)
        binding.bind_ortvalue_input("h", states[source])
        binding.bind_ortvalue_output("y", states[target])
        bindings.append(binding)

    def steps(pairs):
        for _ in range(pairs):
            session.run_with_iobinding(bindings[0])
            session.run_with_iobinding(bindings[1])

    return steps


def ns_per_step(steps):
    """The median of several repetitions, in processor time."""
    pairs = 1
    while True:
        begin = time.process_time()
        steps(pairs)
        if time.process_time() - begin > SECONDS_A_REPETITION:
            break
        pairs *= 2
    measured = []
    for _ in range(REPETITIONS):
        begin = time.process_time_ns()
        steps(pairs)
        measured.append((time.process_time_ns() - begin) / (2 * pairs))
    return statistics.median(measured)


def main():
    if len(sys.argv) != 2:
        print("usage: python3 bench/peers.py FILE, where FILE is from bench/run.sh --json", file=sys.stderr)
        return 2
    ours = our_figures(sys.argv[1])
    try:
        import numpy  # noqa: F401
        import onnx  # noqa: F401
        import onnxruntime
    except ImportError as error:
        print(f"skipped, not installed: {error.name} (pip install onnxruntime onnx numpy)")
        return 0
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    print(f"ONNX Runtime {onnxruntime.__version__}, one frame a call, one thread; ns a step, medians")
    print(f"{'in':>4} {'hid':>4} {'ours':>9} {'ONNX Runtime':>13} {'ratio':>8}")
    for inputs, hidden in SHAPES:
        theirs = ns_per_step(step_function(gru_session(inputs, hidden), inputs, hidden))
        own = ours[inputs, hidden]
        own_text, ratio = (f"{own:.0f}", f"{theirs / own:.1f}x") if own else ("-", "-")
        print(f"{inputs:4} {hidden:4} {own_text:>9} {theirs:13.0f} {ratio:>8}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
