#!/usr/bin/env python3
"""Makes the models in import/tensorflow: as TensorFlow's converter to TFLite writes those of Keras
2 and 3, TFLite's own recurrent operations by hand, and frozen graphs of TensorFlow 1; and the
answers of TFLite's interpreter and of TensorFlow.

    pip install tensorflow==2.19.0 keras==3.15.1 tf_keras==2.19.0
    python3 tests/golden/import_tflite.py [MODELS RECORDINGS]

Needed only to make them anew. NAME.x.npy has frames, NAME.y.npy the answers of NAME.tflite or
NAME.pb. Models with "int8" or "hybrid" in their name are rounded by the interpreter too. MODELS is
a folder with GRU_S.pb and Basic_LSTM_S.pb of ML-KWS-for-MCU, and RECORDINGS a .tar.xz of .wav files
at 8 kHz; they give frames and answers of those two, whose files are not part of the project.
"""
import io
import os
import pathlib
import shutil
import sys
import tarfile
import tempfile
import wave
import zipfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import flatbuffers
import keras
import numpy
import tensorflow
import tf_keras
from tensorflow.lite.python import schema_py_generated as schema

HERE = pathlib.Path(__file__).parent / "import" / "tensorflow"
STEPS, IN = 5, 3
RANDOM = numpy.random.default_rng(31)
lite, tf1 = tensorflow.lite, tensorflow.compat.v1


def numbers(*shape, scale=0.6):
    return (RANDOM.standard_normal(shape) * scale).astype(numpy.float32)


def quantized(x, details):
    scale, zero = details["quantization"]
    if details["dtype"] != numpy.int8:
        return x
    return numpy.clip(numpy.round(x / scale + zero), -128, 127).astype(numpy.int8)


def real(y, details):
    scale, zero = details["quantization"]
    if details["dtype"] != numpy.int8:
        return y
    return ((y.astype(numpy.float32) - zero) * scale).astype(numpy.float32)


def save(name, content, x, y):
    (HERE / name).write_bytes(content)
    stem = name.rsplit(".", 1)[0]
    numpy.save(HERE / f"{stem}.x.npy", x)
    numpy.save(HERE / f"{stem}.y.npy", y)


def interpreted(name, content, x=None):
    """Saves a model with the answer to one sequence, a random one if none is given."""
    interpreter = lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    source, answer = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    x = numbers(*source["shape"], scale=1) if x is None else x
    interpreter.set_tensor(source["index"], quantized(x, source))
    interpreter.invoke()
    save(f"{name}.tflite", content, x, real(interpreter.get_tensor(answer["index"]), answer))


# --- models of Keras, as the converter writes them


