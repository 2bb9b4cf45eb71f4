#!/usr/bin/env python3
"""Makes the models in import/torch: what PyTorch 2.13 writes, and the answers that it computes.

    pip install torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu
    pip install numpy safetensors==0.6.2
    python3 tests/golden/import_torch.py

Needed only to make them anew. NAME.x.npy has frames, NAME.y.npy the answers of all files NAME.*.
NAME.toml lists the layers, for files that hold tensors alone. RTNeural's and the guitar
amplifiers' JSON have the weights of the same PyTorch modules.
"""
import json
import pathlib
import warnings

import numpy
import torch
from safetensors.torch import save_file
from torch import nn

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent / "import" / "torch"
STEPS, IN = 11, 3


class Model(nn.Module):
    """A module whose `forward` is built from `layers` and `answer`."""

    def __init__(self, **layers):
        super().__init__()
        for name, layer in layers.items():
            setattr(self, name, layer)


class EveryStep(Model):
    def forward(self, x):
        y, _ = self.cell(x)
        return self.head(y)


class LastStep(Model):
    def forward(self, x):
        y, _ = self.cell(x)
        return torch.softmax(self.head(y[:, -1]), -1)


class LastState(Model):
    def forward(self, x):
        _, h = self.cell(x)
        return torch.relu(self.head(h[-1]))


class LastStateOfLstm(Model):
    def forward(self, x):
        _, (h, c) = self.cell(x)
        return torch.tanh(self.head(h[-1]))


class BothStates(Model):
    def forward(self, x):
        _, h = self.cell(x)
        return self.head(torch.cat([h[-2], h[-1]], -1))


class BackwardState(Model):
    def forward(self, x):
        _, (h, c) = self.cell(x)
        return self.head(h[-1])


class Dense(Model):
    """Densely connected, with two answers."""

    def forward(self, x):
        y, _ = self.a(x)
        z, _ = self.b(torch.cat([x, y], -1))
        return self.one(z), torch.sigmoid(self.two(z))


class Residual(Model):
    def forward(self, x):
        y, _ = self.cell(x * 2.0 + 1)
        return self.head(y) + x


class Mask(Model):
    def forward(self, x):
        y, _ = self.cell(x)
        return torch.sigmoid(self.head(y)) * x


class StepwiseState(nn.Module):
    """A policy that keeps its state in buffers, a frame a call."""

    def __init__(self):
        super().__init__()
        self.memory = nn.LSTM(IN, 4)
        self.actor = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2))
        self.register_buffer("hidden_state", torch.zeros(1, 1, 4))
        self.register_buffer("cell_state", torch.zeros(1, 1, 4))

    def forward(self, x):
        out, (h, c) = self.memory(x.unsqueeze(0), (self.hidden_state, self.cell_state))
        self.hidden_state[:] = h
        self.cell_state[:] = c
        return self.actor(out.squeeze(0))


class Stack(nn.Module):
    """Layers one behind another, whose tensors PyTorch's own names tell."""

    def __init__(self, cell, *rest):
        super().__init__()
        self.cell = cell
        self.rest = nn.Sequential(*rest)

    def forward(self, x):
        y, _ = self.cell(x)
        return self.rest(y)


def frames():
    return torch.randn(1, STEPS, IN)


def save(name, x, y):
    if isinstance(y, tuple):
        y = torch.cat(y, -1)
    numpy.save(HERE / f"{name}.x.npy", x.numpy())
    numpy.save(HERE / f"{name}.y.npy", y.detach().numpy())


def scripts(name, module):
    module = module.eval()
    x = frames()
    with torch.no_grad():
        save(name, x, module(x))
    torch.jit.save(torch.jit.script(module), HERE / f"{name}.script.pt")
    torch.jit.save(torch.jit.trace(module, x), HERE / f"{name}.trace.pt")


def tensors(name, module, layers, x=None, y=None):
    """Files of tensors alone, in several forms; x and y as another program has them."""
    module = module.eval()
    (HERE / f"{name}.toml").write_text(f"layers = [\n  {layers}\n]\n")
    x = frames() if x is None else x
    with torch.no_grad():
        save(name, x, module(x) if y is None else y(module, x))
    state = module.state_dict()
    torch.save(state, HERE / f"{name}.pth")
    save_file({k: v.contiguous() for k, v in state.items()}, HERE / f"{name}.safetensors")


def half(name, module, layers, kind):
    """A file of 16-bit floats, and the answers of its rounded weights."""
    module = module.to(kind).to(torch.float32).eval()
    (HERE / f"{name}.toml").write_text(f"layers = [\n  {layers}\n]\n")
    x = frames()
    with torch.no_grad():
        save(name, x, module(x))
    save_file({k: v.to(kind).contiguous() for k, v in module.state_dict().items()},
              HERE / f"{name}.safetensors")


def keras_gates(w, order):
    """PyTorch's rows of gates as RTNeural's columns."""
    parts = w.chunk(len(order), 0)
    return torch.cat([parts[i] for i in order], 0)


