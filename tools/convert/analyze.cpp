#include "analyze.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "../common/print.h"
#include "../model/graph.h"
#include "../model/pack.h"
#include "calibrate.h"
#include "gate_sums.h"
#include "numbers.h"
#include "run_rows.h"
#include "runtime/blob.h"
#include "saturation.h"

namespace sluice::tools {
namespace {

/// The values of every layer at one step, from the trace; the frame is first.
struct Traced {
  sluice_format format;
  std::uint32_t frame_bytes;  ///< of a number of the frame
  bool reads_ids;
  std::vector<std::vector<double>> values;
  std::size_t computed = 0;  ///< the layers that had a value at this step

  static void take(void* context, std::uint32_t layer, const void* numbers, std::uint32_t n) {
    Traced& t = *static_cast<Traced*>(context);
    t.computed = layer;
    if (layer == 0 && t.reads_ids) return;
    std::vector<double>& v = t.values[layer];
    v.resize(n);
    for (std::uint32_t i = 0; i < n; ++i) {
      if (t.format == SLUICE_F32)
        v[i] = double(static_cast<const float*>(numbers)[i]);
      else if (layer == 0 && t.frame_bytes == 1)
        v[i] = static_cast<const std::int8_t*>(numbers)[i];
      else
        v[i] = static_cast<const std::int16_t*>(numbers)[i];
    }
  }
};

/// Returns where each layer's state begins in bytes. That of a cell is h, then an LSTM's c, both
/// padded.
std::vector<std::size_t> state_places(const OwnedModel& model) {
  std::vector<std::size_t> places;
  std::size_t at = 0;
  for (std::uint32_t l = 0; l < model.info().layers; ++l) {
    places.push_back(at);
    at += sluice_describe_layer(&model.model, l).state_bytes;
  }
  return places;
}

/// A model that is stepped and traced.
struct TracedModel {
  OwnedModel model;
  OwnedStream stream;
  Traced traced;
  std::vector<std::size_t> places;
  std::vector<float> answer;

  explicit TracedModel(const Network& network)
      : model(open_model(write_blob(network), "analysis")),
        stream(model.model, {1, 1}),
        traced{network.layers[0].format, model.info().frame_bytes, model.info().vocabulary != 0,
               std::vector<std::vector<double>>(network.layers.size() + 1)},
        places(state_places(model)) {
    answer.resize(model.info().outputs);
    sluice_trace(&stream.stream, Traced::take, &traced);
  }
  TracedModel(const TracedModel&) = delete;
  TracedModel& operator=(const TracedModel&) = delete;

  /// Returns an LSTM's cell state as numbers.
  std::vector<double> cell_state(std::size_t layer, int units) {
    const auto* const state =
        static_cast<const std::uint8_t*>(sluice_state(&stream.stream, nullptr)) + places[layer];
    const auto first = std::size_t(padded(units));
    std::vector<double> c;
    for (std::size_t i = first; i < first + std::size_t(units); ++i)
      c.push_back(traced.format == SLUICE_F32 ? double(reinterpret_cast<const float*>(state)[i])
                                              : reinterpret_cast<const std::int16_t*>(state)[i]);
    return c;
  }
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// A gate of one unit, and whether its sum is outside of the table.
struct Gate {
  double value;
  bool ends;
};

constexpr double sigmoid_end = 131071.0 / 3 * gate_unit,
                 tanh_end = sigmoid_end / 2;  // of the curve (kernels/README.md)
Gate sigmoid_gate(double u) { return {sigmoid(u), std::fabs(u) >= sigmoid_end}; }
Gate tanh_gate(double u) { return {std::tanh(u), std::fabs(u) >= tanh_end}; }

/// The curves of a cell's gates and of its candidate, as functions of sums in units of gate_unit.
/// In fixed point a hard sigmoid has its slope in the sums, and a candidate that is not tanh has
/// the state's unit.
struct CellCurves {
  const Layer& layer;

