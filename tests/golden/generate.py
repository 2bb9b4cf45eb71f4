#!/usr/bin/env python3
"""Makes the golden files beside it: the results of PyTorch 2.13 and Keras 3, with which the tests
must agree.

    pip install keras==3.15.1
    pip install torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu
    python3 tests/golden/generate.py

Needed only to make them anew. A file has lines `name rows cols v v v ...` in row order; `#` begins
a comment. Weights and inputs are float32 numbers, printed so that they read back exactly. PyTorch
computes from them in float64, so that we compare with the formula and not with another library's
rounding. A GRU's weights have PyTorch's packing: rows of r, then z, then n.
"""
import pathlib
import unicodedata

import numpy
import torch
from torch import nn

HERE = pathlib.Path(__file__).parent
DOUBLE = torch.float64


class File:
    def __init__(self, name):
        self.name = name
        self.lines = [f"# made by generate.py with PyTorch {torch.__version__.split('+')[0]}"]

    def add(self, name, tensor):
        t = tensor.detach().to(DOUBLE).reshape(-1, tensor.shape[-1] if tensor.dim() > 0 else 1)
        values = " ".join(f"{v:.9g}" for v in t.flatten().tolist())
        self.lines.append(f"{name} {t.shape[0]} {t.shape[1]} {values}")

    def write(self):
        (HERE / self.name).write_text("\n".join(self.lines) + "\n")
        print(self.name, len(self.lines), "lines", (HERE / self.name).stat().st_size, "bytes")


def float32(t):
    """The nearest float32, which a blob can hold, as a double."""
    return t.to(torch.float32).to(DOUBLE)


def rounded(module, gain=1.0):
    """A module in double whose parameters are float32 numbers."""
    module = module.to(DOUBLE)
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(float32(p * gain))
    return module


class Net(nn.Module):
    """GRU layers and a Dense one; the answer for every step, or for the last one."""

    def __init__(self, inputs, hidden, outputs, layers, every_step):
        super().__init__()
        self.gru = nn.GRU(inputs, hidden, layers)
        self.dense = nn.Linear(hidden, outputs)
        self.every_step = every_step

    def forward(self, x):
        y, _ = self.gru(x)
        return self.dense(y if self.every_step else y[-1:])


def names(net):
    """(our name, parameter): gru0.weight_ih, ..., dense.weight, dense.bias."""
    for name, p in net.named_parameters():
        if name.startswith("gru."):
            array, layer = name[len("gru."):].rsplit("_l", 1)
            yield f"gru{layer}.{array}", p
        else:
            yield name, p


def forward():
    torch.manual_seed(20)
    file = File("forward.txt")
    for inputs, hidden, layers in [(1, 1, 1), (3, 7, 1), (12, 8, 1), (5, 9, 1), (13, 33, 1), (4, 6, 2)]:
        gru = rounded(nn.GRU(inputs, hidden, layers), 1.5)
        x = float32(torch.randn(200, inputs))
        case = f"{inputs}x{hidden}x{layers}"
        file.add(f"{case}.x", x)
        for name, p in gru.named_parameters():
            array, layer = name.rsplit("_l", 1)
            file.add(f"{case}.gru{layer}.{array}", p)
        with torch.no_grad():
            y, _ = gru(x)
        file.add(f"{case}.y", y)
    file.write()


