#include "analyze.h"

#include <cmath>
#include <limits>

#include "../common/model_file.h"
#include "../common/print.h"
#include "runtime/blob.h"
#include "saturation.h"

namespace sluice::tools {
namespace {

constexpr double state_unit = 1.0 / 32768, gate_unit = 1.0 / 4096;

/// The values of every layer at one step, as the trace gives them; the frame first.
struct Traced {
  sluice_format format;
  std::vector<std::vector<double>> values;

  static void take(void* context, std::uint32_t layer, const void* numbers, std::uint32_t n) {
    Traced& t = *static_cast<Traced*>(context);
    std::vector<double>& v = t.values[layer];
    v.resize(n);
    for (std::uint32_t i = 0; i < n; ++i) {
      if (t.format == SLUICE_F32)
        v[i] = double(static_cast<const float*>(numbers)[i]);
      else if (t.format == SLUICE_INT8 && layer == 0)
        v[i] = static_cast<const std::int8_t*>(numbers)[i];
      else
        v[i] = static_cast<const std::int16_t*>(numbers)[i];
    }
  }
};

/// A model that is stepped and traced.
struct Side {
  OwnedModel model;
  OwnedStream stream;
  Traced traced;
  std::vector<std::int16_t> frame;
  std::vector<float> answer;

  explicit Side(const Network& network)
      : model(open_model(write_blob(network), "analysis")),
        stream(model.model, {1, 1}),
        traced{network.layers[0].format, std::vector<std::vector<double>>(network.layers.size() + 1)} {
    frame.resize(model.info().inputs * 2);
    answer.resize(model.info().outputs);
    sluice_trace(&stream.stream, Traced::take, &traced);
  }
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;

  void step(const float* x) {
    sluice_quantize(&model.model, x, frame.data(), 1);
    sluice_step(&stream.stream, frame.data(), answer.data());
  }
};

/// W v + b of one gate of a GRU, in real numbers.
struct GateSums {
  const Array &w, &bias;
  int shift;    ///< of R; -1 for a float layer
  double unit;  ///< of a number that enters, where the layer is a float one
  double at(int gate, int row, const std::vector<double>& v) const {
    const auto index = std::size_t(gate * w.rows + row);
    const std::size_t begin = index * std::size_t(w.cols), half = std::size_t(w.gates * w.rows);
    if (shift < 0) {
      double sum = double(bias.values[index]);
      for (std::size_t k = 0; k < v.size(); ++k) sum += double(w.values[begin + k]) * v[k] * unit;
      return sum;
    }
    double sum = bias.integers[index];
    for (std::size_t k = 0; k < v.size(); ++k) sum += double(w.integers[begin + k]) * v[k];
    return sum * double(bias.integers[half + index]) * std::ldexp(gate_unit, shift - 32);
  }
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

struct Gates {
  double r, z, n;
  bool r_ends, z_ends, n_ends;  ///< beyond the table
};

Gates gates_of(const GateSums& ih, const GateSums& hh, int row, const std::vector<double>& x, const std::vector<double>& h) {
  const double r = ih.at(0, row, x) + hh.at(0, row, h), z = ih.at(1, row, x) + hh.at(1, row, h);
  const double n = ih.at(2, row, x) + sigmoid(r) * hh.at(2, row, h);
  constexpr double sigmoid_end = 131071.0 / 3 * gate_unit, tanh_end = sigmoid_end / 2;  // of the curve (kernels/README.md)
  const auto ends = [](double u, double end) { return std::fabs(u) >= end; };
  return {sigmoid(r), sigmoid(z), std::tanh(n), ends(r, sigmoid_end), ends(z, sigmoid_end), ends(n, tanh_end)};
}

/// What enters a product in int8: the upper byte, rounded.
double narrowed(double h) { return std::min(std::floor((h + 128) / 256), 127.0); }

struct Where {
  std::size_t sequence, step;
};

void note(ValueError& e, double truth, double value, bool at_end, Where where) {
  const double error = value - truth;
  e.signal += truth * truth, e.noise += error * error;
  ++e.count, e.saturated += at_end;
  if (std::fabs(error) > e.worst) e.worst = std::fabs(error), e.worst_sequence = where.sequence, e.worst_step = where.step;
}

/// The two networks side by side. `real` may have a standardization in front, which `fixed` has folded.
struct Analysis {
  const Network &real, &fixed;
  const std::vector<double>& units;
  Side float_side, fixed_side;
  std::size_t folded;                                          ///< layers of real in front of fixed's first
  std::vector<std::vector<double>> real_before, fixed_before;  ///< states of GRUs before the step, by layer of fixed
  std::vector<ValueError> values = {};

  Analysis(const Network& r, const Network& f, const std::vector<double>& u)
      : real(r),
        fixed(f),
        units(u),
        float_side(r),
        fixed_side(f),
        folded(r.layers.size() - f.layers.size()),
        real_before(f.layers.size()),
        fixed_before(f.layers.size()) {
    values.push_back({0, "", "inputs"});
    for (std::size_t l = 0; l < f.layers.size(); ++l) {
      const std::string kind = sluice_layer_name(f.layers[l].kind);
      if (f.layers[l].kind == SLUICE_GRU)
        for (const char* gate : {"r", "z", "n"}) values.push_back({l + 1, kind, gate});
      const bool last = l + 1 == f.layers.size() && f.layers[l].kind == SLUICE_DENSE;
      values.push_back({l + 1, kind, f.layers[l].kind == SLUICE_GRU ? "h" : last ? "answers" : "y"});
    }
  }

