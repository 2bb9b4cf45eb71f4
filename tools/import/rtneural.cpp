// RTNeural's JSON: layers with Keras's weights, [in][out] and gates z, r, h or i, f, c, o.
#include <algorithm>
#include <cmath>

#include "../common/print.h"
#include "formats.h"
#include "weights.h"

namespace sluice::tools {
namespace {

using Kind = JsonNode::Kind;

/// The file while its layers are read.
struct Reader {
  const std::string& file;
  Imported& to;
  Obstacles obstacles;
  std::uint32_t last = 0;  ///< the source of the next layer
  std::size_t width = 0;   ///< of that source

  /// Returns the numbered weights of a layer. Refuses a shape other than that one.
  Tensor weights(const JsonNode& layer, const std::string& place, std::size_t index,
                 const std::vector<std::size_t>& shape) {
    const JsonNode* const all = layer.find("weights");
    const std::string name = fmt::format("{}: weights[{}]", place, index);
    if (!all || !all->is(Kind::list) || index >= all->size())
      refuse("{}: {}: is missing; write the file again", file, name);
    Tensor tensor = tensor_of(all->items[index], name, file);
    Tensor wanted;
    wanted.shape = shape;
    if (tensor.shape != shape)
      refuse(
          "{}: {}: has the shape {}, and a layer of this \"shape\" behind {} outputs needs {}; "
          "the file contradicts itself",
          file, name, tensor.shape_text(), width, wanted.shape_text());
    return tensor;
  }

  /// Returns the number of a layer's outputs, the last of its "shape".
  std::size_t outputs(const JsonNode& layer, const std::string& place) {
    const JsonNode* const shape = layer.find("shape");
    double last_size = 0;
    if (shape && shape->is(Kind::numbers)) last_size = double(shape->numbers.back());
    if (shape && shape->is(Kind::list) && !shape->items.empty())
      last_size = shape->items.back().number;
    if (!(last_size >= 1 && last_size <= double(widest)) || last_size != std::floor(last_size))
      refuse("{}: {}: shape: does not end in a number of outputs, 1 to {}; write the file again",
             file, place, widest);
    return std::size_t(last_size);
  }

  void put(Layer layer, const std::string& place) {
    to.note(place, fmt::format("layer {}", to.network.layers.size() + 1));
    width = std::size_t(layer.out);
    last = append(to.network, std::move(layer), last);
  }

  void apply(const Curve& curve, const std::string& place) {
    if (curve.activation == SLUICE_LINEAR) return;
    last = append_curve(to.network, last, curve);
    to.note(place, fmt::format("activation of layer {}", last));
  }

