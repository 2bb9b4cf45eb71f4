#!/usr/bin/env python3
"""Makes keras.zip beside it: models of Keras 3.15 in .keras and .h5, with frames x and the answers
y that Keras gives, with which imported models must agree; and models that are refused.

    pip install keras==3.15.1 h5py==3.16.0 numpy==2.4.6
    pip install torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu
    python3 tests/golden/import_keras.py

Needed only to make it anew. For each case the archive has NAME.keras or NAME.h5 or both,
NAME.x.npy and NAME.y.npy; NAME.toml is the list of layers of weights alone; NAME.refused has the
texts that the refusal must hold, one a line.

Files of Keras 1 and 2 and in cuDNN's layout are made from those of Keras 3: their configurations
are written in the older form, and the arrays are put in the older order by formulas of this script.
The answers are Keras 3's own, with a hard sigmoid of the older slope.
"""
import io
import json
import os
import pathlib
import zipfile

os.environ["KERAS_BACKEND"] = "torch"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import absl.logging
import h5py
import keras
import numpy
from keras import layers as L
from keras import ops

absl.logging.set_verbosity(absl.logging.ERROR)
HERE = pathlib.Path(__file__).parent
random = numpy.random.default_rng(7)
entries = {}  # name in the archive: bytes


def keep(name, data):
    entries[name] = data.encode() if isinstance(data, str) else data


def npy(array):
    out = io.BytesIO()
    numpy.save(out, array)
    return out.getvalue()


def fill(model):
    """Gives every weight a random number; variances are positive."""
    for weight in model.weights:
        name, shape = weight.path, weight.shape
        values = random.uniform(-0.9, 0.9, shape)
        if "variance" in name:
            values = random.uniform(0.3, 2.0, shape)
        if "count" in name:
            values = numpy.full(shape, 9)
        weight.assign(values.astype("float32"))


def frames(shape, count=2):
    return random.normal(size=(count, *shape)).astype("float32")


