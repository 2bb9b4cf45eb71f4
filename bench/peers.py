#!/usr/bin/env python3
"""ONNX Runtime's GRU beside ours, one frame a call; PyTorch's training of a GRU and of an LSTM. One
thread, the shapes of run.sh.

    bash bench/run.sh --json figures.json
    python3 bench/peers.py figures.json

Needs onnxruntime, onnx and numpy, and torch (pip); a missing one is skipped by name.
"""

import json
import os
import statistics
import sys
import time

SHAPES = [(8, 16), (16, 32), (40, 64), (64, 128), (128, 256)]
TRAINING = [(9, 64, 128, 64), (12, 32, 29, 16), (64, 128, 64, 32), (64, 256, 100, 64)]
CLASSES = 9
REPETITIONS = 9
SECONDS_A_REPETITION = 0.05


def our_figures(path):
    """Median ns by benchmark, from a file of run.sh --json."""
    with open(path, encoding="utf-8") as file:
        rows = json.load(file)["benchmarks"]
    return {row["run_name"]: row["cpu_time"] for row in rows if row.get("aggregate_name") == "median"}


def gru_session(inputs, hidden):
    """A session with one GRU node, reset after the recurrent product as in our cell, and random
    weights."""
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
    """One frame: bound input and output, no copies; the state alternates between two arrays."""
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


def ns_per_call(calls):
    """The median of several repetitions of calls(n), n calls, in processor time."""
    n = 1
    while True:
        begin = time.process_time()
        calls(n)
        if time.process_time() - begin > SECONDS_A_REPETITION:
            break
        n *= 2
    measured = []
    for _ in range(REPETITIONS):
        begin = time.process_time_ns()
        calls(n)
        measured.append((time.process_time_ns() - begin) / n)
    return statistics.median(measured)


def training_steps(cell, inputs, hidden, steps, batch):
    """The step of train/f32: forward, cross entropy on the last step, backward, Adam."""
    import torch

    torch.manual_seed(1)
    layer = getattr(torch.nn, cell)(inputs, hidden)
    output = torch.nn.Linear(hidden, CLASSES)
    optimizer = torch.optim.Adam([*layer.parameters(), *output.parameters()])
    x, targets = torch.rand(steps, batch, inputs), torch.arange(batch) % CLASSES

    def calls(n):
        for _ in range(n):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(output(layer(x)[0][-1]), targets).backward()
            optimizer.step()

    return calls


def print_row(shape, own, theirs):
    text, ratio = (f"{own:.0f}", f"{theirs / own:.1f}x") if own else ("-", "-")
    print(f"{shape:>22} {text:>12} {theirs:12.0f} {ratio:>8}", flush=True)


def compare_inference(ours):
    try:
        import numpy  # noqa: F401
        import onnx  # noqa: F401
        import onnxruntime
    except ImportError as error:
        print(f"ONNX Runtime is skipped, not installed: {error.name} (pip install onnxruntime onnx numpy)")
        return
    print(f"ONNX Runtime {onnxruntime.__version__}, one frame a call; ns a step, medians")
    print(f"{'in, hidden':>22} {'ours':>12} {'theirs':>12} {'ratio':>8}")
    for inputs, hidden in SHAPES:
        theirs = ns_per_call(step_function(gru_session(inputs, hidden), inputs, hidden)) / 2
        print_row(f"{inputs}, {hidden}", ours.get("gru_step/f32/in:%d/hid:%d" % (inputs, hidden)), theirs)


def compare_training(ours):
    try:
        import torch
    except ImportError as error:
        print(f"PyTorch is skipped, not installed: {error.name} (pip install torch)")
        return
    torch.set_num_threads(1)
    for cell, name in (("GRU", "train/f32"), ("LSTM", "train/lstm")):
        print(f"PyTorch {torch.__version__}, a {cell}'s training step, Adam included; ns a batch, medians")
        print(f"{'in, hidden, steps, batch':>22} {'ours':>10} {'theirs':>12} {'ratio':>8}")
        for shape in TRAINING:
            theirs = ns_per_call(training_steps(cell, *shape))
            print_row(", ".join(map(str, shape)), ours.get(name + "/in:%d/hid:%d/steps:%d/batch:%d" % shape), theirs)


def main():
    if len(sys.argv) != 2:
        print("usage: python3 bench/peers.py FILE, where FILE is from bench/run.sh --json", file=sys.stderr)
        return 2
    ours = our_figures(sys.argv[1])
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    compare_inference(ours)
    compare_training(ours)
    return 0


if __name__ == "__main__":
    sys.exit(main())
