#!/usr/bin/env python3
"""Makes the models stride_* in import/onnx: kernels over steps that have an output at some steps
only, or read steps behind it; pooling and attention over all steps. PyTorch exports them in two
ways, of any number of steps and of a known one; the answers are ONNX Runtime's.

    pip install torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu
    pip install numpy onnx==1.23.2 onnxruntime==1.32.0 onnxscript safetensors
    python3 tests/golden/import_strides.py

Needed only to make them anew. NAME.x.npy has frames, NAME.y.npy the answers of all files NAME.*.
"""
import pathlib
import warnings

import numpy
import onnxruntime
import safetensors.torch
import torch
from torch import nn

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent / "import" / "onnx"
torch.manual_seed(51)
RANDOM = numpy.random.default_rng(52)


class Steps(nn.Module):
    """Convolutions over steps, pooling, a GRU, and the last step or a number over all steps."""

    def __init__(self, *convolutions, pool=None, cell=True, end=None):
        super().__init__()
        self.convolutions = nn.ModuleList(convolutions)
        width = convolutions[-1].out_channels
        self.cell = nn.GRU(width, 5, batch_first=True) if cell else None
        self.pool, self.end, self.head = pool, end, nn.Linear(5 if cell else width, 2)

    def forward(self, x):
        x = x.transpose(1, 2)
        for convolution in self.convolutions:
            x = torch.relu(convolution(x))
        if self.pool:
            x = self.pool(x)
        x = x.transpose(1, 2)
        if self.cell:
            x, _ = self.cell(x)
        if self.end == "last":
            x = x[:, -1]
        if self.end == "largest":
            x = x.amax(1)
        if self.end == "mean":
            x = x.mean(1)
        return self.head(x)


class Attention(nn.Module):
    """The mean over the steps of a GRU of both directions, weighted by a softmax over them."""

    def __init__(self, product):
        super().__init__()
        self.cell = nn.GRU(3, 4, batch_first=True, bidirectional=True)
        self.score, self.head, self.product = nn.Linear(8, 1), nn.Linear(8, 2), product

    def forward(self, x):
        h, _ = self.cell(x)
        weights = torch.softmax(torch.tanh(self.score(h)), 1)
        if self.product:
            return self.head(torch.bmm((self.product * weights).transpose(1, 2), h).squeeze(1))
        return self.head((weights * h).sum(1))


MODULES = {
    "stride_valid": (Steps(nn.Conv1d(3, 4, 3), nn.Conv1d(4, 4, 2, dilation=2)), 11),
    "stride_two": (Steps(nn.Conv1d(3, 4, 3, stride=2), pool=nn.MaxPool1d(2)), 15),
    "stride_same": (Steps(nn.Conv1d(3, 4, 3, padding=1), pool=nn.AvgPool1d(2), end="last"), 12),
    "stride_largest": (Steps(nn.Conv1d(3, 4, 3), cell=False, end="largest"), 12),
    "stride_mean": (Steps(nn.Conv1d(3, 4, 3), end="mean"), 12),
    "stride_attention": (Attention(0), 9),
    "stride_attention_product": (Attention(3), 9),
}
for name, (module, steps) in MODULES.items():
    module = module.eval()
    x = RANDOM.standard_normal((1, steps, 3)).astype(numpy.float32)
    for way in ("old", "new"):
        path = HERE / f"{name}.{way}.onnx"
        kind = {"dynamic_axes": {"x": {1: "steps"}}} if way == "old" else {}
        torch.onnx.export(module, (torch.tensor(x),), path, input_names=["x"], output_names=["y"],
                          dynamo=way == "new", verbose=False, external_data=False, **kind)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        y = session.run(None, {"x": x})[0]
        numpy.save(HERE / f"{name}.x.npy", x)
        numpy.save(HERE / f"{name}.y.npy", y)
        print(path.name, y.shape, abs(y - module(torch.tensor(x)).detach().numpy()).max())



class Refused(nn.Module):
    """Numbers over another dimension than the steps, or beside every step."""

    def __init__(self, way):
        super().__init__()
        self.cell, self.way = nn.GRU(3, 3, batch_first=True), way

    def forward(self, x):
        h, _ = self.cell(x)
        if self.way == "mixed":
            return h * torch.sigmoid(h.amax(1, keepdim=True))
        if self.way == "batch":
            return h.mean(0)
        return (torch.softmax(h[:, :, :1], 0) * h).sum(1)


for way in ("mixed", "batch", "softmax"):
    torch.onnx.export(Refused(way).eval(), (torch.zeros(2, 5, 3),), HERE / f"refused_{way}.onnx",
                      input_names=["x"], output_names=["y"], dynamo=False, verbose=False,
                      dynamic_axes={"x": {0: "batch", 1: "steps"}})

# Tensors alone, with a list of layers.
folder = HERE.parent / "torch"
module = Steps(nn.Conv1d(3, 4, 3, stride=2), pool=nn.MaxPool1d(2)).eval()
x = RANDOM.standard_normal((1, 15, 3)).astype(numpy.float32)
safetensors.torch.save_file(module.state_dict(), folder / "conv_strides.safetensors")
(folder / "conv_strides.toml").write_text("""layers = [
  { window = 3, stride = 2, first = 2 },
  { dense = 4, activation = "relu", prefix = "convolutions.0" },
  { window = 2, stride = 2, first = 1 }, { max_pool = 2, channels = 4 },
  { gru = 5, prefix = "cell" }, { dense = 2, prefix = "head" },
]
""")
numpy.save(folder / "conv_strides.x.npy", x)
numpy.save(folder / "conv_strides.y.npy", module(torch.tensor(x)).detach().numpy())