def packed_keras(path):
    """A .keras file anew, with its parts compressed and the same date in every run."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in ("metadata.json", "config.json", "model.weights.h5"):
            data = old.read(name)
            if name == "metadata.json":
                data = json.dumps({"keras_version": keras.__version__}).encode()
            new.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def save(name, model, formats=("keras", "h5")):
    for ending in formats:
        path = f"/tmp/import_keras.{ending}"
        model.save(path)
        keep(f"{name}.{ending}",
             packed_keras(path) if ending == "keras" else pathlib.Path(path).read_bytes())
        os.remove(path)


def answers(model, x):
    y = model(x)
    y = [numpy.asarray(part.detach()) for part in (y if isinstance(y, (list, tuple)) else [y])]
    return numpy.concatenate(y, axis=-1)


def case(name, model, x=None, formats=("keras", "h5"), joined=None, filled=False, y=None):
    """Keeps a model with frames and answers. `joined` are the frames of several inputs as one."""
    if not filled:
        fill(model)
    if x is None:
        x = frames(model.inputs[0].shape[1:])
    if y is None:
        y = answers(model, x)
    save(name, model, formats)
    keep(f"{name}.x.npy", npy(x if joined is None else joined))
    keep(f"{name}.y.npy", npy(y))
    print(f"{name}: y {y.shape}")


def sequential(*layers):
    return keras.Sequential(list(layers))


def refused(name, model, *texts):
    fill(model)
    save(name, model, ("keras",))
    keep(f"{name}.refused", "\n".join(texts) + "\n")


# ---- Cells --------------------------------------------------------------------------------------

case("gru_after", sequential(L.Input((6, 3)), L.GRU(4, return_sequences=True)))
case("gru_before", sequential(L.Input((6, 3)), L.GRU(4, reset_after=False), L.Dense(2)))
case("lstm_every", sequential(L.Input((None, 3)), L.LSTM(5, return_sequences=True), L.Dense(2)),
     frames((7, 3)))
case("lstm_last", sequential(L.Input((6, 2)), L.LSTM(4), L.Dense(1, activation="sigmoid")))
case("simple_rnn", sequential(L.Input((6, 2)), L.SimpleRNN(4, return_sequences=True), L.SimpleRNN(3)))
case("stacked", sequential(
    L.Input((6, 3)), L.LSTM(4, return_sequences=True), L.Dropout(0.3),
    L.GRU(3, return_sequences=True), L.SpatialDropout1D(0.2), L.SimpleRNN(3), L.GaussianNoise(0.1),
    L.Dense(4, activation="relu"), L.Dense(3, activation="softmax")))
case("no_bias", sequential(
    L.Input((5, 3)), L.LSTM(3, use_bias=False, return_sequences=True),
    L.GRU(3, use_bias=False, return_sequences=True), L.Dense(2, use_bias=False)))
case("rnn_of_cell", sequential(
    L.Input((5, 3)), L.RNN(L.LSTMCell(3), return_sequences=True), L.RNN(L.GRUCell(2))))
case("hard_sigmoid_3", sequential(
    L.Input((5, 3)), L.LSTM(3, recurrent_activation="hard_sigmoid", return_sequences=True),
    L.GRU(3, recurrent_activation="hard_sigmoid"), L.Dense(2, activation="hard_sigmoid")))
case("stateful", sequential(
    L.Input(batch_shape=(2, 5, 3)), L.LSTM(3, stateful=True), L.Dense(2)), formats=("h5",))

# ---- Both directions ----------------------------------------------------------------------------

for mode in ("concat", "sum", "mul", "ave"):
    case(f"bi_{mode}_last", sequential(L.Input((6, 3)), L.Bidirectional(L.LSTM(3), merge_mode=mode),
                                       L.Dense(2)))
    case(f"bi_{mode}_every", sequential(
        L.Input((6, 3)), L.Bidirectional(L.GRU(3, return_sequences=True), merge_mode=mode),
        L.Dense(2)), formats=("keras",))
i = L.Input((6, 3))
ahead, back = L.Bidirectional(L.GRU(3, return_sequences=True), merge_mode=None)(i)
case("bi_none", keras.Model(i, L.Dense(2)(L.Multiply()([ahead, L.Dense(3)(back)]))))
case("bi_two_layers", sequential(
    L.Input((5, 2)), L.Bidirectional(
        L.LSTM(3, return_sequences=True),
        backward_layer=L.LSTM(3, return_sequences=True, go_backwards=True)), L.LSTM(2)))
case("backwards", sequential(L.Input((6, 3)), L.LSTM(3, go_backwards=True), L.Dense(2)))
case("backwards_stack", sequential(
    L.Input((6, 3)), L.GRU(3, go_backwards=True, return_sequences=True), L.Dense(4),
    L.Bidirectional(L.GRU(2, return_sequences=True)), L.LSTM(3), L.Dense(2)))
case("backwards_twice", sequential(
    L.Input((6, 3)), L.GRU(3, go_backwards=True, return_sequences=True),
    L.LSTM(3, go_backwards=True, return_sequences=True)))
i = L.Input((6, 3))
case("ahead_and_back", keras.Model(
    i, L.Dense(2)(L.Concatenate()([L.GRU(3)(i), L.GRU(2, go_backwards=True)(i)]))))

# ---- Layers without time ------------------------------------------------------------------------

case("batch_norm", sequential(
    L.Input((5, 3)), L.BatchNormalization(), L.LSTM(3, return_sequences=True),
    L.BatchNormalization(scale=False, epsilon=0.01), L.LSTM(3), L.BatchNormalization(center=False),
    L.Dense(3), L.BatchNormalization(), L.Activation("relu"), L.Dense(2)))
case("layer_norm", sequential(
    L.Input((5, 4)), L.LayerNormalization(), L.GRU(4, return_sequences=True),
    L.LayerNormalization(center=False), L.GRU(3), L.LayerNormalization(scale=False, epsilon=0.01)))
case("activations", sequential(
    L.Input((5, 3)), L.LSTM(4), L.Activation("relu"), L.Dense(3), L.ReLU(), L.Dense(3),
    L.Activation("tanh"), L.Activation("linear"), L.Dense(3), L.Softmax()))
named = ["elu", "leaky_relu", "silu", "gelu", "softplus", "softsign", "exponential", "selu",
         "hard_silu", "relu6", "hard_tanh", "swish"]
case("curves", sequential(L.Input((5, 3)), L.GRU(4),
                          *[L.Dense(4, activation=name) for name in named], L.Dense(2)))
case("curve_layers", sequential(
    L.Input((5, 3)), L.GRU(4, return_sequences=True), L.Dense(4), L.LeakyReLU(), L.Dense(4),
    L.LeakyReLU(negative_slope=0.1), L.Dense(4), L.ELU(0.5), L.Dense(4), L.PReLU(shared_axes=[1]),
    L.Dense(4), L.ReLU(max_value=0.5), L.Dense(4), L.ReLU(negative_slope=0.3), L.LSTM(4), L.PReLU(),
    L.Dense(2, activation=L.LeakyReLU(negative_slope=0.05))))
case("candidates", sequential(
    L.Input((4, 3)), L.LSTM(3, activation="relu", return_sequences=True),
    L.GRU(3, activation="linear", return_sequences=True),
    L.GRU(3, activation="elu", reset_after=False, return_sequences=True),
    L.SimpleRNN(3, activation="relu", return_sequences=True),
    L.LSTM(3, activation="softsign", return_sequences=True),
    L.GRU(3, activation="selu", return_sequences=True),
    L.Bidirectional(L.LSTM(3, activation="leaky_relu")), L.Dense(2)))
case("preprocessing", sequential(
    L.Input((5, 3)), L.Rescaling(0.5, offset=-0.25), L.Normalization(), L.GRU(3), L.Dense(1)))
case("convolution_of_one", sequential(
    L.Input((5, 3)), L.Conv1D(4, 1, activation="relu"), L.MaxPooling1D(1), L.LSTM(3), L.Dense(1)))
case("dense", sequential(L.Input((5,)), L.Dense(4, activation="tanh"), L.Dropout(0.5), L.Dense(2)))
case("time_distributed", sequential(
    L.Input((5, 3)), L.TimeDistributed(L.Dense(4, activation="relu")),
    L.LSTM(3, return_sequences=True), L.TimeDistributed(L.Dropout(0.1)),
    L.TimeDistributed(sequential(L.Input((3,)), L.Dense(3), L.BatchNormalization(), L.Dense(2)))))
x = frames((12,))
case("shapes", sequential(
    L.Input((12,)), L.Reshape((4, 3)), L.GRU(3), L.Flatten(), L.RepeatVector(1), L.Reshape((3,)),
    L.Dense(2)), x, joined=x.reshape(2, 4, 3))
x = frames((5, 2, 3))
case("frames_of_two_dimensions", sequential(
    L.Input((5, 2, 3)), L.TimeDistributed(L.Flatten()), L.GRU(3, return_sequences=True),
    L.TimeDistributed(L.Reshape((3,)))), x, joined=x.reshape(2, 5, 6))
case("one_step", sequential(
    L.Input((1, 4)), L.LSTM(3, return_sequences=True), L.Flatten(), L.Dense(2)))
case("embedding", sequential(
    L.Input((7,)), L.Embedding(9, 4), L.GRU(5), L.Dense(9, activation="softmax")),
     random.integers(0, 9, (2, 7)).astype("int32"))
ids = random.integers(1, 9, (2, 7)).astype("int32")
ids[0, 4:] = 0
ids[1, 2] = 0
case("embedding_mask", sequential(
    L.Input((7,)), L.Embedding(9, 4, mask_zero=True), L.Bidirectional(L.LSTM(3)), L.Dense(2)), ids)
x = frames((6, 3))
x[0, 2] = x[0, 5] = x[1, 0] = -10
case("masking", sequential(L.Input((6, 3)), L.Masking(-10.0), L.LSTM(3, return_sequences=True),
                           L.GRU(3), L.Dense(2)), x)

# ---- Graphs -------------------------------------------------------------------------------------

i = L.Input((6, 3), name="pulse")
a = L.LSTM(3)(L.Dense(4, activation="tanh")(i))
b = L.GRU(3)(i)
case("branches", keras.Model(i, L.Dense(2, name="flow")(
    L.Concatenate(name="both")([a, b, a * b]))))
i = L.Input((6, 3))
a = L.LSTM(3, return_sequences=True)(i)
b = L.Dense(3)(i)
c = L.Average()([L.Add()([a, b]), L.Subtract()([b, a]), L.Multiply()([a, b])])
case("joins", keras.Model(i, L.Dense(2)(L.Add()([c, a]))))
i, j = L.Input((6, 3), name="pulse"), L.Input((2,), name="age")
m = keras.Model([i, j], L.Dense(2)(L.Concatenate()([L.LSTM(3)(i), L.Dense(3)(j)])))
x, y = frames((6, 3)), frames((2,))
case("two_inputs", m, [x, y], joined=numpy.concatenate([x, numpy.repeat(y[:, None], 6, 1)], 2))
i, j = L.Input((2,), name="knobs"), L.Input((6, 3), name="pulse")
m = keras.Model([i, j], L.GRU(3, return_sequences=True)(
    L.Concatenate()([L.RepeatVector(6)(L.Dense(3)(i)), j])))
x, y = frames((2,)), frames((6, 3))
case("repeated_input", m, [x, y], joined=numpy.concatenate([numpy.repeat(x[:, None], 6, 1), y], 2))
i = L.Input((6, 3))
h = L.GRU(4)(i)
case("two_outputs", keras.Model(i, [L.Dense(2, name="mean")(h),
                                    L.Dense(3, activation="softmax", name="kind")(h)]))
i = L.Input((6, 3))
shared, dense = L.LSTM(3, return_sequences=True), L.Dense(3, activation="tanh")
m = keras.Model(i, L.GRU(2)(dense(shared(dense(shared(i))))))
case("shared_layers", m)
i = L.Input((6, 3))
inner = sequential(L.Input((6, 4)), L.GRU(3, return_sequences=True), L.BatchNormalization(),
                   L.Dense(4, activation="tanh"))
head_in = L.Input((4,))
head = keras.Model(head_in, [L.Dense(3)(head_in), L.Dense(2)(L.BatchNormalization()(head_in))])
p, q = head(L.LSTM(4)(inner(inner(L.Dense(4)(i)))))
case("nested", keras.Model(i, L.Concatenate()([q, p])))
i = L.Input((6, 3))
_, h, _ = L.LSTM(3, return_state=True, return_sequences=True)(i)
s, g = L.GRU(3, return_state=True, return_sequences=True)(i)
case("states", keras.Model(i, L.Dense(2)(L.Concatenate()([h, g, L.GRU(2)(s)]))))
i = L.Input((6, 3))
case("last_step", keras.Model(i, L.Dense(2)(L.Dense(3, activation="relu")(
    L.LSTM(3, return_sequences=True)(i))[:, -1, :])))
case("mean", sequential(L.Input((6, 3)), L.Bidirectional(L.GRU(3, return_sequences=True)),
                        L.BatchNormalization(), L.GlobalAveragePooling1D(), L.Dense(2)))

# ---- Keras 2 ------------------------------------------------------------------------------------


@keras.saving.register_keras_serializable()
def hard_sigmoid_2(x):
    return ops.clip(0.2 * x + 0.5, 0, 1)


def plain(value):
    """An entry of a configuration as Keras 2 writes it."""
    if isinstance(value, dict) and value.get("class_name") == "function":
        return "hard_sigmoid" if "hard_sigmoid_2" in value["config"] else value["config"]
    return value


def config_2(node):
    """A layer's configuration as Keras 2 writes it."""
    config = {k: plain(v) for k, v in node["config"].items()
              if k not in ("dtype", "seed") and not k.startswith("zero_output")}
    config["dtype"] = "float32"
    if "batch_shape" in config:
        config["batch_input_shape"] = config.pop("batch_shape")
    if isinstance(config.get("layer"), dict):
        config["layer"] = config_2(config["layer"])
    config.pop("backward_layer", None)
    if "layers" in config:
        config = model_2(node)["config"]
    return {"class_name": node["class_name"], "config": config}


