#!/usr/bin/env python3
"""Makes the models in import/onnx: as PyTorch's two exporters write them, and by hand; and the
answers of ONNX Runtime.

    pip install torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu
    pip install numpy onnx==1.23.2 onnxruntime==1.32.0 onnxscript
    python3 tests/golden/import_onnx.py

Needed only to make them anew. NAME.x.npy has frames, NAME.y.npy the answers of all files NAME.*.
A model that takes a state and gives it back is called step by step.
"""
import pathlib
import warnings

import numpy
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent / "import" / "onnx"
STEPS, IN = 9, 3
RANDOM = numpy.random.default_rng(21)


def numbers(*shape, scale=0.6):
    return (RANDOM.standard_normal(shape) * scale).astype(numpy.float32)


def save(name, x, y):
    numpy.save(HERE / f"{name}.x.npy", x)
    numpy.save(HERE / f"{name}.y.npy", y)


def run(path, x, names=None):
    """All answers of a model to whole sequences."""
    session = onnxruntime.InferenceSession(path)
    return session.run(names, {session.get_inputs()[0].name: x})


def stepped(name, path, states, inputs=IN):
    """The answers of a model that is called for each frame."""
    session = onnxruntime.InferenceSession(path)
    names = [i.name for i in session.get_inputs()]
    shape = [d if isinstance(d, int) else 1 for d in session.get_inputs()[0].shape]
    x = numbers(STEPS, *shape, scale=1)
    state = [numpy.zeros([d if isinstance(d, int) else 1 for d in i.shape], numpy.float32)
             for i in session.get_inputs()[1:]]
    y = []
    for frame in x:
        out = session.run(None, dict(zip(names, [frame] + state)))
        y.append(out[0].reshape(-1))
        state = [o.reshape(s.shape) for o, s in zip(out[1:], state)]
    save(name, x.reshape(1, STEPS, -1), numpy.array(y)[None])


# --- PyTorch's exporters


class Stack(nn.Module):
    def __init__(self, cell, head, last=False):
        super().__init__()
        self.cell, self.head, self.last = cell, head, last

    def forward(self, x):
        y, _ = self.cell(x)
        return self.head(y[:, -1] if self.last else y)