def batch(file, case, sequences, inputs, longest, outputs, loss, every_step):
    """Ragged sequences: steps, all frames one after the other, and targets (class -1 and value nan
    are masked)."""
    steps = torch.tensor([1 + (5 * i + 2) % longest for i in range(sequences)])
    x = float32(torch.randn(int(steps.sum()), inputs))
    answers = int(steps.sum()) if every_step else sequences
    if loss == "cross_entropy":
        target = torch.randint(0, outputs, (answers, 1))
        target[3] = -1
        target[answers - 1] = -1
    else:
        target = float32(torch.randn(answers, outputs))
        target[2, 0] = float("nan")
        target[answers // 2, :] = float("nan")
    file.add(f"{case}.steps", steps.reshape(1, -1).to(DOUBLE))
    file.add(f"{case}.x", x)
    file.add(f"{case}.target", target.to(DOUBLE))
    return steps.tolist(), x, target


def sequences_of(steps, x, target, every_step):
    at = 0
    for i, n in enumerate(steps):
        yield x[at:at + n].unsqueeze(1), (target[at:at + n] if every_step else target[i:i + 1])
        at += n


def mean_loss(net, sequences, loss):
    """Mean over the targets that are not masked, in all sequences together."""
    total, count = 0.0, 0
    for x, target in sequences:
        y = net(x).squeeze(1)
        if loss == "cross_entropy":
            keep = target[:, 0] >= 0
            total = total + nn.functional.cross_entropy(y[keep], target[keep, 0], reduction="sum")
            count += int(keep.sum())
        else:
            keep = ~torch.isnan(target)
            total = total + ((y[keep] - target[keep]) ** 2).sum()
            count += int(keep.sum())
    return total / count


def gradients():
    torch.manual_seed(21)
    file = File("gradients.txt")
    for case, inputs, hidden, outputs, layers, every_step, loss in [
            ("last_class", 5, 9, 4, 1, False, "cross_entropy"),
            ("every_value", 3, 7, 2, 1, True, "mse"),
            ("every_class", 12, 8, 3, 1, True, "cross_entropy"),
            ("stacked_class", 4, 6, 3, 2, False, "cross_entropy"),
            ("stacked_value", 2, 17, 1, 3, True, "mse")]:
        net = rounded(Net(inputs, hidden, outputs, layers, every_step), 1.5)
        steps, x, target = batch(file, case, 19, inputs, 13, outputs, loss, every_step)
        value = mean_loss(net, sequences_of(steps, x, target, every_step), loss)
        value.backward()
        file.add(f"{case}.loss", value)
        for name, p in names(net):
            file.add(f"{case}.{name}", p)
            file.add(f"{case}.{name}.grad", p.grad)
    file.write()


def optimizers():
    """Twenty steps; even ones see the first 8 sequences, odd ones the last 9."""
    torch.manual_seed(22)
    file = File("optimizers.txt")
    steps, x, target = batch(file, "data", 13, 5, 11, 4, "cross_entropy", False)
    start = rounded(Net(5, 9, 4, 2, False), 1.5)
    for name, p in names(start):
        file.add(f"start.{name}", p)
    all_sequences = list(sequences_of(steps, x, target, False))
    for case in ["adam", "adam_l2", "adamw", "adamw_clip_cosine", "sgd", "sgd_momentum", "sgd_nesterov_value_steps", "rmsprop",
                 "rmsprop_l1_cycle"]:
        net = Net(5, 9, 4, 2, False).to(DOUBLE)
        net.load_state_dict(start.state_dict())
        matrices = [p for name, p in names(net) if "weight" in name]
        biases = [p for name, p in names(net) if "bias" in name]
        rate = 1e-2
        if case.startswith("adamw"):
            groups = [{"params": matrices, "weight_decay": 0.1}, {"params": biases, "weight_decay": 0.0}]
            optimizer = torch.optim.AdamW(groups, lr=rate)
        elif case.startswith("sgd"):
            rate, momentum = 0.1, 0.0 if case == "sgd" else 0.9
            optimizer = torch.optim.SGD(net.parameters(), lr=rate, momentum=momentum, nesterov="nesterov" in case)
        elif case.startswith("rmsprop"):
            optimizer = torch.optim.RMSprop(net.parameters(), lr=rate, alpha=0.9)
        else:
            l2 = 0.01 if case == "adam_l2" else 0.0  # l2 * sum w^2 has the gradient 2 * l2 * w
            groups = [{"params": matrices, "weight_decay": 2 * l2}, {"params": biases, "weight_decay": 0.0}]
            optimizer = torch.optim.Adam(groups, lr=rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20) if "cosine" in case else None
        if "steps" in case:
            schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=6, gamma=0.5)
        if "cycle" in case:
            schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=rate, total_steps=20, cycle_momentum=False)
        for step in range(20):
            optimizer.zero_grad()
            loss = mean_loss(net, all_sequences[:8] if step % 2 == 0 else all_sequences[-9:], "cross_entropy")
            if "l1" in case:
                loss = loss + 0.01 * sum(p.abs().sum() for p in matrices)
            loss.backward()
            if "value" in case:
                nn.utils.clip_grad_value_(net.parameters(), 0.01)
            if "clip" in case:
                nn.utils.clip_grad_norm_(net.parameters(), 0.2)
            optimizer.step()
            if schedule:
                schedule.step()
        for name, p in names(net):
            file.add(f"{case}.{name}", p)
    file.write()


def same_data_twice():
    """The same sequences as CSV and as NumPy writes them: the command must see no difference."""
    torch.manual_seed(23)
    steps = torch.tensor([1 + (5 * i + 2) % 9 for i in range(24)])
    label = torch.randint(0, 3, (24,))
    x = torch.round(torch.randn(int(steps.sum()), 3) * 1000) / 1000 + torch.repeat_interleave(label, steps)[:, None]
    sequence = torch.repeat_interleave(torch.arange(24), steps)
    numpy.savez(HERE / "sequences.npz", x=x.to(torch.float32).numpy(), sequence=sequence.numpy(), label=label.numpy())
    lines = ["sequence,label,x0,x1,x2"]
    for row, number in enumerate(sequence.tolist()):
        lines.append(f"{number},{int(label[number])}," + ",".join(f"{v:.9g}" for v in x[row].tolist()))
    (HERE / "sequences.csv").write_text("\n".join(lines) + "\n")


SEQUENCES, STEPS, INPUTS, UNITS = 5, 9, 3, 7


