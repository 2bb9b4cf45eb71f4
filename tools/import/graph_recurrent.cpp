// ONNX's recurrent operations.
#include <numeric>

#include "graph_follower.h"

namespace sluice::tools::graph {
namespace {

/// Returns whether a constant has numbers other than 0.
bool has_numbers(const Value& value) {
  if (!value.is_constant()) return false;
  for (const float number : value.constant->floats)
    if (number != 0) return true;
  return false;
}

/// Returns the numbers [directions][units] of a constant initial state; empty if it is zero. Every
/// sequence of a batch must have the same.
std::vector<float> initial_state(const Value& value, std::size_t directions, std::size_t units,
                                 bool batch_first) {
  if (!has_numbers(value)) return {};
  const Constant& constant = *value.constant;
  const std::vector<std::int64_t>& shape = constant.shape;
  const std::size_t sequences = constant.floats.size() / (directions * units);
  std::vector<std::int64_t> wanted = {std::int64_t(directions), std::int64_t(sequences),
                                      std::int64_t(units)};
  if (batch_first) std::swap(wanted[0], wanted[1]);
  if (shape != wanted) stuck("an initial state of the shape {}", shape_text(shape));
  std::vector<float> state(directions * units);
  for (std::size_t i = 0; i < constant.floats.size(); ++i) {
    const std::size_t unit = i % units, row = i / units,
                      d = batch_first ? row % directions : row / sequences,
                      s = batch_first ? row / directions : row % sequences;
    float& to = state[d * units + unit];
    if (s > 0 && constant.floats[i] != to)
      stuck("an initial state that differs from sequence to sequence");
    to = constant.floats[i];
  }
  return state;
}

}  // namespace

void Follower::recurrent(const OpNode& node, const std::vector<Value>& in,
                         std::vector<Value>& out) {
  const bool is_lstm = node.op == "LSTM", is_gru = node.op == "GRU";
  const auto input = [&](std::size_t i) { return i < in.size() ? in[i] : Value{}; };
  const Value &x = input(0), &w = input(1), &r = input(2);
  if (!x.is_flow() || !w.is_constant() || !r.is_constant()) stuck("weights that are not constant");
  const bool batch_first = node.whole("layout", 0) != 0;
  if (x.axes.size() != 3) stuck("frames of {} dimensions", x.axes.size());
  Axis time = x.axes[batch_first ? 1 : 0];
  const Axis batch = x.axes[batch_first ? 0 : 1];
  time.time = true;
  if (time.feature || batch.feature || (batch.size > 1 && time.size != 1 && time.size > 1))
    if (time.feature || batch.feature) stuck("features in the place of steps");
  std::string direction = "forward";
  if (const OpAttribute* const said = node.find("direction")) direction = said->text;
  const std::size_t directions = direction == "bidirectional" ? 2 : 1;
  if (x.step >= 0) stuck("a recurrent layer over one step of a sequence");
  if (x.reversed) {
    if (directions == 2) stuck("both directions of a sequence in reversed order");
    direction = direction == "reverse" ? "forward" : "reverse";
  }
  const std::size_t gates = is_lstm ? 4 : is_gru ? 3 : 1;
  const std::size_t features = formulas_.width(x.formula);
  const std::vector<std::int64_t>&ws = w.constant->shape, &rs = r.constant->shape;
  if (ws.size() != 3 || rs.size() != 3 || std::size_t(ws[0]) != directions ||
      std::size_t(ws[1]) % gates != 0 || std::size_t(ws[2]) != features)
    stuck("weights of the shape {} for {} numbers", shape_text(ws), features);
  const std::size_t rows = std::size_t(ws[1]), units = rows / gates;
  if (units == 0 || rs != std::vector<std::int64_t>{std::int64_t(directions), std::int64_t(rows),
                                                    std::int64_t(units)})
    stuck("weights over the state of the shape {}", shape_text(rs));
  const Value &bias = input(3), &lengths = input(4), &h0 = input(5), &c0 = input(6),
              &peep = input(7);
  if (bias.is_flow() || (bias.is_constant() && bias.constant->count() != directions * 2 * rows))
    stuck("a bias that does not fit");
  if (lengths.is_flow()) stuck("lengths of sequences that depend on the data");
  if (lengths.is_constant())
    for (const std::int64_t length : lengths.constant->whole)
      if (time.size < 1 || length != time.size) stuck("sequences that end early (sequence_lens)");
  const bool peers = has_numbers(peep);
  if (peep.is_flow() || (peers && (!is_lstm || peep.constant->count() != directions * 3 * units)))
    stuck("peepholes that do not fit");
  const std::vector<float> first_h = initial_state(h0, directions, units, batch_first),
                           first_c = initial_state(c0, directions, units, batch_first);
  for (const Value* start : {&h0, &c0}) {
    if (!start->is_flow()) continue;
    const Sum& sum = formulas_.sum(start->formula);
    for (const Product& product : sum.products)
      for (const AtomPart& one : product.parts) {
        const Atom& atom = formulas_.atom(one.atom);
        if (atom.kind != Atom::Kind::input || !inputs_[std::size_t(atom.number)].is_state)
          stuck("an initial state that is computed");
        if (!inputs_[std::size_t(atom.number)].start.empty())
          stuck("a state of a loop around it that does not begin at zero");
      }
  }
  if (node.whole("input_forget", 0)) stuck("input_forget");
  // The functions of gates and candidate.
  sluice_activation gate = SLUICE_SIGMOID;
  float slope = 0, candidate_alpha = 0;
  sluice_activation candidate = SLUICE_TANH;
  bool any_candidate = false;
  if (const OpAttribute* const said = node.find("activations")) {
    const OpAttribute* const alphas = node.find("activation_alpha");
    const OpAttribute* const betas = node.find("activation_beta");
    const std::size_t each = is_lstm ? 3 : is_gru ? 2 : 1;
    if (said->texts.size() != each * directions) stuck("{} activations", said->texts.size());
    std::size_t alpha = 0, beta = 0;
    for (std::size_t i = 0; i < said->texts.size(); ++i) {
      std::string name = said->texts[i];
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return char(std::tolower(c)); });
      const bool is_first = each > 1 && i % each == 0;  // of the gates
      const auto next_alpha = [&](float otherwise) {
        return alphas && alpha < alphas->reals.size() ? alphas->reals[alpha++] : otherwise;
      };
      const auto next_beta = [&](float otherwise) {
        return betas && beta < betas->reals.size() ? betas->reals[beta++] : otherwise;
      };
      if (is_first) {
        sluice_activation named = SLUICE_SIGMOID;
        float named_slope = 0;
        if (name == "hardsigmoid") {
          named = SLUICE_HARD_SIGMOID, named_slope = next_alpha(0.2f);
          if (const float b = next_beta(0.5f); b != 0.5f) stuck("a hard sigmoid with beta {}", b);
        } else if (name != "sigmoid") {
          stuck("the activation {} of gates", brief(said->texts[i]));
        }
        if (i > 0 && (named != gate || named_slope != slope))
          stuck("gates of different activations in both directions");
        gate = named, slope = named_slope;
        continue;
      }
      sluice_activation named = SLUICE_TANH;
      float named_alpha = 0;
      if (name == "relu")
        named = SLUICE_RELU;
      else if (name == "elu")
        named = SLUICE_ELU, named_alpha = next_alpha(1);
      else if (name == "leakyrelu")
        named = SLUICE_LEAKY_RELU, named_alpha = next_alpha(0.01f);
      else if (name == "softsign")
        named = SLUICE_SOFTSIGN;
      else if (name == "affine") {
        named = SLUICE_LINEAR;
        if (next_alpha(1) != 1 || next_beta(0) != 0)
          stuck("an affine activation that is not linear");
      } else if (name != "tanh") {
        stuck("the activation {}", brief(said->texts[i]));
      }
      if (any_candidate && (named != candidate || named_alpha != candidate_alpha))
        stuck("candidate and output of different activations");
      candidate = named, candidate_alpha = named_alpha, any_candidate = true;
    }
  }
  if (node.find("clip")) {
    // It bounds the sums before the activations. Beyond 14, sigmoid and tanh are at 1e-6 of their
    // ends.
    constexpr float without_effect = 14;
    const float clip = node.real("clip", 0);
    const bool bounded = gate == SLUICE_SIGMOID && candidate == SLUICE_TANH;
    if (!bounded || !(clip >= without_effect)) stuck("a clip of the sums of its gates at {}", clip);
    result_.remarks.push_back(
        fmt::format("{} ({}): clips the sums of its gates at {}, beyond which they make no "
                    "difference; the clip is left out",
                    brief(node.name), brief(node.shown_op()), clip));
  }
  bool before = false;
  if (is_gru && node.whole("linear_before_reset", 0) == 0) {
    before = true;
    const bool torch = graph_.producer == "pytorch";
    if (torch && choices_.reset == ResetChoice::open)
      stuck(
          "a GRU of PyTorch without linear_before_reset, which an exporter's bug leaves out, since "
          "PyTorch has no other GRU; say --reset after (PyTorch's), or --reset before if the "
          "network was built so");
    if (torch && choices_.reset == ResetChoice::after) before = false;
  }
  const sluice_layer_kind kind = is_lstm  ? SLUICE_LSTM
                                 : before ? SLUICE_GRU_BEFORE
                                 : is_gru ? SLUICE_GRU
                                          : SLUICE_RNN;
  const bool backward_alone = direction == "reverse", both = directions == 2 || backward_alone;
  Layer layer = recurrent_layer(kind, features, units, both, true);
  for (std::size_t d = 0; d < directions; ++d) {
    CellWeights cell;
    cell.input = View{w.constant->floats.data() + d * rows * features, rows, features,
                      std::ptrdiff_t(features), 1};
    cell.state =
        View{r.constant->floats.data() + d * rows * units, rows, units, std::ptrdiff_t(units), 1};
    if (w.constant->floats.empty() || r.constant->floats.empty())
      stuck("weights that are no floats");
    if (bias.is_constant()) {
      const View all = column_of(bias.constant->floats).part(d * 2 * rows, 2 * rows);
      cell.bias = all.part(0, rows), cell.second_bias = all.part(rows, rows);
    }
    if (!first_h.empty()) cell.h = column_of(first_h).part(d * units, units);
    if (!first_c.empty()) cell.c = column_of(first_c).part(d * units, units);
    if (peers)
      cell.peepholes = column_of(peep.constant->floats).part(d * 3 * units, 3 * units),
      cell.peephole_order = onnx_peephole_order;
    cell.order = is_lstm ? onnx_lstm_order : is_gru ? keras_gru_order : torch_order;
    put_cell(layer, d == 1 || backward_alone, cell);
  }
  if (gate == SLUICE_HARD_SIGMOID) layer.activation = gate, layer.parameter = slope;
  layer.candidate = candidate, layer.second = candidate_alpha;
  layer.cell_clip = is_lstm ? node.real("cell_clip", 0) : 0;
  const std::string place = fmt::format("{} ({})", brief(node.name), brief(node.shown_op()));
  for (const std::uint32_t below : lowering().recurrent_below(x.formula)) every_.insert(below);
  if (x.last) stuck("a recurrent layer over the last step of another one");
  const std::uint32_t number = lowering().put(std::move(layer), x.formula, place);
  for (const std::uint32_t below : lowering().recurrent_below(x.formula)) every_.insert(below);
  if (backward_alone) lowering().goes_backward(number);
  if (backward_alone)
    result_.remarks.push_back(fmt::format(
        "{}: goes backward alone; it is the backward half of a layer of both directions", place));
  Formula made = formulas_.layer(int(number), units * (both ? 2 : 1));
  if (backward_alone) {
    std::vector<std::int64_t> half(units);
    std::iota(half.begin(), half.end(), std::int64_t(units));
    made = formulas_.choose(made, half);
  }
  const Axis dir{directions > 1, std::int64_t(directions)}, unit{true, std::int64_t(units)};
  if (!out.empty())
    out[0] = batch_first ? flow(made, {batch, time, dir, unit}, false)
                         : flow(made, {time, dir, batch, unit}, false);
  if (!out.empty()) out[0].reversed = x.reversed;
  const Value state = flow(
      made, batch_first ? std::vector<Axis>{batch, dir, unit} : std::vector<Axis>{dir, batch, unit},
      time.size != 1);  // a graph of one step answers every frame
  if (out.size() > 1) out[1] = state;
  if (out.size() > 2) out[2] = state;  // c, which only the next call reads
}

}  // namespace sluice::tools::graph