class Norms(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.cell = nn.LayerNorm(IN), nn.GRU(IN, 4, batch_first=True)
        self.second, self.head = nn.LayerNorm(4), nn.Linear(4, 2)
        for p in list(self.norm.parameters()) + list(self.second.parameters()):
            nn.init.normal_(p, std=0.5)

    def forward(self, x):
        y, _ = self.cell(self.norm(x))
        return self.head(self.second(y))


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.LSTM(IN, 3, batch_first=True), nn.GRU(6, 4, batch_first=True)
        self.mask, self.head = nn.Linear(4, 3), nn.Linear(3, 2)

    def forward(self, x):
        y, _ = self.a(x)
        z, _ = self.b(torch.cat([x, y], -1))
        return self.head(torch.sigmoid(self.mask(z)) * x + y)


class OneStep(nn.Module):
    """Cells of PyTorch, with their states as inputs and outputs."""

    def __init__(self, cell):
        super().__init__()
        self.cell, self.head = cell, nn.Linear(4, 2)

    def forward(self, x, h):
        h = self.cell(x, h)
        return torch.tanh(self.head(h)), h


class OneStepLstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.head = nn.LSTMCell(IN, 4), nn.LSTMCell(4, 4), nn.Linear(4, 2)

    def forward(self, x, state):
        h1, c1 = self.first(x, (state[0], state[1]))
        h2, c2 = self.second(h1, (state[2], state[3]))
        return self.head(torch.relu(h2)), torch.stack([h1, c1, h2, c2])


class OwnGru(nn.Module):
    """A GRU that resets before, written by hand, with the gate the other way round."""

    def __init__(self):
        super().__init__()
        self.gates, self.candidate = nn.Linear(IN + 4, 8), nn.Linear(IN + 4, 4)
        self.head = nn.Linear(4, 2)

    def forward(self, x, h):
        r, u = torch.sigmoid(self.gates(torch.cat([x, h], -1))).chunk(2, -1)
        n = torch.tanh(self.candidate(torch.cat([x, r * h], -1)))
        h = h + u * (n - h)
        return self.head(h), h


def exported(name, module, x, dynamo, opset=17, **more):
    path = str(HERE / f"{name}.{'dynamo' if dynamo else 'script'}.onnx")
    inputs = x if isinstance(x, tuple) else (x,)
    torch.onnx.export(module.eval(), inputs, path, dynamo=dynamo, opset_version=opset,
                      **({"external_data": False, "verbose": False} if dynamo else {}), **more)
    return path


def from_torch(name, module, opset=17, exporters=(False, True)):
    x = torch.randn(1, STEPS, IN)
    for dynamo in exporters:
        path = exported(name, module, x, dynamo, max(opset, 18) if dynamo else opset)
        y = run(path, x.numpy())[0]
    save(name, x.numpy(), y)


def steps_from_torch(name, module, states):
    for dynamo in (False, True):
        path = exported(name, module, (torch.randn(1, IN), *states), dynamo, 18 if dynamo else 17)
    stepped(name, path, states)


# --- by hand


def model(name, nodes, inputs, outputs, constants, opset=14, producer=""):
    def info(value):
        return helper.make_tensor_value_info(value[0], TensorProto.FLOAT, value[1])
    graph = helper.make_graph(nodes, name, [info(i) for i in inputs], [info(o) for o in outputs],
                              [numpy_helper.from_array(v, k) for k, v in constants.items()])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)],
                             producer_name=producer, ir_version=8)
    onnx.checker.check_model(made)
    path = str(HERE / f"{name}.onnx")
    onnx.save(made, path)
    return path


def operator(name, op, gates, direction="forward", bias=True, layout=0, answer="Y", opset=14,
             units=4, **attributes):
    """One recurrent operation; the answer is Y (all steps) or Y_h (the last state)."""
    directions = 2 if direction == "bidirectional" else 1
    constants = {"W": numbers(directions, gates * units, IN),
                 "R": numbers(directions, gates * units, units)}
    if bias:
        constants["B"] = numbers(directions, 2 * gates * units)
    node = helper.make_node(op, ["X", "W", "R"] + (["B"] if bias else []), ["Y", "Y_h"],
                            hidden_size=units, direction=direction, **attributes,
                            **({"layout": 1} if layout else {}))
    x = numbers(STEPS, 1, IN, scale=1)
    if layout:  # ONNX Runtime reads sequences first alone; the numbers are the same
        shape = {"Y": [1, STEPS, directions, units], "Y_h": [1, directions, units]}
    else:
        shape = {"Y": [STEPS, directions, 1, units], "Y_h": [directions, 1, units]}
    path = model(name, [node], [("X", [1, STEPS, IN] if layout else [STEPS, 1, IN])],
                 [(answer, shape[answer])], constants, opset)
    if layout:
        plain = model("plain", [helper.make_node(op, ["X", "W", "R"] + (["B"] if bias else []),
                                                 ["Y", "Y_h"], hidden_size=units,
                                                 direction=direction, **attributes)],
                      [("X", [STEPS, 1, IN])],
                      [(answer, [STEPS, directions, 1, units] if answer == "Y" else
                        [directions, 1, units])], constants, opset)
        y = run(plain, x)[0]
        pathlib.Path(plain).unlink()
    else:
        y = run(path, x)[0]
    if answer == "Y_h":
        y = y.reshape(1, -1)
    save(name, x.reshape(1, STEPS, IN), y)


