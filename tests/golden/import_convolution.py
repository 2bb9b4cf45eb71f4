#!/usr/bin/env python3
"""Makes the models conv_* in import/onnx: convolutions, pooling and norms, as PyTorch exports
them in two ways, and the answers of ONNX Runtime.

    pip install torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu
    pip install numpy onnx==1.23.2 onnxruntime==1.32.0 onnxscript safetensors
    python3 tests/golden/import_convolution.py

Needed only to make them anew. NAME.x.npy has frames, NAME.y.npy the answers of all files NAME.*.
"""
import json
import pathlib
import warnings

import numpy
import onnxruntime
import safetensors.torch
import torch
from torch import nn
from torch.nn import functional as F

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent / "import" / "onnx"
STEPS = 9
torch.manual_seed(41)
RANDOM = numpy.random.default_rng(42)


class Steps(nn.Module):
    """Causal convolutions over steps, the second one dilated and in groups."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv1d(3, 6, 3), nn.Conv1d(6, 4, 3, dilation=2, groups=2)
        self.cell, self.head = nn.GRU(4, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x):
        y = torch.relu(self.a(F.pad(x.transpose(1, 2), (2, 0))))
        y = torch.tanh(self.b(F.pad(y, (4, 0))))
        y, _ = self.cell(y.transpose(1, 2))
        return self.head(y)


class Spectrum(nn.Module):
    """The magnitude of a filter bank, two convolutions inside a frame, and an LSTM."""

    def __init__(self):
        super().__init__()
        self.bank = nn.Conv1d(1, 6, 4, stride=2, bias=False)
        self.a, self.b = nn.Conv1d(3, 4, 3, padding=1), nn.Conv1d(4, 4, 3, stride=2, padding=1)
        self.cell, self.head = nn.LSTMCell(8, 4), nn.Linear(4, 2)

    def forward(self, x, state):
        y = self.bank(F.pad(x[:, None], (0, 4), mode="reflect"))
        y = torch.sqrt(y[:, :3] ** 2 + y[:, 3:] ** 2)
        y = F.max_pool1d(torch.relu(self.a(y)), 2)
        y = F.elu(self.b(y)).flatten(1)
        h, c = self.cell(y, (state[0], state[1]))
        return torch.sigmoid(self.head(h)), torch.stack([h, c])


class Planes(nn.Module):
    """Convolutions over two dimensions of a frame, a mean, and a vector of length 1."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(2, 4, 2, groups=2), nn.Conv2d(4, 6, (1, 2), padding=(0, 1))
        self.slope, self.head = nn.PReLU(4), nn.Linear(18, 3)

    def forward(self, x):
        y = self.slope(self.a(x.reshape(-1, 2, 3, 4)))
        y = F.avg_pool2d(torch.tanh(self.b(y)), (2, 1)).flatten(1)
        y = self.head(y[:, :18])
        return F.normalize(y, dim=-1)


class Levels(nn.Module):
    """Logarithms, roots and bounds of single numbers."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(5, 2)

    def forward(self, x):
        y = torch.log(torch.abs(x) + 0.1)
        y = torch.clamp(y, min=-1.5) + torch.sqrt(torch.sigmoid(x))
        return self.head(torch.clamp(y, max=1.0))


def call(path, x, states):
    session = onnxruntime.InferenceSession(path)
    names = [i.name for i in session.get_inputs()]
    if states is None:
        return session.run(None, {names[0]: x})[0]
    y, state = [], [numpy.zeros(s, numpy.float32) for s in states]
    for frame in x[0]:
        out = session.run(None, dict(zip(names, [frame[None]] + state)))
        y.append(out[0].reshape(-1))
        state = [o.reshape(s) for o, s in zip(out[1:], states)]
    return numpy.array(y)[None]


for name, module, width, states in [("conv_steps", Steps(), 3, None), ("conv_spectrum", Spectrum(), 12, [(2, 1, 4)]),
                                    ("conv_planes", Planes(), 24, []), ("conv_levels", Levels(), 5, [])]:
    x = RANDOM.standard_normal((1, STEPS, width)).astype(numpy.float32)
    example = (torch.tensor(x),) if states is None else tuple([torch.tensor(x[:, 0])] + [torch.zeros(s) for s in states])
    answers = []
    for dynamo in (True, False):
        path = str(HERE / f"{name}.{'dynamo' if dynamo else 'script'}.onnx")
        more = {"external_data": False, "verbose": False} if dynamo else {}
        torch.onnx.export(module.eval(), example, path, dynamo=dynamo, opset_version=18 if dynamo else 17, **more)
        answers.append(call(path, x, states))
    assert numpy.abs(answers[0] - answers[1]).max() < 1e-6
    numpy.save(HERE / f"{name}.x.npy", x)
    numpy.save(HERE / f"{name}.y.npy", answers[0])


# A causal convolution in RTNeural's JSON: kernels [taps][in][out], weights [in][out].
torch.manual_seed(43)
conv, dense = nn.Conv1d(2, 4, 3, dilation=2), nn.Linear(4, 2)
x = RANDOM.standard_normal((1, STEPS, 2)).astype(numpy.float32)
y = dense(torch.tanh(conv(F.pad(torch.tensor(x).transpose(1, 2), (4, 0))).transpose(1, 2)))
layers = [{"type": "conv1d", "activation": "tanh", "shape": [None, None, 4], "kernel_size": [3], "dilation": [2],
           "weights": [conv.weight.permute(2, 1, 0).tolist(), conv.bias.tolist()]},
          {"type": "dense", "activation": "", "shape": [None, None, 2],
           "weights": [dense.weight.T.tolist(), dense.bias.tolist()]}]
folder = HERE.parent / "torch"
(folder / "conv.json").write_text(json.dumps({"in_shape": [None, None, 2], "layers": layers}) + "\n")
numpy.save(folder / "conv.x.npy", x)
numpy.save(folder / "conv.y.npy", y.detach().numpy())

# The same convolutions over steps as tensors alone.
torch.manual_seed(44)
module = Steps()
module.b = nn.Conv1d(6, 4, 3, dilation=2)
module = module.eval()
x = RANDOM.standard_normal((1, STEPS, 3)).astype(numpy.float32)
safetensors.torch.save_file(module.state_dict(), folder / "conv_steps.safetensors")
(folder / "conv_steps.toml").write_text("""layers = [
  { window = 3 }, { dense = 6, activation = "relu", prefix = "a" },
  { window = 3, dilation = 2 }, { dense = 4, activation = "tanh", prefix = "b" },
  { gru = 4, prefix = "cell" }, { dense = 2, prefix = "head" },
]
""")
numpy.save(folder / "conv_steps.x.npy", x)
numpy.save(folder / "conv_steps.y.npy", module(torch.tensor(x)).detach().numpy())