def references(value):
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        return [value["config"]["keras_history"]]
    if isinstance(value, (list, tuple)):
        return [r for part in value for r in references(part)]
    return []


def model_2(node):
    """A model's configuration as Keras 2 writes it, which counts the calls of models from 1."""
    config = node["config"]
    models = {l["name"] for l in config["layers"] if "layers" in l["config"] and "name" in l}
    shifted = lambda r: [r[0], r[1] + (r[0] in models), r[2], {}]
    if node["class_name"] == "Sequential":
        layers = [config_2(l) for l in config["layers"]]
        first = layers.pop(0)
        layers[0]["config"]["batch_input_shape"] = first["config"]["batch_input_shape"]
        return {"class_name": "Sequential", "config": {"name": config["name"], "layers": layers}}
    layers = []
    for layer in config["layers"]:
        made = config_2(layer)
        made["name"] = layer["name"]
        made["inbound_nodes"] = [[shifted(r) for r in references(n["args"])]
                                 for n in layer["inbound_nodes"]]
        if layer["class_name"] in ("Add", "Multiply") and "ops" in layer["module"]:
            made["class_name"] = "TFOpLambda"
            made["config"] = {"name": layer["name"],
                              "function": "math." + layer["class_name"].lower()}
            for node in made["inbound_nodes"]:
                node[0][3]["y"] = node.pop()[:3]
        if layer["class_name"] == "GetItem":
            parts = layer["inbound_nodes"][0]["args"][1]
            made["class_name"] = "SlicingOpLambda"
            made["config"] = {"name": layer["name"], "function": "__operators__.getitem"}
            made["inbound_nodes"][0][0][3]["slice_spec"] = [
                p["config"] if isinstance(p, dict) else p for p in parts]
        layers.append(made)
    ends = {}
    for key in ("input_layers", "output_layers"):
        value = config[key]
        value = [value] if isinstance(value[0], str) else value
        ends[key] = [shifted(r)[:3] for r in value]
    return {"class_name": "Model", "config": {"name": config["name"], "layers": layers, **ends}}