def started(name, op, gates, direction="forward", batch=1, peepholes=False, state=("h", "c"),
            units=4):
    """An operation with an initial state, the same for each sequence of a batch, or with
    peepholes."""
    random = numpy.random.default_rng(len(name))

    def some(*shape):
        return (random.standard_normal(shape) * 0.6).astype(numpy.float32)

    directions = 2 if direction == "bidirectional" else 1
    constants = {"W": some(directions, gates * units, IN), "R": some(directions, gates * units, units),
                 "B": some(directions, 2 * gates * units)}
    inputs = ["X", "W", "R", "B"]
    if state:
        inputs += ["", "h0" if "h" in state else "", "c0" if "c" in state and op == "LSTM" else ""]
        for one in state:
            if f"{one}0" in inputs:
                constants[f"{one}0"] = numpy.repeat(some(directions, 1, units), batch, axis=1)
    if peepholes:
        inputs += [""] * (7 - len(inputs)) + ["P"]
        constants["P"] = some(directions, 3 * units)
    while not inputs[-1]:
        inputs.pop()
    node = helper.make_node(op, inputs, ["Y", ""], hidden_size=units, direction=direction)
    path = model(name, [node], [("X", [STEPS, batch, IN])], [("Y", [STEPS, directions, batch, units])], constants)
    x = some(STEPS, batch, IN)
    y = run(path, x)[0]
    save(name, x.transpose(1, 0, 2), y.transpose(2, 0, 1, 3).reshape(batch, STEPS, -1))


def started_all():
    started("op_gru_start", "GRU", 3)
    started("op_rnn_start_both", "RNN", 1, "bidirectional")
    started("op_lstm_start", "LSTM", 4)
    started("op_lstm_start_h", "LSTM", 4, state=("h",))
    started("op_lstm_start_c_both", "LSTM", 4, "bidirectional", state=("c",))
    started("op_lstm_start_batch", "LSTM", 4, batch=3)
    started("op_lstm_peepholes", "LSTM", 4, peepholes=True, state=())
    started("op_lstm_peepholes_start_both", "LSTM", 4, "bidirectional", peepholes=True)


def unfolded():
    """Weights as PyTorch's own, put into ONNX's order by operations of the graph."""
    units = 4
    w, r, b, b2 = numbers(4 * units, IN), numbers(4 * units, units), numbers(16), numbers(16)
    nodes, constants = [], {"w": w, "r": r, "b": b, "b2": b2, "axis0": numpy.array([0]),
                            "head": numbers(units, 2)}
    for tensor in ("w", "r", "b", "b2"):
        parts = []
        for gate, place in enumerate((0, 3, 1, 2)):  # i, o, f, c
            constants[f"begin{gate}"] = numpy.array([place * units])
            constants[f"end{gate}"] = numpy.array([(place + 1) * units])
            parts.append(f"{tensor}_{gate}")
            nodes.append(helper.make_node("Slice", [tensor, f"begin{gate}", f"end{gate}", "axis0"],
                                          [parts[-1]]))
        nodes.append(helper.make_node("Concat", parts, [f"{tensor}_all"], axis=0))
    nodes += [helper.make_node("Unsqueeze", ["w_all", "axis0"], ["W"]),
              helper.make_node("Unsqueeze", ["r_all", "axis0"], ["R"]),
              helper.make_node("Concat", ["b_all", "b2_all"], ["B_flat"], axis=0),
              helper.make_node("Unsqueeze", ["B_flat", "axis0"], ["B"]),
              helper.make_node("Transpose", ["x"], ["X"], perm=[1, 0, 2]),
              helper.make_node("LSTM", ["X", "W", "R", "B"], ["Y"], hidden_size=units),
              helper.make_node("Squeeze", ["Y", "axis1"], ["Y3"]),
              helper.make_node("Transpose", ["Y3"], ["Y_batch"], perm=[1, 0, 2]),
              helper.make_node("MatMul", ["Y_batch", "head"], ["y"])]
    constants["axis1"] = numpy.array([1])
    path = model("unfolded", nodes, [("x", [1, "steps", IN])], [("y", [1, "steps", 2])], constants)
    x = numbers(1, STEPS, IN, scale=1)
    save("unfolded", x, run(path, x)[0])