def module_case(file, case, arrays, answer, x):
    """Weights, answers and gradients of a layer over equally long sequences. arrays: (our name, a
    function of the parameter's or its gradient's values that packs them as ours, parameter)."""
    y = answer(x)
    target = float32(torch.randn(y.shape))
    loss = ((y - target) ** 2).mean()
    loss.backward()
    file.add(f"{case}.x", x.detach())
    file.add(f"{case}.y", y.detach())
    file.add(f"{case}.target", target)
    for name, pack, p in arrays:
        file.add(f"{case}.{name}", pack(p.detach()))
        file.add(f"{case}.{name}.grad", pack(p.grad))


def plain(t):
    return t


def torch_arrays(module):
    for name, p in module.named_parameters():
        yield name.replace("_l0", ""), plain, p


def torch_cells(file):
    """Frames go in as [sequences][steps]; PyTorch's own packing is ours."""
    def run(module, pick):
        def answer(x):
            y, last = module(x.reshape(SEQUENCES, STEPS, INPUTS))
            return pick(y, last)
        return answer

    every = lambda y, last: y.reshape(SEQUENCES * STEPS, -1)
    final = lambda y, last: torch.cat(list(last[0] if isinstance(last, tuple) else last), dim=-1)
    mean = lambda y, last: y.mean(dim=1)
    for kind, module in [("lstm", nn.LSTM), ("rnn", nn.RNN), ("gru", nn.GRU)]:
        for case, both, pick in [("every", False, every), ("last", False, final), ("mean", False, mean), ("both_every", True, every),
                                 ("both_last", True, final)]:
            net = rounded(module(INPUTS, UNITS, batch_first=True, bidirectional=both), 1.5)
            module_case(file, f"{kind}_{case}", list(torch_arrays(net)), run(net, pick), float32(torch.randn(SEQUENCES * STEPS, INPUTS)))


def keras_rows(order):
    """Keras packs [inputs][gates * units], gates z, r, n of a GRU and i, f, g, o of an LSTM."""
    def pack(t):
        t = t.reshape(-1, t.shape[-1])
        parts = t.split(UNITS, dim=1)
        return torch.cat([parts[i] for i in order], dim=1).T
    return pack


def keras_arrays(cell, kind):
    kernel, recurrent, bias = [v.value for v in cell.weights]
    order = [0, 1, 2, 3] if kind == "lstm" else [1, 0, 2]
    first = lambda t: keras_rows(order)(t[0])
    second = lambda t: keras_rows(order)(t[1])
    yield "weight_ih", keras_rows(order), kernel
    if kind == "gru_before":
        pick = lambda which: lambda t: keras_rows(which)(t)
        yield "weight_hh", pick([1, 0]), recurrent
        yield "weight_hn", pick([2]), recurrent
        yield "bias_ih", keras_rows(order), bias
        return
    yield "weight_hh", keras_rows(order), recurrent
    if kind == "gru":
        yield "bias_ih", first, bias
        yield "bias_hh", second, bias
    else:
        yield "bias_ih", keras_rows(order), bias


def keras_answer(layer):
    return lambda x: layer(x.reshape(SEQUENCES, STEPS, INPUTS)).reshape(-1, UNITS)


def keras_cell(keras, kind, **options):
    """A layer whose weights are float32 numbers."""
    make = keras.layers.LSTM if kind == "lstm" else keras.layers.GRU
    if kind != "lstm":
        options["reset_after"] = kind == "gru"
    layer = make(units=UNITS, return_sequences=True, bias_initializer="random_normal", **options)
    layer.build((SEQUENCES, STEPS, INPUTS))
    for v in layer.weights:
        v.assign(float32(v.value * 1.5).detach().numpy())
    return layer


def keras_cells(file):
    import os
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    keras.config.set_floatx("float64")
    keras.utils.set_random_seed(26)
    for kind, activation in [("gru", "sigmoid"), ("gru_before", "sigmoid"), ("lstm", "sigmoid"), ("gru", "hard_sigmoid"),
                             ("gru_before", "hard_sigmoid"), ("lstm", "hard_sigmoid"), ("gru", "tanh"), ("lstm", "tanh")]:
        layer = keras_cell(keras, kind, recurrent_activation=activation)
        module_case(file, f"keras_{kind}_{activation}", list(keras_arrays(layer, kind)), keras_answer(layer), float32(torch.randn(SEQUENCES * STEPS, INPUTS)))
    return keras.__version__