  void read(const JsonNode& layer, const std::string& place);
  void convolution(const JsonNode& layer, const std::string& at, std::size_t out);
};

/// Returns the activation of a layer, which may have none.
Curve curve_of(const JsonNode& layer, const std::string& place, Obstacles& obstacles) {
  const JsonNode* const said = layer.find("activation");
  const std::string text = said && said->is(Kind::text) ? said->text : "";
  if (text.empty() || text == "linear") return {};
  if (text == "tanh") return {SLUICE_TANH};
  if (text == "relu") return {SLUICE_RELU};
  if (text == "sigmoid") return {SLUICE_SIGMOID};
  if (text == "softmax") return {SLUICE_SOFTMAX};
  if (text == "elu") return {SLUICE_ELU, 0, 1};
  obstacles.add("{}: activation \"{}\" is not one that RTNeural has", place, brief(text));
  return {};
}

/// Returns whether a recurrent layer's activation is the one that RTNeural computes, tanh.
bool is_plain(const JsonNode& layer) {
  const JsonNode* const said = layer.find("activation");
  return !said || !said->is(Kind::text) || said->text.empty() || said->text == "tanh";
}

/// A causal convolution over steps, with zeros before the first one.
void Reader::convolution(const JsonNode& layer, const std::string& at, std::size_t out) {
  const auto number = [&](const char* key) {
    const JsonNode* const said = layer.find(key);
    const double value = !said                                                  ? 1
                         : said->is(Kind::number)                               ? said->number
                         : said->is(Kind::numbers) && said->numbers.size() == 1 ? said->numbers[0]
                                                                                : 0;
    if (!(value >= 1 && value <= 65535) || value != std::floor(value))
      refuse("{}: {}: {}: is not one whole number from 1 to 65535; write the file again", file, at,
             key);
    return std::size_t(value);
  };
  const std::size_t taps = number("kernel_size"), dilation = number("dilation"),
                    columns = taps * width;
  if (number("groups") != 1) {
    obstacles.add("{}: a convolution in groups", at);
    return;
  }
  if (columns > widest || (taps - 1) * dilation * width > (1u << 24)) {
    obstacles.add("{}: {} steps of {} numbers, which is too much", at, taps, width);
    return;
  }
  const Tensor w = weights(layer, at, 0, {taps, width, out});
  const JsonNode* const all = layer.find("weights");
  Tensor b;
  if (all->size() > 1) b = weights(layer, at, 1, {out});
  if (taps > 1) {
    Layer window;
    window.kind = SLUICE_WINDOW, window.in = int(width), window.out = int(columns);
    window.parts = int(taps), window.dilation = int(dilation);
    put(with_arrays(std::move(window)), at);
  }
  put(dense_layer(matrix_of(w.values, columns, out).transposed(),
                  b.values.empty() ? View() : column_of(b.values), curve_of(layer, at, obstacles)),
      at);
}

void Reader::read(const JsonNode& layer, const std::string& place) {
  const JsonNode* const type_said = layer.find("type");
  const std::string type = type_said && type_said->is(Kind::text) ? type_said->text : "";
  const std::string at = fmt::format("{} ({})", place, brief(type));
  const std::size_t out = outputs(layer, at);
  if (type == "dense" || type == "time-distributed-dense") {
    const Tensor w = weights(layer, at, 0, {width, out});
    const JsonNode* const all = layer.find("weights");
    Tensor b;
    if (all->size() > 1) b = weights(layer, at, 1, {out});
    put(dense_layer(matrix_of(w.values, width, out).transposed(),
                    b.values.empty() ? View() : column_of(b.values),
                    curve_of(layer, at, obstacles)),
        at);
  } else if (type == "conv1d") {
    convolution(layer, at, out);
  } else if (type == "gru" || type == "lstm") {
    const bool gru = type == "gru";
    const std::size_t rows = (gru ? 3 : 4) * out;
    if (!is_plain(layer))
      to.remarks.push_back(
          fmt::format("{}: activation \"{}\" is not read by RTNeural, which "
                      "computes tanh; so does this model",
                      at, brief(layer.find("activation")->text)));
    const Tensor w = weights(layer, at, 0, {width, rows}), u = weights(layer, at, 1, {out, rows});
    const Tensor b = gru ? weights(layer, at, 2, {2, rows}) : weights(layer, at, 2, {rows});
    CellWeights cell;
    cell.input = matrix_of(w.values, width, rows).transposed();
    cell.state = matrix_of(u.values, out, rows).transposed();
    cell.bias = matrix_of(b.values, rows, 1);
    if (gru) cell.second_bias = matrix_of(b.values, 2 * rows, 1).part(rows, rows);
    cell.order = gru ? keras_gru_order : keras_lstm_order;
    Layer made = recurrent_layer(gru ? SLUICE_GRU : SLUICE_LSTM, width, out, false, true);
    put_cell(made, false, cell);
    put(std::move(made), at);
  } else if (type == "batchnorm") {
    const JsonNode* const all = layer.find("weights");
    const bool affine = all && all->size() == 4;
    Layer made = make_layer(SLUICE_BATCH_NORM, int(out), int(out));
    if (out != width)
      refuse("{}: {}: {} outputs of {} inputs; the file contradicts itself", file, at, out, width);
    const Role roles[] = {Role::scale, Role::shift, Role::mean, Role::variance};
    made.array(Role::scale).values.assign(out, 1);
    for (std::size_t i = affine ? 0 : 2; i < 4; ++i)
      made.array(roles[i]).values = weights(layer, at, i - (affine ? 0 : 2), {out}).values;
    const JsonNode* const epsilon = layer.find("epsilon");
    made.parameter = epsilon ? float(epsilon->number) : 0;
    if (!(made.parameter > 0))
      refuse("{}: {}: epsilon: is missing, or not above 0; write the file again", file, at);
    put(std::move(made), at);
  } else if (type == "prelu") {
    const JsonNode* const all = layer.find("weights");
    // One row of slopes, one for each number or one for all.
    const bool one = all && all->is(Kind::list) && !all->items.empty() &&
                     all->items[0].is(Kind::list) && !all->items[0].items.empty() &&
                     all->items[0].items[0].size() == 1;
    Curve curve{SLUICE_PRELU};
    curve.slopes = weights(layer, at, 0, {1, one ? 1 : width}).values;
    apply(curve, at);
  } else if (type == "activation") {
    apply(curve_of(layer, at, obstacles), at);
  } else {
    obstacles.add("{}: there is no such layer here", at);
    width = out;
  }
}

float gain_of(const JsonNode& root, const char* name) {
  const JsonNode* const decibels = root.find(name);
  return decibels && decibels->is(Kind::number) ? float(std::pow(10, decibels->number / 20)) : 1;
}

/// Adds AIDA-X's gains and its sum with the input: y = gain_out (f(g x) + g x).
void add_gains(Reader& reader, const JsonNode& root, std::size_t inputs, float gain_in) {
  Imported& to = reader.to;
  Network& network = to.network;
  const JsonNode* const skip = root.find("in_skip");
  const bool skips =
      skip && (skip->is(Kind::number) || skip->is(Kind::boolean)) && skip->number != 0;
  const float gain_out = gain_of(root, "out_gain");
  if (skips && skip->number != 1)
    reader.obstacles.add("in_skip: {}, and AIDA-X knows 0 and 1 alone", skip->number);
  if (skips) {
    const std::uint32_t answer = reader.last;
    // The first layer scales the frame if there is a gain.
    const std::uint32_t dry = append_select(network, gain_in == 1 ? 0 : 1, {0});
    reader.last = append_join(network, SLUICE_ADD, {answer, dry});
    to.note("in_skip",
            fmt::format("layers {} and {}: the sum with the first input", dry, reader.last));
  }
  if (gain_out != 1) {
    const std::vector<float> scale(reader.width, gain_out);
    reader.last = append_scale(network, reader.last, scale, std::vector<float>(reader.width));
    to.note("out_gain", fmt::format("layer {}: a factor of {}", reader.last, gain_out));
  }
  network.width = int(inputs);
}

/// Takes AIDA-X's test vector, whose numbers are those of a model without its gains.
void take_test(Imported& to, const JsonNode& root, std::size_t inputs, bool gains,
               const std::string& file) {
  const JsonNode *const x = root.find("input_batch"), *const y = root.find("output_batch");
  if (!x || !y || !x->is_list() || !y->is_list()) return;
  Tensor in = tensor_of(*x, "input_batch", file), out = tensor_of(*y, "output_batch", file);
  if (inputs != 1 || in.values.size() != out.values.size()) return;
  if (gains) {
    to.remarks.emplace_back("its test vector is of the model without its gains and is not run");
    return;
  }
  to.tests.push_back({std::move(in.values), std::move(out.values), out.shape[0]});
}

}  // namespace

bool is_rtneural(const JsonNode& root) {
  return root.find("layers") && root.find("layers")->is_list() && root.find("in_shape");
}

Imported read_rtneural(const JsonNode& root, const std::string& file) {
  Imported result;
  result.format = "RTNeural JSON";
  Reader reader{file, result, Obstacles(file)};
  const std::size_t inputs = [&] {
    const JsonNode* const shape = root.find("in_shape");
    double last = shape->is(Kind::numbers)                         ? double(shape->numbers.back())
                  : shape->is(Kind::list) && !shape->items.empty() ? shape->items.back().number
                                                                   : 0;
    if (!(last >= 1 && last <= double(widest)) || last != std::floor(last))
      refuse("{}: in_shape: does not end in a number of inputs, 1 to {}; write the file again",
             file, widest);
    return std::size_t(last);
  }();
  const float gain_in = gain_of(root, "in_gain");
  result.network.width = int(inputs);
  reader.width = inputs;
  if (gain_in != 1) {
    std::vector<float> scale(inputs, 1);
    scale[0] = gain_in;
    reader.last = append_scale(result.network, 0, scale, std::vector<float>(inputs));
    result.note("in_gain", fmt::format("layer 1: a factor of {}", gain_in));
  }
  const JsonNode& layers = *root.find("layers");
  if (!layers.is(Kind::list) || layers.items.empty())
    refuse("{}: layers: an empty list, or one of numbers; give the file of a model", file);
  for (std::size_t i = 0; i < layers.items.size(); ++i)
    reader.read(layers.items[i], fmt::format("layer {}", i + 1));
  add_gains(reader, root, inputs, gain_in);
  reader.obstacles.refuse_any();
  take_test(result, root, inputs, gain_in != 1 || gain_of(root, "out_gain") != 1, file);
  return result;
}

}  // namespace sluice::tools