  void reset() {
    sluice_reset(&float_side.stream.stream), sluice_reset(&fixed_side.stream.stream);
    for (std::size_t l = 0; l < fixed.layers.size(); ++l) {
      const std::size_t units_of_state = fixed.layers[l].kind == SLUICE_GRU ? std::size_t(fixed.layers[l].out) : 0;
      real_before[l].assign(units_of_state, 0), fixed_before[l].assign(units_of_state, 0);
    }
  }

  void note_inputs(ValueError& e, Where where) {
    const auto& raw = float_side.traced.values[0];
    const auto& numbers = fixed_side.traced.values[0];
    for (std::size_t k = 0; k < raw.size(); ++k) {
      const double inverse = double(fixed.scales.inverse[k]);
      if (inverse == 0) continue;
      const bool outside = saturates(fixed.scales, fixed.layers[0].format, k, float(raw[k]));
      // In units of the feature's deviation, where the network standardizes: so features count alike.
      const double weight = folded ? double(real.layers[0].arrays[0].values[k]) : 1;
      const double mean = folded ? double(real.layers[0].arrays[1].values[k]) : 0;
      note(e, (raw[k] - mean) * weight, ((numbers[k] - double(fixed.scales.offset[k])) / inverse - mean) * weight, outside,
           where);
    }
  }

  void note_gates(std::size_t l, std::size_t at, Where where) {
    const Layer &f = fixed.layers[l], &r = real.layers[l + folded];
    const bool narrow = f.format == SLUICE_INT8;
    std::vector<double> x = fixed_side.traced.values[l], h = fixed_before[l];
    if (narrow && l > 0)
      for (double& v : x) v = narrowed(v);
    if (narrow)
      for (double& v : h) v = narrowed(v);
    const std::vector<double>& real_x = float_side.traced.values[l + folded];
    for (int row = 0; row < f.out; ++row) {
      const Gates truth =
          gates_of({r.arrays[0], r.arrays[2], -1, 1}, {r.arrays[1], r.arrays[3], -1, 1}, row, real_x, real_before[l]);
      const Gates got =
          gates_of({f.arrays[0], f.arrays[2], f.shift_ih, 0}, {f.arrays[1], f.arrays[3], f.shift_hh, 0}, row, x, h);
      note(values[at], truth.r, got.r, got.r_ends, where);
      note(values[at + 1], truth.z, got.z, got.z_ends, where);
      note(values[at + 2], truth.n, got.n, got.n_ends, where);
    }
  }

  void step(const float* x, Where where) {
    float_side.step(x), fixed_side.step(x);
    note_inputs(values[0], where);
    std::size_t at = 1;
    for (std::size_t l = 0; l < fixed.layers.size(); ++l) {
      const bool gru = fixed.layers[l].kind == SLUICE_GRU;
      if (gru) note_gates(l, at, where), at += 3;
      const auto &truth = float_side.traced.values[l + folded + 1], &got = fixed_side.traced.values[l + 1];
      for (std::size_t i = 0; i < truth.size(); ++i)
        note(values[at], truth[i], got[i] * units[l], got[i] >= 32766 || got[i] <= -32766, where);
      ++at;
      if (gru) real_before[l] = truth, fixed_before[l] = got;
    }
  }
};

}  // namespace

double ValueError::snr() const { return noise > 0 ? 10 * std::log10(signal / noise) : std::numeric_limits<double>::infinity(); }

std::vector<ValueError> analyze(const Network& real, const Network& fixed, const std::vector<double>& units,
                                const DataSet& data, std::span<const std::size_t> sequences) {
  Network logits = real;  // in fixed point a model answers these
  sluice_activation& last = logits.layers.back().activation;
  if (last == SLUICE_SIGMOID || last == SLUICE_SOFTMAX) last = SLUICE_LINEAR;
  Analysis analysis(logits, fixed, units);
  for (const std::size_t s : sequences) {
    analysis.reset();
    for (std::size_t t = 0; t < data.steps(s); ++t) analysis.step(data.frames(s) + t * data.features(), {s, t});
  }
  return std::move(analysis.values);
}

std::string error_table(const std::vector<ValueError>& values, const DataSet& data) {
  std::vector<std::vector<std::string>> rows = {{"layer", "value", "SNR", "saturated", "largest error", "where"}};
  for (const ValueError& v : values) {
    const std::string layer = v.layer == 0 ? "" : fmt::format("{} {}", v.layer, v.kind);
    rows.push_back({layer, v.name, std::isinf(v.snr()) ? "exact" : fmt::format("{:.1f} dB", v.snr()),
                    fmt::format("{:.2f} %", 100 * double(v.saturated) / double(std::max<std::uint64_t>(v.count, 1))),
                    fmt::format("{:.2g}", v.worst),
                    v.worst > 0 ? fmt::format("sequence {}, step {}", data.names[v.worst_sequence], v.worst_step) : ""});
  }
  return table(rows) +
         "SNR: the float values over what fixed point differs by; inputs in deviations of the training data; r, z, n: a GRU's "
         "gates and\n"
         "candidate, h its state; answers before softmax or sigmoid; steps from 0. Saturated: at an end of the range.\n";
}

}  // namespace sluice::tools