def curves():
    """Dense layers of every activation of PyTorch, RNNs of ReLU, and Keras's cells whose activation
    is not tanh."""
    import os
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    keras.config.set_floatx("float64")
    keras.utils.set_random_seed(27)
    torch.manual_seed(27)
    file = File("curves.txt")
    file.lines[0] += f" and Keras {keras.__version__}"
    functional = nn.functional
    x = lambda: float32(2 * torch.randn(SEQUENCES * STEPS, INPUTS))
    for case, f in [("elu", lambda y: functional.elu(y, float(numpy.float32(0.7)))), ("selu", functional.selu), ("silu", functional.silu),
                    ("leaky_relu", lambda y: functional.leaky_relu(y, float(numpy.float32(0.1)))), ("gelu", functional.gelu),
                    ("gelu_tanh", lambda y: functional.gelu(y, approximate="tanh")), ("softplus", functional.softplus),
                    ("clip", lambda y: functional.hardtanh(y, -0.5, 0.75)), ("softsign", functional.softsign), ("exponential", torch.exp),
                    ("hard_silu", functional.hardswish)]:
        dense = rounded(nn.Linear(INPUTS, UNITS), 1.5)
        module_case(file, f"dense_{case}", list(torch_arrays(dense)), lambda frames: f(dense(frames)), x())
    dense, prelu = rounded(nn.Linear(INPUTS, UNITS), 1.5), rounded(nn.PReLU(UNITS))
    with torch.no_grad():
        prelu.weight.copy_(float32(torch.randn(UNITS)))
    module_case(file, "dense_prelu", [*torch_arrays(dense), ("slope", plain, prelu.weight)], lambda frames: prelu(dense(frames)), x())
    for case, both in [("every", False), ("both_every", True)]:
        net = rounded(nn.RNN(INPUTS, UNITS, nonlinearity="relu", batch_first=True, bidirectional=both), 1.2)
        module_case(file, f"rnn_relu_{case}", list(torch_arrays(net)),
                    lambda frames: net(frames.reshape(SEQUENCES, STEPS, INPUTS))[0].reshape(SEQUENCES * STEPS, -1), x())
    for kind in ("gru", "gru_before", "lstm"):
        for activation, gates in [("relu", "sigmoid"), ("linear", "sigmoid"), ("selu", "sigmoid"), ("softsign", "sigmoid"), ("relu", "hard_sigmoid")]:
            layer = keras_cell(keras, kind, activation=activation, recurrent_activation=gates)
            module_case(file, f"keras_{kind}_{activation}_{gates}", list(keras_arrays(layer, kind)), keras_answer(layer), x())
    file.write()


def norms(file):
    layer = rounded(nn.LayerNorm(INPUTS), 1.5)
    with torch.no_grad():
        layer.bias.copy_(float32(torch.randn(INPUTS)))
        layer.weight.copy_(float32(torch.randn(INPUTS)))
    module_case(file, "layer_norm", list(torch_arrays(layer)), layer, float32(torch.randn(SEQUENCES * STEPS, INPUTS)))
    batch = rounded(nn.BatchNorm1d(INPUTS))
    with torch.no_grad():
        batch.bias.copy_(float32(torch.randn(INPUTS)))
        batch.weight.copy_(float32(torch.randn(INPUTS)))
    x = float32(torch.randn(SEQUENCES * STEPS, INPUTS))
    module_case(file, "batch_norm", list(torch_arrays(batch)), batch, x)
    file.add("batch_norm.running_mean", batch.running_mean)
    file.add("batch_norm.running_var", batch.running_var)
    batch.eval()
    file.add("batch_norm.eval", batch(x).detach())


def carried(file):
    """Truncated back-propagation: the second half of each sequence, from the state that the first
    left, without a gradient through it."""
    for kind, module in [("lstm", nn.LSTM), ("gru", nn.GRU)]:
        net = rounded(module(INPUTS, UNITS, batch_first=True), 1.5)
        x = float32(torch.randn(SEQUENCES, 2 * STEPS, INPUTS))
        with torch.no_grad():
            _, state = net(x[:, :STEPS])
        file.add(f"{kind}_carried.before", x[:, :STEPS].reshape(SEQUENCES * STEPS, INPUTS))
        module_case(file, f"{kind}_carried", list(torch_arrays(net)), lambda half: net(half.reshape(SEQUENCES, STEPS, INPUTS), state)[0].reshape(-1, UNITS),
                    x[:, STEPS:].reshape(SEQUENCES * STEPS, INPUTS))


class FastGRNN(nn.Module):
    """Kusupati et al. 2018, with the names of EdgeML's PyTorch cell; the matrices are
    [units][inputs], as ours are."""

    def __init__(self, inputs, units):
        super().__init__()
        self.weight_ih = nn.Parameter(torch.randn(units, inputs) / inputs**0.5)
        self.weight_hh = nn.Parameter(torch.randn(units, units) / units**0.5)
        self.bias_gate = nn.Parameter(1 + 0.3 * torch.randn(units))
        self.bias_update = nn.Parameter(1 + 0.3 * torch.randn(units))
        self.zeta = nn.Parameter(torch.ones(1))
        self.nu = nn.Parameter(-4 * torch.ones(1))

    def forward(self, x):
        h, states = torch.zeros(x.shape[0], self.weight_hh.shape[0], dtype=x.dtype), []
        for t in range(x.shape[1]):
            u = x[:, t] @ self.weight_ih.T + h @ self.weight_hh.T
            z = torch.sigmoid(u + self.bias_gate)
            n = torch.tanh(u + self.bias_update)
            h = z * h + (torch.sigmoid(self.zeta) * (1 - z) + torch.sigmoid(self.nu)) * n
            states.append(h)
        return torch.stack(states, dim=1)


