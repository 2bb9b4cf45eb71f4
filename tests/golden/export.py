#!/usr/bin/env python3
"""Compares exported models in their own programs: takes the models in import/ and keras.zip in with
`sluice import`, writes each with `sluice export` as ONNX and for Keras, and compares the answers of
ONNX Runtime and Keras with those that the models came with.

    pip install keras==3.15.1 torch==2.13.0 h5py==3.16.0 numpy==2.4.6 onnxruntime==1.32.0
    python3 tests/golden/export.py build/release/bin/sluice

Prints the largest difference of each, as a share of the largest answer, and the reasons of the
refusals. Ends with exit code 1 if a difference is above 1e-5.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

os.environ["KERAS_BACKEND"] = "torch"
import keras
import numpy
import onnxruntime

HERE = pathlib.Path(__file__).parent
SLUICE = pathlib.Path(sys.argv[1]).resolve()
WORK = pathlib.Path(tempfile.mkdtemp())


def sluice(*words):
    """Returns whether a command succeeds, and the last line that it prints."""
    done = subprocess.run([SLUICE, *map(str, words)], capture_output=True, text=True)
    return done.returncode == 0, (done.stdout + done.stderr).strip().split("\n")[-1]


def models():
    """Yields name, file, list of layers, frames and answers."""
    with zipfile.ZipFile(HERE / "keras.zip") as archive:
        archive.extractall(WORK / "keras")
    for x in sorted([*(WORK / "keras").glob("*.x.npy"), *(HERE / "import").glob("*/*.x.npy")]):
        stem = x.name[:-len(".x.npy")]
        for file in sorted(x.parent.glob(stem + ".*")):
            if file.suffix in (".keras", ".onnx", ".pt", ".safetensors", ".tflite", ".json"):
                layers = x.parent / (stem + ".toml")
                yield f"{x.parent.name}/{stem}", file, layers if layers.exists() else None, x
                break


def answers_of_keras(path, x):
    model = keras.models.load_model(path)
    return keras.ops.convert_to_numpy(model(x))


def answers_of_onnx(path, x):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    kind = session.get_inputs()[0].type
    x = x.astype(numpy.int64 if "int64" in kind else numpy.float32)
    return numpy.stack([session.run(None, {"x": row[None]})[0][0] for row in x])


worst = {"onnx": 0.0, "keras": 0.0}
counts = {"onnx": 0, "keras": 0}
for name, file, layers, x_file in models():
    if name in ("keras/masking", "keras/embedding_mask"):
        continue  # the caller leaves masked frames out
    if "int8" in name or "hybrid" in name:
        continue  # the other program rounds
    arguments = ["--layers", layers] if layers else []
    good, line = sluice("import", file, "--out", WORK / "model.slu", "--force", *arguments)
    if not good:
        continue  # a model that the tests expect to be refused
    x = numpy.load(x_file)
    y = numpy.load(str(x_file).replace(".x.npy", ".y.npy"))
    if x.shape[1] == 1 and y.shape[:2] == x.shape[:2] and x.ndim == 3:
        x = x.transpose(1, 0, 2)  # [steps][1][numbers]
    if x.ndim == 4:
        x = x.reshape(*x.shape[:2], -1)
    for program, answers in ("onnx", answers_of_onnx), ("keras", answers_of_keras):
        good, line = sluice("export", WORK / "model.slu", "--format", program, "--out",
                            WORK / "out", "--force")
        if not good:
            print(f"{name}: {program} refused: {line.split('model.slu: ')[-1]}")
            continue
        path = WORK / "out" / f"model.{program}"
        try:
            got = answers(str(path), x)
        except Exception as error:  # pylint: disable=broad-except
            print(f"{name}: {program}: FAILED: {type(error).__name__}: {str(error)[:300]}")
            worst[program] = numpy.inf
            continue
        if got.size != y.size:
            print(f"{name}: {program}: shape {got.shape}, and the answers have {y.shape}")
            continue
        share = numpy.abs(got.reshape(-1) - y.reshape(-1)).max() / max(numpy.abs(y).max(), 1e-30)
        worst[program] = max(worst[program], share)
        counts[program] += 1
        print(f"{name}: {program}: {share:.1e}")
for program in worst:
    print(f"{program}: {counts[program]} models, the largest difference {worst[program]:.1e}")
sys.exit(any(share > 1e-5 for share in worst.values()))