  Gate gate(double u) const {
    if (layer.activation != SLUICE_HARD_SIGMOID) return sigmoid_gate(u);
    const double slope =
        layer.format == SLUICE_F32 ? double(layer.parameter) : state_unit / gate_unit;
    const double value = slope * u + 0.5;
    return {std::clamp(value, 0.0, 1.0), false};
  }
  Gate candidate(double u) const {
    if (layer.candidate == SLUICE_TANH) return tanh_gate(u);
    const double most = std::ldexp(1, layer.shift_c);
    const bool fixed = layer.format != SLUICE_F32;
    double value = fixed ? u / gate_unit * state_unit * most : u;
    const bool ends = fixed && std::fabs(value) >= most;
    if (fixed) value = std::clamp(value, -most, most);
    if (layer.candidate == SLUICE_RELU) value = std::max(value, 0.0);
    return {value, ends && value != 0};
  }
};

/// Returns the names of a layer's gates, as analyze() reports them.
std::vector<std::string> gate_names(const Layer& layer) {
  std::vector<std::string> names;
  for (const char* const name : layer.anatomy().gate_names)
    if (*name) names.emplace_back(name);
  return names;
}

/// Returns the gates of all units, [units][gates]; frame and state are in the layer's own numbers,
/// as inputs of its products.
/// @param enters  r * h of the layer's own state, as the input of its product
template <class Enters>
std::vector<Gate> gates_of(const Layer& layer, const std::vector<double>& frame,
                           const std::vector<double>& state, Enters enters) {
  const bool real = layer.format == SLUICE_F32;
  const std::vector<double> x = over_factor(layer, Role::input_factor, frame),
                            h = over_factor(layer, Role::state_factor, state);
  const Array* const candidate = layer.find(Role::candidate_weight);
  const int shift_ih = real ? -1 : layer.shift_ih, shift_hh = real ? -1 : layer.shift_hh;
  const GateSums ih{layer.array(Role::input_weight), layer.find(Role::input_bias), shift_ih};
  const Array* const b_hh = layer.find(Role::state_bias);
  const Array& w_hh = layer.array(Role::state_weight);
  const GateSums hh{w_hh, b_hh, shift_hh};
  const auto both = [&](int gate, int row) { return ih.at(gate, row, x) + hh.at(gate, row, h); };
  const CellCurves curves{layer};
  std::vector<Gate> gates;
  if (layer.kind == SLUICE_LSTM) {
    for (int row = 0; row < layer.out; ++row)
      for (int gate = 0; gate < 4; ++gate)
        gates.push_back(gate == 2 ? curves.candidate(both(2, row)) : curves.gate(both(gate, row)));
    return gates;
  }
  if (layer.kind == SLUICE_FASTGRNN) {
    const auto bias = [&](Role role, int row) {
      const Array& b = layer.array(role);
      return real ? double(b.values[std::size_t(row)]) : b.integers[std::size_t(row)] * gate_unit;
    };
    for (int row = 0; row < layer.out; ++row) {
      gates.push_back(sigmoid_gate(both(0, row) + bias(Role::gate_bias, row)));
      gates.push_back(tanh_gate(both(0, row) + bias(Role::candidate_bias, row)));
    }
    return gates;
  }
  std::vector<double> reset;
  for (int row = 0; row < layer.out; ++row) reset.push_back(curves.gate(both(0, row)).value);
  const std::vector<double> s =
      candidate ? over_factor(layer, Role::state_factor, enters(reset)) : h;
  const GateSums over_s{candidate ? *candidate : w_hh, b_hh, shift_hh, candidate ? 2 : 0};
  for (int row = 0; row < layer.out; ++row) {
    const double g = over_s.at(candidate ? 0 : 2, row, s);
    gates.push_back(curves.gate(both(0, row)));
    gates.push_back(curves.gate(both(1, row)));
    gates.push_back(
        curves.candidate(ih.at(2, row, x) + (candidate ? g : reset[std::size_t(row)] * g)));
  }
  return gates;
}

struct Where {
  std::size_t sequence, step;
};

void note(ValueError& e, double truth, double value, bool at_end, Where where) {
  const double error = value - truth;
  e.signal += truth * truth, e.noise += error * error;
  ++e.count, e.saturated += at_end;
  if (std::fabs(error) > e.worst)
    e.worst = std::fabs(error), e.worst_sequence = where.sequence, e.worst_step = where.step;
}

Units16 alike(double unit, int n) {
  return {std::vector<double>(std::size_t(n), unit), std::vector<double>(std::size_t(n))};
}

/// The two networks side by side. `real` may begin with a standardization that is folded into
/// `fixed`.
struct Analysis {
  const Network &real, &fixed;
  const Quantized& quantized;
  TracedModel float_side, fixed_side;
  const Layer* standardization;  ///< of the frame; null: none
  std::vector<std::vector<double>> real_before,
      fixed_before;  ///< states before the step, by layer of fixed
  std::vector<ValueError> values = {};