def fastgrnn():
    torch.manual_seed(25)
    file = File("fastgrnn.txt")
    for case, pick in [("every", plain), ("last", lambda y: y[:, -1]), ("mean", lambda y: y.mean(dim=1))]:
        net = rounded(FastGRNN(INPUTS, UNITS))
        answer = lambda x: pick(net(x.reshape(SEQUENCES, STEPS, INPUTS))).reshape(-1, UNITS)
        module_case(file, f"fastgrnn_{case}", list(torch_arrays(net)), answer, float32(torch.randn(SEQUENCES * STEPS, INPUTS)))
    file.write()


class LowRank(nn.Module):
    """A cell whose matrices are products W1 W2, computed by PyTorch's own cell, or by a formula,
    from their product."""

    def __init__(self, gates, cell):
        super().__init__()
        rank = 2
        self.weight_ih = nn.Parameter(torch.randn(gates * UNITS, rank) / rank**0.5)
        self.factor_ih = nn.Parameter(torch.randn(rank, INPUTS) / INPUTS**0.5)
        self.factor_hh = nn.Parameter(torch.randn(rank, UNITS) / UNITS**0.5)
        self.cell = cell

    def matrices(self):
        return self.weight_ih @ self.factor_ih, self.weight_hh @ self.factor_hh


class LowRankTorch(LowRank):
    """nn.GRU, nn.LSTM or nn.RNN."""

    def __init__(self, gates, cell):
        super().__init__(gates, cell)
        self.weight_hh = nn.Parameter(torch.randn(gates * UNITS, self.factor_hh.shape[0]))
        self.bias_ih = nn.Parameter(0.3 * torch.randn(gates * UNITS))
        self.bias_hh = nn.Parameter(0.3 * torch.randn(gates * UNITS))
        self.module = [cell(INPUTS, UNITS, batch_first=True).to(DOUBLE)]  # not a submodule

    def forward(self, x):
        ih, hh = self.matrices()
        weights = {"weight_ih_l0": ih, "weight_hh_l0": hh, "bias_ih_l0": self.bias_ih, "bias_hh_l0": self.bias_hh}
        return torch.func.functional_call(self.module[0], weights, (x,))[0]


class LowRankResetBefore(LowRank):
    """A GRU that resets before; its candidate's matrix shares the state's factor."""

    def __init__(self):
        super().__init__(3, None)
        self.weight_hh = nn.Parameter(torch.randn(2 * UNITS, self.factor_hh.shape[0]))
        self.weight_hn = nn.Parameter(torch.randn(UNITS, self.factor_hh.shape[0]))
        self.bias_ih = nn.Parameter(0.3 * torch.randn(3 * UNITS))

    def forward(self, x):
        ih, hh = self.matrices()
        hn = self.weight_hn @ self.factor_hh
        h, states = torch.zeros(x.shape[0], UNITS, dtype=x.dtype), []
        for t in range(x.shape[1]):
            i = x[:, t] @ ih.T + self.bias_ih
            r, z = torch.sigmoid(i[:, :2 * UNITS] + h @ hh.T).chunk(2, dim=1)
            n = torch.tanh(i[:, 2 * UNITS:] + (r * h) @ hn.T)
            h = (1 - z) * n + z * h
            states.append(h)
        return torch.stack(states, dim=1)


class LowRankFastGRNN(LowRank):
    def __init__(self):
        super().__init__(1, None)
        self.weight_hh = nn.Parameter(torch.randn(UNITS, self.factor_hh.shape[0]))
        self.bias_gate = nn.Parameter(1 + 0.3 * torch.randn(UNITS))
        self.bias_update = nn.Parameter(1 + 0.3 * torch.randn(UNITS))
        self.zeta = nn.Parameter(torch.ones(1))
        self.nu = nn.Parameter(-4 * torch.ones(1))

    def forward(self, x):
        ih, hh = self.matrices()
        whole = FastGRNN(INPUTS, UNITS).to(DOUBLE)
        weights = {"weight_ih": ih, "weight_hh": hh, "bias_gate": self.bias_gate, "bias_update": self.bias_update,
                   "zeta": self.zeta, "nu": self.nu}
        return torch.func.functional_call(whole, weights, (x,))


def low_rank():
    torch.manual_seed(26)
    file = File("low_rank.txt")
    nets = [("gru", lambda: LowRankTorch(3, nn.GRU)), ("lstm", lambda: LowRankTorch(4, nn.LSTM)),
            ("rnn", lambda: LowRankTorch(1, nn.RNN)), ("gru_before", LowRankResetBefore), ("fastgrnn", LowRankFastGRNN)]
    for kind, make in nets:
        for case, pick in [("every", plain), ("last", lambda y: y[:, -1])]:
            net = rounded(make())
            answer = lambda x: pick(net(x.reshape(SEQUENCES, STEPS, INPUTS))).reshape(-1, UNITS)
            module_case(file, f"{kind}_{case}", list(torch_arrays(net)), answer, float32(torch.randn(SEQUENCES * STEPS, INPUTS)))
    file.write()