def save_h5(name, config, version, groups):
    """Writes a file as Keras 1 and 2 do: `groups` are layers with (name, array) pairs."""
    out = io.BytesIO()
    with h5py.File(out, "w") as f:
        f.attrs["keras_version"] = version.encode()
        f.attrs["backend"] = b"tensorflow"
        top = f
        if config is not None:
            f.attrs["model_config"] = json.dumps(config).encode()
            top = f.create_group("model_weights")
        top.attrs["layer_names"] = [n.encode() for n, _ in groups]
        top.attrs["keras_version"] = version.encode()
        for layer, arrays in groups:
            group = top.create_group(layer)
            group.attrs["weight_names"] = [n.encode() for n, _ in arrays]
            for path, array in arrays:
                group[path] = array
    keep(f"{name}.h5", out.getvalue())


def groups_2(model):
    def arrays(layer):
        weights = layer.trainable_weights + layer.non_trainable_weights
        return [(w.path + ":0", numpy.asarray(w.value.detach())) for w in weights]
    return [(l.name, arrays(l)) for l in model.layers]


def case_2(name, model, x=None, version="2.4.0"):
    fill(model)
    x = frames(model.inputs[0].shape[1:]) if x is None else x
    node = json.loads(model.to_json())
    save_h5(name, model_2(node), version, groups_2(model))
    keep(f"{name}.x.npy", npy(x))
    keep(f"{name}.y.npy", npy(answers(model, x)))
    print(name)