def packed():
    """Two LSTMs of one frame whose states are packed as [1][layers][units][2]."""
    units = 3
    constants = {"zero": numpy.array([0]), "one": numpy.array([1]), "two": numpy.array([2]),
                 "axis1": numpy.array([1]), "axis3": numpy.array([3]),
                 "shape_h": numpy.array([1, 1, units]), "shape": numpy.array([1, 1, units, 1]),
                 "head": numbers(units, 2), "bias": numbers(2)}
    nodes, last, states = [], "x", []
    for layer in range(2):
        width = IN if layer == 0 else units
        constants[f"W{layer}"] = numbers(1, 4 * units, width)
        constants[f"R{layer}"] = numbers(1, 4 * units, units)
        constants[f"B{layer}"] = numbers(1, 8 * units)
        begin, end = ("zero", "one") if layer == 0 else ("one", "two")
        nodes.append(helper.make_node("Slice", ["state", begin, end, "axis1"], [f"s{layer}"]))
        for i, name in enumerate(("h", "c")):
            nodes.append(helper.make_node(
                "Slice", [f"s{layer}", *(("zero", "one") if i == 0 else ("one", "two")), "axis3"],
                [f"{name}{layer}_4"]))
            nodes.append(helper.make_node("Reshape", [f"{name}{layer}_4", "shape_h"],
                                          [f"{name}{layer}"]))
        nodes.append(helper.make_node("LSTM", [last, f"W{layer}", f"R{layer}", f"B{layer}", "",
                                               f"h{layer}", f"c{layer}"],
                                      [f"Y{layer}", f"H{layer}", f"C{layer}"], hidden_size=units))
        nodes.append(helper.make_node("Squeeze", [f"Y{layer}", "axis1"], [f"y{layer}"]))
        last = f"y{layer}"
        for name in ("H", "C"):
            nodes.append(helper.make_node("Reshape", [f"{name}{layer}", "shape"],
                                          [f"{name}{layer}_4"]))
        nodes.append(helper.make_node("Concat", [f"H{layer}_4", f"C{layer}_4"], [f"o{layer}"],
                                      axis=3))
        states.append(f"o{layer}")
    nodes += [helper.make_node("Concat", states, ["state_out"], axis=1),
              helper.make_node("MatMul", [last, "head"], ["p"]),
              helper.make_node("Add", ["p", "bias"], ["q"]),
              helper.make_node("Sigmoid", ["q"], ["y"])]
    path = model("packed", nodes, [("x", [1, 1, IN]), ("state", [1, 2, units, 2])],
                 [("y", [1, 1, 2]), ("state_out", [1, 2, units, 2])], constants)
    stepped("packed", path, None)