def rtneural(name, cell, head, **more):
    """RTNeural's JSON of a GRU or an LSTM and a Dense; `more` are AIDA-X's additions."""
    gru = isinstance(cell, nn.GRU)
    order = [1, 0, 2] if gru else [0, 1, 2, 3]
    w, u = (keras_gates(t, order).T.tolist() for t in (cell.weight_ih_l0, cell.weight_hh_l0))
    b, second = (keras_gates(t, order) for t in (cell.bias_ih_l0, cell.bias_hh_l0))
    bias = torch.stack([b, second]).tolist() if gru else (b + second).tolist()
    units = cell.hidden_size
    model = {"in_shape": [None, None, cell.input_size],
             "layers": [{"type": "gru" if gru else "lstm", "activation": "tanh",
                         "shape": [None, None, units], "weights": [w, u, bias]},
                        {"type": "dense", "activation": "", "shape": [None, None, 1],
                         "weights": [head.weight.T.tolist(), head.bias.tolist()]}]}
    model.update(more)
    x = torch.randn(1, STEPS, cell.input_size)
    with torch.no_grad():
        dry = x.clone()
        dry[:, :, 0] *= 10 ** (more.get("in_gain", 0) / 20)
        y = head(cell(dry)[0])
        if "input_batch" not in more and cell.input_size == 1 and not more:
            model["input_batch"] = x.flatten().tolist()
            model["output_batch"] = y.flatten().tolist()
        if more.get("in_skip"):
            y = y + dry[:, :, :1]
        y = y * 10 ** (more.get("out_gain", 0) / 20)
    save(name, x, y)
    (HERE / f"{name}.json").write_text(json.dumps(model))


def guitar(name, cell, head, skip):
    unit = type(cell).__name__
    state = {f"rec.{k}": v.tolist() for k, v in cell.state_dict().items()}
    state.update({f"lin.{k}": v.tolist() for k, v in head.state_dict().items()})
    data = {"model": "SimpleRNN", "input_size": cell.input_size, "skip": skip, "output_size": 1,
            "unit_type": unit, "num_layers": cell.num_layers, "hidden_size": cell.hidden_size,
            "bias_fl": True}
    x = torch.randn(STEPS, 1, cell.input_size)
    with torch.no_grad():
        y = head(cell(x)[0]) + (x[:, :, :1] if skip else 0)
    save(name, x, y)
    (HERE / f"{name}.json").write_text(json.dumps({"model_data": data, "state_dict": state}))


class Started(Model):
    """The initial state is a parameter."""

    def __init__(self, **parts):
        super().__init__(**parts)
        directions = 1 + self.cell.bidirectional
        self.h = nn.Parameter(torch.randn(directions, 1, self.cell.proj_size or self.cell.hidden_size))
        self.c = nn.Parameter(torch.randn(directions, 1, self.cell.hidden_size))

    def forward(self, x):
        y, _ = self.cell(x, (self.h, self.c))
        return self.head(y)


def options():
    """Projections, and initial states."""
    torch.manual_seed(30)
    gru = {"batch_first": True}
    tensors("projection", Stack(nn.LSTM(IN, 6, 2, proj_size=3, **gru), nn.Linear(3, 2)),
            '{ lstm = 6, projection = 3, repeat = 2 }, { dense = 2 }')
    scripts("projection_both", EveryStep(cell=nn.LSTM(IN, 5, proj_size=2, bidirectional=True, **gru),
                                         head=nn.Linear(4, 2)))
    scripts("started", Started(cell=nn.LSTM(IN, 4, **gru), head=nn.Linear(4, 2)))
    scripts("started_both", Started(cell=nn.LSTM(IN, 5, proj_size=2, bidirectional=True, **gru),
                                    head=nn.Linear(4, 2)))


def nam():
    """Neural Amp Modeler's list of numbers, of an LSTM of two layers with its initial states."""
    torch.manual_seed(29)
    units, layers = 3, 2
    cell, head = nn.LSTM(1, units, layers, batch_first=True), nn.Linear(units, 1)
    h, c = torch.randn(layers, 1, units), 2 * torch.randn(layers, 1, units)
    weights = []
    for layer in range(layers):
        w = torch.cat([getattr(cell, f"weight_ih_l{layer}"), getattr(cell, f"weight_hh_l{layer}")], 1)
        bias = getattr(cell, f"bias_ih_l{layer}") + getattr(cell, f"bias_hh_l{layer}")
        for part in (w, bias, h[layer], c[layer]):
            weights += part.flatten().tolist()
    weights += head.weight.flatten().tolist() + head.bias.tolist()
    config = {"input_size": 1, "hidden_size": units, "num_layers": layers}
    (HERE / "nam.json").write_text(json.dumps(
        {"version": "0.5.4", "architecture": "LSTM", "config": config, "weights": weights}))
    x = torch.randn(1, STEPS, 1)
    with torch.no_grad():
        save("nam", x, head(cell(x, (h, c))[0]))