slope = {"recurrent_activation": hard_sigmoid_2}
case_2("keras_2_sequential", sequential(
    L.Input((6, 3)), L.LSTM(4, return_sequences=True, **slope), L.Dropout(0.2),
    L.GRU(3, reset_after=False, **slope), L.Dense(2, activation=hard_sigmoid_2)), version="2.0.5")
case_2("keras_2_both", sequential(
    L.Input((6, 3)), L.Bidirectional(L.GRU(3, return_sequences=True), merge_mode="sum"),
    L.TimeDistributed(L.Dense(2))), version="2.2.4-tf")
i = L.Input((6, 3))
inner = sequential(L.Input((6, 3)), L.LSTM(3, return_sequences=True), L.BatchNormalization(),
                   L.Dense(3, activation="relu"))
h = L.GRU(3)(inner(inner(i)))
case_2("keras_2_nested", keras.Model(i, L.Concatenate()([L.Dense(2)(h), h])), version="2.10.0")

i = L.Input((6, 3))
case_2("keras_2_slice", keras.Model(i, L.Dense(2)(L.GRU(3, return_sequences=True)(i)[:, -1, :])))

i = L.Input((6, 3))
a, b = L.GRU(3)(i), L.LSTM(3)(i)
case_2("keras_2_operators", keras.Model(i, L.Dense(2)(a * b + a)))

# ---- cuDNN --------------------------------------------------------------------------------------


def cudnn(arrays, gates):
    """A cell's arrays in cuDNN's layout: each gate's matrices in the order of their transposes."""
    kernel, state, bias = arrays
    def gate(matrix, turn):
        return numpy.hstack([turn(part) for part in numpy.split(matrix, gates, axis=1)])
    bias = numpy.stack([bias, random.uniform(-0.5, 0.5, bias.shape).astype("float32")]) \
        if bias.ndim == 1 else bias
    return (gate(kernel, lambda p: p.T.ravel().reshape(p.shape)), gate(state, lambda p: p.T),
            bias.reshape(-1)), bias