def step_of_gru(nodes, constants, name, x, h, out, units, width):
    """A GRU that resets before, with Keras 2's hard sigmoid: clip(0.2 a + 0.5, 0, 1)."""
    constants[f"{name}_wx"] = numbers(width, 3 * units)
    constants[f"{name}_wh"] = numbers(units, 2 * units)
    constants[f"{name}_wn"] = numbers(units, units)
    constants[f"{name}_b"] = numbers(3 * units)
    for key, value in (("fifth", 0.2), ("half", 0.5), ("zero_f", 0.0), ("one_f", 1.0)):
        constants[key] = numpy.array(value, numpy.float32)
    constants["thirds"] = numpy.array([2 * units, units])
    constants["halves"] = numpy.array([units, units])

    def node(op, inputs, result, **attributes):
        nodes.append(helper.make_node(op, inputs, result, **attributes))

    node("MatMul", [x, f"{name}_wx"], [f"{name}_p"])
    node("Add", [f"{name}_p", f"{name}_b"], [f"{name}_q"])
    node("Split", [f"{name}_q", "thirds"], [f"{name}_xg", f"{name}_xn"], axis=-1)
    node("MatMul", [h, f"{name}_wh"], [f"{name}_hg"])
    node("Add", [f"{name}_xg", f"{name}_hg"], [f"{name}_s"])
    node("Mul", [f"{name}_s", "fifth"], [f"{name}_s2"])
    node("Add", [f"{name}_s2", "half"], [f"{name}_s3"])
    node("Clip", [f"{name}_s3", "zero_f", "one_f"], [f"{name}_g"])
    node("Split", [f"{name}_g", "halves"], [f"{name}_z", f"{name}_r"], axis=-1)
    node("Mul", [f"{name}_r", h], [f"{name}_rh"])
    node("MatMul", [f"{name}_rh", f"{name}_wn"], [f"{name}_hn"])
    node("Add", [f"{name}_xn", f"{name}_hn"], [f"{name}_n0"])
    node("Tanh", [f"{name}_n0"], [f"{name}_n"])
    node("Mul", [f"{name}_z", h], [f"{name}_keep"])
    node("Sub", ["one_f", f"{name}_z"], [f"{name}_open"])
    node("Mul", [f"{name}_open", f"{name}_n"], [f"{name}_new"])
    node("Add", [f"{name}_keep", f"{name}_new"], [out])


def looped(name, scan, started=False):
    """A GRU as a Loop, which gathers frames by the number of the step, or as a Scan; behind an If
    on a size that is known."""
    units = 4
    constants = {"zero": numpy.array(0), "one1": numpy.array([1]), "units1": numpy.array([units]),
                 "true": numpy.array(True), "head": numbers(units, 2)}
    inner = []
    if not scan:
        inner.append(helper.make_node("Identity", ["go"], ["go_on"]))
        inner.append(helper.make_node("Gather", ["xt", "i"], ["frame"], axis=0))
    step_of_gru(inner, constants, "cell", "frame", "h", "h_next", units, IN)
    inner.append(helper.make_node("Identity", ["h_next"], ["y_step"]))

    def value(key, kind=TensorProto.FLOAT, shape=None):
        return helper.make_tensor_value_info(key, kind, shape)
    if scan:
        body = helper.make_graph(inner, "body", [value("h", shape=[1, units]),
                                                 value("frame", shape=[1, IN])],
                                 [value("h_next", shape=[1, units]),
                                  value("y_step", shape=[1, units])])
    else:
        body = helper.make_graph(inner, "body", [value("i", TensorProto.INT64, []),
                                                 value("go", TensorProto.BOOL, []),
                                                 value("h", shape=[1, units])],
                                 [value("go_on", TensorProto.BOOL, []),
                                  value("h_next", shape=[1, units]),
                                  value("y_step", shape=[1, units])])
    then = helper.make_graph([helper.make_node("Transpose", ["x"], ["xt_then"], perm=[1, 0, 2])],
                             "then", [], [value("xt_then")])
    other = helper.make_graph([helper.make_node("Identity", ["x"], ["xt_else"])], "else", [],
                              [value("xt_else")])
    nodes = [helper.make_node("Shape", ["x"], ["sizes"]),
             helper.make_node("Gather", ["sizes", "zero"], ["batch"], axis=0),
             helper.make_node("Equal", ["batch", "one"], ["is_one"]),
             helper.make_node("If", ["is_one"], ["xt"], then_branch=then, else_branch=other),
             helper.make_node("Concat", ["one1", "units1"], ["state_shape"], axis=0),
             helper.make_node("ConstantOfShape", ["state_shape"], ["zeros" if started else "h0"])]
    if started:
        constants["h0"] = numbers(1, units)
    constants["one"] = numpy.array(1)
    if scan:
        nodes.append(helper.make_node("Scan", ["h0", "xt"], ["h_last", "ys"], body=body,
                                      num_scan_inputs=1))
    else:
        nodes += [helper.make_node("Shape", ["xt"], ["steps_of"]),
                  helper.make_node("Gather", ["steps_of", "zero"], ["count"], axis=0),
                  helper.make_node("Loop", ["count", "true", "h0"], ["h_last", "ys"], body=body)]
    nodes += [helper.make_node("Transpose", ["ys"], ["yb"], perm=[1, 0, 2]),
              helper.make_node("MatMul", ["yb", "head"], ["y"])]
    path = model(name, nodes, [("x", [1, "steps", IN])], [("y", [1, "steps", 2])], constants, 15)
    x = numbers(1, STEPS, IN, scale=1)
    save(name, x, run(path, x)[0])