def main():
    torch.manual_seed(20)
    HERE.mkdir(parents=True, exist_ok=True)
    for old in HERE.iterdir():
        old.unlink()
    gru = {"batch_first": True}
    scripts("every_step", EveryStep(cell=nn.GRU(IN, 4, 2, **gru), head=nn.Linear(4, 2)))
    scripts("last_step", LastStep(cell=nn.LSTM(IN, 4, **gru), head=nn.Linear(4, 3)))
    scripts("last_step_both", LastStep(cell=nn.GRU(IN, 4, bidirectional=True, **gru),
                                       head=nn.Linear(8, 3)))
    scripts("last_state", LastState(cell=nn.GRU(IN, 4, 2, **gru), head=nn.Linear(4, 2)))
    scripts("last_state_lstm", LastStateOfLstm(cell=nn.LSTM(IN, 4, bias=False, **gru),
                                               head=nn.Linear(4, 2, bias=False)))
    scripts("both_states", BothStates(cell=nn.GRU(IN, 3, 2, bidirectional=True, **gru),
                                      head=nn.Linear(6, 2)))
    scripts("backward_state", BackwardState(cell=nn.LSTM(IN, 3, bidirectional=True, **gru),
                                            head=nn.Linear(3, 2)))
    scripts("dense", Dense(a=nn.LSTM(IN, 4, **gru), b=nn.RNN(7, 5, **gru), one=nn.Linear(5, 2),
                           two=nn.Linear(5, 1)))
    scripts("residual", Residual(cell=nn.GRU(IN, 3, **gru), head=nn.Linear(3, 3)))
    scripts("mask", Mask(cell=nn.GRU(IN, 3, **gru), head=nn.Linear(3, 3)))

    policy = StepwiseState().eval()
    script = torch.jit.script(policy)
    torch.jit.save(script, HERE / "policy.script.pt")
    x = torch.randn(STEPS, IN)
    with torch.no_grad():
        y = torch.cat([policy(x[t:t + 1]).clone() for t in range(STEPS)])
    save("policy", x, y)

    tensors("three_layers", Stack(nn.GRU(IN, 5, 3, **gru), nn.Linear(5, 2)),
            '{ gru = 5, repeat = 3 }, { dense = 2 }')
    tensors("prefixes", Stack(nn.LSTM(IN, 4, **gru), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4),
                              nn.ReLU()),
            '{ lstm = 4 }, { dense = 4, activation = "tanh", prefix = "rest.0" },\n'
            '  { dense = 4, activation = "relu", prefix = "rest.2" }')
    tensors("both", Stack(nn.RNN(IN, 4, 2, bidirectional=True, **gru), nn.Linear(8, 2)),
            '{ rnn = 4, repeat = 2, directions = "both" }, { dense = 2 }')
    norm = Stack(nn.GRU(IN, 4, bias=False, **gru), nn.LayerNorm(4), nn.Linear(4, 2))
    nn.init.normal_(norm.rest[0].weight)
    nn.init.normal_(norm.rest[0].bias)
    tensors("norm", norm, '{ gru = 4 }, { layer_norm = true }, { dense = 2 }')
    gru16 = Stack(nn.GRU(IN, 4, **gru), nn.Linear(4, 2))
    half("half", gru16, '{ gru = 4 }, { dense = 2 }', torch.float16)
    half("bfloat16", Stack(nn.GRU(IN, 4, **gru), nn.Linear(4, 2)), '{ gru = 4 }, { dense = 2 }',
         torch.bfloat16)
    wide = Stack(nn.GRU(IN, 4, **gru), nn.Linear(4, 2))
    half("float64", wide, '{ gru = 4 }, { dense = 2 }', torch.float64)

    old = Stack(nn.GRU(IN, 4, **gru), nn.Linear(4, 2)).eval()
    (HERE / "checkpoint.toml").write_text("layers = [ { gru = 4 }, { dense = 2 } ]\n")
    x = frames()
    with torch.no_grad():
        save("checkpoint", x, old(x))
    torch.save({"epoch": 3, "model_state_dict": old.state_dict(), "loss": 0.5,
                "optimizer": torch.optim.Adam(old.parameters()).state_dict()},
               HERE / "checkpoint.pt")
    torch.save(old.state_dict(), HERE / "checkpoint.legacy.pt",
               _use_new_zipfile_serialization=False)

    rtneural("rtneural_gru", nn.GRU(1, 4, **gru), nn.Linear(4, 1))
    rtneural("rtneural_lstm", nn.LSTM(2, 4, **gru), nn.Linear(4, 1))
    rtneural("aida", nn.LSTM(1, 4, **gru), nn.Linear(4, 1), in_skip=1, in_gain=-3.0, out_gain=6.0)
    guitar("guitar_skip", nn.LSTM(2, 4), nn.Linear(4, 1), 1)
    guitar("guitar_gru", nn.GRU(1, 4, 2), nn.Linear(4, 1), 0)
    nam()
    options()
    (HERE / "README").write_text(f"made by import_torch.py with PyTorch "
                                 f"{torch.__version__.split('+')[0]}\n")
    print(sum(f.stat().st_size for f in HERE.iterdir()), "bytes")


if __name__ == "__main__":
    main()