class Started(nn.Module):
    """A cell of PyTorch whose initial state is a parameter, as its users write it."""

    def __init__(self, cell, both):
        super().__init__()
        self.cell = cell(INPUTS, UNITS, batch_first=True, bidirectional=both)
        self.directions = 1 + both
        self.h = nn.ParameterList(torch.randn(UNITS) for _ in range(self.directions))
        self.c = nn.ParameterList(torch.randn(UNITS) for _ in range(self.directions if cell is nn.LSTM else 0))

    def forward(self, x):
        start = [torch.stack(list(state)).unsqueeze(1).expand(-1, len(x), -1).contiguous() for state in (self.h, self.c) if len(state)]
        return self.cell(x, tuple(start) if len(start) > 1 else start[0])[0]

    def arrays(self):
        yield from torch_arrays(self.cell)
        for name in ("h", "c"):
            for p, end in zip(getattr(self, name), ("", "_reverse")):
                yield f"initial_{name}{end}", plain, p


class Peephole(nn.Module):
    """Gers, Schmidhuber 2000: i and f read the cell state before, o the one after; and the cell
    state is clipped, as TensorFlow Lite's cell_clip does."""

    def __init__(self, peepholes, clip):
        super().__init__()
        self.weight_ih = nn.Parameter(torch.randn(4 * UNITS, INPUTS) / INPUTS**0.5)
        self.weight_hh = nn.Parameter(torch.randn(4 * UNITS, UNITS) / UNITS**0.5)
        self.bias_ih = nn.Parameter(0.3 * torch.randn(4 * UNITS))
        self.bias_hh = nn.Parameter(0.3 * torch.randn(4 * UNITS))
        self.peephole = nn.Parameter(torch.randn(3 * UNITS)) if peepholes else None
        self.clip = clip

    def forward(self, x):
        h = c = torch.zeros(x.shape[0], UNITS, dtype=x.dtype)
        p_i, p_f, p_o = self.peephole.chunk(3) if self.peephole is not None else (0, 0, 0)
        states = []
        for t in range(x.shape[1]):
            i, f, g, o = (x[:, t] @ self.weight_ih.T + self.bias_ih + h @ self.weight_hh.T + self.bias_hh).chunk(4, dim=1)
            c = torch.sigmoid(f + p_f * c) * c + torch.sigmoid(i + p_i * c) * torch.tanh(g)
            if self.clip:
                c = c.clamp(-self.clip, self.clip)
            h = torch.sigmoid(o + p_o * c) * torch.tanh(c)
            states.append(h)
        return torch.stack(states, dim=1)


def cell_options():
    torch.manual_seed(28)
    file = File("cell_options.txt")
    for kind, cell in [("gru", nn.GRU), ("lstm", nn.LSTM), ("rnn", nn.RNN)]:
        for case, both, pick in [("every", False, plain), ("last", False, lambda y: y[:, -1]), ("both_every", True, plain)]:
            net = rounded(Started(cell, both))
            answer = lambda x: pick(net(x.reshape(SEQUENCES, STEPS, INPUTS))).reshape(-1, UNITS * net.directions)
            module_case(file, f"{kind}_initial_{case}", list(net.arrays()), answer, float32(torch.randn(SEQUENCES * STEPS, INPUTS)))
    for case, both, pick in [("every", False, plain), ("last", False, lambda y: y[:, -1]), ("both_every", True, plain)]:
        net = rounded(nn.LSTM(INPUTS, UNITS, batch_first=True, proj_size=3, bidirectional=both), 1.5)
        answer = lambda x: pick(net(x.reshape(SEQUENCES, STEPS, INPUTS))[0]).reshape(-1, 3 * (1 + both))
        module_case(file, f"projected_{case}", list(torch_arrays(net)), answer, float32(torch.randn(SEQUENCES * STEPS, INPUTS)))
    for name, peepholes, clip, pick in [("peephole_every", True, 0, plain), ("peephole_last", True, 0, lambda y: y[:, -1]),
                                        ("clipped_every", False, 0.5, plain), ("both_every", True, 0.5, plain)]:
        net = rounded(Peephole(peepholes, clip), 1.5)
        answer = lambda x: pick(net(x.reshape(SEQUENCES, STEPS, INPUTS))).reshape(-1, UNITS)
        module_case(file, name, list(torch_arrays(net)), answer, float32(torch.randn(SEQUENCES * STEPS, INPUTS)))
    file.write()


def cells():
    torch.manual_seed(24)
    file = File("cells.txt")
    torch_cells(file)
    version = keras_cells(file)
    file.lines[0] += f" and Keras {version}"
    norms(file)
    carried(file)
    file.write()