  Analysis(const Network& r, const Quantized& q)
      : real(r),
        fixed(q.network),
        quantized(q),
        float_side(r),
        fixed_side(q.network),
        standardization(frame_standardization(r)),
        real_before(q.network.layers.size()),
        fixed_before(q.network.layers.size()) {
    if (!float_side.traced.reads_ids) values.push_back({0, "", "inputs"});
    for (std::size_t l = 0; l < fixed.layers.size(); ++l) {
      const Layer& layer = fixed.layers[l];
      const std::string kind = sluice_layer_name(layer.kind);
      for (const std::string& gate : gate_names(layer)) values.push_back({l + 1, kind, gate});
      if (layer.anatomy().states == 2) values.push_back({l + 1, kind, "c"});
      values.push_back({l + 1, kind, output_name(l)});
    }
  }

  /// "h", "y" or "answers"; of a part of an answer with the name of its layer.
  std::string output_name(std::size_t l) const {
    const Layer& layer = fixed.layers[l];
    const bool answers = is_answer(fixed, l) && !layer.anatomy().joins;
    const std::string name = recurrent(layer) ? "h" : answers ? "answers" : "y";
    return answers && answers_of(fixed).size() > 1 && !layer.name.empty()
               ? name + " of " + layer.name
               : name;
  }

  void reset() {
    sluice_reset(&float_side.stream.stream), sluice_reset(&fixed_side.stream.stream);
    for (std::size_t l = 0; l < fixed.layers.size(); ++l) {
      real_before[l] = state_at_start(real.layers[quantized.real_of[l]]);
      fixed_before[l].assign(real_before[l].size(), 0);
      if (const Array* const h = fixed.layers[l].find(Role::initial_h))
        fixed_before[l].assign(h->integers.begin(), h->integers.end());
    }
  }

  void note_inputs(ValueError& e, Where where) {
    const auto& raw = float_side.traced.values[0];
    const auto& numbers = fixed_side.traced.values[0];
    for (std::size_t k = 0; k < raw.size(); ++k) {
      const double inverse = double(fixed.scales.inverse[k]);
      if (inverse == 0) continue;
      const bool outside = saturates(fixed, k, float(raw[k]));
      // In units of the feature's deviation if the network standardizes, so that features have
      // equal weight.
      const double weight =
          standardization ? double(standardization->array(Role::scale).values[k]) : 1;
      const double mean =
          standardization ? double(standardization->array(Role::mean).values[k]) : 0;
      note(e, (raw[k] - mean) * weight,
           ((numbers[k] - double(fixed.scales.offset[k])) / inverse - mean) * weight, outside,
           where);
    }
  }

  void note_gates(std::size_t l, std::size_t at, Where where) {
    const Layer &f = fixed.layers[l], &r = real.layers[quantized.real_of[l]];
    const std::uint32_t fixed_source = sources_of(fixed, l)[0],
                        real_source = sources_of(real, quantized.real_of[l])[0];
    const bool narrow = f.format == SLUICE_INT8;
    std::vector<double> x = fixed_side.traced.values[fixed_source], h = fixed_before[l];
    if (narrow && fixed_source > 0)
      for (double& v : x) v = narrowed(v);
    if (narrow)
      for (double& v : h) v = narrowed(v);
    const auto reset_real = [&](std::vector<double> s) {
      for (std::size_t i = 0; i < s.size(); ++i) s[i] *= real_before[l][i];
      return s;
    };
    const auto reset_fixed = [&](std::vector<double> s) {
      for (std::size_t i = 0; i < s.size(); ++i) {
        s[i] = std::floor(s[i] * fixed_before[l][i] + 0.5);
        if (narrow) s[i] = narrowed(s[i]);
      }
      return s;
    };
    const std::vector<Gate> truth =
        gates_of(r, float_side.traced.values[real_source], real_before[l], reset_real);
    const std::vector<Gate> got = gates_of(f, x, h, reset_fixed);
    const std::size_t gates = gate_names(f).size();
    for (std::size_t i = 0; i < truth.size(); ++i)
      note(values[at + i % gates], truth[i].value, got[i].value, got[i].ends, where);
  }