def sliced():
    """The last step of a layer of both directions, where its backward half has read one frame."""
    units = 3
    constants = {"W": numbers(2, 3 * units, IN), "R": numbers(2, 3 * units, units),
                 "B": numbers(2, 6 * units), "shape": numpy.array([0, 0, 2 * units]),
                 "last": numpy.array(-1), "head": numbers(2 * units, 2)}
    nodes = [helper.make_node("Transpose", ["x"], ["X"], perm=[1, 0, 2]),
             helper.make_node("GRU", ["X", "W", "R", "B"], ["Y"], hidden_size=units,
                              direction="bidirectional", linear_before_reset=1),
             helper.make_node("Transpose", ["Y"], ["Yt"], perm=[0, 2, 1, 3]),
             helper.make_node("Reshape", ["Yt", "shape"], ["Yr"]),
             helper.make_node("Gather", ["Yr", "last"], ["y_last"], axis=0),
             helper.make_node("MatMul", ["y_last", "head"], ["y"])]
    path = model("sliced", nodes, [("x", [1, "steps", IN])], [("y", [1, 2])], constants, 15)
    x = numbers(1, STEPS, IN, scale=1)
    save("sliced", x, run(path, x)[0])


def steps_one_by_one():
    """Two cells whose steps are written one by one, each with its own nodes: a GRU that resets
    before, of which all steps are joined, and an RNN, of which the last one is read."""
    units, steps = 4, 5
    constants = {"zero": numpy.zeros((1, units), numpy.float32), "w": numbers(units, units),
                 "u": numbers(units, units), "b": numbers(units), "axis": numpy.array([1]),
                 "head": numbers(units, 2)}
    nodes, h, made = [], "zero", []
    for t in range(steps):
        constants[f"t{t}"] = numpy.array(t)
        nodes.append(helper.make_node("Gather", ["x", f"t{t}"], [f"x{t}"], axis=1))
        step = []
        step_of_gru(step, {}, f"s{t}", f"x{t}", h, f"h{t}", units, IN)
        for node in step:  # of one set of weights
            for i, name in enumerate(node.input):
                if name.split("_")[-1] in ("wx", "wh", "wn", "b"):
                    node.input[i] = "cell_" + name.split("_")[-1]
        nodes += step
        h = f"h{t}"
        nodes.append(helper.make_node("Unsqueeze", [h, "axis"], [f"y{t}"]))
        made.append(f"y{t}")
    step_of_gru([], constants, "cell", "x0", "zero", "h0", units, IN)
    nodes.append(helper.make_node("Concat", made, ["y"], axis=1))
    parts = [f"p{t}" for t in range(steps)]
    nodes.append(helper.make_node("Split", ["y"], parts, axis=1))
    h = "zero"
    for t in range(steps):
        nodes += [helper.make_node("Squeeze", [f"p{t}", "axis"], [f"q{t}"]),
                  helper.make_node("Gemm", [f"q{t}", "w", "b"], [f"wx{t}"]),
                  helper.make_node("Gemm", [h, "u"], [f"uh{t}"]),
                  helper.make_node("Add", [f"wx{t}", f"uh{t}"], [f"sum{t}"]),
                  helper.make_node("Tanh", [f"sum{t}"], [f"g{t}"])]
        h = f"g{t}"
    nodes.append(helper.make_node("MatMul", [h, "head"], ["answer"]))
    path = model("steps_one_by_one", nodes, [("x", [1, steps, IN])], [("answer", [1, 2])],
                 constants, 15)
    x = numbers(1, steps, IN, scale=1)
    save("steps_one_by_one", x, run(path, x)[0])