def converted(function, signature, trackable, flex=False, kind=None):
    folder = tempfile.mkdtemp()
    module = tensorflow.Module()
    module.weights = trackable
    module.serve = tensorflow.function(function, input_signature=signature)
    tensorflow.saved_model.save(module, folder, signatures=module.serve.get_concrete_function())
    converter = lite.TFLiteConverter.from_saved_model(folder)
    if flex:
        converter.target_spec.supported_ops = [lite.OpsSet.TFLITE_BUILTINS,
                                               lite.OpsSet.SELECT_TF_OPS]
        converter._experimental_lower_tensor_list_ops = False
    if kind:
        converter.optimizations = [lite.Optimize.DEFAULT]
    if kind == "fp16":
        converter.target_spec.supported_types = [tensorflow.float16]
    if kind == "int8":
        shape = signature[0].shape
        converter.representative_dataset = lambda: ([numbers(*shape, scale=1)] for _ in range(60))
        converter.target_spec.supported_ops = [lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tensorflow.int8
    content = converter.convert()
    shutil.rmtree(folder)
    return content


def from_keras(name, of, *layers, steps=STEPS, width=IN, **options):
    model = of.Sequential([of.Input((steps, width)), *layers])
    model.set_weights([w + numbers(*w.shape, scale=0.1) for w in model.get_weights()])
    signature = [tensorflow.TensorSpec((1, steps, width), tensorflow.float32)]
    weights = [w.value if of is keras else w for w in model.weights]
    interpreted(name, converted(lambda x: model(x), signature, weights, **options))


def keras_models():
    old, new = tf_keras.layers, keras.layers

    def lstms(of, **more):
        return (of.LSTM(4, return_sequences=True, **more), of.LSTM(3, **more), of.Dense(2))
    from_keras("fused", tf_keras, *lstms(old))
    from_keras("fused_fp16", tf_keras, *lstms(old), kind="fp16")
    from_keras("fused_int8", tf_keras, *lstms(old), kind="int8")
    from_keras("fused_hybrid", tf_keras, old.LSTM(32, return_sequences=True), old.Dense(2), width=32,
               kind="hybrid")
    from_keras("fused_both", tf_keras, old.Bidirectional(old.LSTM(3, return_sequences=True)),
               old.Dense(2))
    from_keras("fused_both_last", tf_keras, old.Bidirectional(old.LSTM(3)),
               old.Dense(2, activation="softmax"))
    from_keras("fused_both_slice", tf_keras, old.Bidirectional(old.LSTM(3, return_sequences=True)),
               old.Lambda(lambda x: x[:, -1, :]), old.Dense(2))
    from_keras("gru_flex", tf_keras, old.GRU(4), old.Dense(2), flex=True)
    from_keras("gru_hard", tf_keras, old.GRU(4, reset_after=False, return_sequences=True,
                                             recurrent_activation="hard_sigmoid"), old.Dense(2))
    from_keras("unrolled_fp16", tf_keras, old.GRU(3, unroll=True), old.Dense(2), kind="fp16",
               steps=3)
    from_keras("rnn", tf_keras, old.SimpleRNN(4, return_sequences=True),
               old.Dense(2, activation="relu"))
    from_keras("while", keras, *lstms(new))
    from_keras("while_flex", keras, *lstms(new), flex=True)
    from_keras("while_both", keras, new.Bidirectional(new.GRU(3, return_sequences=True)),
               new.Dense(2))
    from_keras("while_relu", keras, new.Dense(4, activation="relu6"),
               new.LSTM(3, activation="relu", recurrent_activation="hard_sigmoid"),
               new.LayerNormalization(), new.Dense(2, activation="sigmoid"))
    from_keras("unrolled", keras, *lstms(new, unroll=True), steps=4)
    from_keras("unrolled_gru", keras, new.GRU(3, unroll=True, return_sequences=True), new.Dense(2),
               steps=4)
    from_keras("linear_gru", tf_keras, old.GRU(3, activation="linear", reset_after=False,
                                               recurrent_activation="hard_sigmoid"),
               old.Dense(1, activation="sigmoid"))  # as Mycroft Precise has it
    from_keras("linear_gru_after", tf_keras, old.GRU(3, activation="linear",
                                                     return_sequences=True))
    from_keras("linear_lstm", keras, new.LSTM(3, activation="linear"), new.Dense(2))
    from_keras("middle", tf_keras, old.LSTM(3, return_sequences=True),
               old.Lambda(lambda x: x[:, 2, :]), old.Dense(2))
    from_keras("distributed", keras, new.TimeDistributed(new.Dense(3, activation="elu")),
               new.LSTM(1, return_sequences=True), new.TimeDistributed(new.Dense(1)), steps=3,
               width=2)
    from_keras("flatten", tf_keras, old.LSTM(3, return_sequences=True), old.Flatten(), old.Dense(2))


def one_step():
    """Two LSTMs of one frame, whose states are packed as [1][layers][units][2]."""
    units = 4
    cells = [keras.layers.LSTMCell(units), keras.layers.LSTMCell(units)]
    head = keras.layers.Dense(2, activation="sigmoid")
    for layer, width in ((cells[0], IN), (cells[1], units), (head, units)):
        layer.build((1, width))

    def step(x, state):
        y, states = x[:, 0], []
        for i, cell in enumerate(cells):
            y, (h, c) = cell(y, [state[:, i, :, 0], state[:, i, :, 1]])
            states.append(tensorflow.stack([h, c], axis=-1))
        return {"y": head(y)[:, None], "z_state": tensorflow.stack(states, axis=1)}
    signature = [tensorflow.TensorSpec((1, 1, IN), tensorflow.float32, name="x"),
                 tensorflow.TensorSpec((1, 2, units, 2), tensorflow.float32, name="z_state")]
    content = converted(step, signature,
                        [w.value for layer in (*cells, head) for w in layer.weights])
    interpreter = lite.Interpreter(model_content=content)
    run = interpreter.get_signature_runner()
    x = numbers(9, 1, 1, IN, scale=1)
    state, answers = numpy.zeros((1, 2, units, 2), numpy.float32), []
    for frame in x:
        out = run(x=frame, z_state=state)
        answers.append(out["y"].reshape(-1))
        state = out["z_state"]
    save("one_step.tflite", content, x.reshape(1, 9, IN), numpy.array(answers)[None])


def stateful():
    """An LSTM of one frame whose state is in variables."""
    layers = tf_keras.layers
    model = tf_keras.Sequential([layers.Input(batch_shape=(1, 1, IN)),
                                 layers.LSTM(4, stateful=True), layers.Dense(2)])
    model.set_weights([w + numbers(*w.shape, scale=0.2) for w in model.get_weights()])
    converter = lite.TFLiteConverter.from_keras_model(model)
    converter.experimental_enable_resource_variables = True
    content = converter.convert()
    interpreter = lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    source, answer = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    frames, answers = numbers(9, 1, 1, IN, scale=1), []
    for frame in frames:
        interpreter.set_tensor(source["index"], frame)
        interpreter.invoke()
        answers.append(interpreter.get_tensor(answer["index"])[0].copy())
    save("stateful.tflite", content, frames.reshape(1, 9, IN), numpy.array(answers)[None])


# --- operations that the converter does not write any more


class Flat:
    """A TFLite model that is made by hand."""

    def __init__(self):
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.buffers = [schema.BufferT()]
        self.model.operatorCodes = []
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.graph.inputs, self.graph.outputs = [], []
        self.model.subgraphs = [self.graph]

    def tensor(self, name, shape, content=None, variable=False):
        made = schema.TensorT()
        made.name, made.shape, made.type = name, list(shape), schema.TensorType.FLOAT32
        made.isVariable = variable
        made.buffer = 0
        if content is not None:
            buffer = schema.BufferT()
            buffer.data = numpy.frombuffer(content.astype(numpy.float32).tobytes(), numpy.uint8)
            made.buffer = len(self.model.buffers)
            self.model.buffers.append(buffer)
        self.graph.tensors.append(made)
        return len(self.graph.tensors) - 1

    def weights(self, name, *shape):
        return self.tensor(name, shape, numbers(*shape))

    def op(self, code, kind, options, inputs, outputs):
        known = schema.OperatorCodeT()
        known.builtinCode = code
        known.deprecatedBuiltinCode = min(code, 127)
        known.version = 1
        self.model.operatorCodes.append(known)
        made = schema.OperatorT()
        made.opcodeIndex = len(self.model.operatorCodes) - 1
        made.inputs, made.outputs = inputs, outputs
        made.builtinOptionsType, made.builtinOptions = kind, options
        self.graph.operators.append(made)

    def content(self, inputs, outputs):
        self.graph.inputs, self.graph.outputs = inputs, outputs
        builder = flatbuffers.Builder(0)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def lstm_inputs(flat, prefix, units, width, bias=True):
    """The weights of one direction: input and state for i, f, c, o; no peepholes; biases."""
    return ([flat.weights(f"{prefix}W{g}", units, width) for g in "ifco"]
            + [flat.weights(f"{prefix}R{g}", units, units) for g in "ifco"] + [-1] * 3
            + ([flat.weights(f"{prefix}b{g}", units) for g in "ifco"] if bias else [-1] * 4)
            + [-1, -1])


def by_hand():
    op, kind = schema.BuiltinOperator, schema.BuiltinOptions
    units = 4

    flat = Flat()  # steps before sequences, linear candidate and output
    x = flat.tensor("x", (STEPS, 1, IN))
    cell = [x, *lstm_inputs(flat, "", units, IN), flat.tensor("h", (1, units), variable=True),
            flat.tensor("c", (1, units), variable=True)]
    y = flat.tensor("y", (STEPS, 1, units))
    options = schema.UnidirectionalSequenceLSTMOptionsT()
    options.timeMajor, options.fusedActivationFunction = True, schema.ActivationFunctionType.RELU
    flat.op(op.UNIDIRECTIONAL_SEQUENCE_LSTM, kind.UnidirectionalSequenceLSTMOptions, options, cell,
            [y])
    interpreted("op_time_major", flat.content([x], [y]))

    flat = Flat()
    x = flat.tensor("x", (1, STEPS, IN))
    cell = [x, *lstm_inputs(flat, "f_", units, IN), *lstm_inputs(flat, "b_", units, IN)]
    for name in ("fh", "fc", "bh", "bc"):
        cell.append(flat.tensor(name, (1, units), variable=True))
    cell += [-1] * 9
    y = flat.tensor("y", (1, STEPS, 2 * units))
    options = schema.BidirectionalSequenceLSTMOptionsT()
    options.mergeOutputs, options.timeMajor = True, False
    options.fusedActivationFunction = schema.ActivationFunctionType.TANH
    flat.op(op.BIDIRECTIONAL_SEQUENCE_LSTM, kind.BidirectionalSequenceLSTMOptions, options, cell,
            [y])
    interpreted("op_both_lstm", flat.content([x], [y]))

    flat = Flat()
    x = flat.tensor("x", (1, STEPS, IN))
    cell = [x, flat.weights("W", units, IN), flat.weights("R", units, units),
            flat.weights("b", units), flat.tensor("h", (1, units), variable=True)]
    y = flat.tensor("y", (1, STEPS, units))
    options = schema.SequenceRNNOptionsT()
    options.timeMajor, options.fusedActivationFunction = False, schema.ActivationFunctionType.TANH
    flat.op(op.UNIDIRECTIONAL_SEQUENCE_RNN, kind.SequenceRNNOptions, options, cell, [y])
    interpreted("op_rnn", flat.content([x], [y]))
    # The names of classes, as TFLite's metadata has them: a file in a zip archive behind the model.
    with zipfile.ZipFile(HERE / "labels.tflite", "w") as archive:
        archive.fp.write((HERE / "op_rnn.tflite").read_bytes())
        archive.start_dir = archive.fp.tell()
        archive.writestr(zipfile.ZipInfo("labels.txt"), "up\ndown\nleft\nright\n")

    flat = Flat()
    x = flat.tensor("x", (1, STEPS, IN))
    cell = [x]
    for prefix in "fb":
        cell += [flat.weights(f"{prefix}W", units, IN), flat.weights(f"{prefix}R", units, units),
                 flat.weights(f"{prefix}b", units),
                 flat.tensor(f"{prefix}h", (1, units), variable=True)]
    cell += [-1] * 3
    halves = [flat.tensor(name, (1, STEPS, units)) for name in ("yf", "yb")]
    y = flat.tensor("y", (1, STEPS, units))
    options = schema.BidirectionalSequenceRNNOptionsT()
    options.mergeOutputs = options.timeMajor = False
    options.fusedActivationFunction = schema.ActivationFunctionType.TANH
    flat.op(op.BIDIRECTIONAL_SEQUENCE_RNN, kind.BidirectionalSequenceRNNOptions, options, cell,
            halves)
    options = schema.SubOptionsT()
    options.fusedActivationFunction = schema.ActivationFunctionType.RELU_N1_TO_1
    flat.op(op.SUB, kind.SubOptions, options, halves, [y])
    interpreted("op_both_rnn", flat.content([x], [y]))

    # One step at a call, with states that the interpreter keeps.
    flat = Flat()
    x, between = flat.tensor("x", (1, IN)), flat.tensor("between", (1, units))
    cell = [x, *lstm_inputs(flat, "", units, IN, True),
            flat.tensor("h", (1, units), variable=True), flat.tensor("c", (1, units), variable=True)]
    options = schema.LSTMOptionsT()
    options.fusedActivationFunction = schema.ActivationFunctionType.TANH
    flat.op(op.LSTM, kind.LSTMOptions, options, cell, [between])
    y = flat.tensor("y", (1, units))
    options = schema.RNNOptionsT()
    options.fusedActivationFunction = schema.ActivationFunctionType.RELU
    flat.op(op.RNN, kind.RNNOptions, options,
            [between, flat.weights("W", units, units), flat.tensor("R", (units, units),
                                                                   numbers(units, units, scale=0.2)),
             flat.weights("b", units), flat.tensor("state", (1, units), variable=True)], [y])
    content = flat.content([x], [y])
    interpreter = lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    frames, answers = numbers(9, 1, IN, scale=1), []
    for frame in frames:
        interpreter.set_tensor(x, frame)
        interpreter.invoke()
        answers.append(interpreter.get_tensor(y)[0].copy())
    save("op_steps.tflite", content, frames.reshape(1, 9, IN), numpy.array(answers)[None])


# --- frozen graphs of TensorFlow 1


class Basic:
    """BasicLSTMCell of TensorFlow 1: gates i, j, f, o; 1 is added to the forget gate's sum."""

    def __init__(self, name, width, units):
        self.units, self.name = units, name
        self.kernel = tensorflow.constant(numbers(width + units, 4 * units), name=f"{name}/kernel")
        self.bias = tensorflow.constant(numbers(4 * units), name=f"{name}/bias")
        self.states = 2

    def __call__(self, x, state):
        h, c = state
        one = tensorflow.constant(1, tensorflow.int32)
        sums = tensorflow.nn.bias_add(
            tf1.matmul(tf1.concat([x, h], 1), tf1.identity(self.kernel)), self.bias)
        i, j, f, o = tf1.split(value=sums, num_or_size_splits=4, axis=one)
        c = c * tf1.sigmoid(f + tensorflow.constant(1.0)) + tf1.sigmoid(i) * tf1.tanh(j)
        h = tf1.tanh(c) * tf1.sigmoid(o)
        return h, [h, c]


class Gru:
    """GRUCell of TensorFlow 1: gates r, u over [x; h], the candidate over [x; r h]."""

    def __init__(self, name, width, units):
        self.units, self.name = units, name
        self.gates = tensorflow.constant(numbers(width + units, 2 * units))
        self.gates_bias = tensorflow.constant(numbers(2 * units))
        self.candidate = tensorflow.constant(numbers(width + units, units))
        self.candidate_bias = tensorflow.constant(numbers(units))
        self.states = 1

    def __call__(self, x, state):
        h = state[0]
        gates = tf1.sigmoid(tensorflow.nn.bias_add(
            tf1.matmul(tf1.concat([x, h], 1), self.gates), self.gates_bias))
        r, u = tf1.split(value=gates, num_or_size_splits=2, axis=1)
        n = tf1.tanh(tensorflow.nn.bias_add(
            tf1.matmul(tf1.concat([x, r * h], 1), self.candidate), self.candidate_bias))
        h = u * h + (1 - u) * n
        return h, [h]


def loop(x, cell):
    """tf.nn.dynamic_rnn: a loop over TensorArrays. x is [steps][1][width]."""
    begin = tf1.fill([1, cell.units], tensorflow.constant(0.0))
    count = tf1.shape(x)[0]
    frames = tf1.TensorArray(tensorflow.float32, size=count).unstack(x)
    outputs = tf1.TensorArray(tensorflow.float32, size=count)

    def body(time, outputs, *state):
        h, state = cell(frames.read(time), list(state))
        return (time + 1, outputs.write(time, h), *state)
    _, outputs, *state = tf1.while_loop(lambda time, *_: time < count, body,
                                        (tensorflow.constant(0), outputs, *[begin] * cell.states))
    return outputs, state


def steps_one_by_one(x, cell, steps):
    """tf.nn.static_rnn. x is [steps][1][width]."""
    state, outputs = [tf1.zeros([1, cell.units])] * cell.states, []
    for frame in tf1.unstack(x, steps, 0):
        h, state = cell(frame, state)
        outputs.append(h)
    return outputs


def graphs():
    def frozen(name, build, shape, placeholder=(None,)):
        with tf1.Graph().as_default() as graph, tf1.Session() as session:
            x = tf1.placeholder(tensorflow.float32, (*placeholder, *shape), name="input")
            y = build(x)
            tf1.identity(y, "output")
            content = graph.as_graph_def().SerializeToString()
            frames = numbers(1, *shape, scale=1)
            answer = session.run("output:0", {"input:0": frames})
        save(f"{name}.pb", content, frames.reshape(1, STEPS, IN), answer)

    def dense(y, units, out):
        return tf1.matmul(y, tensorflow.constant(numbers(units, out))) + tensorflow.constant(
            numbers(out))

    def looped(x):
        # One row that a Reshape makes frames of, as in keyword spotting.
        x = tf1.transpose(tf1.reshape(x, (-1, STEPS, IN)), (1, 0, 2))
        _, state = loop(x, Gru("a", IN, 4))
        return tf1.nn.softmax(dense(state[0], 4, 3))
    frozen("tf1_gru", looped, (STEPS * IN,))

    def two_loops(x):
        y = loop(tf1.transpose(x, (1, 0, 2)), Basic("a", IN, 3))[0].stack()
        y.set_shape((STEPS, 1, 3))
        y = loop(y, Basic("b", 3, 4))[0].stack()
        return tf1.transpose(tf1.nn.relu(y), (1, 0, 2))
    frozen("tf1_lstm", two_loops, (STEPS, IN), (1,))

    def both(x):
        # Both directions; a branch of training; a product by tensordot.
        x = tf1.transpose(x, (1, 0, 2))
        training = tf1.placeholder_with_default(False, ())
        forward = loop(x, Gru("a", IN, 3))[0].stack()
        backward = tf1.reverse(loop(tf1.reverse(x, [0]), Gru("b", IN, 2))[0].stack(), [0])
        forward.set_shape((STEPS, 1, 3))
        backward.set_shape((STEPS, 1, 2))
        y = tf1.concat([forward, backward], 2)
        y = tf1.cond(training, lambda: tf1.nn.dropout(y, rate=0.5), lambda: tf1.identity(y))
        y = tf1.tensordot(y, tensorflow.constant(numbers(5, 2)), [[2], [0]])
        return tf1.transpose(y, (1, 0, 2))
    frozen("tf1_both", both, (STEPS, IN), (1,))

    def unrolled(x):
        x = tf1.transpose(x, (1, 0, 2))
        x = tf1.reshape(tf1.nn.relu(dense(tf1.reshape(x, (-1, IN)), IN, 4)), (STEPS, -1, 4))
        y = steps_one_by_one(x, Basic("a", 4, 3), STEPS)
        y = steps_one_by_one(tf1.stack(y), Basic("b", 3, 3), STEPS)
        return dense(y[-1], 3, 2)
    frozen("tf1_unrolled", unrolled, (STEPS, IN), (1,))


def keyword_spotting(models, recordings, count=6):
    """The features of some recordings, and the answers of the two models of ML-KWS-for-MCU."""
    sounds = []
    with tarfile.open(recordings) as archive:
        members = sorted((m for m in archive.getmembers() if m.name.endswith(".wav")),
                         key=lambda m: m.name)
        for member in members[::len(members) // count][:count]:
            with wave.open(io.BytesIO(archive.extractfile(member).read())) as sound:
                values = numpy.frombuffer(sound.readframes(sound.getnframes()), numpy.int16)
            values = values.astype(numpy.float32) / 32768
            # At twice the rate, a second long.
            sounds.append(numpy.interp(numpy.arange(16000) / 2, numpy.arange(len(values)), values,
                                       right=0).astype(numpy.float32)[:, None])
    for name in ("GRU_S", "Basic_LSTM_S"):
        graph = tf1.GraphDef()
        graph.ParseFromString((pathlib.Path(models) / f"{name}.pb").read_bytes())
        x, y = [], []
        with tf1.Graph().as_default(), tf1.Session() as session:
            tensorflow.import_graph_def(graph, name="")
            for sound in sounds:
                features, answer = session.run(
                    ["Mfcc:0", "labels_softmax:0"],
                    {"decoded_sample_data:0": sound, "decoded_sample_data:1": 16000})
                x.append(features[0])
                y.append(answer[0])
        numpy.save(HERE / f"{name}.x.npy", numpy.array(x))
        numpy.save(HERE / f"{name}.y.npy", numpy.array(y))


def clipped():
    """The fused LSTMs with a clip of their cell state that makes a difference."""
    usual, small = (numpy.float32(clip).tobytes() for clip in (10, 0.2))
    content = (HERE / "fused.tflite").read_bytes()
    assert content.count(usual) == 2
    interpreted("fused_clip", content.replace(usual, small), numpy.load(HERE / "fused.x.npy"))


def main():
    for of in (keras, tf_keras):
        of.utils.set_random_seed(32)
    HERE.mkdir(parents=True, exist_ok=True)
    for old in HERE.iterdir():
        if not old.name.endswith("_S.x.npy") and not old.name.endswith("_S.y.npy"):
            old.unlink()
    by_hand()
    keras_models()
    one_step()
    stateful()
    tf1.disable_control_flow_v2()
    graphs()
    clipped()
    if len(sys.argv) == 3:
        keyword_spotting(*sys.argv[1:])
    (HERE / "README").write_text(
        f"made by import_tflite.py with TensorFlow {tensorflow.__version__}, Keras "
        f"{keras.__version__} and tf_keras {tf_keras.__version__}\n")
    print(sum(f.stat().st_size for f in HERE.iterdir()), "bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