  /// @param may_saturate  whether a number at the end of its range counts as one that did not fit
  void note_numbers(ValueError& e, const std::vector<double>& truth, const std::vector<double>& got,
                    const Units16& units, bool may_saturate, Where where) {
    for (std::size_t i = 0; i < truth.size(); ++i)
      note(e, truth[i], got[i] * units.unit[i] + units.zero[i],
           may_saturate && (got[i] >= 32766 || got[i] <= -32766), where);
  }

  void step(const DataSet& data, std::size_t row, Where where) {
    for (TracedModel* side : {&float_side, &fixed_side})
      run_rows(side->stream, data, row, 1, side->answer.data());
    std::size_t at = 0;
    if (!float_side.traced.reads_ids) note_inputs(values[at++], where);
    for (std::size_t l = 0; l < fixed_side.traced.computed; ++l) {
      const Layer& layer = fixed.layers[l];
      const std::vector<std::string> gates = gate_names(layer);
      if (!gates.empty()) note_gates(l, at, where), at += gates.size();
      if (layer.anatomy().states == 2)
        note_numbers(values[at++], float_side.cell_state(quantized.real_of[l], layer.out),
                     fixed_side.cell_state(l, layer.out),
                     alike(std::ldexp(state_unit, layer.shift_c), layer.out), true, where);
      const auto &truth = float_side.traced.values[quantized.real_of[l] + 1],
                 &got = fixed_side.traced.values[l + 1];
      const bool keeps_units = layer.kind == SLUICE_EMBEDDING || layer.kind == SLUICE_CONCAT ||
                               layer.kind == SLUICE_SELECT;
      const bool saturates = saturating_form(real.layers[quantized.real_of[l]]).has_value();
      note_numbers(values[at++], truth, got, quantized.units[l], !keeps_units && !saturates, where);
      if (recurrent(layer)) real_before[l] = truth, fixed_before[l] = got;
    }
  }
};

}  // namespace

double ValueError::snr() const {
  return noise > 0 ? 10 * std::log10(signal / noise) : std::numeric_limits<double>::infinity();
}

std::vector<ValueError> analyze(const Network& real, const Quantized& quantized,
                                const DataSet& data, std::span<const std::size_t> sequences,
                                std::size_t most_frames) {
  Network logits = real;  // a fixed-point model answers logits
  for (const std::uint32_t answer : answers_of(real)) {
    if (answer == 0) continue;
    sluice_activation& last = logits.layers[answer - 1].activation;
    if (last == SLUICE_SIGMOID || last == SLUICE_SOFTMAX) last = SLUICE_LINEAR;
  }
  Analysis analysis(logits, quantized);
  for (const std::size_t s : sequences) {
    analysis.reset();
    const std::size_t steps = std::min(data.steps(s), most_frames);
    for (std::size_t t = 0; t < steps; ++t) analysis.step(data, data.first[s] + t, {s, t});
  }
  return std::move(analysis.values);
}

std::string error_table(const std::vector<ValueError>& values, const DataSet& data) {
  std::vector<std::vector<std::string>> rows = {
      {"layer", "value", "SNR", "saturated", "largest error", "where"}};
  for (const ValueError& v : values) {
    const std::string layer = v.layer == 0 ? "" : fmt::format("{} {}", v.layer, v.kind);
    rows.push_back(
        {layer, v.name, std::isinf(v.snr()) ? "exact" : fmt::format("{:.1f} dB", v.snr()),
         fmt::format("{:.2f} %",
                     100 * double(v.saturated) / double(std::max<std::uint64_t>(v.count, 1))),
         fmt::format("{:.2g}", v.worst),
         v.worst > 0
             ? fmt::format("sequence {}, step {}", data.names[v.worst_sequence], v.worst_step)
             : ""});
  }
  return table(rows) +
         "SNR: the float values over the error of fixed point; inputs in deviations of the "
         "training data; r, z, n: a GRU's "
         "gates and\n"
         "candidate, z, n: a FastGRNN's, i, f, g, o: an LSTM's, c its cell state; h: a state; "
         "answers before softmax or sigmoid; steps "
         "from 0. Saturated: at "
         "an end of\nthe range.\n";
}

}  // namespace sluice::tools