model = sequential(L.Input((6, 3)), L.LSTM(4, return_sequences=True), L.GRU(3))
fill(model)
lstm, gru = model.layers
parts = []
for layer, gates in ((lstm, 4), (gru, 3)):
    made, bias = cudnn([numpy.asarray(w.value.detach()) for w in layer.weights], gates)
    if gates == 4:  # the sum of its biases is what Keras computes with
        layer.weights[2].assign(bias.sum(0))
    parts.append((f"cu_{layer.name}", [(f"{layer.name}/{n}:0", a) for n, a in
                                       zip(("kernel", "recurrent_kernel", "bias"), made)]))
config = {"class_name": "Sequential", "config": [
    {"class_name": "CuDNNLSTM", "config": {"name": parts[0][0], "units": 4,
                                           "return_sequences": True,
                                           "batch_input_shape": [None, 6, 3]}},
    {"class_name": "CuDNNGRU", "config": {"name": parts[1][0], "units": 3,
                                          "return_sequences": False}}]}
save_h5("cudnn", config, "2.2.4", parts)
x = frames((6, 3))
keep("cudnn.x.npy", npy(x))
keep("cudnn.y.npy", npy(answers(model, x)))

# ---- Keras 1 ------------------------------------------------------------------------------------

model = sequential(L.Input((6, 3)), L.LSTM(4, return_sequences=True, **slope),
                   L.GRU(3, reset_after=False, **slope), L.Dense(2, activation="relu"))
fill(model)
lstm, gru, dense = ([numpy.asarray(w.value.detach()) for w in l.weights] for l in model.layers)
parts = []
for name, arrays, gates, order in (("lstm_1", lstm, "ifco", "icfo"), ("gru_1", gru, "zrh", "zrh")):
    cut = [dict(zip(gates, numpy.split(a, len(gates), axis=-1))) for a in arrays]
    parts.append((name, [(f"{name}_{letter}_{g}", part[g]) for g in order
                         for letter, part in zip("WUb", cut)]))
parts.append(("dense_1", [("dense_1_W", dense[0]), ("dense_1_b", dense[1])]))
cell = {"inner_activation": "hard_sigmoid", "activation": "tanh", "go_backwards": False,
        "consume_less": "cpu"}
save_h5("keras_1", {"class_name": "Sequential", "config": [
    {"class_name": "LSTM", "config": {**cell, "name": "lstm_1", "output_dim": 4, "input_dim": 3,
                                      "batch_input_shape": [None, 6, 3],
                                      "return_sequences": True}},
    {"class_name": "GRU", "config": {**cell, "name": "gru_1", "output_dim": 3, "input_dim": 4,
                                     "return_sequences": False}},
    {"class_name": "Dense", "config": {"name": "dense_1", "output_dim": 2, "activation": "relu",
                                       "bias": True}}]}, "1.2.2", parts)
x = frames((6, 3))
keep("keras_1.x.npy", npy(x))
keep("keras_1.y.npy", npy(answers(model, x)))

# ---- Weights alone ------------------------------------------------------------------------------

model = sequential(L.Input((6, 3)), L.Bidirectional(L.GRU(3, return_sequences=True)),
                   L.BatchNormalization(), L.LSTM(3), L.Dense(2))
fill(model)
x = frames((6, 3))
for name in ("weights_3", "weights_2"):
    keep(f"{name}.toml", "layers = [{ gru = 3, directions = \"both\", steps = \"every\" }, "
         "{ batch_norm = true },\n  { lstm = 3, steps = \"last\" }, { dense = 2 }]\n")
    keep(f"{name}.x.npy", npy(x))
    keep(f"{name}.y.npy", npy(answers(model, x)))
model.save_weights("/tmp/import_keras.weights.h5")
keep("weights_3.h5", pathlib.Path("/tmp/import_keras.weights.h5").read_bytes())
os.remove("/tmp/import_keras.weights.h5")
save_h5("weights_2", None, "2.4.0", groups_2(model))

# ---- Refused ------------------------------------------------------------------------------------

i = L.Input((6, 3))
h = L.LSTM(3, return_sequences=True, name="reader")(i)
u = L.UnitNormalization(name="unit")(h)
f = L.Flatten(name="flat")(h)
p = L.GlobalMaxPooling1D(name="most")(u)
refused("refused_layers", keras.Model(i, L.Concatenate(name="all")([
    L.Dense(2, name="head")(f), L.Dense(2, name="tail", activation="mish")(p)])),
        "unit (UnitNormalization): there is no such layer here",
        "tail (Dense): the activation \"mish\" is not one that a Dense has here")