def main():
    torch.manual_seed(22)
    HERE.mkdir(parents=True, exist_ok=True)
    for old in HERE.iterdir():
        old.unlink()
    gru = {"batch_first": True}
    from_torch("gru", Stack(nn.GRU(IN, 4, 2, **gru), nn.Linear(4, 2)))
    from_torch("lstm_last", Stack(nn.LSTM(IN, 4, **gru), nn.Linear(4, 2), last=True))
    from_torch("both", Stack(nn.GRU(IN, 3, bidirectional=True, **gru), nn.Linear(6, 2)))
    from_torch("rnn", Stack(nn.RNN(IN, 4, **gru), nn.Sequential(nn.Linear(4, 3), nn.ReLU(),
                                                              nn.Linear(3, 2), nn.Softmax(-1))),
               exporters=(False,))  # the new exporter writes every step by itself
    from_torch("norms", Norms(), opset=15)
    from_torch("branches", Branches())
    steps_from_torch("gru_cell", OneStep(nn.GRUCell(IN, 4)), [torch.zeros(1, 4)])
    steps_from_torch("rnn_cell", OneStep(nn.RNNCell(IN, 4)), [torch.zeros(1, 4)])
    steps_from_torch("lstm_cells", OneStepLstm(), [torch.zeros(4, 1, 4)])
    steps_from_torch("own_gru", OwnGru(), [torch.zeros(1, 4)])

    operator("op_gru_after", "GRU", 3, linear_before_reset=1)
    operator("op_gru_before", "GRU", 3)
    operator("op_gru_no_bias", "GRU", 3, bias=False, answer="Y_h")
    operator("op_gru_both_last", "GRU", 3, "bidirectional", answer="Y_h")
    operator("op_gru_reverse", "GRU", 3, "reverse", linear_before_reset=1)
    operator("op_lstm_reverse_last", "LSTM", 4, "reverse", answer="Y_h")
    operator("op_lstm_hard", "LSTM", 4, activations=["HardSigmoid", "Tanh", "Tanh"])
    operator("op_gru_hard", "GRU", 3, activations=["HardSigmoid", "Tanh"], activation_alpha=[1 / 6],
             activation_beta=[0.5], linear_before_reset=1)
    operator("op_rnn_both", "RNN", 1, "bidirectional")
    operator("op_lstm_opset7", "LSTM", 4, opset=7)
    operator("op_gru_layout", "GRU", 3, layout=1, linear_before_reset=1)
    operator("op_lstm_layout_last", "LSTM", 4, "bidirectional", layout=1, answer="Y_h")
    unfolded()
    packed()
    looped("loop", False)
    looped("scan", True)
    started_all()
    looped("loop_started", False, True)
    steps_one_by_one()
    sliced()
    # Sums of gates that reach 20 and are clipped there, where sigmoid and tanh are flat.
    operator("op_gru_clip", "GRU", 3, clip=20.0, linear_before_reset=1)
    operator("op_lstm_clip_both", "LSTM", 4, "bidirectional", clip=15.0)
    (HERE / "README").write_text(
        f"made by import_onnx.py with PyTorch {torch.__version__.split('+')[0]}, onnx "
        f"{onnx.__version__}, ONNX Runtime {onnxruntime.__version__}\n")
    print(sum(f.stat().st_size for f in HERE.iterdir()), "bytes")


if __name__ == "__main__":
    main()