def losses():
    """Loss and its gradient by the weights of a Dense layer, for every loss and option."""
    torch.manual_seed(25)
    file = File("losses.txt")
    rows, inputs = 14, 4
    x = float32(torch.randn(rows, inputs))
    file.add("x", x)
    functional = nn.functional
    classes = torch.randint(0, 3, (rows,))
    yes = torch.randint(0, 2, (rows, 1)).to(DOUBLE)
    many = torch.randint(0, 2, (rows, 2)).to(DOUBLE)
    values = float32(3 * torch.randn(rows, 2))
    weights = float32(torch.tensor([0.5, 2.0, 1.25]))
    file.add("weights", weights)
    cases = [
        ("huber", 2, values, lambda y, t: functional.huber_loss(y, t)),
        ("huber_delta", 2, values, lambda y, t: functional.huber_loss(y, t, delta=0.5)),
        ("mse", 2, values, lambda y, t: functional.mse_loss(y, t)),
        ("binary", 1, yes, lambda y, t: functional.binary_cross_entropy_with_logits(y, t)),
        ("binary_many", 2, many, lambda y, t: functional.binary_cross_entropy_with_logits(y, t)),
        ("classes_weighted", 3, classes, lambda y, t: functional.cross_entropy(y, t, weight=weights)),
        ("classes_smooth", 3, classes, lambda y, t: functional.cross_entropy(y, t, label_smoothing=0.2)),
        ("classes_both", 3, classes, lambda y, t: functional.cross_entropy(y, t, weight=weights, label_smoothing=0.2)),
    ]
    for case, outputs, target, loss_of in cases:
        dense = rounded(nn.Linear(inputs, outputs), 3)
        loss = loss_of(dense(x), target)
        loss.backward()
        file.add(f"{case}.target", target.reshape(rows, -1).to(DOUBLE))
        file.add(f"{case}.loss", loss)
        for name, p in dense.named_parameters():
            file.add(f"{case}.{name}", p)
            file.add(f"{case}.{name}.grad", p.grad)
    file.write()


class Noise:
    """The generator of tests/support/numbers.h. Within powers of two its numbers are exact in
    float32: both sides make the same ones, and no file has to hold them."""

    def __init__(self, seed):
        self.state = seed

    def word(self):
        mask = (1 << 64) - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return ((z ^ (z >> 31)) >> 32) & 0xFFFFFFFF

    def below(self, bound):
        return (self.word() * bound) >> 32

    def number(self, low, high):
        return low + (high - low) * ((self.word() >> 8) / 2**24)

    def fill(self, tensor, low, high):
        values = [self.number(low, high) for _ in range(tensor.numel())]
        with torch.no_grad():
            tensor.copy_(torch.tensor(values, dtype=DOUBLE).reshape(tensor.shape))


class Graph(nn.Module):
    """Layers by their number in the graph, and a formula with the sources of each. Answers to
    classes and to yes or no are logits."""

    def __init__(self, layers, formula):
        super().__init__()
        self.layers = nn.ModuleDict(layers)
        self.formula = formula

    def forward(self, x):
        def layer(number, value):
            y = self.layers[str(number)](value)
            return y[0] if isinstance(y, tuple) else y
        return self.formula(layer, x)


def residual(layer, x):
    a = torch.relu(layer(1, x))
    b = a + layer(2, a)
    c = b + layer(4, b)
    return [layer(6, c)]


def residual_last(layer, x):
    a = layer(1, x)
    b = a + layer(2, a)
    return [layer(6, b[-1:] + layer(4, b)[-1:])]


def noise_suppressor(layer, x):
    a = torch.tanh(layer(1, x))
    b = layer(2, a)
    c = layer(5, torch.cat([a, b, x], dim=1))
    d = layer(7, torch.cat([b, c, x], dim=1))
    return [layer(3, b), torch.sigmoid(layer(8, d))]


def mask(layer, x):
    return [torch.sigmoid(layer(2, layer(1, x))) * x]


def heads(layer, x):
    y = layer(1, x)
    return [layer(2, y), layer(3, y)]


def heads_last(layer, x):
    y = layer(1, x)[-1:]
    return [layer(2, y), layer(3, y)]


def of_answer(kind, y):
    """The output of the model, made of an answer as its loss reads it."""
    return {"classes": torch.softmax(y, dim=1), "binary": torch.sigmoid(y), "values": y}[kind]


def weighted_loss(net, sequences, answers):
    """For each answer the mean over its targets that are not NaN, times its weight; their sum."""
    outputs = [[] for _ in answers]
    targets = [[] for _ in answers]
    for x, target in sequences:
        at = 0
        for i, ((kind, _, width), y) in enumerate(zip(answers, net(x))):
            columns = 1 if kind == "classes" else width
            outputs[i].append(y)
            targets[i].append(target[:, at:at + columns])
            at += columns
    total = 0.0
    for (kind, weight, _), y, target in zip(answers, map(torch.cat, outputs), map(torch.cat, targets)):
        keep = ~torch.isnan(target)
        if kind == "classes":
            loss = nn.functional.cross_entropy(y[keep[:, 0]], target[keep[:, 0], 0].long())
        elif kind == "binary":
            loss = nn.functional.binary_cross_entropy_with_logits(y[keep], target[keep])
        else:
            loss = nn.functional.mse_loss(y[keep], target[keep])
        total = total + weight * loss
    return total