i = L.Input((6, 3))
_, h, c = L.LSTM(3, return_state=True, name="encoder")(i)
d = L.LSTM(3, name="decoder")(L.RepeatVector(4, name="again")(h), initial_state=[h, c])
refused("refused_decoder", keras.Model(i, [d, L.Dense(2)(c)]),
        "encoder (LSTM): its cell state is read",
        "again (RepeatVector): repeats the answer to the last step 4 times",
        "decoder (LSTM): its argument \"initial_state\" is a tensor")
refused("refused_order", sequential(L.Input((6, 3)), L.GRU(3, go_backwards=True,
                                                           return_sequences=True)),
        "is in the order of go_backwards")
i = L.Input((6, 3))
h = L.GRU(3, return_sequences=True)(i)
refused("refused_answers", keras.Model(i, [L.Dense(2)(h), L.GRU(2)(h)]),
        "has outputs for every step and outputs for a whole sequence")
i, j = L.Input((6,), name="words"), L.Input((6, 2), name="sound")
refused("refused_ids", keras.Model([i, j], L.GRU(2)(L.Concatenate()([
    L.Embedding(9, 4, name="table")(i), j]))),
        "table (Embedding): reads ids beside other inputs")
refused("refused_axis", sequential(
    L.Input((6, 3)), L.BatchNormalization(axis=1, name="across"), L.Permute((2, 1), name="turned"),
    L.Conv1D(3, 3, padding="same", name="wide"), L.LSTM(3)),
        "across (BatchNormalization): normalizes over another axis")
refused("refused_attention", sequential(
    L.Input((6, 3)), L.LSTM(3, return_sequences=True), L.Lambda(lambda t: t[:, -1, :], name="cut",
                                                                output_shape=(3,))),
        "cut (Lambda): there is no such layer here; its function is in its program's code")

case("convolution", sequential(
    L.Input((8, 3)), L.Conv1D(4, 3, padding="causal", activation="relu"),
    L.Conv1D(5, 2, padding="causal", dilation_rate=3), L.LeakyReLU(), L.GRU(4), L.Dense(2)))
case("flatten", sequential(L.Input((6, 3)), L.LSTM(4, return_sequences=True), L.BatchNormalization(),
                            L.Flatten(), L.Dense(5, activation="relu"), L.Dense(2)))
case("convolution_every", sequential(
    L.Input((None, 2)), L.GRU(3, return_sequences=True),
    L.Conv1D(3, 4, padding="causal", use_bias=False, activation="tanh"), L.Dense(2)), frames((9, 2)))

# Kernels over steps that have an output at some steps only, or read steps behind it.
case("strides", sequential(
    L.Input((9, 3)), L.Conv1D(4, 3, strides=2, padding="causal", activation="relu"),
    L.GRU(5, return_sequences=True), L.Dense(2)))
case("valid", sequential(
    L.Input((9, 3)), L.Conv1D(4, 3, activation="relu"), L.Conv1D(4, 2, dilation_rate=2),
    L.LSTM(5, return_sequences=True), L.Dense(2)))
case("pooled_steps", sequential(
    L.Input((20, 4)), L.Conv1D(8, 3, activation="relu"), L.MaxPooling1D(2), L.Dropout(0.2),
    L.Conv1D(6, 3, activation="relu"), L.AveragePooling1D(2), L.LSTM(7), L.Dense(3, activation="softmax")))
case("same", sequential(
    L.Input((None, 4)), L.Conv1D(8, 4, padding="same", activation="relu"), L.MaxPooling1D(2),
    L.Conv1D(5, 2, padding="same", dilation_rate=3), L.Bidirectional(L.GRU(4)), L.Dense(3)), frames((13, 4)))
case("same_strides", sequential(
    L.Input((14, 4)), L.Conv1D(8, 5, padding="same", strides=2, activation="relu"),
    L.AveragePooling1D(3, strides=2), L.GRU(4, return_sequences=True)))
case("over_steps", sequential(
    L.Input((12, 4)), L.Conv1D(8, 3), L.BatchNormalization(), L.ReLU(), L.GlobalMaxPooling1D(), L.Dense(3)))
i = L.Input((12, 4))
h = L.Conv1D(8, 3, activation="relu")(i)
case("mean_over_steps", keras.Model(i, L.Dense(3)(L.Concatenate()(
    [L.GlobalAveragePooling1D()(h), L.GlobalMaxPooling1D()(h)]))))
case("flatten_pooled", sequential(
    L.Input((12, 4)), L.Conv1D(6, 3, activation="relu"), L.MaxPooling1D(2), L.Flatten(), L.Dense(3)))
case("frames_of_steps", sequential(
    L.Input((5, 8, 3)), L.TimeDistributed(L.Conv1D(6, 3, activation="relu")),
    L.TimeDistributed(L.BatchNormalization()), L.TimeDistributed(L.MaxPooling1D(2)),
    L.TimeDistributed(L.Flatten()), L.LSTM(4), L.Dense(2)))
case("frames_of_strides", sequential(
    L.Input((5, 8, 3)), L.TimeDistributed(L.Conv1D(6, 3, padding="same", strides=2)),
    L.TimeDistributed(L.MaxPooling1D(3, strides=2, padding="same")),
    L.TimeDistributed(L.GlobalAveragePooling1D()), L.LSTM(4), L.Dense(2)))
case("groups", sequential(
    L.Input((9, 4)), L.Conv1D(6, 3, groups=2), L.DepthwiseConv1D(2, depth_multiplier=2),
    L.SeparableConv1D(5, 3, depth_multiplier=2, padding="same", activation="tanh"), L.GRU(3)))
case("zero_padding", sequential(
    L.Input((9, 4)), L.ZeroPadding1D((2, 0)), L.Conv1D(6, 3), L.ZeroPadding1D((1, 1)),
    L.Conv1D(6, 3, activation="relu"), L.GRU(3)))
case("zeros_and_largest", sequential(
    L.Input((3, 6, 2)), L.TimeDistributed(L.ZeroPadding1D((2, 1))),
    L.TimeDistributed(L.MaxPooling1D(3, strides=2, padding="same")), L.TimeDistributed(L.Flatten()),
    L.GRU(3)))
refused("refused_channels", sequential(
    L.Input((4, 4)), L.GlobalMaxPooling1D(data_format="channels_first", name="most"), L.Dense(2)),
        "most (GlobalMaxPooling1D): channels before the steps")
refused("refused_zeros", sequential(
    L.Input((4, 3)), L.Dense(2), L.ZeroPadding1D(1, name="zeros")),
        "the output zeros: has steps of zeros, which a convolution alone may read")
refused("refused_mask", sequential(
    L.Input((4, 3)), L.Masking(), L.Conv1D(2, 1, name="one"), L.GlobalAveragePooling1D()),
        "one (Conv1D): reads steps of which some are masked")
refused("refused_rare", sequential(
    L.Input((None, 1)), L.Conv1D(1, 1, strides=5000), L.Conv1D(1, 1, strides=5000), L.GRU(2)),
        "strides and first outputs of 25000000 steps in all; at most 16777216 are possible")
refused("refused_largest_same", sequential(
    L.Input((9, 3)), L.MaxPooling1D(2, padding="same", name="most"), L.GRU(2)),
        "most (MaxPooling1D): leaves out the padding of its first and last steps")
refused("refused_unknown_length", sequential(
    L.Input((None, 3)), L.Conv1D(3, 3, strides=2, padding="same", name="thin"), L.GRU(2)),
        "thin (Conv1D): pads by \"same\" for a stride of 2, and the number of steps is not known")
refused("refused_padding", sequential(
    L.Input((9, 3)), L.ZeroPadding1D(1, name="zeros"), L.GRU(2, name="cell")),
        "cell (GRU): reads steps of zeros, which a convolution alone may read")
i = L.Input((9, 3))
refused("refused_branches", keras.Model(i, L.Dense(2)(L.Concatenate()(
    [L.GRU(2)(L.Conv1D(3, 3, strides=2)(i)), L.GRU(2)(i)]))),
        "reads every step beside steps of which a stride leaves some out")

with zipfile.ZipFile(HERE / "keras.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for name, data in sorted(entries.items()):
        archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED, 9)
cases = {name.split(".")[0] for name in entries}
print(f"{len(cases)} cases, {len(entries)} files, {(HERE / 'keras.zip').stat().st_size} bytes")