def graphs():
    """Networks that are no chains: answers, loss and gradient of a ragged batch with masked
    targets, and weights after twenty steps of Adam; even steps see all sequences except the last
    three, odd ones all except the first three. tests/runtime/graphs.cpp makes the same weights,
    frames and targets. Of an array of more than 100 numbers every 97th is stored, and the sums of
    all rows and columns."""
    file = File("graphs.txt")

    def add_array(name, t):
        t = t.detach().reshape(t.shape[0], -1)
        if t.numel() <= 100:
            file.add(name, t)
            return
        file.add(f"{name}.97th", t.flatten()[::97])
        file.add(f"{name}.rows", t.sum(dim=1))
        file.add(f"{name}.columns", t.sum(dim=0))

    gru, linear = nn.GRU, nn.Linear
    for case, seed, inputs, longest, every_step, formula, layers, answers in [
            ("residual", 41, 5, 13, True, residual,
             {1: linear(5, 9), 2: gru(9, 9), 4: gru(9, 9), 6: linear(9, 3)}, [("values", 1.0, 3)]),
            ("residual_last", 42, 5, 13, False, residual_last,
             {1: linear(5, 9), 2: gru(9, 9), 4: gru(9, 9), 6: linear(9, 4)}, [("classes", 1.0, 4)]),
            ("noise_suppressor", 43, 42, 7, True, noise_suppressor,
             {1: linear(42, 24), 2: gru(24, 24), 3: linear(24, 1), 5: gru(90, 48), 7: gru(114, 96), 8: linear(96, 22)},
             [("binary", 0.5, 1), ("values", 1.0, 22)]),
            ("mask", 44, 7, 11, True, mask, {1: gru(7, 10), 2: linear(10, 7)}, [("values", 1.0, 7)]),
            ("heads", 45, 4, 9, True, heads, {1: gru(4, 11), 2: linear(11, 5), 3: linear(11, 2)},
             [("classes", 0.75, 5), ("values", 2.0, 2)]),
            ("heads_last", 46, 4, 12, False, heads_last, {1: gru(4, 11), 2: linear(11, 5), 3: linear(11, 2)},
             [("classes", 0.75, 5), ("values", 2.0, 2)])]:
        noise = Noise(seed)
        net = Graph({str(number): layer for number, layer in layers.items()}, formula).to(DOUBLE)
        parameters = [(f"{case}.{number}.{name.replace('_l0', '')}", p)
                      for number, layer in layers.items() for name, p in layer.named_parameters()]
        for _, p in parameters:
            columns = p.shape[1] if p.dim() == 2 else 1
            size = 0.5
            while size * size * columns > 4:
                size /= 2
            noise.fill(p, -size, size)
        sequences = []
        for i in range(11):
            steps = 1 + (5 * i + 2) % longest
            x = torch.zeros(steps, inputs, dtype=DOUBLE)
            noise.fill(x, -2, 2)
            rows = []
            for t in range(steps if every_step else 1):
                row = []
                for kind, _, width in answers:
                    for _ in range(1 if kind == "classes" else width):
                        value = noise.number(-1, 1) if kind == "values" else noise.below(width if kind == "classes" else 2)
                        row.append(float("nan") if (i + t + len(row)) % 5 == 4 else value)
                rows.append(row)
            sequences.append((x, torch.tensor(rows, dtype=DOUBLE)))
        with torch.no_grad():
            y = [torch.cat([of_answer(kind, y) for (kind, _, _), y in zip(answers, net(x))], dim=1) for x, _ in sequences]
        file.add(f"{case}.y", torch.cat(y))
        loss = weighted_loss(net, sequences, answers)
        loss.backward()
        file.add(f"{case}.loss", loss)
        for name, p in parameters:
            add_array(f"{name}.grad", p.grad)
        optimizer = torch.optim.Adam(net.parameters())
        for step in range(20):
            optimizer.zero_grad()
            weighted_loss(net, sequences[:-3] if step % 2 == 0 else sequences[3:], answers).backward()
            optimizer.step()
        for name, p in parameters:
            add_array(f"{name}.after", p)
    file.write()


def lower_case():
    """Simple lower-case mappings in five blocks; of U+0130 str.lower() gives two characters,
    UnicodeData.txt one."""
    blocks = [*range(0x180), *range(0x370, 0x500)]
    pairs = [(c, 0x69 if c == 0x130 else ord(chr(c).lower())) for c in blocks if chr(c).lower() != chr(c)]
    lines = [f"# made by generate.py with Python's unicodedata {unicodedata.unidata_version}"]
    for column, name in enumerate(("capital", "small")):
        lines.append(f"{name} 1 {len(pairs)} " + " ".join(str(pair[column]) for pair in pairs))
    (HERE / "lower_case.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    if not torch.__version__.startswith("2.13."):
        raise SystemExit(f"PyTorch {torch.__version__} is here; the golden files are made with 2.13")
    forward()
    gradients()
    optimizers()
    same_data_twice()
    losses()
    fastgrnn()
    low_rank()
    cell_options()
    cells()
    curves()
    graphs()
    lower_case()
